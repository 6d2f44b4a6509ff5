use protocol::TurnId;
use protocol::failure::Code;

use super::*;

fn item(status: ItemStatus, kind: ItemKind) -> Item {
    Item {
        id: "i".into(),
        status,
        started_ms: 1_000,
        ended_ms: Some(2_340),
        kind,
    }
}

fn begun(kind: ItemKind) -> EventKind {
    EventKind::ItemStarted {
        turn_id: TurnId::from("t"),
        item: item(ItemStatus::InProgress, kind),
    }
}

fn ended(status: ItemStatus, kind: ItemKind) -> EventKind {
    EventKind::ItemCompleted {
        turn_id: TurnId::from("t"),
        item: item(status, kind),
    }
}

fn said(text: &str) -> EventKind {
    ended(ItemStatus::Completed, ItemKind::AgentMessage { text: text.into() })
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

fn check(events: &[EventKind], expect: &str) {
    let mut progress = Progress::new(Paint::None);
    let text: String = events.iter().map(|it| progress.event(it)).collect();
    assert_eq!(text, expect);
}

#[test]
fn only_messages_before_the_last_are_progress() {
    check(&[said("done")], "");
    check(&[said("first"), said("second")], "first\n");
    check(
        &[
            said("I will look."),
            begun(command("ls\npwd", "", None)),
            ended(ItemStatus::Completed, command("ls\npwd", "a\n", Some(0))),
            said("done"),
            EventKind::TurnCompleted { turn_id: "t".into() },
        ],
        "I will look.\n$ ls …\n  exit 0 · 1.3 s\n",
    );
}

#[test]
fn a_failed_command_shows_its_last_lines() {
    let output: String = (1..=12).map(|it| format!("line {it}\n")).collect();
    let last: String = (3..=12).map(|it| format!("  line {it}\n")).collect();
    check(
        &[ended(ItemStatus::Failed, command("x", &output, Some(2)))],
        &format!("  exit 2 · 1.3 s\n{last}"),
    );
    check(
        &[ended(ItemStatus::Declined, command("x", "", None))],
        "  declined · 1.3 s\n",
    );
}

#[test]
fn nothing_of_a_model_or_a_command_steers_the_terminal() {
    check(
        &[begun(command("printf '\u{1b}]0;x\u{7}'", "", None))],
        "$ printf ']0;x'\n",
    );
    let evil = command("x", "\u{1b}[2Jgone\n", Some(1));
    check(&[ended(ItemStatus::Failed, evil)], "  exit 1 · 1.3 s\n  [2Jgone\n");
}

#[test]
fn a_plan_is_shown_when_it_changes() {
    let plan = |status| ItemKind::Plan {
        explanation: None,
        steps: vec![PlanStep {
            step: "one".into(),
            status,
        }],
    };
    check(
        &[
            begun(plan(StepStatus::InProgress)),
            ended(ItemStatus::Completed, plan(StepStatus::InProgress)),
            ended(ItemStatus::Completed, plan(StepStatus::Completed)),
        ],
        "[>] one\n[x] one\n",
    );
}

#[test]
fn a_patch_is_one_line_a_file() {
    let patch = |error: Option<&str>| ItemKind::FileChange {
        changes: vec![FileChange {
            path: "/w/a".into(),
            kind: ChangeKind::Add,
            moved_from: None,
            added: 3,
            removed: 0,
            diff: String::new(),
            binary: false,
            truncated: false,
        }],
        error: error.map(Into::into),
    };
    check(&[ended(ItemStatus::Completed, patch(None))], "added /w/a (+3 -0)\n");
    check(&[ended(ItemStatus::Declined, patch(None))], "not added /w/a (+3 -0)\n");
    check(
        &[ended(ItemStatus::Failed, patch(Some("hunk 1 does not match\nx")))],
        "patch failed: hunk 1 does not match …\n",
    );
}

#[test]
fn a_failure_says_what_to_do() {
    let failure = Failure::new(Code::Unauthorized, "The provider refused the key.")
        .hint("Check it.")
        .details("401");
    let text = "error: The provider refused the key.\nhint: Check it.\ndetails: 401\n";
    assert_eq!(Paint::None.failure(&failure), text);
    let failed = EventKind::TurnFailed {
        turn_id: "t".into(),
        failure,
    };
    check(&[said("half"), failed], &format!("half\n{text}"));
    assert_eq!(Paint::Ansi.warn("x"), "\u{1b}[33mx\u{1b}[0m");
}
