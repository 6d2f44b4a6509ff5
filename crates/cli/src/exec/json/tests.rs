use protocol::TurnId;
use protocol::failure::Code;
use protocol::setting::{ApprovalPolicy, SandboxMode};
use protocol::thread::{ContextMeter, InterruptReason, ThreadSettings};

use super::*;

fn turn() -> TurnId {
    "t".into()
}

fn item(id: &str, status: ItemStatus, kind: ItemKind) -> Item {
    Item {
        id: id.into(),
        status,
        started_ms: 0,
        ended_ms: None,
        kind,
    }
}

fn begun(id: &str, kind: ItemKind) -> EventKind {
    EventKind::ItemStarted {
        turn_id: turn(),
        item: item(id, ItemStatus::InProgress, kind),
    }
}

fn ended(id: &str, status: ItemStatus, kind: ItemKind) -> EventKind {
    EventKind::ItemCompleted {
        turn_id: turn(),
        item: item(id, status, kind),
    }
}

fn command(command: &str, tail: &str, exit_code: Option<i32>) -> ItemKind {
    ItemKind::Command {
        command: command.into(),
        cwd: "/w".into(),
        tail: tail.into(),
        output: None,
        exit_code,
        escalated: false,
        process: None,
        sandbox_denied: false,
    }
}

fn plan(steps: &[(&str, StepStatus)]) -> ItemKind {
    let steps = steps.iter().map(|(step, status)| PlanStep {
        step: (*step).into(),
        status: *status,
    });
    ItemKind::Plan {
        explanation: None,
        steps: steps.collect(),
    }
}

fn usage(input: u64) -> EventKind {
    EventKind::UsageUpdated {
        turn_id: turn(),
        last: Usage {
            input_tokens: input,
            cached_input_tokens: 40,
            output_tokens: 10,
            reasoning_output_tokens: 3,
        },
        context: ContextMeter::default(),
    }
}

fn started() -> EventKind {
    EventKind::TurnStarted {
        turn_id: turn(),
        settings: ThreadSettings {
            provider: "p".into(),
            model: "m".into(),
            effort: None,
            sandbox: SandboxMode::ReadOnly,
            approval: ApprovalPolicy::Never,
        },
        output_schema: None,
    }
}

fn completed() -> EventKind {
    EventKind::TurnCompleted { turn_id: turn() }
}

/// Compares with the very text that the reference program prints for the same turn.
fn check(events: &[EventKind], expect: &[&str]) {
    let mut lines = Lines::default();
    let lines = events.iter().flat_map(|it| lines.event(it));
    let lines: Vec<String> = lines.map(|it| serde_json::to_string(&it).unwrap()).collect();
    assert_eq!(lines, expect);
}

const ONE: &str = r#"{"type":"turn.completed","usage":{"input_tokens":100,"cached_input_tokens":40,"cache_write_input_tokens":0,"output_tokens":10,"reasoning_output_tokens":3}}"#;

#[test]
fn a_message_is_one_line() {
    let said = |text: &str| ItemKind::AgentMessage { text: text.into() };
    let user = ItemKind::UserMessage {
        text: "hi".into(),
        attachments: Vec::new(),
        steer: false,
    };
    check(
        &[
            started(),
            ended("u", ItemStatus::Completed, user),
            begun("a", said("")),
            ended("a", ItemStatus::Completed, said("hello")),
            usage(100),
            completed(),
        ],
        &[
            r#"{"type":"turn.started"}"#,
            r#"{"type":"item.completed","item":{"id":"item_0","type":"agent_message","text":"hello"}}"#,
            ONE,
        ],
    );
}

#[test]
fn commands_keep_their_numbers_whichever_ends_first() {
    check(
        &[
            begun("a", command("echo hi", "", None)),
            begun("b", command("exit 3", "", None)),
            ended("b", ItemStatus::Failed, command("exit 3", "", Some(3))),
            ended("a", ItemStatus::Completed, command("echo hi", "hi\n", Some(0))),
        ],
        &[
            r#"{"type":"item.started","item":{"id":"item_0","type":"command_execution","command":"echo hi","aggregated_output":"","exit_code":null,"status":"in_progress"}}"#,
            r#"{"type":"item.started","item":{"id":"item_1","type":"command_execution","command":"exit 3","aggregated_output":"","exit_code":null,"status":"in_progress"}}"#,
            r#"{"type":"item.completed","item":{"id":"item_1","type":"command_execution","command":"exit 3","aggregated_output":"","exit_code":3,"status":"failed"}}"#,
            r#"{"type":"item.completed","item":{"id":"item_0","type":"command_execution","command":"echo hi","aggregated_output":"hi\n","exit_code":0,"status":"completed"}}"#,
        ],
    );
}

#[test]
fn a_plan_is_one_item_until_the_turn_ends() {
    use StepStatus::{Completed, InProgress, Pending};
    let first = plan(&[("one", InProgress), ("two", Pending)]);
    let last = plan(&[("one", Completed), ("two", Completed)]);
    check(
        &[
            begun("p", first.clone()),
            ended("p", ItemStatus::Completed, first),
            ended("q", ItemStatus::Completed, last),
            usage(100),
            completed(),
        ],
        &[
            r#"{"type":"item.started","item":{"id":"item_0","type":"todo_list","items":[{"text":"one","completed":false},{"text":"two","completed":false}]}}"#,
            r#"{"type":"item.updated","item":{"id":"item_0","type":"todo_list","items":[{"text":"one","completed":true},{"text":"two","completed":true}]}}"#,
            r#"{"type":"item.completed","item":{"id":"item_0","type":"todo_list","items":[{"text":"one","completed":true},{"text":"two","completed":true}]}}"#,
            ONE,
        ],
    );
}

