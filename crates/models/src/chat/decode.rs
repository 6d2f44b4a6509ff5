//! The Chat Completions wire: the chunks of an answer, and tool calls whose pieces come in every shape there is.

use std::borrow::Cow;
use std::collections::HashSet;

use protocol::context::{Entry, Role};
use protocol::thread::Usage;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::complaint::Complaint;
use crate::wire::{Answer, Decoder, new_call_id, unwrap};

/// Reads chunks of one answer.
#[derive(Default)]
pub(crate) struct Chat {
    /// Freeform tools, which the provider got as functions.
    freeform: HashSet<String>,
    text: String,
    reasoning: String,
    calls: Vec<Open>,
    finish: Option<String>,
    usage: Option<Usage>,
}

/// A call as its pieces come together.
#[derive(Default)]
struct Open {
    index: Option<u64>,
    id: String,
    name: String,
    arguments: String,
}

#[derive(Deserialize)]
struct Chunk<'a> {
    #[serde(borrow)]
    choices: Option<Vec<Choice<'a>>>,
    usage: Option<Tokens>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Choice<'a> {
    /// `message` is what providers send that answer whole in one chunk.
    #[serde(borrow, alias = "message")]
    delta: Option<Delta<'a>>,
    #[serde(borrow)]
    finish_reason: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Delta<'a> {
    #[serde(borrow)]
    content: Option<&'a RawValue>,
    #[serde(borrow)]
    reasoning_content: Option<&'a RawValue>,
    #[serde(borrow)]
    reasoning: Option<&'a RawValue>,
    #[serde(borrow)]
    refusal: Option<&'a RawValue>,
    #[serde(borrow)]
    tool_calls: Option<Vec<CallPiece<'a>>>,
}

#[derive(Deserialize)]
struct CallPiece<'a> {
    index: Option<u64>,
    #[serde(borrow)]
    id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    function: Option<FunctionPiece<'a>>,
}

#[derive(Deserialize)]
struct FunctionPiece<'a> {
    #[serde(borrow)]
    name: Option<Cow<'a, str>>,
    #[serde(borrow)]
    arguments: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Tokens {
    prompt_tokens: Option<u64>,
    completion_tokens: Option<u64>,
    prompt_cache_hit_tokens: Option<u64>,
    prompt_tokens_details: Option<PromptDetails>,
    completion_tokens_details: Option<CompletionDetails>,
}

#[derive(Deserialize)]
struct PromptDetails {
    cached_tokens: Option<u64>,
}

#[derive(Deserialize)]
struct CompletionDetails {
    reasoning_tokens: Option<u64>,
}

impl From<Tokens> for Usage {
    fn from(tokens: Tokens) -> Self {
        Self {
            input_tokens: tokens.prompt_tokens.unwrap_or(0),
            cached_input_tokens: tokens
                .prompt_tokens_details
                .and_then(|it| it.cached_tokens)
                .or(tokens.prompt_cache_hit_tokens)
                .unwrap_or(0),
            output_tokens: tokens.completion_tokens.unwrap_or(0),
            reasoning_output_tokens: tokens
                .completion_tokens_details
                .and_then(|it| it.reasoning_tokens)
                .unwrap_or(0),
        }
    }
}

impl Decoder for Chat {
    fn event(&mut self, _: &[u8], data: &[u8], answer: &mut Answer) -> Result<(), Complaint> {
        if data.trim_ascii() == b"[DONE]" {
            self.complete(answer);
            return Ok(());
        }
        let chunk: Chunk<'_> = match serde_json::from_slice(data) {
            Ok(chunk) => chunk,
            Err(error) => {
                tracing::warn!(%error, "a malformed chunk was passed over");
                return Ok(());
            }
        };
        if let Some(error) = chunk.error {
            let json = serde_json::from_str::<Value>(error.get()).unwrap_or_default();
            return Err(Complaint::from_json(&json));
        }
        if let Some(tokens) = chunk.usage {
            self.usage = Some(tokens.into());
        }
        // We ask for one choice.
        if let Some(choice) = chunk.choices.and_then(|it| it.into_iter().next()) {
            if let Some(delta) = choice.delta {
                self.delta(delta, answer);
            }
            if let Some(reason) = choice.finish_reason.filter(|it| !it.is_empty()) {
                self.finish = Some(reason.into_owned());
            }
        }
        Ok(())
    }

    fn end(&mut self, answer: &mut Answer) {
        if self.finish.is_some() {
            self.complete(answer);
        }
    }
}

impl Chat {
    /// `freeform` names the freeform tools, which the provider got as functions.
    pub(crate) fn new(freeform: HashSet<String>) -> Self {
        Self {
            freeform,
            ..Self::default()
        }
    }

    fn delta(&mut self, delta: Delta<'_>, answer: &mut Answer) {
        if let Some(thought) = delta.reasoning_content.or(delta.reasoning).and_then(words) {
            self.reasoning.push_str(&thought);
            answer.reasoning(&thought);
        }
        for content in [delta.content, delta.refusal].into_iter().flatten() {
            if let Some(text) = words(content) {
                self.text.push_str(&text);
                answer.text(&text);
            }
        }
        for piece in delta.tool_calls.into_iter().flatten() {
            self.call(piece);
        }
    }

