//! The Responses wire: the events of an answer.

use std::borrow::Cow;
use std::collections::HashSet;

use protocol::context::{Content, Entry, Role};
use protocol::thread::Usage;
use serde::Deserialize;
use serde_json::Value;

use crate::complaint::Complaint;
use crate::wire::{Answer, Decoder, new_call_id, unwrap};

/// Reads events of one answer.
#[derive(Default)]
pub(crate) struct Responses {
    /// Freeform tools, for providers that got them as functions.
    freeform: HashSet<String>,
    /// Text that no finished message has taken over yet.
    spoken: String,
    /// Items that came finished.
    items: usize,
    /// A reasoning section was already written.
    sections: bool,
}

/// All that the frequent events need. Borrowed, because there are hundreds of thousands of them.
#[derive(Deserialize)]
struct Head<'a> {
    #[serde(borrow, rename = "type", default)]
    kind: Cow<'a, str>,
    #[serde(borrow, default)]
    delta: Cow<'a, str>,
}

#[derive(Deserialize)]
struct WithItem {
    item: Item,
}

#[derive(Deserialize)]
struct WithResponse {
    response: Response,
}

#[derive(Default, Deserialize)]
struct Response {
    #[serde(default)]
    output: Vec<Item>,
    usage: Option<Tokens>,
    incomplete_details: Option<Incomplete>,
}

#[derive(Deserialize)]
struct Incomplete {
    reason: Option<String>,
}

#[derive(Deserialize)]
struct Tokens {
    #[serde(default)]
    input_tokens: u64,
    #[serde(default)]
    output_tokens: u64,
    input_tokens_details: Option<InputDetails>,
    output_tokens_details: Option<OutputDetails>,
}

#[derive(Deserialize)]
struct InputDetails {
    cached_tokens: Option<u64>,
}

#[derive(Deserialize)]
struct OutputDetails {
    reasoning_tokens: Option<u64>,
}

#[derive(Deserialize)]
struct Item {
    #[serde(rename = "type")]
    kind: String,
    id: Option<String>,
    content: Option<Vec<Part>>,
    summary: Option<Vec<Part>>,
    encrypted_content: Option<String>,
    call_id: Option<String>,
    name: Option<String>,
    arguments: Option<Value>,
    input: Option<String>,
}

#[derive(Deserialize)]
struct Part {
    text: Option<String>,
    refusal: Option<String>,
}

impl Part {
    fn into_text(self) -> String {
        self.text.or(self.refusal).unwrap_or_default()
    }
}

impl Decoder for Responses {
    fn event(&mut self, _: &[u8], data: &[u8], answer: &mut Answer) -> Result<(), Complaint> {
        let Some(head) = read::<Head<'_>>(data) else {
            return Ok(());
        };
        match head.kind.as_ref() {
            "response.output_text.delta" | "response.refusal.delta" => {
                self.spoken.push_str(&head.delta);
                answer.text(&head.delta);
            }
            "response.reasoning_summary_text.delta" | "response.reasoning_text.delta" => {
                self.sections = true;
                answer.reasoning(&head.delta);
            }
            "response.reasoning_summary_part.added" if self.sections => answer.reasoning_break(),
            "response.output_item.added" => answer.begins(),
            "response.output_item.done" => {
                if let Some(done) = read::<WithItem>(data) {
                    self.finished(done.item, answer);
                }
            }
            "response.completed" | "response.done" => {
                if let Some(end) = read::<WithResponse>(data) {
                    self.completed(end.response, None, answer);
                }
            }
            "response.incomplete" => {
                if let Some(mut end) = read::<WithResponse>(data) {
                    let reason = end.response.incomplete_details.take().and_then(|it| it.reason);
                    self.completed(
                        end.response,
                        Some(reason.unwrap_or_else(|| "unknown".to_owned())),
                        answer,
                    );
                }
            }
            "response.failed" | "error" => {
                let Some(json) = read::<Value>(data) else {
                    return Ok(());
                };
                let mut complaint = Complaint::from_json(json.get("response").unwrap_or(&json));
                if complaint.code == "error" {
                    complaint.code.clear();
                }
                return Err(complaint);
            }
            _ => {}
        }
        Ok(())
    }

    fn end(&mut self, _: &mut Answer) {
        // Only the terminal event ends an answer.
    }
}

impl Responses {
    /// `freeform` names the freeform tools, for providers that got them as functions.
    pub(crate) fn new(freeform: HashSet<String>) -> Self {
        Self {
            freeform,
            ..Self::default()
        }
    }

    fn completed(&mut self, response: Response, incomplete: Option<String>, answer: &mut Answer) {
        if self.items == 0 {
            // Some providers send whole items only here.
            for item in response.output {
                self.finished(item, answer);
            }
        }
        if !self.spoken.is_empty() {
            let text = std::mem::take(&mut self.spoken);
            answer.finished(Entry::text(Role::Assistant, text));
        }
        let usage = response.usage.map(|tokens| Usage {
            input_tokens: tokens.input_tokens,
            cached_input_tokens: tokens.input_tokens_details.and_then(|it| it.cached_tokens).unwrap_or(0),
            output_tokens: tokens.output_tokens,
            reasoning_output_tokens: tokens
                .output_tokens_details
                .and_then(|it| it.reasoning_tokens)
                .unwrap_or(0),
        });
        answer.end(usage, incomplete);
    }

    fn finished(&mut self, item: Item, answer: &mut Answer) {
        let texts = |parts: Option<Vec<Part>>| -> Vec<String> {
            parts
                .unwrap_or_default()
                .into_iter()
                .map(Part::into_text)
                .filter(|it| !it.is_empty())
                .collect()
        };
        let entry = match item.kind.as_str() {
            "message" => {
                self.spoken.clear();
                let content: Vec<Content> = texts(item.content)
                    .into_iter()
                    .map(|text| Content::Text { text })
                    .collect();
                if content.is_empty() {
                    return;
                }
                Entry::Message {
                    role: Role::Assistant,
                    content,
                    id: item.id,
                }
            }
            "reasoning" => {
                self.sections = true;
                let mut summary = texts(item.summary);
                if summary.is_empty() {
                    summary = texts(item.content);
                }
                Entry::Reasoning {
                    id: item.id,
                    summary,
                    encrypted: item.encrypted_content,
                    raw: None,
                }
            }
            "function_call" | "custom_tool_call" => {
                let Some(name) = item.name.filter(|it| !it.is_empty()) else {
                    tracing::warn!("a call without a name was passed over");
                    return;
                };
                let arguments = match (item.input, item.arguments) {
                    (Some(text), _) | (None, Some(Value::String(text))) => text,
                    (None, Some(other)) => other.to_string(),
                    (None, None) => String::new(),
                };
                let custom = item.kind == "custom_tool_call";
                let freeform = custom || self.freeform.contains(&name);
                Entry::Call {
                    call_id: item.call_id.filter(|it| !it.is_empty()).unwrap_or_else(new_call_id),
                    arguments: if freeform && !custom {
                        unwrap(arguments)
                    } else {
                        arguments
                    },
                    name,
                    freeform,
                    // The id belongs to an item of the other type when a function stood in for a freeform tool.
                    id: item.id.filter(|_| custom || !freeform),
                }
            }
            _ => return,
        };
        self.items += 1;
        answer.finished(entry);
    }
}

fn read<'a, T: Deserialize<'a>>(data: &'a [u8]) -> Option<T> {
    match serde_json::from_slice(data) {
        Ok(it) => Some(it),
        Err(error) => {
            if data != b"[DONE]" {
                tracing::warn!(%error, "a malformed event was passed over");
            }
            None
        }
    }
}
