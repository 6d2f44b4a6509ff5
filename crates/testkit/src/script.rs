//! What the server answers: a list of steps, each taken by the first request it fits.
//!
//! Its JSON form is described in [`file`].

use std::collections::HashMap;
use std::sync::Arc;

use anyhow::Context as _;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::gate::Gate;
use crate::received::Received;

pub mod file;

/// Chooses a step by code.
type Choose = Arc<dyn Fn(&Received) -> Step + Send + Sync>;

/// All the server knows.
#[derive(Clone, Default)]
pub struct Script {
    pub(crate) steps: Vec<Step>,
    pub(crate) choose: Option<Choose>,
    pub(crate) models: Vec<Value>,
    pub(crate) reject: Vec<String>,
    pub(crate) gates: HashMap<String, Gate>,
}

impl std::fmt::Debug for Script {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Script")
            .field("steps", &self.steps)
            .finish_non_exhaustive()
    }
}

impl Script {
    /// Answers with these steps, each once, in order. A request beyond the last gets a 500 that says so.
    #[must_use]
    pub fn turns(steps: impl IntoIterator<Item = Step>) -> Self {
        Self {
            steps: steps.into_iter().collect(),
            ..Self::default()
        }
    }

    /// Answers each request with the step that `choose` makes of it.
    #[must_use]
    pub fn choose(choose: impl Fn(&Received) -> Step + Send + Sync + 'static) -> Self {
        Self {
            choose: Some(Arc::new(choose)),
            ..Self::default()
        }
    }

    /// What `GET /v1/models` lists: names, or objects as a provider would send them.
    #[must_use]
    pub fn models(mut self, models: impl IntoIterator<Item = impl Into<Value>>) -> Self {
        self.models = models.into_iter().map(Into::into).collect();
        self
    }

    /// Refuses, with a 400 that names it, each request that has one of these: a top-level field, the role `developer`,
    /// `image`, or a tool of type `custom`. `*` stands for every field beyond the oldest ones.
    #[must_use]
    pub fn rejecting(mut self, words: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.reject = words.into_iter().map(Into::into).collect();
        self
    }

    /// `loop:N`: N `exec_command` calls, one a request, then a message. `deltas:N`: a message of N deltas.
    ///
    /// # Errors
    /// It is neither.
    pub fn bench(name: &str) -> anyhow::Result<Self> {
        let (kind, number) = name.split_once(':').context("a bench is loop:N or deltas:N")?;
        let number: usize = number.parse().context("a bench is loop:N or deltas:N")?;
        match kind {
            "loop" => Ok(Self::choose(move |request| {
                let calls = request.tool_outputs().len();
                if calls < number {
                    Step::call("exec_command", json!({ "cmd": format!("echo {calls}") }))
                } else {
                    Step::say("All done.")
                }
            })),
            "deltas" => Ok(Self::choose(move |_| Step::say("word ".repeat(number)).delta_chars(5))),
            _ => anyhow::bail!("a bench is loop:N or deltas:N"),
        }
    }
}

/// One answer.
#[derive(Debug, Clone)]
pub struct Step {
    pub(crate) when: When,
    /// How often it can still be taken.
    pub(crate) times: Option<u32>,
    pub(crate) parts: Vec<Part>,
    pub(crate) usage: Option<(u64, u64)>,
    pub(crate) shape: Shape,
    pub(crate) pace: Option<f64>,
    pub(crate) delta_chars: usize,
    pub(crate) end: End,
    pub(crate) status: Option<Status>,
}

#[derive(Debug, Clone)]
pub(crate) enum Part {
    Text(String),
    Reasoning(String),
    Call {
        id: Option<String>,
        name: String,
        arguments: String,
        custom: bool,
    },
    Gate(Gate),
    /// Sent as it is.
    Raw(String),
}

/// How an answer ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum End {
    /// With its terminal event.
    Proper,
    /// Incomplete, with this reason.
    Incomplete(String),
    /// With an error event: code and message.
    Failed(String, String),
    /// The body breaks off.
    Cut,
    /// The TCP connection is reset.
    Reset,
    /// Nothing more comes, for ever.
    Stall,
    /// The body ends properly, but without a terminal event.
    Unended,
}

