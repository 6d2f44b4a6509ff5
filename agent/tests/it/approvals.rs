//! Questions to the person: asked, answered, remembered, and never asked twice for what is covered.

use protocol::approval::{Ask, DecidedBy, Decision, RuleDraft, RuleEffect, RuleSubject};
use protocol::request::{RuleDelete, RuleList, RuleSave, RuleTest, ThreadList};
use protocol::setting::{ApprovalPolicy, SandboxMode};
use protocol::thread::{ThreadStatus, TurnStatus};
use protocol::{Code, EventKind, ItemStatus};
use serde_json::{Value, json};
use testkit::{Script, Step};

use crate::world::World;

fn escalated(cmd: &str) -> Value {
    json!({ "cmd": cmd, "sandbox_permissions": "require_escalated", "justification": "It needs more." })
}

fn ask_for(commands: &[&str]) -> Script {
    let calls = commands.iter().map(|it| Step::call("exec_command", escalated(it)));
    Script::turns(calls.chain([Step::say("Done.")]))
}

fn allow(prefix: &[&str]) -> RuleDraft {
    RuleDraft {
        subject: RuleSubject::CommandPrefix {
            prefix: prefix.iter().map(ToString::to_string).collect(),
            escalated: true,
        },
        effect: RuleEffect::Allow,
        folder: None,
        expires_ms: None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_yes_runs_the_command_and_a_no_reaches_the_model_with_its_reason() {
    let world = World::new(ask_for(&["echo yes > a", "echo no > b"])).await;
    let mut talk = world.thread().await;
    talk.say("Go").await;
    let question = talk.question().await;
    assert_eq!(question.reason.as_deref(), Some("It needs more."));
    assert!(!world.home.work().join("a").exists(), "it ran before it was allowed");
    talk.decide(&question, Decision::Once).await.unwrap();
    assert_eq!(
        talk.decide(&question, Decision::Once).await.unwrap_err().code,
        Code::Conflict
    );
    let question = talk.question().await;
    let no = Decision::Decline {
        note: Some("use a list".to_owned()),
        interrupt: false,
    };
    talk.decide(&question, no).await.unwrap();
    talk.completed().await;
    assert!(world.home.work().join("a").exists() && !world.home.work().join("b").exists());
    let outputs = world.server.requests()[2].tool_outputs();
    assert_eq!(outputs[1], "rejected by the person, who says: use a list");
    assert_eq!(talk.items()[2].status, ItemStatus::Declined);
}

#[tokio::test(flavor = "multi_thread")]
async fn always_makes_a_rule_that_outlives_the_program_and_is_never_asked_again() {
    let calls = ["touch one", "touch two", "touch three", "mkdir four"];
    let world = World::new(Script::turns(calls.map(|it| Step::call("exec_command", escalated(it))))).await;
    let mut talk = world.thread().await;
    talk.say("Go").await;
    let question = talk.question().await;
    talk.decide(
        &question,
        Decision::Always {
            rule: allow(&["touch"]),
        },
    )
    .await
    .unwrap();
    // The next question is the one no rule covers.
    let question = talk.question().await;
    assert!(world.home.work().join("three").exists());
    talk.decide(
        &question,
        Decision::Decline {
            note: None,
            interrupt: true,
        },
    )
    .await
    .unwrap();
    let end = talk.turn_end().await;
    assert!(matches!(end, EventKind::TurnInterrupted { .. }), "{end:?}");
    drop(talk);

    let world = world.restart().await;
    let rules = world.engine.ask(RuleList {}).await.unwrap().0;
    assert_eq!(
        rules
            .iter()
            .map(|it| (it.origin.as_str(), it.matched))
            .collect::<Vec<_>>(),
        [("person", 2)]
    );
    for step in [Step::call("exec_command", escalated("touch five")), Step::say("Done.")] {
        world.server.push(step);
    }
    let mut talk = world.thread().await;
    talk.say("Again").await;
    talk.completed().await;
    assert!(world.home.work().join("five").exists());
    world
        .engine
        .ask(RuleDelete {
            id: rules[0].id.clone(),
        })
        .await
        .unwrap();
    assert!(world.engine.ask(RuleList {}).await.unwrap().0.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_yes_for_the_thread_holds_in_this_thread_through_a_restart_and_in_no_other() {
    let world = World::new(ask_for(&["touch one", "touch one"])).await;
    let mut talk = world.thread().await;
    talk.say("Go").await;
    let question = talk.question().await;
    talk.decide(&question, Decision::Thread).await.unwrap();
    talk.completed().await;
    let id = talk.id.clone();
    drop(talk);
    let world = world.restart().await;
    let again = || [Step::call("exec_command", escalated("touch one")), Step::say("Done.")];
    again().into_iter().for_each(|it| world.server.push(it));
    let mut talk = world.talk(id).await;
    talk.say("Once more").await;
    talk.completed().await;
    talk.completed().await;
    assert_eq!(talk.words().iter().filter(|it| *it == "ApprovalRequested").count(), 1);
    again().into_iter().for_each(|it| world.server.push(it));
    let mut other = world.thread().await;
    other.say("And here?").await;
    other.question().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_survives_a_restart_and_its_answer_goes_on_with_the_turn() {
    let world = World::new(ask_for(&["echo kept > kept"])).await;
    let mut talk = world.thread().await;
    talk.say("Go").await;
    let asked = talk.question().await;
    let id = talk.id.clone();
    drop(talk);
    let world = world.restart().await;
    let list = world.engine.ask(ThreadList { archived: false }).await.unwrap().0;
    assert_eq!(list[0].status, ThreadStatus::Waiting);
    let mut talk = world.talk(id).await;
    let page = talk.page().await;
    assert_eq!(page.approvals, std::slice::from_ref(&asked));
    assert_eq!(page.turns[0].status, TurnStatus::Running);
    talk.decide(&asked, Decision::Once).await.unwrap();
    talk.completed().await;
    assert!(world.home.work().join("kept").exists());
    assert_eq!(talk.last_word(), "Done.");
    assert_eq!(talk.words().iter().filter(|it| *it == "ApprovalRequested").count(), 1);
    assert_eq!(talk.words().iter().filter(|it| *it == "TurnStarted").count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_rule_answers_the_other_questions_that_wait() {
    let steps = [
        Step::call("exec_command", escalated("touch one")).and_call("exec_command", escalated("touch two")),
        Step::say("Done."),
    ];
    let world = World::new(Script::turns(steps)).await;
    let mut talk = world.thread().await;
    talk.say("Go").await;
    let first = talk.question().await;
    talk.question().await;
    talk.decide(
        &first,
        Decision::Always {
            rule: allow(&["touch"]),
        },
    )
    .await
    .unwrap();
    talk.completed().await;
    let by_rule = talk.events.iter().any(|it| {
        matches!(
            &it.kind,
            EventKind::ApprovalResolved {
                by: DecidedBy::Rule { .. },
                ..
            }
        )
    });
    assert!(by_rule, "{:?}", talk.words());
    assert!(world.home.work().join("two").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_that_denies_wins_and_the_dry_run_agrees() {
    let world = World::new(Script::turns([
        Step::call("exec_command", json!({ "cmd": "touch forbidden" })),
        Step::say("Pity."),
    ]))
    .await;
    let draft = RuleDraft {
        effect: RuleEffect::Deny,
        ..allow(&["touch"])
    };
    world.engine.ask(RuleSave { id: None, draft }).await.unwrap();
    let cwd = world.home.work().display().to_string();
    for (command, verdict) in [("touch x", "Denied"), ("make", "Allowed"), ("ls && touch x", "Denied")] {
        let test = RuleTest {
            command: command.to_owned(),
            cwd: cwd.clone(),
            escalated: false,
        };
        let answer = world.engine.ask(test).await.unwrap().0;
        assert!(format!("{answer:?}").starts_with(verdict), "{command}: {answer:?}");
    }
    let mut talk = world.thread().await;
    talk.say("Go").await;
    talk.completed().await;
    assert!(!world.home.work().join("forbidden").exists());
    assert!(world.server.requests()[1].tool_outputs()[0].contains("rule of the person"));
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_there_means_no() {
    for (policy, word) in [
        (ApprovalPolicy::OnRequest, "nobody is there"),
        (ApprovalPolicy::Never, "`never`"),
    ] {
        let world = World::with(ask_for(&["touch x"]), "responses", false).await;
        let mut talk = world.thread_in(SandboxMode::WorkspaceWrite, policy).await;
        talk.say("Go").await;
        talk.completed().await;
        let outputs = world.server.requests()[1].tool_outputs();
        assert!(outputs[0].contains(word), "{outputs:?}");
        assert!(!world.home.work().join("x").exists());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_patch_outside_the_folder_asks_even_through_a_link() {
    let outside = tempfile_dir();
    let patch = "*** Begin Patch\n*** Add File: link/escaped.txt\n+x\n*** End Patch";
    let world = World::new(Script::turns([Step::custom("apply_patch", patch), Step::say("Done.")])).await;
    std::os::unix::fs::symlink(outside.path(), world.home.work().join("link")).unwrap();
    let mut talk = world.thread().await;
    talk.say("Go").await;
    let question = talk.question().await;
    assert!(
        question.risks.contains(&protocol::approval::Risk::WritesOutside),
        "{question:?}"
    );
    talk.decide(
        &question,
        Decision::Decline {
            note: None,
            interrupt: false,
        },
    )
    .await
    .unwrap();
    talk.completed().await;
    assert!(!outside.path().join("escaped.txt").exists());
}

/// A folder no thread may write, outside the temporary folder that sandboxes leave open.
fn tempfile_dir() -> tempfile::TempDir {
    tempfile::Builder::new()
        .prefix("outside-")
        .tempdir_in(env!("CARGO_TARGET_TMPDIR"))
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shell_of_the_models_own_making_is_asked_about_as_what_it_is() {
    let call = json!({ "cmd": "ls", "shell": "./bash", "login": false });
    let world = World::new(Script::turns([Step::call("exec_command", call), Step::say("Done.")])).await;
    let file = world.home.file("bash", "#!/bin/sh\ntouch made\n").unwrap();
    std::process::Command::new("chmod")
        .arg("+x")
        .arg(file)
        .status()
        .unwrap();
    let mut talk = world
        .thread_in(SandboxMode::WorkspaceWrite, ApprovalPolicy::Untrusted)
        .await;
    talk.say("Look around").await;
    let question = talk.question().await;
    let Ask::Command { command, .. } = &question.ask else {
        panic!("{question:?}")
    };
    assert_eq!(command, "./bash -c ls");
    let no = Decision::Decline {
        note: None,
        interrupt: false,
    };
    talk.decide(&question, no).await.unwrap();
    talk.completed().await;
    assert!(!world.home.work().join("made").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_that_a_rule_answers_during_a_restart_does_not_stay_open() {
    let call = json!({ "cmd": "touch made", "sandbox_permissions": "require_escalated" });
    let world = World::new(Script::turns([Step::call("exec_command", call), Step::say("Done.")])).await;
    let mut talk = world.thread().await;
    talk.say("Go").await;
    talk.question().await;
    let id = talk.id.clone();
    drop(talk);
    let world = world.restart().await;
    let subject = RuleSubject::CommandPrefix {
        prefix: vec!["touch".to_owned()],
        escalated: true,
    };
    let draft = RuleDraft {
        subject,
        effect: RuleEffect::Allow,
        folder: None,
        expires_ms: None,
    };
    world.engine.ask(RuleSave { id: None, draft }).await.unwrap();
    let mut talk = world.talk(id).await;
    talk.page().await;
    talk.completed().await;
    assert_eq!(talk.page().await.approvals, []);
    let resolved = |it: &protocol::Event| matches!(it.kind, EventKind::ApprovalResolved { .. });
    assert_eq!(talk.events.iter().filter(|it| resolved(it)).count(), 1);
    assert!(world.home.work().join("made").exists());
}
