//! `zspark exec --json`, turn by turn: all lines, compared whole.

use serde_json::json;
use testkit::Step;

use crate::run::*;

#[tokio::test]
async fn a_message_on_both_wires() {
    for wire in ["responses", "chat"] {
        let place = Place::on(wire, [Step::say("hello")]).await;
        let run = place.run(&["exec", "--json", "hi"]).await;
        assert_eq!(
            place.lines(&run),
            [thread_started(), turn_started(), message(0, "hello"), turn_completed(1)],
            "{wire}: {run:?}"
        );
        assert_eq!(run.code, Some(0));
        assert_eq!(place.server.requests()[0].last_user(), "hi");
    }
}

#[tokio::test]
async fn commands_that_work_and_that_do_not() {
    for wire in ["responses", "chat"] {
        let steps = [
            Step::call("exec_command", json!({ "cmd": "echo out; echo err >&2" })),
            Step::call("exec_command", json!({ "cmd": "echo no; exit 3" })),
            Step::say("done"),
        ];
        let place = Place::on(wire, steps).await;
        let run = place.run(&["exec", "--json", "go"]).await;
        assert_eq!(
            place.lines(&run),
            [
                thread_started(),
                turn_started(),
                command_started(0, "echo out; echo err >&2"),
                command_ended(0, "echo out; echo err >&2", "out\nerr\n", 0),
                command_started(1, "echo no; exit 3"),
                command_ended(1, "echo no; exit 3", "no\n", 3),
                message(2, "done"),
                turn_completed(3),
            ],
            "{wire}: {run:?}"
        );
    }
}

#[tokio::test]
async fn a_long_output_is_there_as_a_whole() {
    let steps = [
        Step::call("exec_command", json!({ "cmd": "seq 1 5000" })),
        Step::say("done"),
    ];
    let place = Place::new(steps).await;
    let run = place.run(&["exec", "--json", "go"]).await;
    let all: String = (1..=5000).map(|it| format!("{it}\n")).collect();
    assert_eq!(place.lines(&run)[3], command_ended(0, "seq 1 5000", &all, 0));
}

#[tokio::test]
async fn a_patch_names_its_files() {
    let steps = [
        Step::custom(
            "apply_patch",
            "*** Begin Patch\n*** Add File: a.txt\n+one\n*** End Patch\n",
        ),
        Step::custom(
            "apply_patch",
            "*** Begin Patch\n*** Update File: a.txt\n*** Move to: b.txt\n@@\n-one\n+two\n*** End Patch\n",
        ),
        Step::say("done"),
    ];
    let place = Place::new(steps).await;
    let run = place.run(&["exec", "--json", "-s", "workspace-write", "go"]).await;
    let change = |event: &str, number, kind: &str, status: &str| {
        let fields = json!({ "changes": [{ "path": "/w/a.txt", "kind": kind }], "status": status });
        item(event, number, "file_change", fields)
    };
    assert_eq!(
        place.lines(&run),
        [
            thread_started(),
            turn_started(),
            change("started", 0, "add", "in_progress"),
            change("completed", 0, "add", "completed"),
            change("started", 1, "update", "in_progress"),
            change("completed", 1, "update", "completed"),
            message(2, "done"),
            turn_completed(3),
        ],
        "{run:?}"
    );
    assert_eq!(
        std::fs::read_to_string(place.home.work().join("b.txt")).unwrap(),
        "two\n"
    );
}

#[tokio::test]
async fn a_plan_is_one_list() {
    let plan = |status: &str| {
        let plan = json!([{ "step": "one", "status": status }, { "step": "two", "status": "pending" }]);
        Step::call("update_plan", json!({ "plan": plan }))
    };
    let place = Place::new([plan("in_progress"), plan("completed"), Step::say("done")]).await;
    let run = place.run(&["exec", "--json", "go"]).await;
    let list = |event: &str, completed: bool| {
        let items = json!([{ "text": "one", "completed": completed }, { "text": "two", "completed": false }]);
        item(event, 0, "todo_list", json!({ "items": items }))
    };
    assert_eq!(
        place.lines(&run),
        [
            thread_started(),
            turn_started(),
            list("started", false),
            list("updated", true),
            message(1, "done"),
            list("completed", true),
            turn_completed(3),
        ],
        "{run:?}"
    );
}

#[tokio::test]
async fn reasoning_comes_before_the_message() {
    for wire in ["responses", "chat"] {
        let place = Place::on(wire, [Step::think("I should greet.").text("hello")]).await;
        let run = place.run(&["exec", "--json", "hi"]).await;
        assert_eq!(
            place.lines(&run),
            [
                thread_started(),
                turn_started(),
                item("completed", 0, "reasoning", json!({ "text": "I should greet." })),
                message(1, "hello"),
                turn_completed(1),
            ],
            "{wire}: {run:?}"
        );
    }
}

#[tokio::test]
async fn the_answer_follows_a_schema() {
    let place = Place::new([Step::say("{\"a\":1}")]).await;
    let schema = json!({ "type": "object", "properties": { "a": { "type": "integer" } } });
    place.home.file("schema.json", schema.to_string()).unwrap();
    let run = place
        .run(&["exec", "--output-schema", "schema.json", "-o", "last.txt", "hi"])
        .await;
    assert_eq!((run.code, run.stdout.as_str()), (Some(0), "{\"a\":1}\n"), "{run:?}");
    let format = &place.server.requests()[0].body["text"]["format"];
    assert_eq!((&format["type"], &format["schema"]), (&json!("json_schema"), &schema));
    let last = std::fs::read_to_string(place.home.work().join("last.txt")).unwrap();
    assert_eq!(last, "{\"a\":1}");
}

#[tokio::test]
async fn a_stream_that_breaks_is_told_and_tried_again() {
    let place = Place::new([Step::say("half").cut(), Step::say("whole")]).await;
    let run = place.run(&["exec", "--json", "hi"]).await;
    let lines = place.lines(&run);
    let error = lines[2]["message"].as_str().unwrap_or_default();
    assert!(error.starts_with("Reconnecting... 1/"), "{run:?}");
    assert_eq!(lines[3..], [message(0, "whole"), turn_completed(1)], "{run:?}");
}

#[tokio::test]
async fn files_and_stdin_come_with_the_prompt() {
    let place = Place::new([Step::say("seen")]).await;
    place.home.file("a.txt", "inside a").unwrap();
    let run = place
        .piped(&["exec", "-i", "a.txt", "--", "look"], "from the pipe\n")
        .await;
    assert_eq!(run.code, Some(0), "{run:?}");
    let body = place.server.requests()[0].body.to_string();
    for part in ["look\\n\\n<stdin>\\nfrom the pipe\\n</stdin>", "inside a"] {
        assert!(body.contains(part), "{part}: {body}");
    }
}

#[tokio::test]
async fn an_ephemeral_thread_leaves_nothing() {
    let place = Place::new([Step::say("hello")]).await;
    let run = place.run(&["exec", "--json", "--ephemeral", "hi"]).await;
    assert_eq!(run.code, Some(0), "{run:?}");
    let left: Vec<_> = std::fs::read_dir(place.home.path())
        .unwrap()
        .map(|it| it.unwrap().file_name().into_string().unwrap())
        .filter(|it| it.starts_with("ephemeral") || it == "threads" || it.starts_with("index"))
        .collect();
    assert_eq!(left, Vec::<String>::new());
    let threads = place.run(&["threads", "--json"]).await;
    assert_eq!(threads.stdout, "[]\n", "{threads:?}");
}
