//! The internal request and answer, shaped after the Responses API; both wires translate from and to these.

use protocol::Failure;
use protocol::context::Entry;
use protocol::setting::Effort;
use protocol::thread::Usage;

/// What a model is asked.
#[derive(Debug, Clone, PartialEq)]
pub struct Prompt {
    /// The model, as the provider calls it.
    pub model: String,
    /// The base instructions.
    pub instructions: String,
    /// The context so far, oldest first.
    pub input: Vec<Entry>,
    /// What the model may call.
    pub tools: Vec<Tool>,
    /// How hard it should think; the provider's default when absent.
    pub effort: Option<Effort>,
    /// It may make several calls in one answer.
    pub parallel_tool_calls: bool,
    /// The same for all requests of a thread, so that the provider finds its cache again.
    pub cache_key: String,
    /// The final message must be JSON after this schema.
    pub output_schema: Option<serde_json::Value>,
}

impl Prompt {
    /// A prompt without context or tools.
    #[must_use]
    pub fn new(model: impl Into<String>, instructions: impl Into<String>) -> Self {
        Self {
            model: model.into(),
            instructions: instructions.into(),
            input: Vec::new(),
            tools: Vec::new(),
            effort: None,
            parallel_tool_calls: true,
            cache_key: String::new(),
            output_schema: None,
        }
    }
}

/// A tool as the model is told of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Tool {
    /// The name.
    pub name: String,
    /// What it does.
    pub description: String,
    /// How arguments are passed.
    pub format: Format,
}

/// How the model passes arguments.
#[derive(Debug, Clone, PartialEq)]
pub enum Format {
    /// A JSON object after this schema.
    Function(serde_json::Value),
    /// Free text after this Lark grammar.
    Freeform(String),
}

/// One piece of an answer, in the order it arrives.
///
/// Text and reasoning come first as they are written, then once more whole as an [`Piece::Entry`].
/// A reasoning entry arrives together with the message or call it led to, so that the context never holds one alone.
#[derive(Debug, Clone, PartialEq)]
pub enum Piece {
    /// More of the message being written.
    Text(String),
    /// More of the readable reasoning.
    Reasoning(String),
    /// The next reasoning text begins a new section.
    ReasoningBreak,
    /// A finished message, reasoning or call.
    Entry(Entry),
    /// What the request cost, as the provider counts.
    Usage(Usage),
    /// The attempt failed and is made again: forget the unfinished message and reasoning of this attempt; entries stay.
    Retrying {
        /// The coming attempt, from 1.
        attempt: u32,
        /// How many there are at most.
        max: u32,
        /// Until it begins.
        wait_ms: u64,
        /// Why the last one failed.
        failure: Failure,
    },
    /// The answer ended; always the last piece.
    Done {
        /// Why it ended early, such as `max_output_tokens` or `content_filter`.
        incomplete: Option<String>,
    },
}