#[derive(Debug, Clone)]
pub(crate) struct Status {
    pub(crate) code: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

/// How the chat wire sends tool calls and its end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// As OpenAI does.
    #[default]
    Usual,
    /// Arguments letter by letter, calls interleaved.
    Tiny,
    /// Without `index`.
    NoIndex,
    /// Without `id`.
    NoId,
    /// Without either; a name begins a call.
    NoIndexNoId,
    /// Every call has index 0.
    SameIndex,
    /// Id and name again in every piece.
    Repeated,
    /// The name again and a new id in every piece.
    FreshIds,
    /// An empty name and id in every piece but the first.
    EmptyNames,
    /// All calls whole in one chunk.
    AtOnce,
    /// Arguments as an object.
    ObjectArguments,
    /// Two calls share one id.
    SameIds,
    /// Ends without `[DONE]`.
    BareEnd,
    /// `[DONE]`, but no `finish_reason`.
    NoFinish,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct When {
    user: Option<String>,
    tool_output: Option<Value>,
    model: Option<String>,
}

impl When {
    pub(crate) fn fits(&self, request: &Received) -> bool {
        let output = match &self.tool_output {
            None => true,
            Some(Value::Bool(wanted)) => request.has_tool_output() == *wanted,
            Some(Value::String(part)) => request.tool_outputs().iter().any(|it| it.contains(part)),
            Some(_) => false,
        };
        output
            && self.user.as_ref().is_none_or(|part| request.last_user().contains(part))
            && self
                .model
                .as_ref()
                .is_none_or(|it| request.body.get("model").is_some_and(|model| model == it))
    }
}

impl Default for Step {
    fn default() -> Self {
        Self {
            when: When::default(),
            times: Some(1),
            parts: Vec::new(),
            usage: Some((100, 10)),
            shape: Shape::Usual,
            pace: None,
            delta_chars: 4,
            end: End::Proper,
            status: None,
        }
    }
}

impl Step {
    /// A message.
    #[must_use]
    pub fn say(text: impl Into<String>) -> Self {
        Self::default().text(text)
    }

    /// A call of a function tool.
    #[must_use]
    pub fn call(name: &str, arguments: Value) -> Self {
        Self::default().and_call(name, arguments)
    }

    /// A call of a freeform tool.
    #[must_use]
    pub fn custom(name: &str, input: &str) -> Self {
        Self::default().and_custom(name, input)
    }

    /// Reasoning first.
    #[must_use]
    pub fn think(text: impl Into<String>) -> Self {
        let mut step = Self::default();
        step.parts.push(Part::Reasoning(text.into()));
        step
    }

    /// No stream but this status and body.
    #[must_use]
    pub fn status(code: u16, body: impl Into<String>) -> Self {
        Self {
            status: Some(Status {
                code,
                headers: Vec::new(),
                body: body.into(),
            }),
            ..Self::default()
        }
    }

    /// An OpenAI-like error.
    #[must_use]
    pub fn error(code: u16, kind: &str, message: &str) -> Self {
        let body = json!({ "error": { "message": message, "type": kind, "code": kind, "param": null } });
        Self::status(code, body.to_string())
    }

    /// A 429 with `Retry-After`.
    #[must_use]
    pub fn rate_limited(retry_after: &str) -> Self {
        Self::error(429, "rate_limit_exceeded", "Too many requests.").header("retry-after", retry_after)
    }

    /// A wrong key.
    #[must_use]
    pub fn unauthorized() -> Self {
        Self::error(401, "invalid_api_key", "Incorrect API key provided.")
    }

    /// A prompt that is too long.
    #[must_use]
    pub fn context_overflow() -> Self {
        let message = "Your input exceeds the context window of this model. Please adjust your input and try again.";
        Self::error(400, "context_length_exceeded", message)
    }

    /// An account without money.
    #[must_use]
    pub fn out_of_quota() -> Self {
        Self::error(
            429,
            "insufficient_quota",
            "You exceeded your current quota, please check your plan.",
        )
    }

    /// A web page.
    #[must_use]
    pub fn html() -> Self {
        let page = "<!DOCTYPE html><html><head><title>Sign in</title></head><body>Corporate proxy</body></html>";
        Self::status(200, page).header("content-type", "text/html; charset=utf-8")
    }

