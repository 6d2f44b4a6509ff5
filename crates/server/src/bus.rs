//! Wakes readers, here and on other nodes. A hint only says where to look: whoever hears it reads the database, so a lost
//! hint costs time and a forged one costs a query.

use protocol::id::{ThreadId, UserId, WorkspaceId};
use serde::{Deserialize, Serialize};
use tokio::sync::broadcast;

/// Where something changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Hint {
    /// A thread has events up to `head_seq`.
    Events {
        /// Where.
        workspace: WorkspaceId,
        /// Which.
        thread: ThreadId,
        /// How many.
        head_seq: u64,
    },
    /// A thread is new, changed or gone.
    Thread {
        /// Where.
        workspace: WorkspaceId,
        /// Which.
        thread: ThreadId,
    },
    /// The activity feed grew.
    Activity {
        /// Where.
        workspace: WorkspaceId,
        /// Up to which line.
        seq: u64,
    },
    /// Somebody's place in a workspace changed, or everybody's (a binding, an archive).
    Membership {
        /// Where.
        workspace: WorkspaceId,
        /// Whose; everybody's when absent.
        user: Option<UserId>,
    },
    /// Who is there changed.
    Presence {
        /// Where.
        workspace: WorkspaceId,
    },
    /// A document has updates up to `head_seq`.
    Document {
        /// Where.
        workspace: WorkspaceId,
        /// Which.
        document: String,
        /// How many.
        head_seq: u64,
    },
}

/// How the bus is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// There is one node.
    Here,
    /// Redis carries hints between nodes.
    Connected,
    /// Redis cannot be reached; nodes look for themselves.
    Away,
}

impl Health {
    /// In one word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Here => "here",
            Self::Connected => "connected",
            Self::Away => "away",
        }
    }
}

/// The way for hints.
#[derive(Debug, Clone)]
pub struct Bus {
    here: broadcast::Sender<Hint>,
}

impl Bus {
    /// Within this process only.
    #[must_use]
    pub fn in_process() -> Self {
        Self {
            here: broadcast::channel(4096).0,
        }
    }

    /// Tells everybody, this node included. Never waits and never fails: what is lost is found by polling.
    pub fn publish(&self, hint: Hint) {
        // An error means that nobody listens.
        let _ = self.here.send(hint);
    }

    /// How it is.
    #[must_use]
    pub fn health(&self) -> Health {
        Health::Here
    }

    /// All hints from now on. Whoever lags must look at everything they follow.
    #[must_use]
    pub fn subscribe(&self) -> broadcast::Receiver<Hint> {
        self.here.subscribe()
    }
}
