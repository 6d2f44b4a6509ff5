//! Turns from prompt to last word, over both wires.

use protocol::approval::Decision;
use protocol::change::ChangeKind;
use protocol::request::{ArtifactList, ThreadFork, ThreadList, ThreadSearch, TurnChanges, TurnUndo};
use protocol::thread::{Input, ThreadStatus, TurnStatus};
use protocol::{Code, EventKind, ItemKind, ItemStatus};
use serde_json::json;
use testkit::{Gate, Script, Step};

use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn a_prompt_is_answered_over_both_wires_and_kept() {
    for wire in ["responses", "chat"] {
        let world = World::with(Script::turns([Step::think("hm").text("Hello.")]), wire, true).await;
        let mut talk = world.thread().await;
        talk.say("Hi there").await;
        talk.completed().await;
        assert_eq!(talk.last_word(), "Hello.", "{wire}");
        let kinds: Vec<_> = talk.items().iter().map(|it| it.kind.name()).collect();
        assert_eq!(kinds, ["userMessage", "reasoning", "agentMessage"], "{wire}");
        let request = world.server.requests().remove(0);
        assert_eq!(request.last_user(), "Hi there");
        assert!(request.header("user-agent").unwrap().starts_with("zspark/"));

        let id = talk.id.clone();
        drop(talk);
        let world = world.restart().await;
        let talk = world.talk(id).await;
        let page = talk.page().await;
        assert_eq!(page.thread.title, "Hi there");
        assert_eq!(page.thread.status, ThreadStatus::Idle);
        assert_eq!(page.turns.len(), 1);
        assert_eq!(page.turns[0].status, TurnStatus::Completed);
        assert!(page.usage.input_tokens > 0, "{:?}", page.usage);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_runs_and_its_output_reaches_the_model() {
    for wire in ["responses", "chat"] {
        let steps = [
            Step::call("exec_command", json!({ "cmd": "echo out; exit 3" })),
            Step::say("It failed."),
        ];
        let world = World::with(Script::turns(steps), wire, true).await;
        let mut talk = world.thread().await;
        talk.say("Run it").await;
        talk.completed().await;
        let items = talk.items();
        let ItemKind::Command {
            command,
            exit_code,
            tail,
            output,
            ..
        } = &items[1].kind
        else {
            panic!("{items:?}")
        };
        assert_eq!(
            (command.as_str(), *exit_code, tail.trim()),
            ("echo out; exit 3", Some(3), "out")
        );
        assert_eq!(items[1].status, ItemStatus::Failed);
        assert_eq!(output.as_ref().map(|it| (it.bytes, it.lines)), Some((4, 1)));
        let outputs = world.server.requests()[1].tool_outputs();
        assert!(
            outputs[0].contains("exited with code 3") && outputs[0].contains("out"),
            "{outputs:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_of_one_answer_run_together_and_are_all_answered() {
    // Each command waits for the other one's file: one after the other they would never end.
    let wait = |own: &str, other: &str| {
        let cmd = format!("touch {own}; until [ -e {other} ]; do sleep 0.01; done; echo {own}");
        json!({ "cmd": cmd, "login": false })
    };
    let steps = [
        Step::call("exec_command", wait("a", "b")).and_call("exec_command", wait("b", "a")),
        Step::say("Both."),
    ];
    let world = World::new(Script::turns(steps)).await;
    let mut talk = world.thread().await;
    talk.say("Go").await;
    talk.completed().await;
    assert_eq!(world.server.requests()[1].tool_outputs().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_makes_no_sense_is_answered_and_the_turn_goes_on() {
    let steps = [
        Step::call("no_such_tool", json!({})),
        Step::call("exec_command", json!({ "command": "ls" })),
        Step::say("I see."),
    ];
    let world = World::new(Script::turns(steps)).await;
    let mut talk = world.thread().await;
    talk.say("Go").await;
    talk.completed().await;
    let requests = world.server.requests();
    assert_eq!(requests[1].tool_outputs(), ["unsupported call: no_such_tool"]);
    assert!(requests[2].tool_outputs()[1].starts_with("failed to parse function arguments"));
    assert_eq!(talk.items()[1].status, ItemStatus::Failed);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_patch_shows_its_diff_makes_an_artifact_and_can_be_undone() {
    let patch = "*** Begin Patch\n*** Add File: report.md\n+# Report\n*** Update File: notes.txt\n@@\n-old\n+new\n*** End Patch";
    let world = World::new(Script::turns([Step::custom("apply_patch", patch), Step::say("Done.")])).await;
    world.home.file("notes.txt", "old\n").unwrap();
    let mut talk = world.thread().await;
    talk.say("Write").await;
    talk.completed().await;
    let work = world.home.work();
    assert_eq!(std::fs::read_to_string(work.join("notes.txt")).unwrap(), "new\n");
    let items = talk.items();
    let ItemKind::FileChange { changes, .. } = &items[1].kind else {
        panic!("{items:?}")
    };
    let kinds: Vec<_> = changes.iter().map(|it| (it.kind, it.added, it.removed)).collect();
    assert_eq!(kinds, [(ChangeKind::Update, 1, 1), (ChangeKind::Add, 1, 0)]);
    let names: Vec<_> = items
        .iter()
        .filter_map(|it| match &it.kind {
            ItemKind::Artifact { artifact } => Some(artifact.name.as_str()),
            _ => None,
        })
        .collect();
    assert!(names.contains(&"report.md"), "{names:?}");
    let turn_id = talk.page().await.turns[0].id.clone();
    let thread_id = talk.id.clone();
    let listed = world
        .engine
        .ask(ArtifactList {
            thread_id: thread_id.clone(),
        })
        .await
        .unwrap()
        .0;
    assert!(
        listed
            .iter()
            .any(|it| it.artifact.name == "report.md" && it.versions.len() == 1)
    );

    let undo = TurnUndo {
        thread_id: thread_id.clone(),
        turn_id: turn_id.clone(),
        paths: None,
        hunk: None,
        force: false,
    };
    let left = world.engine.ask(undo).await.unwrap().0;
    assert!(left.iter().all(|it| it.undone), "{left:?}");
    assert_eq!(std::fs::read_to_string(work.join("notes.txt")).unwrap(), "old\n");
    assert!(!work.join("report.md").exists());
    let changes = world
        .engine
        .ask(TurnChanges {
            thread_id,
            turn_id: Some(turn_id),
        })
        .await
        .unwrap()
        .0;
    assert_eq!(changes.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_command_writes_can_be_undone_too() {
    let steps = [
        Step::call("exec_command", json!({ "cmd": "echo new > made.txt; rm gone.bin" })),
        Step::say("Done."),
    ];
    let world = World::new(Script::turns(steps)).await;
    world.home.file("gone.bin", [0_u8, 255, 1]).unwrap();
    let mut talk = world.thread().await;
    talk.say("Go").await;
    talk.completed().await;
    let work = world.home.work();
    assert!(
        work.join("made.txt").exists() && !work.join("gone.bin").exists(),
        "{:?}",
        talk.words()
    );
    let turn_id = talk.page().await.turns[0].id.clone();
    let undo = TurnUndo {
        thread_id: talk.id.clone(),
        turn_id,
        paths: None,
        hunk: None,
        force: false,
    };
    world.engine.ask(undo).await.unwrap();
    assert_eq!(std::fs::read(work.join("gone.bin")).unwrap(), [0, 255, 1]);
    assert!(!work.join("made.txt").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn input_given_while_a_turn_runs_steers_it_or_waits() {
    let gate = Gate::new();
    let steps = [
        Step::say("First").hold(&gate).text(" part."),
        Step::say("Steered."),
        Step::say("From the queue."),
    ];
    let world = World::new(Script::turns(steps)).await;
    let mut talk = world.thread().await;
    talk.say("Begin").await;
    gate.reached().await;
    talk.steer("Shorter!").await;
    talk.say("And then this").await;
    gate.open();
    talk.completed().await;
    talk.completed().await;
    let requests = world.server.requests();
    assert_eq!(requests[1].last_user(), "Shorter!");
    assert_eq!(requests[2].last_user(), "And then this");
    assert_eq!(talk.last_word(), "From the queue.");
    assert!(talk.page().await.queue.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_shape_of_an_answer_is_kept_in_the_queue_and_over_a_restart() {
    let gate = Gate::new();
    let question =
        json!({ "cmd": "true", "sandbox_permissions": "require_escalated", "justification": "It needs more." });
    let steps = [
        Step::say("First").hold(&gate),
        Step::call("exec_command", question),
        Step::say("{}"),
        Step::say("Free."),
    ];
    let world = World::new(Script::turns(steps)).await;
    let mut talk = world.thread().await;
    talk.say("Begin").await;
    gate.reached().await;
    let schema = json!({ "type": "object", "properties": {}, "required": [], "additionalProperties": false });
    talk.say_for("In this shape", &schema).await;
    assert_eq!(talk.page().await.queue[0].output_schema.as_ref(), Some(&schema));
    gate.open();
    talk.completed().await;
    let asked = talk.question().await;
    let id = talk.id.clone();
    drop(talk);
    let world = world.restart().await;
    let mut talk = world.talk(id).await;
    talk.decide(&asked, Decision::Once).await.unwrap();
    talk.completed().await;
    talk.completed().await;
    talk.say("As you like").await;
    talk.completed().await;
    let requests = world.server.requests();
    let shapes: Vec<_> = requests
        .iter()
        .map(|it| it.body["text"]["format"].get("schema"))
        .collect();
    assert_eq!(shapes, [None, Some(&schema), Some(&schema), None]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_edited_by_forking_before_it() {
    let world = World::new(Script::turns([
        Step::say("One."),
        Step::say("Two."),
        Step::say("Other."),
    ]))
    .await;
    let mut talk = world.thread().await;
    talk.say("first").await;
    talk.completed().await;
    talk.say("second").await;
    talk.completed().await;
    let before_turn = Some(talk.page().await.turns[1].id.clone());
    let fork = world
        .engine
        .ask(ThreadFork {
            thread_id: talk.id.clone(),
            before_turn,
        })
        .await
        .unwrap()
        .0;
    let mut branch = world.talk(fork.id.clone()).await;
    branch.say("second, but better").await;
    branch.completed().await;
    branch.completed().await;
    assert_eq!(branch.last_word(), "Other.");
    let request = &world.server.requests()[2];
    let said: Vec<_> = request.entries().iter().map(ToString::to_string).collect();
    assert!(
        said.iter().any(|it| it.contains("One.")) && !said.iter().any(|it| it.contains("Two.")),
        "{said:#?}"
    );
    assert_eq!(fork.forked_from.map(|it| it.thread_id), Some(talk.id.clone()));
}

#[tokio::test(flavor = "multi_thread")]
async fn threads_are_listed_and_found_by_what_was_said() {
    let world = World::new(Script::turns([Step::say("The quarterly invoice is 发票报告.")])).await;
    let mut talk = world.thread().await;
    talk.say("Find the invoice").await;
    talk.completed().await;
    let list = world.engine.ask(ThreadList { archived: false }).await.unwrap().0;
    assert_eq!(
        list.iter().map(|it| it.title.as_str()).collect::<Vec<_>>(),
        ["Find the invoice"]
    );
    for query in ["quarterly", "发票", "invo"] {
        let hits = world
            .engine
            .ask(ThreadSearch {
                query: query.to_owned(),
            })
            .await
            .unwrap()
            .0;
        assert!(hits.iter().any(|it| it.thread.id == talk.id), "{query}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn attachments_reach_the_model_as_image_text_or_path() {
    let world = World::new(Script::turns([Step::say("Seen.")])).await;
    let mut talk = world.thread().await;
    let png = [
        0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13, b'I', b'H', b'D', b'R', 0, 0, 0, 1, 0, 0, 0, 1, 8,
        6,
    ];
    let files = [
        world.home.file("in.png", png).unwrap(),
        world.home.file("in.txt", "inline words").unwrap(),
        world.home.file("in.bin", vec![0_u8; 4096]).unwrap(),
    ];
    let attachments = files.iter().map(|it| it.display().to_string()).collect();
    talk.give(Input {
        text: "Look".to_owned(),
        attachments,
    })
    .await
    .unwrap();
    talk.completed().await;
    let body = world.server.requests()[0].body.to_string();
    assert!(body.contains("data:image/png;base64,"), "no image");
    assert!(body.contains("inline words") && body.contains("in.bin"), "{body}");
}

/// They are copied when they are given, not when their turn comes: the thread never waits for a copy, and what is deleted
/// meanwhile is there all the same.
#[tokio::test(flavor = "multi_thread")]
async fn attachments_of_a_waiting_prompt_outlive_their_originals() {
    let gate = Gate::new();
    let world = World::new(Script::turns([
        Step::say("Begin").hold(&gate).text(" end."),
        Step::say("Seen."),
    ]))
    .await;
    let mut talk = world.thread().await;
    talk.say("first").await;
    gate.reached().await;
    let elsewhere = tempfile::tempdir().unwrap();
    let original = elsewhere.path().join("minutes.txt");
    std::fs::write(&original, "what was decided").unwrap();
    let input = Input {
        text: "Sum it up".to_owned(),
        attachments: vec![original.display().to_string()],
    };
    talk.give(input).await.unwrap();
    std::fs::remove_file(&original).unwrap();
    gate.open();
    talk.completed().await;
    talk.completed().await;
    let body = world.server.requests()[1].body.to_string();
    assert!(
        body.contains("what was decided") && body.contains("minutes.txt"),
        "{body}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_folders_instructions_reach_the_model_once() {
    let world = World::new(Script::turns([Step::say("One."), Step::say("Two.")])).await;
    world.home.file("AGENTS.md", "Always use tabs.").unwrap();
    let mut talk = world.thread().await;
    talk.say("a").await;
    talk.completed().await;
    talk.say("b").await;
    talk.completed().await;
    let body = world.server.requests()[1].body.to_string();
    assert_eq!(body.matches("Always use tabs.").count(), 1);
    assert_eq!(body.matches("<permissions>").count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_begin_says_so_and_writes_nothing() {
    let world = World::new(Script::turns([])).await;
    let talk = world.thread().await;
    assert_eq!(talk.try_say("   ").await.unwrap_err().code, Code::InvalidRequest);
    let id = talk.id.clone();
    drop(talk);
    world.home.configure("model = [").unwrap();
    let world = world.restart().await;
    let talk = world.talk(id).await;
    let failure = talk.try_say("Hi").await.unwrap_err();
    assert_eq!(failure.code, Code::ConfigBroken);
    assert!(failure.message.contains("config.toml"), "{failure:?}");
    let page = talk.page().await;
    assert!(
        page.turns.is_empty()
            && page
                .events
                .iter()
                .all(|it| !matches!(it.kind, EventKind::TurnStarted { .. }))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_engine_does_can_be_done_on_any_thread() {
    fn send<T: Send>(it: T) -> T {
        it
    }
    let world = World::new(Script::turns([])).await;
    send(world.engine.request(ThreadList { archived: false }.into()))
        .await
        .unwrap();
    let mut follower = send(world.engine.follow(protocol::Topic::Home)).await.unwrap();
    drop(send(follower.next()));
}
