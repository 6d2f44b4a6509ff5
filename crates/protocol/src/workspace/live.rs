//! The live socket: one per client, JSON text frames both ways.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::id::{DeviceId, ThreadId, UserId, WorkspaceId};
use crate::workspace::log::{Acked, Batch, PageStatus, SharedEvent, SharedThread, Snapshot};
use crate::workspace::people::Activity;
use crate::workspace::problem::Problem;

/// What a client says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum ClientFrame {
    /// A fresh token for the same person, before the old one ends.
    Authenticate {
        /// The bearer token, or the development identity's name.
        token: String,
    },
    /// Follow a workspace: its threads, activity and who is there.
    Watch {
        /// Which.
        workspace_id: WorkspaceId,
        /// The last line of activity already seen.
        #[serde(default)]
        after: u64,
    },
    /// No longer.
    Unwatch {
        /// Which.
        workspace_id: WorkspaceId,
    },
    /// Follow a thread from the event after `after` on: what there is, then what comes.
    Subscribe {
        /// Where.
        workspace_id: WorkspaceId,
        /// Which.
        thread_id: ThreadId,
        /// The last event already seen; 0 for all.
        after: u64,
    },
    /// No longer.
    Unsubscribe {
        /// Which.
        thread_id: ThreadId,
    },
    /// Append, as by `POST …/events`.
    Append {
        /// The answer carries this number.
        id: u64,
        /// Where.
        workspace_id: WorkspaceId,
        /// Which.
        thread_id: ThreadId,
        /// What.
        batch: Batch,
    },
    /// Say where one is and what one does. Others see it with the name that the server knows.
    Presence {
        /// Where.
        workspace_id: WorkspaceId,
        /// The thread or document one looks at, and the like. At most 4 KiB; `null` when one leaves.
        state: Option<Value>,
    },
    /// Answered with a pong.
    Ping {},
}

/// What the server says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ServerFrame {
    /// The first frame: who one is taken for.
    Hello {
        /// The person.
        user_id: UserId,
        /// The server's clock.
        now_ms: u64,
        /// When the token ends.
        expires_at_ms: Option<u64>,
    },
    /// Send a fresh token by `authenticate`; the socket is closed (4401) when the old one has ended.
    Reauthenticate {
        /// When it ends.
        expires_at_ms: u64,
    },
    /// Events of a thread, in order and without holes within a subscription.
    Events {
        /// Which.
        thread_id: ThreadId,
        /// How they relate to the cursor.
        status: PageStatus,
        /// The state to begin with, when `rebased`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        snapshot: Option<Snapshot>,
        /// In order.
        events: Vec<SharedEvent>,
        /// Subscribe with this as `after` to go on from here.
        next: u64,
        /// The newest event there is.
        head_seq: u64,
    },
    /// Where a thread's log ends: sent now and then, so that a lost wake-up shows.
    Head {
        /// Which.
        thread_id: ThreadId,
        /// The newest event there is.
        head_seq: u64,
    },
    /// A batch is on the disk.
    Acked {
        /// The batch's number.
        id: u64,
        /// As by `POST …/events`.
        #[serde(flatten)]
        acked: Acked,
    },
    /// A thread is new or has changed.
    Thread {
        /// As it is.
        thread: SharedThread,
    },
    /// A thread is gone, or no longer for this person.
    ThreadGone {
        /// Where.
        workspace_id: WorkspaceId,
        /// Which.
        thread_id: ThreadId,
    },
    /// New lines of activity.
    Activity {
        /// Where.
        workspace_id: WorkspaceId,
        /// In order.
        lines: Vec<Activity>,
    },
    /// Everybody who is there, whenever that changes.
    Presence {
        /// Where.
        workspace_id: WorkspaceId,
        /// Who.
        people: Vec<Present>,
    },
    /// What was followed can be followed no longer: removed, downgraded, deleted.
    Ended {
        /// Where.
        workspace_id: WorkspaceId,
        /// Which; the whole workspace when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        thread_id: Option<ThreadId>,
        /// Why.
        problem: Problem,
    },
    /// A frame could not be obeyed.
    Refused {
        /// The number of the batch, if it was one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<u64>,
        /// The thread it was about, if any.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        thread_id: Option<ThreadId>,
        /// The workspace it was about, when it was about the whole of it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        workspace_id: Option<WorkspaceId>,
        /// Why.
        problem: Problem,
    },
    /// The answer to a ping.
    Pong {},
}

/// Somebody who is there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Present {
    /// Who.
    pub user_id: UserId,
    /// The name that the server knows.
    pub name: String,
    /// With which device.
    pub device_id: DeviceId,
    /// What they said.
    pub state: Value,
}
