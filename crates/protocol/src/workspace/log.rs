//! Shared threads: the log that one machine writes under a lease and everybody reads.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::id::{ApprovalId, ArtifactId, DeviceId, ItemId, ThreadId, TurnId, TurnRequestId, UserId, WorkspaceId};
use crate::workspace::people::Role;

mod double;

/// The type that a server's own event has in its payload, so that a reader of the log knows it from the producer's.
pub const SERVER_EVENT_PREFIX: &str = "workspace.";
/// The `type` of [`ServerEvent::TurnRemoved`].
pub const TURN_REMOVED: &str = "workspace.turnRemoved";

/// At most so many events in one batch.
pub const BATCH_EVENTS: usize = 256;
/// At most so many bytes in one batch.
pub const BATCH_BYTES: usize = 1024 * 1024;
/// At most so many bytes in one payload; what is larger becomes an artifact.
pub const PAYLOAD_BYTES: usize = 256 * 1024;

/// Who may see a shared thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Visibility {
    /// Only who shared it: on all their devices, nowhere else.
    Private,
    /// Everybody in the workspace.
    Workspace,
}

/// What goes on in a thread, as a list shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ThreadActivity {
    /// Nothing runs.
    Idle,
    /// A turn runs.
    Running,
    /// A question waits for an answer.
    AwaitingApproval,
    /// The last turn failed.
    Failed,
}

/// The right to append, which one machine has at a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Lease {
    /// The one who appends.
    pub producer_id: String,
    /// The machine.
    pub device_id: DeviceId,
    /// Whose machine it is.
    pub user_id: UserId,
    /// Grows with each new holder; appending with an older one is refused.
    pub epoch: u64,
    /// Until when, unless it is asked for again.
    pub until_ms: u64,
    /// The next `base` that this producer must send.
    pub next_producer_seq: u64,
}

/// Asks for the lease, or for more of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LeaseRequest {
    /// Who would append. `[A-Za-z0-9_-]{1,64}`.
    pub producer_id: String,
    /// On which machine.
    pub device_id: DeviceId,
    /// For how many seconds; 30 unless said, 5 to 300.
    #[serde(default)]
    pub ttl_s: Option<u64>,
    /// Take it although another device holds it. Only the thread's owner and admins may.
    #[serde(default)]
    pub take: bool,
}

/// Gives the lease back, so that another one need not wait for its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LeaseRelease {
    /// Who has it.
    pub producer_id: String,
    /// Which one.
    pub epoch: u64,
    /// Who shall have it next: only this person's devices may ask for it in the next minute.
    #[serde(default)]
    pub hand_to: Option<UserId>,
}

/// A thread that was shared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SharedThread {
    /// Its id; the same as on the machine it comes from.
    pub id: ThreadId,
    /// Where.
    pub workspace_id: WorkspaceId,
    /// Who shared it.
    pub owner: UserId,
    /// Its title.
    pub title: String,
    /// The model that works in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Who may see it.
    pub visibility: Visibility,
    /// What goes on.
    pub activity: ThreadActivity,
    /// The number of its newest event; 0 when there is none.
    pub head_seq: u64,
    /// Events up to this one are no longer kept one by one: a reader from before it gets a snapshot.
    pub floor_seq: u64,
    /// Who appends now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease: Option<Lease>,
    /// The lowest role that may answer its approvals besides the owner; nobody else unless set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approvers: Option<Role>,
    /// When it was shared.
    pub created_at_ms: u64,
    /// When something last happened.
    pub updated_at_ms: u64,
}

/// Shares a thread.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSharedThread {
    /// The id it has already; the server gives one otherwise. Asking twice answers the same thread.
    #[serde(default)]
    pub id: Option<ThreadId>,
    /// Its title: up to 200 characters.
    pub title: String,
    /// The model that works in it.
    #[serde(default)]
    pub model: Option<String>,
    /// Who may see it; everybody in the workspace unless said.
    #[serde(default)]
    pub visibility: Option<Visibility>,
    /// See [`SharedThread::approvers`].
    #[serde(default)]
    pub approvers: Option<Role>,
}

/// Changes what is named and leaves the rest.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SharedThreadChange {
    /// Its title.
    #[serde(default)]
    pub title: Option<String>,
    /// Who may see it.
    #[serde(default)]
    pub visibility: Option<Visibility>,
    /// The lowest role that may answer its approvals; `null` for the owner alone.
    #[serde(default, with = "double")]
    #[schemars(with = "Option<Role>")]
    pub approvers: Option<Option<Role>>,
}

