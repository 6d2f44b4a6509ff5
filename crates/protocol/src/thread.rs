//! Threads as lists and pages show them.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::approval::Approval;
use crate::event::Event;
use crate::failure::Failure;
use crate::id::{ItemId, ThreadId, TurnId};
use crate::setting::{ApprovalPolicy, Effort, SandboxMode};

/// What a thread runs with. Every turn remembers what it ran with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ThreadSettings {
    /// Provider id.
    pub provider: String,
    /// Model id.
    pub model: String,
    /// How hard it thinks; the provider's default when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub effort: Option<Effort>,
    /// What commands may touch.
    pub sandbox: SandboxMode,
    /// When the person is asked.
    pub approval: ApprovalPolicy,
}

/// A change to a thread's settings; absent fields stay.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", default)]
#[ts(optional_fields)]
pub struct ThreadSettingsPatch {
    /// Provider id.
    pub provider: Option<String>,
    /// Model id.
    pub model: Option<String>,
    /// How hard it thinks.
    pub effort: Option<Effort>,
    /// What commands may touch.
    pub sandbox: Option<SandboxMode>,
    /// When the person is asked.
    pub approval: Option<ApprovalPolicy>,
}

/// What a thread is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum ThreadStatus {
    /// Nothing.
    Idle,
    /// A turn runs.
    Running,
    /// A turn waits for an answer.
    Waiting,
}

/// Where a thread branched off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ForkPoint {
    /// The thread it was made from.
    pub thread_id: ThreadId,
    /// The last event it shares with it.
    pub seq: u64,
}

/// A thread in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ThreadSummary {
    /// Its name.
    pub id: ThreadId,
    /// For people: given, or the beginning of the first prompt; empty before it.
    pub title: String,
    /// Absolute folder.
    pub cwd: String,
    /// Milliseconds since the epoch.
    pub created_ms: u64,
    /// Of the last event.
    pub updated_ms: u64,
    /// On top of the list.
    pub pinned: bool,
    /// Out of the list.
    pub archived: bool,
    /// What it is doing.
    pub status: ThreadStatus,
    /// The last event.
    pub head_seq: u64,
    /// What it runs with.
    pub settings: ThreadSettings,
    /// Where it branched off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub forked_from: Option<ForkPoint>,
}

/// Tokens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", default)]
pub struct Usage {
    /// Read by the model.
    pub input_tokens: u64,
    /// Of those, from the provider's cache.
    pub cached_input_tokens: u64,
    /// Written by the model.
    pub output_tokens: u64,
    /// Of those, thought.
    pub reasoning_output_tokens: u64,
}

impl std::ops::AddAssign for Usage {
    fn add_assign(&mut self, other: Self) {
        self.input_tokens += other.input_tokens;
        self.cached_input_tokens += other.cached_input_tokens;
        self.output_tokens += other.output_tokens;
        self.reasoning_output_tokens += other.reasoning_output_tokens;
    }
}

/// How full the model's context is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ContextMeter {
    /// Tokens of the last request and answer.
    pub used: u64,
    /// Tokens the model can read, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub window: Option<u64>,
    /// The figures are our estimate, because the provider reports none.
    #[serde(default)]
    pub estimated: bool,
}

/// How a turn ended, or that it did not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum TurnStatus {
    /// It runs.
    Running,
    /// It ended with the agent's last word.
    Completed,
    /// It was stopped.
    Interrupted {
        /// By whom or what.
        reason: InterruptReason,
    },
    /// It failed.
    Failed {
        /// Why.
        failure: Failure,
    },
}

/// Why a turn ended early.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum InterruptReason {
    /// The person stopped it.
    Person,
    /// The program ended or crashed; found out at the next start.
    Crash,
    /// The program was closed.
    Shutdown,
}

/// A turn that a page shows at least a part of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct TurnSummary {
    /// Its name.
    pub id: TurnId,
    /// Its first event.
    pub first_seq: u64,
    /// Milliseconds since the epoch.
    pub started_ms: u64,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub ended_ms: Option<u64>,
    /// How it ended.
    pub status: TurnStatus,
    /// The beginning of its prompt, for the outline.
    pub prompt: String,
}

/// A stretch of a thread: events in order, without what only the model reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Page {
    /// The thread as it stands.
    pub thread: ThreadSummary,
    /// In order of `seq`.
    pub events: Vec<Event>,
    /// The turns these events belong to, the first one perhaps from before the page.
    pub turns: Vec<TurnSummary>,
    /// Follow from here: `after` for `follow`, past the page's last event.
    pub next_seq: u64,
    /// Pass as `before` for the page above; absent at the beginning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub before: Option<u64>,
    /// Questions that wait, wherever they were asked.
    pub approvals: Vec<Approval>,
    /// Prompts that wait for the turn to end.
    pub queue: Vec<QueuedInput>,
    /// How full the context is.
    pub context: ContextMeter,
    /// Tokens of the whole thread.
    pub usage: Usage,
}

/// What a person gives to a turn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    /// As typed.
    pub text: String,
    /// Absolute paths of files and folders, or paths that `attachment/paste` gave.
    #[serde(default)]
    pub attachments: Vec<String>,
}

/// A prompt that waits for the running turn to end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct QueuedInput {
    /// Becomes the id of the message.
    pub id: ItemId,
    /// The prompt.
    pub input: Input,
    /// JSON Schema that the agent's last word must follow; free text when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional, type = "unknown")]
    pub output_schema: Option<serde_json::Value>,
}

/// One place where a search found something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct SearchHit {
    /// The thread.
    pub thread: ThreadSummary,
    /// The event of the item; absent when the title matched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub seq: Option<u64>,
    /// The item.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub item_id: Option<ItemId>,
    /// Text around the match; `\u{2}` and `\u{3}` enclose what matched.
    pub snippet: String,
}
