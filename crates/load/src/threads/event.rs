//! Events as an engine writes them: messages that stream, commands that run, in equal parts.

use protocol::{EventKind, Item, ItemId, ItemKind, ItemStatus, TurnId};
use serde_json::Value;

/// After so many events the next message and the next command begin.
const ROUND: u64 = 8;
/// Of a streamed piece, and of a command's output.
const TEXT: usize = 300;

/// Some events, from a number on.
pub(super) fn events(first: u64, count: u64) -> Vec<Value> {
    (first..first + count)
        .map(|number| serde_json::to_value(event(number)).unwrap_or_default())
        .collect()
}

fn event(number: u64) -> EventKind {
    let (round, step) = (number / ROUND, number % ROUND);
    let turn_id = TurnId(format!("turn-{:06}", round / 100));
    // As real ids do, later ones sort after earlier ones.
    let message = ItemId(format!("{round:08}-message"));
    match step {
        0 => EventKind::ItemStarted {
            turn_id,
            item: said(message, ItemStatus::InProgress, ""),
        },
        1..=4 => EventKind::ItemAppended {
            item_id: message,
            at: (step - 1) * TEXT as u64,
            text: "x".repeat(TEXT),
        },
        5 => EventKind::ItemCompleted {
            turn_id,
            item: said(message, ItemStatus::Completed, &"x".repeat(4 * TEXT)),
        },
        6 => EventKind::ItemStarted {
            turn_id,
            item: ran(round, ItemStatus::InProgress, ""),
        },
        _ => EventKind::ItemCompleted {
            turn_id,
            item: ran(round, ItemStatus::Completed, &"y".repeat(TEXT)),
        },
    }
}

fn said(id: ItemId, status: ItemStatus, text: &str) -> Item {
    Item {
        id,
        status,
        started_ms: 1,
        ended_ms: (status == ItemStatus::Completed).then_some(2),
        kind: ItemKind::AgentMessage { text: text.to_owned() },
    }
}

fn ran(round: u64, status: ItemStatus, tail: &str) -> Item {
    let ended = status == ItemStatus::Completed;
    Item {
        id: ItemId(format!("{round:08}-command")),
        status,
        started_ms: 1,
        ended_ms: ended.then_some(2),
        kind: ItemKind::Command {
            command: "cargo test".to_owned(),
            cwd: "/home/ada/project".to_owned(),
            tail: tail.to_owned(),
            output: None,
            exit_code: ended.then_some(0),
            escalated: false,
            process: None,
            sandbox_denied: false,
        },
    }
}
