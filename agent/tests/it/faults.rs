//! What goes wrong: the person is told plainly, nothing is lost, and the thread goes on.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use agent::clock::Clock;
use protocol::approval::Decision;
use protocol::request::{QueueRemove, ThreadDelete, ThreadRename, ThreadRestore};
use protocol::thread::{Input, InterruptReason, TurnStatus};
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

#[tokio::test(flavor = "multi_thread")]
async fn the_calls_of_an_answer_that_failed_never_run() {
    for wire in ["responses", "chat"] {
        let steps = [
            Step::call("exec_command", json!({ "cmd": "touch made", "login": false })).incomplete("max_output_tokens"),
            Step::say("As you like."),
        ];
        let world = World::with(Script::turns(steps), wire, true).await;
        let mut talk = world.thread().await;
        talk.say("Make it").await;
        talk.failed().await;
        talk.say("No, do not").await;
        talk.completed().await;
        assert_eq!(talk.last_word(), "As you like.", "{wire}");
        assert!(!world.home.work().join("made").exists(), "{wire}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_in_the_background_outlives_a_turn_that_fails() {
    let call = json!({ "cmd": "until [ -e stop ]; do sleep 0.01; done", "yield_time_ms": 250, "login": false });
    let world = World::new(Script::turns([Step::call("exec_command", call), Step::unauthorized()])).await;
    let mut talk = world.thread().await;
    talk.say("Watch").await;
    talk.failed().await;
    world.home.file("stop", "").unwrap();
    let status = talk
        .wait(|it| match it {
            EventKind::ItemCompleted { item, .. } if matches!(item.kind, ItemKind::Command { .. }) => Some(item.status),
            _ => None,
        })
        .await;
    assert_eq!(status, ItemStatus::Completed);
    let ended = talk.items();
    let commands = ended.iter().filter(|it| matches!(it.kind, ItemKind::Command { .. }));
    assert_eq!(commands.count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_program_takes_a_thread_up_once_its_last_command_in_the_background_has_ended() {
    let call = json!({ "cmd": "until [ -e stop ]; do sleep 0.01; done", "yield_time_ms": 250, "login": false });
    let script = Script::turns([Step::call("exec_command", call), Step::say("It runs.")]);
    let world = World::with_rest(script, Duration::from_millis(1)).await;
    let mut talk = world.thread().await;
    talk.say("Watch").await;
    talk.completed().await;
    let second = world.second().await;
    let rename = || ThreadRename {
        thread_id: talk.id.clone(),
        title: "Mine now".into(),
    };
    let refused = second.ask(rename()).await.unwrap_err();
    assert_eq!(refused.code, Code::Conflict, "{refused:?}");
    world.home.file("stop", "").unwrap();
    // Nothing tells one program what another one does.
    let taken = tokio::time::timeout(Duration::from_secs(30), async {
        while second.ask(rename()).await.is_err() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    taken.await.expect("the thread stayed taken");
    second.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_that_a_crash_left_open_are_each_closed_once() {
    let call = || json!({ "cmd": "sleep 1000", "yield_time_ms": 250, "login": false });
    let steps = [
        Step::call("exec_command", call()).and_call("exec_command", call()),
        Step::say("They run."),
    ];
    let world = World::new(Script::turns(steps)).await;
    let mut talk = world.thread().await;
    talk.say("Begin").await;
    talk.completed().await;
    let id = talk.id.clone();
    drop(talk);
    let copy = world.home.path().with_file_name("copy");
    copy_folder(&world.home.path(), &copy);
    world.engine.stop().await;
    std::fs::remove_dir_all(world.home.path()).unwrap();
    std::fs::rename(&copy, world.home.path()).unwrap();
    let world = world.restart().await;
    let talk = world.talk(id).await;
    // Looking at it is enough: nothing may seem to run that does not.
    let events = talk.page().await.events;
    let ends: Vec<_> = events
        .iter()
        .filter_map(|it| match &it.kind {
            EventKind::ItemCompleted { item, .. } if matches!(item.kind, ItemKind::Command { .. }) => Some(item.status),
            _ => None,
        })
        .collect();
    assert_eq!(ends, [ItemStatus::Interrupted; 2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_waiting_prompt_that_cannot_begin_keeps_its_place() {
    let gate = Gate::new();
    let world = World::new(Script::turns([Step::say("One").hold(&gate), Step::say("Two.")])).await;
    let mut talk = world.thread().await;
    let gone = world.home.file("gone.txt", "soon").unwrap();
    talk.say("First").await;
    gate.reached().await;
    let input = Input {
        text: "Second".to_owned(),
        attachments: vec![gone.display().to_string()],
    };
    talk.give(input).await.unwrap();
    talk.say("Third").await;
    std::fs::remove_file(gone).unwrap();
    gate.open();
    talk.completed().await;
    talk.failed().await;
    let queue = talk.page().await.queue;
    let texts: Vec<_> = queue.iter().map(|it| it.input.text.as_str()).collect();
    assert_eq!(texts, ["Second", "Third"]);
    // It was never taken out, so no crash could have lost it.
    let taken = |it: &protocol::Event| matches!(it.kind, EventKind::InputDequeued { .. });
    assert!(!talk.events.iter().any(taken));
    world
        .engine
        .ask(QueueRemove {
            thread_id: talk.id.clone(),
            id: queue[0].id.clone(),
        })
        .await
        .unwrap();
    talk.say("Fourth").await;
    talk.completed().await;
    assert_eq!(world.server.requests()[1].last_user(), "Third");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mistake_of_ours_ends_one_turn_and_the_thread_goes_on() {
    let gate = Gate::new();
    let steps = [Step::say("Half").hold(&gate).text(" of it."), Step::say("Next.")];
    let wrong = Arc::new(AtomicBool::new(false));
    // While the model is held nobody asks for the time, so it is the turn that panics.
    let clock = {
        let wrong = Arc::clone(&wrong);
        Clock::new(move || {
            assert!(!wrong.swap(false, Ordering::SeqCst), "a mistake of ours");
            1
        })
    };
    let world = World::with_clock(Script::turns(steps), clock).await;
    let mut talk = world.thread().await;
    talk.say("Begin").await;
    gate.reached().await;
    talk.wait(|it| matches!(it, EventKind::ItemStarted { .. }).then_some(()))
        .await;
    wrong.store(true, Ordering::SeqCst);
    gate.open();
    let failure = talk.failed().await;
    assert_eq!(failure.code, Code::Internal, "{failure:?}");
    assert!(failure.hint.is_some());
    assert!(talk.last_word().starts_with("Half"), "{}", talk.last_word());
    talk.say("Go on").await;
    talk.completed().await;
    assert_eq!(talk.last_word(), "Next.");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thread_can_be_deleted_while_it_works_and_nothing_is_taken_up_after_the_end() {
    let gate = Gate::new();
    let world = World::new(Script::turns([Step::say("Half").hold(&gate)])).await;
    let talk = world.thread().await;
    talk.say("Begin").await;
    gate.reached().await;
    let id = talk.id.clone();
    world.engine.ask(ThreadDelete { thread_id: id.clone() }).await.unwrap();
    assert_eq!(talk.try_say("Hi").await.unwrap_err().code, Code::NotFound);
    drop(talk);
    world.engine.ask(ThreadRestore { thread_id: id.clone() }).await.unwrap();
    let talk = world.talk(id).await;
    let stopped = TurnStatus::Interrupted {
        reason: InterruptReason::Shutdown,
    };
    assert_eq!(talk.page().await.turns[0].status, stopped);
    world.engine.stop().await;
    assert_eq!(talk.try_say("Hi").await.unwrap_err().code, Code::Conflict);
}

#[tokio::test(flavor = "multi_thread")]
async fn stopping_a_turn_ends_older_commands_too_and_keeps_what_they_said() {
    let gate = Gate::new();
    let call = json!({ "cmd": "echo begun; sleep 1000", "yield_time_ms": 250, "login": false });
    let steps = [
        Step::call("exec_command", call),
        Step::say("It runs."),
        Step::say("Half").hold(&gate),
    ];
    let world = World::new(Script::turns(steps)).await;
    let mut talk = world.thread().await;
    talk.say("Begin").await;
    talk.completed().await;
    talk.say("More").await;
    gate.reached().await;
    talk.interrupt().await;
    talk.turn_end().await;
    let items = talk.items();
    let ended: Vec<_> = items
        .iter()
        .filter_map(|it| match &it.kind {
            ItemKind::Command { tail, output, .. } => Some((it.status, tail.as_str(), output.is_some())),
            _ => None,
        })
        .collect();
    assert_eq!(ended, [(ItemStatus::Interrupted, "begun\n", true)]);
}
