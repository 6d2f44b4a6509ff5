//! What readers are told: where to look. Never what is there.

use protocol::id::{ThreadId, UserId, WorkspaceId};
use serde::{Deserialize, Serialize};

/// Where something changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
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
    /// What a client says of itself in a document. There is no more to it than this: it is shown, and forgotten.
    Awareness {
        /// Where.
        workspace: WorkspaceId,
        /// Which.
        document: String,
        /// Which client.
        client: u64,
        /// Counts what it said.
        clock: u32,
        /// JSON; `null` when it is gone.
        state: String,
    },
    /// Hints may have been lost: look at everything that is followed. Never on the wire.
    #[serde(skip)]
    Missed,
}

/// What a hint is about. A newer hint about the same makes an older one needless.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum About {
    /// A thread's events.
    Events(WorkspaceId, ThreadId),
    /// A thread.
    Thread(WorkspaceId, ThreadId),
    /// A feed.
    Activity(WorkspaceId),
    /// Somebody's place, or everybody's.
    Membership(WorkspaceId, Option<UserId>),
    /// Who is there.
    Presence(WorkspaceId),
    /// A document.
    Document(WorkspaceId, String),
    /// A client in a document.
    Awareness(WorkspaceId, String, u64),
    /// Anything.
    Missed,
}

/// Longer ids than this are not ours.
const ID_BYTES: usize = 128;

/// Clients say up to 16 KiB of themselves, and their name is added.
const STATE_BYTES: usize = 20 << 10;

impl Hint {
    pub(super) fn about(&self) -> About {
        match self.clone() {
            Self::Events { workspace, thread, .. } => About::Events(workspace, thread),
            Self::Thread { workspace, thread } => About::Thread(workspace, thread),
            Self::Activity { workspace, .. } => About::Activity(workspace),
            Self::Membership { workspace, user } => About::Membership(workspace, user),
            Self::Presence { workspace } => About::Presence(workspace),
            Self::Document {
                workspace, document, ..
            } => About::Document(workspace, document),
            Self::Awareness {
                workspace,
                document,
                client,
                ..
            } => About::Awareness(workspace, document, client),
            Self::Missed => About::Missed,
        }
    }

    /// Whether the database has what it is about.
    pub(super) fn is_kept(&self) -> bool {
        !matches!(self, Self::Awareness { .. } | Self::Presence { .. } | Self::Missed)
    }

    /// Whether it can be one of ours: it came from outside of this process.
    pub(super) fn is_sane(&self) -> bool {
        let fits = |id: &str| (1..=ID_BYTES).contains(&id.len());
        match self {
            Self::Events { workspace, thread, .. } | Self::Thread { workspace, thread } => {
                fits(workspace.as_str()) && fits(thread.as_str())
            }
            Self::Activity { workspace, .. } | Self::Presence { workspace } => fits(workspace.as_str()),
            Self::Membership { workspace, user } => {
                fits(workspace.as_str()) && user.as_ref().is_none_or(|it| fits(it.as_str()))
            }
            Self::Document {
                workspace, document, ..
            } => fits(workspace.as_str()) && fits(document),
            Self::Awareness {
                workspace,
                document,
                client,
                state,
                ..
            } => fits(workspace.as_str()) && fits(document) && *client < 1 << 53 && state.len() <= STATE_BYTES,
            Self::Missed => false,
        }
    }
}
