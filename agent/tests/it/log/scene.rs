//! A home with threads in it, for tests of the log.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use agent::clock::Clock;
use agent::home::Home;
use agent::log::{Log, Logs};
use protocol::setting::{ApprovalPolicy, SandboxMode};
use protocol::thread::ThreadSettings;
use protocol::{EventKind, Item, ItemId, ItemKind, ItemStatus, ThreadId, TurnId};

pub(crate) struct Scene {
    pub(crate) logs: Logs,
    pub(crate) home: Home,
    pub(crate) clock: Clock,
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

    /// The same home, opened by somebody else or after a restart.
    pub(crate) fn again(&self) -> Logs {
        Logs::open(&self.home, self.clock.clone())
    }

    pub(crate) async fn thread(&self) -> Log {
        self.logs.create(started(ThreadId::new())).await.unwrap()
    }
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
    })
    .unwrap();
    turn_id
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

/// A finished user message.
pub(crate) fn say(log: &Log, turn_id: &TurnId, text: &str) -> ItemId {
    let kind = ItemKind::UserMessage {
        text: text.to_owned(),
        attachments: Vec::new(),
        steer: false,
    };
    let item = item(kind, ItemStatus::Completed);
    let id = item.id.clone();
    let turn_id = turn_id.clone();
    log.append(EventKind::ItemCompleted { turn_id, item }).unwrap();
    id
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
