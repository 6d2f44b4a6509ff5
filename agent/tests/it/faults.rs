//! What goes wrong: the person is told plainly, nothing is lost, and the thread goes on.

use std::time::{Duration, Instant};

use protocol::approval::Decision;
use protocol::thread::{InterruptReason, TurnStatus};
use protocol::{Code, EventKind, ItemKind, ItemStatus};
use serde_json::json;
use testkit::{Gate, Script, Step};

use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_answer_keeps_what_was_said_and_the_model_is_told() {
    let gate = Gate::new();
    let steps = [Step::say("Half of").hold(&gate).text(" it."), Step::say("Next.")];
    let world = World::new(Script::turns(steps)).await;
    let mut talk = world.thread().await;
    talk.say("Begin").await;
    gate.reached().await;
    talk.wait(|it| matches!(it, EventKind::ItemStarted { .. }).then_some(()))
        .await;
    talk.interrupt().await;
    let end = talk.turn_end().await;
    assert!(
        matches!(
            end,
            EventKind::TurnInterrupted {
                reason: InterruptReason::Person,
                ..
            }
        ),
        "{end:?}"
    );
    assert_eq!(talk.last_word(), "Half of");
    assert_eq!(talk.items()[1].status, ItemStatus::Interrupted);
    talk.say("Go on").await;
    talk.completed().await;
    let body = world.server.requests()[1].body.to_string();
    assert!(body.contains("Half of") && body.contains("<turn_aborted>"), "{body}");
}

#[tokio::test(flavor = "multi_thread")]
async fn stopping_a_turn_ends_its_commands() {
    let name = format!("sleeper-{}", protocol::ItemId::new());
    let cmd = format!("exec -a {name} sleep 1000");
    let steps = [Step::call("exec_command", json!({ "cmd": cmd })), Step::say("Next.")];
    let world = World::new(Script::turns(steps)).await;
    let mut talk = world.thread().await;
    talk.say("Begin").await;
    poll(|| runs(&name).then_some(()));
    talk.interrupt().await;
    talk.turn_end().await;
    assert_eq!(talk.items()[1].status, ItemStatus::Interrupted);
    poll(|| (!runs(&name)).then_some(()));
    talk.say("Go on").await;
    talk.completed().await;
    assert_eq!(talk.last_word(), "Next.");
}

/// A process calls itself so. Its number would not tell: in the sandbox it has another one.
fn runs(name: &str) -> bool {
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let mut names = processes.filter_map(|it| std::fs::read(it.path().join("cmdline")).ok());
    names.any(|it| it.starts_with(name.as_bytes()))
}

/// Waits for something outside our processes, which tells nobody when it happens.
fn poll<T>(mut look: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(it) = look() {
            return it;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "waited in vain");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_fails_says_why_and_the_thread_goes_on() {
    let table = [
        (Step::unauthorized(), Code::Unauthorized),
        (Step::html(), Code::NotAProvider),
        (Step::context_overflow(), Code::ContextOverflow),
        (Step::out_of_quota(), Code::QuotaExceeded),
    ];
    for wire in ["responses", "chat"] {
        for (step, code) in table.clone() {
            let world = World::with(Script::turns([step, Step::say("Better.")]), wire, true).await;
            let mut talk = world.thread().await;
            talk.say("Hi").await;
            let failure = talk.failed().await;
            assert_eq!(failure.code, code, "{wire}: {failure:?}");
            assert!(failure.hint.is_some(), "{failure:?}");
            talk.say("Again").await;
            talk.completed().await;
            assert_eq!(talk.last_word(), "Better.");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_was_cut_is_said_again_from_its_beginning() {
    for wire in ["responses", "chat"] {
        let steps = [Step::say("Wrong sta").cut(), Step::say("Right from the start.")];
        let world = World::with(Script::turns(steps), wire, true).await;
        let mut talk = world.thread().await;
        talk.say("Hi").await;
        talk.completed().await;
        assert_eq!(talk.last_word(), "Right from the start.", "{wire}");
        let messages = talk
            .items()
            .iter()
            .filter(|it| matches!(it.kind, ItemKind::AgentMessage { .. }))
            .count();
        assert_eq!(messages, 1, "{wire}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_is_gone_fails_in_plain_words() {
    let world = World::new(Script::turns([])).await;
    world
        .home
        .configure(
            &testkit::home::provider_config("http://127.0.0.1:9/v1", "responses")
                .replace("wire_api", "stream_max_retries = 1\nrequest_max_retries = 1\nwire_api"),
        )
        .unwrap();
    let world = world.restart().await;
    let mut talk = world.thread().await;
    talk.say("Hi").await;
    let failure = talk.failed().await;
    assert_eq!(failure.code, Code::Unreachable, "{failure:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_turn_cut_by_a_crash_gets_its_end_and_the_thread_goes_on() {
    let gate = Gate::new();
    let world = World::new(Script::turns([Step::say("Half").hold(&gate), Step::say("Whole.")])).await;
    let mut talk = world.thread().await;
    talk.say("Begin").await;
    gate.reached().await;
    talk.wait(|it| matches!(it, EventKind::ItemStarted { .. }).then_some(()))
        .await;
    let id = talk.id.clone();
    drop(talk);
    // The log as a crash leaves it: taken from a copy of the home in mid-turn.
    let copy = world.home.path().with_file_name("copy");
    copy_folder(&world.home.path(), &copy);
    world.engine.stop().await;
    std::fs::remove_dir_all(world.home.path()).unwrap();
    std::fs::rename(&copy, world.home.path()).unwrap();
    let world = world.restart().await;
    let mut talk = world.talk(id).await;
    let page = talk.page().await;
    let crashed = TurnStatus::Interrupted {
        reason: InterruptReason::Crash,
    };
    assert_eq!(page.turns.iter().map(|it| &it.status).collect::<Vec<_>>(), [&crashed]);
    talk.say("Go on").await;
    talk.turn_end().await;
    talk.completed().await;
    assert_eq!(talk.last_word(), "Whole.");
}

fn copy_folder(from: &std::path::Path, to: &std::path::Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_is_gone_is_said_before_anything_happens() {
    let world = World::new(Script::turns([])).await;
    let talk = world.thread().await;
    std::fs::remove_dir_all(world.home.work()).unwrap();
    let failure = talk.try_say("Hi").await.unwrap_err();
    assert_eq!(failure.code, Code::FolderUnusable, "{failure:?}");
    assert_eq!(talk.page().await.turns, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn stopping_while_a_question_waits_ends_both() {
    let call = json!({ "cmd": "touch x", "sandbox_permissions": "require_escalated" });
    let world = World::new(Script::turns([Step::call("exec_command", call)])).await;
    let mut talk = world.thread().await;
    talk.say("Go").await;
    let question = talk.question().await;
    talk.interrupt().await;
    talk.turn_end().await;
    assert!(talk.page().await.approvals.is_empty());
    assert_eq!(
        talk.decide(&question, Decision::Once).await.unwrap_err().code,
        Code::Conflict
    );
    assert!(!world.home.work().join("x").exists());
}
