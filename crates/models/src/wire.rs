//! What both wires have in common: how an answer is put together, and how a freeform tool travels as a function.

use std::collections::{HashMap, HashSet, VecDeque};

use protocol::context::{Content, Entry};
use protocol::thread::Usage;
use serde_json::json;

use crate::capability::Feature;
use crate::complaint::Complaint;
use crate::error::Error;
use crate::prompt::{Format, Piece, Prompt};

/// A request ready to be sent.
pub(crate) struct Body {
    /// JSON.
    pub(crate) bytes: Vec<u8>,
    /// The parts of it that a provider might not take.
    pub(crate) sent: HashSet<Feature>,
}

/// Reads one wire's events.
pub(crate) trait Decoder: Send {
    /// One event. A malformed one is passed over.
    fn event(&mut self, name: &[u8], data: &[u8], answer: &mut Answer) -> Result<(), Complaint>;
    /// The body ended. An answer that is complete by then is ended; otherwise it was cut.
    fn end(&mut self, answer: &mut Answer);
}

/// The answer as it comes together, and the pieces of it that are ready to be handed out.
#[derive(Default)]
pub(crate) struct Answer {
    pub(crate) ready: VecDeque<Result<Piece, Error>>,
    /// Finished, but not handed out, because a cut may still make them void.
    held: Vec<Entry>,
    /// Handed out: the next attempt goes on after them.
    pub(crate) kept: Vec<Entry>,
    /// A call was handed out.
    pub(crate) called: bool,
    /// The terminal event came; why it ended early, if it did.
    pub(crate) ended: Option<Option<String>>,
}

/// Deltas that arrive together are handed out together, up to this many bytes.
const TOGETHER: usize = 4_096;

impl Answer {
    pub(crate) fn text(&mut self, more: &str) {
        if more.is_empty() {
            return;
        }
        if let Some(Ok(Piece::Text(text))) = self.ready.back_mut()
            && text.len() < TOGETHER
        {
            text.push_str(more);
        } else {
            self.ready.push_back(Ok(Piece::Text(more.to_owned())));
        }
    }

    pub(crate) fn reasoning(&mut self, more: &str) {
        if more.is_empty() {
            return;
        }
        if let Some(Ok(Piece::Reasoning(text))) = self.ready.back_mut()
            && text.len() < TOGETHER
        {
            text.push_str(more);
        } else {
            self.ready.push_back(Ok(Piece::Reasoning(more.to_owned())));
        }
    }

    pub(crate) fn reasoning_break(&mut self) {
        self.ready.push_back(Ok(Piece::ReasoningBreak));
    }

    /// A further entry begins: a message finished before it stays.
    pub(crate) fn begins(&mut self) {
        if matches!(self.held.last(), Some(Entry::Message { .. } | Entry::Call { .. })) {
            self.hand_out();
        }
    }

    /// An entry is whole. A call is handed out at once with what led to it, a message when something follows it,
    /// reasoning never alone.
    pub(crate) fn finished(&mut self, entry: Entry) {
        let call = matches!(entry, Entry::Call { .. });
        self.held.push(entry);
        if call {
            self.called = true;
            self.hand_out();
        }
    }

    /// The answer is complete. [`Piece::Done`] follows when the connection is back in the pool.
    pub(crate) fn end(&mut self, usage: Option<Usage>, incomplete: Option<String>) {
        self.hand_out();
        self.ready.extend(usage.map(|it| Ok(Piece::Usage(it))));
        self.ended = Some(incomplete);
    }

    /// A new attempt begins.
    pub(crate) fn forget(&mut self) {
        self.held.clear();
    }

    fn hand_out(&mut self) {
        for entry in self.held.drain(..) {
            self.kept.push(entry.clone());
            self.ready.push_back(Ok(Piece::Entry(entry)));
        }
    }
}

/// The text parts, joined.
pub(crate) fn text_of(content: &[Content]) -> String {
    let parts: Vec<&str> = content
        .iter()
        .filter_map(|it| match it {
            Content::Text { text } => Some(text.as_str()),
            Content::Image { .. } => None,
        })
        .collect();
    parts.join("\n")
}

/// The names of freeform tools.
pub(crate) fn freeform_names(prompt: &Prompt) -> HashSet<String> {
    prompt
        .tools
        .iter()
        .filter(|it| matches!(it.format, Format::Freeform(_)))
        .map(|it| it.name.clone())
        .collect()
}

/// A freeform tool as a function with one string.
pub(crate) fn function_description(description: &str, grammar: &str) -> String {
    format!("{description}\n\n`input` is text after this Lark grammar:\n{grammar}")
}

/// The parameters of that function.
pub(crate) fn function_parameters() -> serde_json::Value {
    json!({
        "type": "object",
        "properties": { "input": { "type": "string", "description": "The whole input of the tool, as text." } },
        "required": ["input"],
        "additionalProperties": false,
    })
}

/// Free text as the arguments of that function.
pub(crate) fn wrap(input: &str) -> String {
    json!({ "input": input }).to_string()
}

/// The free text out of the arguments. A model that sent the text itself is understood too.
pub(crate) fn unwrap(arguments: String) -> String {
    match serde_json::from_str::<HashMap<String, serde_json::Value>>(&arguments) {
        Ok(mut object) => match object.remove("input").or_else(|| object.into_values().next()) {
            Some(serde_json::Value::String(input)) => input,
            _ => arguments,
        },
        Err(_) => serde_json::from_str::<String>(&arguments).unwrap_or(arguments),
    }
}

/// A call id where the provider gave none, unique within a thread.
pub(crate) fn new_call_id() -> String {
    format!("call_{:016x}{:08x}", rand::random::<u64>(), rand::random::<u32>())
}

/// The images of a prompt as data URLs, by path. What cannot be read is missing.
pub(crate) type Images = HashMap<String, String>;

/// Reads the images that the prompt names.
pub(crate) async fn images(input: &[Entry]) -> Images {
    use base64::Engine as _;

    let mut images = Images::new();
    for entry in input {
        let content = match entry {
            Entry::Message { content, .. } | Entry::Output { content, .. } => content,
            Entry::Reasoning { .. } | Entry::Call { .. } => continue,
        };
        for part in content {
            if let Content::Image { path, media_type } = part
                && !images.contains_key(path)
            {
                match tokio::fs::read(path).await {
                    Ok(bytes) => {
                        let data = base64::engine::general_purpose::STANDARD.encode(bytes);
                        images.insert(path.clone(), format!("data:{media_type};base64,{data}"));
                    }
                    Err(error) => tracing::warn!(%path, %error, "an image of the prompt cannot be read"),
                }
            }
        }
    }
    images
}

/// What the model reads in the place of an image that it cannot get.
pub(crate) fn no_image(path: &str) -> String {
    format!("[The image {path} is not available.]")
}