    /// Puts a piece to the call it belongs to.
    fn call(&mut self, piece: CallPiece<'_>) {
        let id = piece.id.unwrap_or_default();
        let (name, arguments) = piece
            .function
            .map_or((Cow::default(), None), |it| (it.name.unwrap_or_default(), it.arguments));
        let at = self.place(piece.index, &id, &name);
        let Some(open) = self.calls.get_mut(at) else {
            return;
        };
        if open.id.is_empty() {
            open.id.push_str(&id);
        }
        // The name comes once, again with every piece, or empty with all but the first.
        if open.name.is_empty() {
            open.name.push_str(&name);
        }
        if let Some(arguments) = arguments {
            match serde_json::from_str::<Cow<'_, str>>(arguments.get()) {
                Ok(text) => open.arguments.push_str(&text),
                // Whole arguments as an object instead of text.
                Err(_) => open.arguments.push_str(arguments.get()),
            }
        }
    }

    /// Which call a piece belongs to. An id tells best, then the index, then that a name begins a new call.
    fn place(&mut self, index: Option<u64>, id: &str, name: &str) -> usize {
        let same_id = |it: &Open| !id.is_empty() && it.id == id && (index.is_none() || it.index == index);
        if let Some(at) = self.calls.iter().rposition(same_id) {
            return at;
        }
        let begins = !name.is_empty();
        let fits = |it: &Open| (index.is_none() || it.index == index) && (id.is_empty() || it.id.is_empty());
        if let Some(at) = self.calls.iter().rposition(fits) {
            let open = self.calls.get(at);
            let again = open.is_some_and(|it| {
                // Without id and index a name means the next call, unless it is the repeated name of an unfinished one.
                begins
                    && !it.name.is_empty()
                    && (it.name != name || complete(&it.arguments))
                    && (index.is_none() || complete(&it.arguments))
            });
            if !again {
                return at;
            }
        } else {
            // A new id. Some providers make one up for each piece: what has no name, or the name of the call at the same
            // index that is not whole yet, continues it.
            let continues = |it: &Open| {
                let unfinished = it.name == name && !it.arguments.is_empty() && !complete(&it.arguments);
                index.is_some() && it.index == index && (!begins || unfinished)
            };
            if let Some(at) = self.calls.iter().rposition(continues) {
                return at;
            }
            if let (None, false, Some(last)) = (index, begins, self.calls.len().checked_sub(1)) {
                return last;
            }
        }
        self.calls.push(Open {
            index,
            ..Open::default()
        });
        self.calls.len() - 1
    }

    fn complete(&mut self, answer: &mut Answer) {
        let reasoning = std::mem::take(&mut self.reasoning);
        let text = std::mem::take(&mut self.text);
        let calls = std::mem::take(&mut self.calls);
        // Reasoning that led to nothing is not kept.
        let led_on = !text.is_empty() || !calls.is_empty();
        if led_on && !reasoning.is_empty() {
            answer.finished(Entry::Reasoning {
                id: None,
                summary: vec![reasoning.clone()],
                encrypted: None,
                raw: Some(reasoning),
            });
        }
        if !text.is_empty() {
            answer.finished(Entry::text(Role::Assistant, text));
        }
        let mut ids = HashSet::new();
        for open in calls {
            if open.name.is_empty() {
                tracing::warn!("a call without a name was passed over");
                continue;
            }
            let mut call_id = open.id;
            if call_id.is_empty() || !ids.insert(call_id.clone()) {
                call_id = new_call_id();
            }
            let freeform = self.freeform.contains(&open.name);
            answer.finished(Entry::Call {
                call_id,
                arguments: if freeform {
                    unwrap(open.arguments)
                } else {
                    open.arguments
                },
                name: open.name,
                freeform,
                id: None,
            });
        }
        let incomplete = match self.finish.as_deref() {
            Some("length") => Some("max_output_tokens".to_owned()),
            Some("content_filter") => Some("content_filter".to_owned()),
            _ => None,
        };
        answer.end(self.usage.take(), incomplete);
    }
}

/// Text, or a list of parts with text.
fn words(raw: &RawValue) -> Option<Cow<'_, str>> {
    let json = raw.get();
    if json.starts_with('"') {
        return serde_json::from_str::<Text<'_>>(json)
            .ok()
            .map(|it| it.0)
            .filter(|it| !it.is_empty());
    }
    let parts = serde_json::from_str::<Vec<Value>>(json).ok()?;
    let text: String = parts
        .iter()
        .filter_map(|it| it.get("text").and_then(Value::as_str))
        .collect();
    (!text.is_empty()).then(|| text.into())
}

/// serde borrows a `Cow` only as a field that says so.
#[derive(Deserialize)]
#[serde(transparent)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// The arguments are a whole JSON value.
fn complete(arguments: &str) -> bool {
    serde_json::from_str::<serde::de::IgnoredAny>(arguments).is_ok()
}