#[test]
fn a_patch_names_a_moved_file_by_its_old_path() {
    let change = |path: &str, kind, moved_from: Option<&str>| FileChange {
        path: path.into(),
        kind,
        moved_from: moved_from.map(Into::into),
        added: 1,
        removed: 0,
        diff: "+x".into(),
        binary: false,
        truncated: false,
    };
    let patch = |error: Option<&str>| ItemKind::FileChange {
        changes: vec![
            change("/w/a", ChangeKind::Add, None),
            change("/w/c", ChangeKind::Update, Some("/w/b")),
            change("/w/d", ChangeKind::Delete, None),
        ],
        error: error.map(Into::into),
    };
    let changes =
        r#""changes":[{"path":"/w/a","kind":"add"},{"path":"/w/b","kind":"update"},{"path":"/w/d","kind":"delete"}]"#;
    let line = |event: &str, status: &str| {
        format!(
            r#"{{"type":"item.{event}","item":{{"id":"item_0","type":"file_change",{changes},"status":"{status}"}}}}"#
        )
    };
    let check_end = |status, error, word: &str| {
        check(
            &[begun("f", patch(None)), ended("f", status, patch(error))],
            &[&line("started", "in_progress"), &line("completed", word)],
        );
    };
    check_end(ItemStatus::Completed, None, "completed");
    check_end(ItemStatus::Failed, Some("hunk 1 does not match"), "failed");
    check_end(ItemStatus::Declined, None, "failed");
}

#[test]
fn what_has_no_counterpart_is_left_out_and_takes_no_number() {
    let seen = ItemKind::ImageView { path: "/i.png".into() };
    let call = ItemKind::ToolCall {
        tool: "nope".into(),
        arguments: "{}".into(),
        output: "unsupported call: nope".into(),
    };
    let input = ItemKind::CommandInput {
        command: "c".into(),
        chars: "y\n".into(),
    };
    let thought = |text: &str| ItemKind::Reasoning { text: text.into() };
    check(
        &[
            begun("i", seen.clone()),
            ended("i", ItemStatus::Completed, seen),
            ended("t", ItemStatus::Failed, call),
            ended("w", ItemStatus::Completed, input),
            ended("e", ItemStatus::Completed, thought("")),
            ended("r", ItemStatus::Completed, thought("**Think** a\nb")),
        ],
        &[r#"{"type":"item.completed","item":{"id":"item_0","type":"reasoning","text":"**Think** a\nb"}}"#],
    );
}

#[test]
fn usage_is_that_of_the_turn() {
    check(
        &[
            started(),
            usage(100),
            usage(100),
            completed(),
            started(),
            usage(100),
            completed(),
        ],
        &[
            r#"{"type":"turn.started"}"#,
            r#"{"type":"turn.completed","usage":{"input_tokens":200,"cached_input_tokens":80,"cache_write_input_tokens":0,"output_tokens":20,"reasoning_output_tokens":6}}"#,
            r#"{"type":"turn.started"}"#,
            ONE,
        ],
    );
}

#[test]
fn a_failure_is_an_error_and_the_end_of_the_turn() {
    let failure = Failure::new(Code::Unauthorized, "The provider refused the key.")
        .hint("Check it.")
        .details("401: bad key");
    check(
        &[EventKind::TurnFailed {
            turn_id: turn(),
            failure,
        }],
        &[
            r#"{"type":"error","message":"The provider refused the key. Check it. (401: bad key)"}"#,
            r#"{"type":"turn.failed","error":{"message":"The provider refused the key. Check it. (401: bad key)"}}"#,
        ],
    );
}

#[test]
fn an_interrupted_turn_closes_what_was_open() {
    check(
        &[
            begun("c", command("sleep 9", "", None)),
            ended("c", ItemStatus::Interrupted, command("sleep 9", "a\n", None)),
            EventKind::TurnInterrupted {
                turn_id: turn(),
                reason: InterruptReason::Person,
            },
        ],
        &[
            r#"{"type":"item.started","item":{"id":"item_0","type":"command_execution","command":"sleep 9","aggregated_output":"","exit_code":null,"status":"in_progress"}}"#,
            r#"{"type":"item.completed","item":{"id":"item_0","type":"command_execution","command":"sleep 9","aggregated_output":"a\n","exit_code":null,"status":"failed"}}"#,
            r#"{"type":"turn.failed","error":{"message":"turn interrupted"}}"#,
        ],
    );
}

#[test]
fn a_retry_is_an_error_line() {
    let retry = Live::Retrying {
        turn_id: turn(),
        attempt: 2,
        max: 5,
        failure: Failure::new(Code::ProviderFailed, "The stream was cut."),
        wait_ms: 400,
    };
    let line = Lines::live(&retry).map(|it| serde_json::to_string(&it).unwrap());
    assert_eq!(
        line.as_deref(),
        Some(r#"{"type":"error","message":"Reconnecting... 2/5 (The stream was cut.)"}"#)
    );
}
