//! `zspark exec` for people: the result on stdout, progress on stderr.

use serde_json::json;
use testkit::Step;

use crate::run::*;

#[tokio::test]
async fn only_the_last_message_is_on_stdout() {
    let steps = [
        Step::say("I will look.").and_call("exec_command", json!({ "cmd": "echo seen" })),
        Step::say("There it is."),
    ];
    let place = Place::new(steps).await;
    let run = place.run(&["exec", "look"]).await;
    assert_eq!((run.code, run.stdout.as_str()), (Some(0), "There it is.\n"), "{run:?}");
    for part in [
        "I will look.\n",
        "$ echo seen\n",
        "exit 0",
        "sandbox read-only · approval never",
    ] {
        assert!(run.stderr.contains(part), "{part}: {}", run.stderr);
    }
    assert!(!run.stderr.contains('\u{1b}'), "no colours into a pipe: {}", run.stderr);
}

#[tokio::test]
async fn the_prompt_comes_from_stdin() {
    let place = Place::new([Step::say("a"), Step::say("b")]).await;
    assert_eq!(place.piped(&["exec"], "first\n").await.stdout, "a\n");
    assert_eq!(place.piped(&["exec", "-"], "second\n").await.stdout, "b\n");
    let prompts: Vec<String> = place.server.requests().iter().map(|it| it.last_user()).collect();
    assert_eq!(prompts, ["first\n", "second\n"]);
}

#[tokio::test]
async fn a_closed_stdout_ends_the_turn_quietly() {
    let steps = [
        Step::call("exec_command", json!({ "cmd": "sleep 600" })),
        Step::say("never"),
    ];
    let place = Place::new(steps).await;
    let mut child = command(&place.home).args(["exec", "--json", "go"]).spawn().unwrap();
    drop(child.stdin.take());
    drop(child.stdout.take());
    let run = finish(child).await;
    assert_eq!(run.code, Some(141), "{run:?}");
    assert!(!run.stderr.contains("panicked"), "{}", run.stderr);
}
