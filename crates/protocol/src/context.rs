//! The model's context as it is kept in the log: an append-only list of entries.
//!
//! The shape follows the Responses API, so that a Responses provider gets back exactly what it sent;
//! the Chat Completions wire is translated from it.

use serde::{Deserialize, Serialize};

/// Who speaks in a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Role {
    /// zspark: instructions and facts about the environment.
    Developer,
    /// The person.
    User,
    /// The model.
    Assistant,
}

/// One part of a message or of a tool's output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase")]
pub enum Content {
    /// Text.
    Text {
        /// The text.
        text: String,
    },
    /// An image, kept as a file beside the log and read when the request is made.
    Image {
        /// Absolute path.
        path: String,
        /// Media type, such as `image/png`.
        media_type: String,
    },
}

/// One entry of the context.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase")]
pub enum Entry {
    /// Something said.
    Message {
        /// By whom.
        role: Role,
        /// What.
        content: Vec<Content>,
        /// The provider's id of this message, sent back where the provider gave one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<String>,
    },
    /// What the model thought. Opaque to us but for the summary.
    Reasoning {
        /// The provider's id.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<String>,
        /// The readable summary, if any.
        summary: Vec<String>,
        /// The provider's own encrypted form, sent back unchanged.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        encrypted: Option<String>,
        /// `reasoning_content` of a chat provider that wants it back during a tool loop.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        raw: Option<String>,
    },
    /// The model calls a tool.
    Call {
        /// Pairs the call with its output.
        call_id: String,
        /// The tool.
        name: String,
        /// JSON text for a function tool; free text for a freeform one.
        arguments: String,
        /// A freeform (custom) tool call.
        #[serde(default)]
        freeform: bool,
        /// The provider's id of this entry.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<String>,
    },
    /// The answer to a call.
    Output {
        /// The call.
        call_id: String,
        /// What the model reads.
        content: Vec<Content>,
        /// Answers a freeform call.
        #[serde(default)]
        freeform: bool,
        /// False when the tool failed or was denied.
        #[serde(default = "yes")]
        ok: bool,
    },
}

fn yes() -> bool {
    true
}

impl Entry {
    /// A message of one text part.
    #[must_use]
    pub fn text(role: Role, text: impl Into<String>) -> Self {
        Self::Message {
            role,
            content: vec![Content::Text { text: text.into() }],
            id: None,
        }
    }
}
