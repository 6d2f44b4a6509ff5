//! What comes out of the engine: durable events, lossy live pieces, and the frames that carry both.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::approval::{Approval, DecidedBy, Decision};
use crate::context::Entry;
use crate::failure::Failure;
use crate::id::{ApprovalId, ItemId, ThreadId, TurnId};
use crate::item::Item;
use crate::setting::Settings;
use crate::thread::{ContextMeter, ForkPoint, InterruptReason, QueuedInput, ThreadSettings, ThreadSummary, Usage};

/// A fact about a thread. Once appended it never changes; `seq` has no gaps within a thread, from 1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    /// Its place in the thread.
    pub seq: u64,
    /// When it was appended, milliseconds since the epoch.
    pub at_ms: u64,
    /// What happened.
    #[serde(flatten)]
    pub kind: EventKind,
}

/// The kinds of facts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum EventKind {
    /// Always the first. A fork copies the events it shares after this one.
    ThreadStarted {
        /// The thread.
        thread_id: ThreadId,
        /// Absolute folder.
        cwd: String,
        /// What it runs with.
        settings: ThreadSettings,
        /// Where it branched off.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        forked_from: Option<ForkPoint>,
        /// zspark's version that wrote this log.
        version: String,
    },
    /// It has a title.
    ThreadRenamed {
        /// The title.
        title: String,
    },
    /// It moved onto the top of the list, or back.
    ThreadPinned {
        /// On top.
        pinned: bool,
    },
    /// It moved out of the list, or back.
    ThreadArchived {
        /// Out.
        archived: bool,
    },
    /// It runs with something else from now on.
    SettingsChanged {
        /// All of it.
        settings: ThreadSettings,
    },
    /// A turn began.
    TurnStarted {
        /// Which.
        turn_id: TurnId,
        /// What it runs with.
        settings: ThreadSettings,
        /// JSON Schema that the agent's last word must follow; free text when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional, type = "unknown")]
        output_schema: Option<serde_json::Value>,
    },
    /// A turn ended with the agent's last word.
    TurnCompleted {
        /// Which.
        turn_id: TurnId,
    },
    /// A turn was stopped.
    TurnInterrupted {
        /// Which.
        turn_id: TurnId,
        /// By whom or what.
        reason: InterruptReason,
    },
    /// A turn failed.
    TurnFailed {
        /// Which.
        turn_id: TurnId,
        /// Why.
        failure: Failure,
    },
    /// An item began.
    ItemStarted {
        /// Its turn.
        turn_id: TurnId,
        /// As it stands.
        item: Item,
    },
    /// An item changed while in progress (a plan, a command that went to the background).
    ItemUpdated {
        /// Its turn.
        turn_id: TurnId,
        /// As it stands.
        item: Item,
    },
    /// A piece of streamed text made durable, so that a crash loses little.
    ItemAppended {
        /// The item.
        item_id: ItemId,
        /// UTF-16 units of its text before this piece.
        at: u64,
        /// The piece.
        text: String,
    },
    /// An item ended.
    ItemCompleted {
        /// Its turn.
        turn_id: TurnId,
        /// As it stays.
        item: Item,
    },
    /// A question waits for an answer.
    ApprovalRequested {
        /// The question.
        approval: Approval,
    },
    /// It was answered, or no longer needs to be.
    ApprovalResolved {
        /// The question.
        approval_id: ApprovalId,
        /// The answer.
        decision: Decision,
        /// Who gave it.
        by: DecidedBy,
    },
    /// A prompt waits for the turn to end.
    InputQueued {
        /// The prompt.
        queued: QueuedInput,
    },
    /// It no longer waits: it became a turn, or was taken back.
    InputDequeued {
        /// Its id.
        id: ItemId,
    },
    /// Tokens were used.
    UsageUpdated {
        /// By which turn.
        turn_id: TurnId,
        /// By the last request.
        last: Usage,
        /// How full the context is now.
        context: ContextMeter,
    },
    /// Changes of a turn were taken back, or made again.
    ChangesReverted {
        /// The turn.
        turn_id: TurnId,
        /// Absolute paths.
        paths: Vec<String>,
        /// Made again.
        redo: bool,
    },
    /// The model's context grew. Read by the engine only; surfaces never see it.
    ContextAppended {
        /// The turn.
        turn_id: TurnId,
        /// In order.
        #[ts(skip)]
        entries: Vec<Entry>,
    },
}

/// News that may be lost: whoever misses some reads the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Live {
    /// Text of an agent message or of reasoning.
    Text {
        /// The item.
        item_id: ItemId,
        /// UTF-16 units of its text before this piece.
        at: u64,
        /// The piece.
        text: String,
    },
    /// Output of a running command: the newest piece. A gap in `at` means that something was skipped.
    Output {
        /// The command's item.
        item_id: ItemId,
        /// Bytes of output before this piece.
        at: u64,
        /// The piece, invalid UTF-8 replaced.
        text: String,
    },
    /// The provider failed and is asked again.
    Retrying {
        /// The turn.
        turn_id: TurnId,
        /// 1, 2 …
        attempt: u32,
        /// Of so many.
        max: u32,
        /// Why.
        failure: Failure,
        /// Milliseconds until then.
        wait_ms: u64,
    },
}

/// What can be followed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Topic {
    /// The list of threads and the settings: whatever changes from now on.
    Home,
    /// One thread, from the event after `after` on.
    Thread {
        /// Which.
        thread_id: ThreadId,
        /// The last event already seen; 0 for all.
        after: u64,
    },
}

/// One delivery to one follower. At most about 8 KiB unless a single event is larger.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", default)]
pub struct Frame {
    /// Facts, in order; not those that only the model reads.
    pub events: Vec<Event>,
    /// News, in order, after the facts.
    pub live: Vec<Live>,
    /// Pass as `after` to go on from here.
    pub next_seq: u64,
    /// Threads that changed (topic home).
    pub threads: Vec<ThreadSummary>,
    /// Threads that are gone (topic home).
    pub removed: Vec<ThreadId>,
    /// The settings, when they changed (topic home).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub settings: Option<Box<Settings>>,
}
