//! A home with threads in it, for tests of the log.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use agent::clock::Clock;
use agent::home::Home;
use agent::log::{Log, Logs};
use protocol::context::{Entry, Role};
use protocol::setting::{ApprovalPolicy, SandboxMode};
use protocol::thread::{ContextMeter, ThreadSettings, Usage};
use protocol::{EventKind, Item, ItemId, ItemKind, ItemStatus, ThreadId, TurnId};

pub(crate) struct Scene {
    pub(crate) logs: Logs,
    pub(crate) home: Home,
    clock: Clock,
    _folder: tempfile::TempDir,
}

impl Scene {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::new(folder.path());
        let now = Arc::new(AtomicU64::new(1_000));
        let clock = Clock::new(move || now.fetch_add(1, Ordering::Relaxed));
        Self {
            logs: Logs::open(&home, clock.clone()),
            home,
            clock,
            _folder: folder,
        }
    }

    /// The same home, opened by another process or after a restart.
    pub(crate) fn again(&self) -> Logs {
        Logs::open(&self.home, self.clock.clone())
    }

    pub(crate) async fn thread(&self) -> Log {
        self.logs.create(started(ThreadId::new())).await.unwrap()
    }

    /// Where a thread's rollout is.
    pub(crate) fn rollout(&self, id: &ThreadId) -> PathBuf {
        rollout(&self.home, id)
    }
}

/// Where a thread's rollout is in `home`, made or not.
pub(crate) fn rollout(home: &Home, id: &ThreadId) -> PathBuf {
    let logs = Logs::open(home, Clock::new(|| 0));
    // An output lies in the folder beside the rollout that has its name.
    let output = logs.output(id, "x").unwrap();
    output.parent().unwrap().with_extension("jsonl")
}

pub(crate) fn settings() -> ThreadSettings {
    ThreadSettings {
        provider: "demo".to_owned(),
        model: "demo".to_owned(),
        effort: None,
        sandbox: SandboxMode::WorkspaceWrite,
        approval: ApprovalPolicy::OnRequest,
    }
}

pub(crate) fn started(thread_id: ThreadId) -> EventKind {
    EventKind::ThreadStarted {
        thread_id,
        cwd: "/work".to_owned(),
        settings: settings(),
        forked_from: None,
        version: "0.1.0".to_owned(),
    }
}

pub(crate) fn turn(log: &Log) -> TurnId {
    let turn_id = TurnId::new();
    let settings = settings();
    log.append(EventKind::TurnStarted {
        turn_id: turn_id.clone(),
        settings,
        output_schema: None,
    })
    .unwrap();
    turn_id
}

pub(crate) fn end(log: &Log, turn_id: &TurnId) {
    let turn_id = turn_id.clone();
    log.append(EventKind::TurnCompleted { turn_id }).unwrap();
}

pub(crate) fn item(kind: ItemKind, status: ItemStatus) -> Item {
    Item {
        id: ItemId::new(),
        status,
        started_ms: 1,
        ended_ms: None,
        kind,
    }
}

pub(crate) fn user_message(text: &str) -> ItemKind {
    ItemKind::UserMessage {
        text: text.to_owned(),
        attachments: Vec::new(),
        steer: false,
    }
}

/// An item that is finished at once.
pub(crate) fn add(log: &Log, turn_id: &TurnId, kind: ItemKind) -> ItemId {
    let item = item(kind, ItemStatus::Completed);
    let id = item.id.clone();
    let turn_id = turn_id.clone();
    log.append(EventKind::ItemCompleted { turn_id, item }).unwrap();
    id
}

pub(crate) fn say(log: &Log, turn_id: &TurnId, text: &str) -> ItemId {
    add(log, turn_id, user_message(text))
}

/// An agent message that begins.
pub(crate) fn begin_message(log: &Log, turn_id: &TurnId) -> ItemId {
    let kind = ItemKind::AgentMessage { text: String::new() };
    let item = item(kind, ItemStatus::InProgress);
    let id = item.id.clone();
    let turn_id = turn_id.clone();
    log.append(EventKind::ItemStarted { turn_id, item }).unwrap();
    id
}

pub(crate) fn end_message(log: &Log, turn_id: &TurnId, id: &ItemId, text: &str) {
    let text = text.to_owned();
    let item = Item {
        id: id.clone(),
        ..item(ItemKind::AgentMessage { text }, ItemStatus::Completed)
    };
    let turn_id = turn_id.clone();
    log.append(EventKind::ItemCompleted { turn_id, item }).unwrap();
}

pub(crate) fn context(log: &Log, turn_id: &TurnId, text: &str) -> Vec<Entry> {
    let entries = vec![Entry::text(Role::User, text)];
    log.append(EventKind::ContextAppended {
        turn_id: turn_id.clone(),
        entries: entries.clone(),
    })
    .unwrap();
    entries
}

/// So many turns as an agent makes them, the last one left open.
pub(crate) fn work(log: &Log, turns: usize) {
    for count in 0..turns {
        let turn_id = turn(log);
        say(log, &turn_id, &format!("Prompt {count}: {}", "why ".repeat(count % 9)));
        context(log, &turn_id, &"context ".repeat(count % 50));
        let message = begin_message(log, &turn_id);
        log.append_all(vec![
            EventKind::ItemAppended {
                item_id: message.clone(),
                at: 0,
                text: "Well, 𝕏".to_owned(),
            },
            EventKind::ItemAppended {
                item_id: message.clone(),
                at: 8,
                text: " it is".to_owned(),
            },
        ])
        .unwrap();
        if count + 1 == turns && count > 0 && turns < 1_000 {
            return;
        }
        end_message(log, &turn_id, &message, &"Well, 𝕏 it is. ".repeat(1 + count % 40));
        log.append(EventKind::UsageUpdated {
            turn_id: turn_id.clone(),
            last: Usage {
                input_tokens: 10,
                ..Usage::default()
            },
            context: ContextMeter {
                used: 10,
                ..ContextMeter::default()
            },
        })
        .unwrap();
        end(log, &turn_id);
    }
}
