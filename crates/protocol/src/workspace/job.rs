//! What the server does later by itself: deletions.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::id::{DeletionId, ThreadId, UserId};

/// What can be deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeletionTarget {
    /// The whole workspace. Owners only.
    Workspace,
    /// A person's place in the workspace. Owners only.
    User,
    /// A thread with its log and its files.
    Thread,
    /// One turn of a thread: what its events, items and questions say.
    Turn,
    /// A document with its versions.
    Document,
    /// A shared file with its versions.
    Artifact,
}

impl DeletionTarget {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Workspace,
        Self::User,
        Self::Thread,
        Self::Turn,
        Self::Document,
        Self::Artifact,
    ];

    /// As it is written on the wire and in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Workspace => "workspace",
            Self::User => "user",
            Self::Thread => "thread",
            Self::Turn => "turn",
            Self::Document => "document",
            Self::Artifact => "artifact",
        }
    }
}

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeletionStatus {
    /// It can still be cancelled.
    Scheduled,
    /// It is under way.
    Running,
    /// All of it is gone.
    Completed,
    /// It could not be done; `error` says why.
    Failed,
    /// Somebody thought better of it.
    Cancelled,
}

impl DeletionStatus {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Scheduled,
        Self::Running,
        Self::Completed,
        Self::Failed,
        Self::Cancelled,
    ];

    /// As it is written on the wire and in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Scheduled => "scheduled",
            Self::Running => "running",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

/// Asks for a deletion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewDeletion {
    /// What kind of thing.
    pub target: DeletionTarget,
    /// Which; the workspace's own id for the whole of it.
    pub id: String,
    /// The thread that a turn is of; for a turn only.
    #[serde(default)]
    pub thread_id: Option<ThreadId>,
    /// In how many seconds it begins: 600 unless said, 1 to 604800.
    #[serde(default)]
    pub delay_s: Option<u64>,
}

/// A deletion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Deletion {
    /// Which.
    pub id: DeletionId,
    /// What kind of thing.
    pub target: DeletionTarget,
    /// Which thing.
    pub target_id: String,
    /// The thread that a turn is of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thread_id: Option<ThreadId>,
    /// How far it is.
    pub status: DeletionStatus,
    /// Who asked for it.
    pub requested_by: UserId,
    /// When.
    pub created_at_ms: u64,
    /// When it begins.
    pub run_at_ms: u64,
    /// So many rows are gone.
    pub deleted: u64,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}