    /// More of a message.
    #[must_use]
    pub fn text(mut self, text: impl Into<String>) -> Self {
        self.parts.push(Part::Text(text.into()));
        self
    }

    /// A further call of a function tool.
    #[must_use]
    pub fn and_call(mut self, name: &str, arguments: Value) -> Self {
        let arguments = arguments.as_str().map_or_else(|| arguments.to_string(), str::to_owned);
        self.parts.push(Part::Call {
            id: None,
            name: name.to_owned(),
            arguments,
            custom: false,
        });
        self
    }

    /// A further call of a freeform tool.
    #[must_use]
    pub fn and_custom(mut self, name: &str, input: &str) -> Self {
        self.parts.push(Part::Call {
            id: None,
            name: name.to_owned(),
            arguments: input.to_owned(),
            custom: true,
        });
        self
    }

    /// The id of the last call.
    #[must_use]
    pub fn call_id(mut self, call_id: &str) -> Self {
        if let Some(Part::Call { id, .. }) = self.parts.last_mut() {
            *id = Some(call_id.to_owned());
        }
        self
    }

    /// Holds the stream here until the test opens the gate.
    #[must_use]
    pub fn hold(mut self, gate: &Gate) -> Self {
        self.parts.push(Part::Gate(gate.clone()));
        self
    }

    /// A malformed event here.
    #[must_use]
    pub fn malformed(self) -> Self {
        self.raw(
            "event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\",\"delta\": oops\n\n",
        )
    }

    /// These bytes here.
    #[must_use]
    pub fn raw(mut self, bytes: &str) -> Self {
        self.parts.push(Part::Raw(bytes.to_owned()));
        self
    }

    /// A header of a status step.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        if let Some(status) = &mut self.status {
            status.headers.push((name.to_owned(), value.to_owned()));
        }
        self
    }

    /// Tokens read and written.
    #[must_use]
    pub fn usage(mut self, input: u64, output: u64) -> Self {
        self.usage = Some((input, output));
        self
    }

    /// Without usage.
    #[must_use]
    pub fn no_usage(mut self) -> Self {
        self.usage = None;
        self
    }

    /// How the chat wire sends it.
    #[must_use]
    pub fn shape(mut self, shape: Shape) -> Self {
        self.shape = shape;
        self
    }

    /// Deltas a second; otherwise as fast as they are taken.
    #[must_use]
    pub fn pace(mut self, deltas_a_second: f64) -> Self {
        self.pace = Some(deltas_a_second);
        self
    }

    /// Letters in a delta.
    #[must_use]
    pub fn delta_chars(mut self, letters: usize) -> Self {
        self.delta_chars = letters.max(1);
        self
    }

    /// Breaks off after its parts.
    #[must_use]
    pub fn cut(mut self) -> Self {
        self.end = End::Cut;
        self
    }

    /// Resets the connection after its parts.
    #[must_use]
    pub fn reset(mut self) -> Self {
        self.end = End::Reset;
        self
    }

    /// Sends nothing more after its parts.
    #[must_use]
    pub fn stall(mut self) -> Self {
        self.end = End::Stall;
        self
    }

    /// Ends without a terminal event.
    #[must_use]
    pub fn no_end(mut self) -> Self {
        self.end = End::Unended;
        self
    }

    /// Ends incomplete, such as for `max_output_tokens`.
    #[must_use]
    pub fn incomplete(mut self, reason: &str) -> Self {
        self.end = End::Incomplete(reason.to_owned());
        self
    }

    /// Ends with an error event.
    #[must_use]
    pub fn failed(mut self, code: &str, message: &str) -> Self {
        self.end = End::Failed(code.to_owned(), message.to_owned());
        self
    }

    /// Only for requests whose last prompt has this part.
    #[must_use]
    pub fn when_user(mut self, part: &str) -> Self {
        self.when.user = Some(part.to_owned());
        self.times = None;
        self
    }

    /// Only for requests that answer a call, or do not.
    #[must_use]
    pub fn when_tool_output(mut self, answers: bool) -> Self {
        self.when.tool_output = Some(answers.into());
        self.times = None;
        self
    }

    /// How often it can be taken; for ever when `None`.
    #[must_use]
    pub fn times(mut self, times: impl Into<Option<u32>>) -> Self {
        self.times = times.into();
        self
    }
}
