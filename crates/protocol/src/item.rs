//! Items: the things that happen in a turn, as people see them.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::artifact::Artifact;
use crate::attachment::Attachment;
use crate::change::FileChange;
use crate::failure::Failure;
use crate::id::ItemId;

/// Where an item is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum ItemStatus {
    /// It began and did not end.
    InProgress,
    /// It ended well.
    Completed,
    /// It ended badly; a command with an exit code other than 0 too.
    Failed,
    /// The person or a rule said no.
    Declined,
    /// The turn was stopped while it ran.
    Interrupted,
}

/// One thing that happened in a turn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Item {
    /// Its name.
    pub id: ItemId,
    /// Where it is in its life.
    pub status: ItemStatus,
    /// When it began, milliseconds since the epoch.
    pub started_ms: u64,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub ended_ms: Option<u64>,
    /// What it is.
    #[serde(flatten)]
    pub kind: ItemKind,
}

/// One step of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, schemars::JsonSchema)]
pub struct PlanStep {
    /// What is to be done, in a few words.
    pub step: String,
    /// How far it is.
    pub status: StepStatus,
}

/// How far a step of a plan is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StepStatus {
    /// Not begun.
    Pending,
    /// Being done.
    InProgress,
    /// Done.
    Completed,
}

/// The whole output of a command, kept beside the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct OutputRef {
    /// Names the file that `output/read` reads.
    pub blob: String,
    /// Bytes.
    pub bytes: u64,
    /// Lines.
    pub lines: u64,
}

/// What an item is. A new behaviour is a new variant here, not a new kind of event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum ItemKind {
    /// What the person said.
    UserMessage {
        /// As typed.
        text: String,
        /// What came with it.
        attachments: Vec<Attachment>,
        /// Given while the turn was running.
        #[serde(default)]
        steer: bool,
    },
    /// What the agent said: Markdown.
    AgentMessage {
        /// Markdown.
        text: String,
    },
    /// What the agent thought, as far as the provider shows it.
    Reasoning {
        /// Markdown.
        text: String,
    },
    /// The agent's plan as it stands.
    Plan {
        /// Why it changed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        explanation: Option<String>,
        /// The steps.
        steps: Vec<PlanStep>,
    },
    /// A command.
    Command {
        /// Exactly what runs.
        command: String,
        /// Absolute folder.
        cwd: String,
        /// The last lines of the output, at most 4 KiB: what a folded card shows.
        tail: String,
        /// Where the whole output is.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        output: Option<OutputRef>,
        /// Exit code; 128 + n after signal n.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        exit_code: Option<i32>,
        /// It ran without the sandbox because somebody allowed that.
        #[serde(default)]
        escalated: bool,
        /// The number by which `write_stdin` reaches it while it runs.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        process: Option<u32>,
        /// The sandbox said no to something it tried.
        #[serde(default)]
        sandbox_denied: bool,
    },
    /// Input sent to a running command.
    CommandInput {
        /// The command's item.
        command: ItemId,
        /// What was typed; empty for a look at the output.
        chars: String,
    },
    /// A patch to files.
    FileChange {
        /// What it changes.
        changes: Vec<FileChange>,
        /// Why it failed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        error: Option<String>,
    },
    /// The agent looked at an image.
    ImageView {
        /// Absolute path.
        path: String,
    },
    /// A file for the person.
    Artifact {
        /// The file.
        artifact: Artifact,
    },
    /// A tool call that no other variant describes, a call of an unknown tool among them.
    ToolCall {
        /// The tool.
        tool: String,
        /// The arguments as the model gave them.
        arguments: String,
        /// What the model read.
        output: String,
    },
    /// Something went wrong, or the person should know something.
    Error {
        /// What.
        failure: Failure,
    },
}

impl ItemKind {
    /// The variant's name on the wire.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::UserMessage { .. } => "userMessage",
            Self::AgentMessage { .. } => "agentMessage",
            Self::Reasoning { .. } => "reasoning",
            Self::Plan { .. } => "plan",
            Self::Command { .. } => "command",
            Self::CommandInput { .. } => "commandInput",
            Self::FileChange { .. } => "fileChange",
            Self::ImageView { .. } => "imageView",
            Self::Artifact { .. } => "artifact",
            Self::ToolCall { .. } => "toolCall",
            Self::Error { .. } => "error",
        }
    }
}