/// One event as its producer sends it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewEvent {
    /// Its name, unique in the thread. `[A-Za-z0-9_.:-]{1,128}`.
    pub event_id: String,
    /// When it happened, by the producer's clock. Never used for order.
    pub at_ms: u64,
    /// An [`crate::EventKind`] as the log writes it: an object with a `type`. Kinds that the server does not know are kept
    /// and passed on; what only the model reads (`contextAppended`) is refused.
    pub payload: Value,
}

/// A batch of events, in the producer's order and without holes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Batch {
    /// Who appends.
    pub producer_id: String,
    /// Under which lease.
    pub lease_epoch: u64,
    /// The producer's number of the first event; its first one ever is 1.
    pub base: u64,
    /// At most [`BATCH_EVENTS`].
    pub events: Vec<NewEvent>,
}

/// The answer to a [`Batch`], given when it is on the disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Acked {
    /// The producer's number of its last event that is kept.
    pub acked: u64,
    /// The number of the thread's newest event.
    pub head_seq: u64,
}

/// One event as everybody reads it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SharedEvent {
    /// Its place in the thread: gapless, from 1. The only cursor there is.
    pub seq: u64,
    /// Its name.
    pub event_id: String,
    /// When it happened, by its producer's clock.
    pub at_ms: u64,
    /// When the server took it.
    pub received_at_ms: u64,
    /// Who appended it; `server` for the server's own.
    pub producer_id: String,
    /// The producer's number; 0 for the server's own.
    pub producer_seq: u64,
    /// What happened: an [`crate::EventKind`], or a [`ServerEvent`].
    pub payload: Value,
}

/// What the server itself writes into a thread.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type")]
pub enum ServerEvent {
    /// A question was answered by somebody in the workspace. The machine that runs the thread checks it again and acts.
    #[serde(rename = "workspace.approvalDecided")]
    ApprovalDecided {
        /// The question.
        approval_id: ApprovalId,
        /// Its turn.
        turn_id: TurnId,
        /// Yes.
        accepted: bool,
        /// Who.
        user_id: UserId,
        /// With which device, if it said so.
        device_id: Option<DeviceId>,
        /// SHA-256 of the question's payload that was on the screen, in hex.
        payload_hash: String,
        /// Why not.
        note: Option<String>,
    },
    /// A question was not answered in time.
    #[serde(rename = "workspace.approvalExpired")]
    ApprovalExpired {
        /// The question.
        approval_id: ApprovalId,
    },
    /// Somebody asks for a turn.
    #[serde(rename = "workspace.turnRequested")]
    TurnRequested {
        /// The request.
        request_id: TurnRequestId,
        /// Who.
        user_id: UserId,
        /// What for.
        input: String,
    },
    /// The machine that has the lease took it up, or it ended otherwise.
    #[serde(rename = "workspace.turnRequestChanged")]
    TurnRequestChanged {
        /// The request.
        request_id: TurnRequestId,
        /// Its state.
        status: TurnRequestStatus,
        /// The turn that it became.
        turn_id: Option<TurnId>,
    },
    /// What stood here belonged to a turn that was deleted. The place stays, so that numbers have no holes.
    #[serde(rename = "workspace.removed")]
    Removed,
    /// A turn was deleted: its events say [`Self::Removed`] from now on. Whoever read them before forgets it.
    #[serde(rename = "workspace.turnRemoved")]
    TurnRemoved {
        /// Which.
        turn_id: TurnId,
    },
    /// Another machine appends from now on.
    #[serde(rename = "workspace.leaseMoved")]
    LeaseMoved {
        /// Whose.
        user_id: UserId,
        /// Which.
        device_id: DeviceId,
        /// The new epoch.
        epoch: u64,
    },
}

/// How a page relates to what was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PageStatus {
    /// The events after the cursor.
    Ok,
    /// The cursor was before the floor: a snapshot, then the events after it.
    Rebased,
    /// The cursor is beyond the head: the server was restored from a backup. Read again from 0.
    Ahead,
}

/// A thread's state up to an event, folded.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Snapshot {
    /// The last event that is in it.
    pub snapshot_seq: u64,
    /// The turns, oldest first.
    pub turns: Vec<SharedTurn>,
    /// The items, oldest first: the newest of them, when there are many.
    pub items: Vec<SharedItem>,
    /// So many older items are left out. They are on the pages of `GET …/items`, which begin with the oldest.
    #[serde(default)]
    pub earlier_items: u64,
    /// The questions, oldest first.
    pub approvals: Vec<SharedApproval>,
}

/// A page of events.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EventPage {
    /// How it relates to the cursor.
    pub status: PageStatus,
    /// In order, without holes.
    pub events: Vec<SharedEvent>,
    /// The state to begin with, when `rebased`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snapshot: Option<Snapshot>,
    /// Ask with this as `after` for what follows.
    pub next: u64,
    /// The newest event there is.
    pub head_seq: u64,
}

/// A turn, folded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SharedTurn {
    /// Which.
    pub turn_id: TurnId,
    /// `running`, `completed`, `interrupted` or `failed`.
    pub status: String,
    /// When it began.
    pub started_at_ms: u64,
    /// When it ended.
    pub ended_at_ms: Option<u64>,
    /// The last event that is in it.
    pub applied_seq: u64,
}

/// An item, folded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SharedItem {
    /// Which.
    pub item_id: ItemId,
    /// Its turn.
    pub turn_id: TurnId,
    /// The item as the log has it ([`crate::Item`]), streamed text included.
    pub payload: Value,
    /// It has ended.
    pub completed: bool,
    /// The last event that is in it.
    pub applied_seq: u64,
}

/// The state of a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ApprovalStatus {
    /// Waits.
    Pending,
    /// Yes.
    Accepted,
    /// No.
    Declined,
    /// Nobody answered in time.
    Expired,
    /// Its turn ended first.
    Cancelled,
}

/// A question, folded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SharedApproval {
    /// Which.
    pub approval_id: ApprovalId,
    /// Its thread.
    pub thread_id: ThreadId,
    /// Its turn.
    pub turn_id: TurnId,
    /// What is asked ([`crate::approval::Approval`]).
    pub payload: Value,
    /// SHA-256 of the payload as it is kept here, in hex: a decision names what it is about.
    pub payload_hash: String,
    /// Its state.
    pub status: ApprovalStatus,
    /// Until when it can be answered.
    pub expires_at_ms: u64,
    /// Who answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_by: Option<UserId>,
    /// When.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_at_ms: Option<u64>,
    /// The event of the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision_seq: Option<u64>,
}

/// Answers a question. The first answer stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ApprovalDecision {
    /// Yes.
    pub accept: bool,
    /// The hash of what was on the screen.
    pub payload_hash: String,
    /// With which device.
    #[serde(default)]
    pub device_id: Option<DeviceId>,
    /// Why not; the agent is told.
    #[serde(default)]
    pub note: Option<String>,
}

/// The state of a turn request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TurnRequestStatus {
    /// Waits for the machine that has the lease.
    Queued,
    /// A machine took it up.
    Taken,
    /// It became a turn.
    Started,
    /// Taken back, or refused by the machine.
    Cancelled,
}

/// Asks the machine that runs a thread for a turn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewTurnRequest {
    /// Asking twice with the same key answers the same request. `[A-Za-z0-9_-]{1,64}`.
    pub idempotency_key: String,
    /// The prompt.
    pub input: String,
    /// Files of the workspace that go with it.
    #[serde(default)]
    pub artifacts: Vec<ArtifactId>,
}

/// A request for a turn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TurnRequest {
    /// Which.
    pub id: TurnRequestId,
    /// Its thread.
    pub thread_id: ThreadId,
    /// Who asks.
    pub requested_by: UserId,
    /// The prompt.
    pub input: String,
    /// Files that go with it.
    pub artifacts: Vec<ArtifactId>,
    /// Its state.
    pub status: TurnRequestStatus,
    /// The turn that it became.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turn_id: Option<TurnId>,
    /// When it was asked.
    pub created_at_ms: u64,
}

/// Moves a turn request on. The machine with the lease does this.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TurnRequestChange {
    /// Taken, started or cancelled.
    pub status: TurnRequestStatus,
    /// The holder of the lease.
    #[serde(default)]
    pub producer_id: Option<String>,
    /// Its epoch.
    #[serde(default)]
    pub lease_epoch: Option<u64>,
    /// The turn it became, when started.
    #[serde(default)]
    pub turn_id: Option<TurnId>,
}

/// How far a device has read: for marks of what is new, never a limit on what it may read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadCursor {
    /// The last event it has shown. Only grows.
    pub seq: u64,
}
