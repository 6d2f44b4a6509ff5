//! The JSON form of a script, for drivers in other languages: `scripted-model --script FILE`.
//!
//! ```json
//! {
//!   "models": ["scripted"],
//!   "reject": ["parallel_tool_calls"],
//!   "steps": [
//!     { "when": { "user": "list the files", "tool_output": false },
//!       "reasoning": "I should look.",
//!       "calls": [{ "name": "exec_command", "arguments": { "cmd": "ls" } }] },
//!     { "when": { "user": "list the files", "tool_output": true }, "text": "There they are.", "pace": 50 },
//!     { "when": { "user": "patch" }, "times": 1, "calls": [{ "name": "apply_patch", "input": "*** Begin Patch\n…" }] },
//!     { "when": { "user": "slow" }, "text": "first half", "hold": "middle", "then": ", second half" },
//!     { "status": 429, "headers": { "retry-after": "1" }, "body": { "error": { "message": "slow down" } } },
//!     { "text": "half", "fault": "cut" },
//!     { "text": "Anything else is answered so.", "times": 0 }
//!   ]
//! }
//! ```
//!
//! `when` has `user` (a part of the last thing the person said), `tool_output` (true, false, or a part of an output since
//! then), and `model`. `times` is how often a step can be taken, 0 for ever; without it, once, but for ever with `when`.
//! `fault` is one of `cut`, `reset`, `stall`, `no_end`, `malformed`, `html`; `shape` (chat) one of the names of [`Shape`]
//! in snake case. `usage` is `[input, output]` or null. `hold` names a gate that `POST /__release/NAME` opens.

use std::collections::{BTreeMap, HashMap};

use anyhow::Context as _;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{End, Part, Script, Shape, Step, When};
use crate::gate::Gate;

impl Script {
    /// Reads the JSON form.
    ///
    /// # Errors
    /// It is no such script.
    pub fn from_json(text: &str) -> anyhow::Result<Self> {
        let file: File = serde_json::from_str(text).context("the script cannot be read")?;
        let mut gates = HashMap::new();
        let steps = file.steps.into_iter().map(|it| it.step(&mut gates)).collect();
        Ok(Self {
            steps,
            models: file.models,
            reject: file.reject,
            gates,
            choose: None,
        })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    models: Vec<Value>,
    #[serde(default)]
    reject: Vec<String>,
    #[serde(default)]
    steps: Vec<FileStep>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileStep {
    when: Option<When>,
    times: Option<u32>,
    reasoning: Option<String>,
    text: Option<String>,
    hold: Option<String>,
    then: Option<String>,
    #[serde(default)]
    calls: Vec<FileCall>,
    #[serde(default = "usual")]
    usage: Option<(u64, u64)>,
    pace: Option<f64>,
    delta_chars: Option<usize>,
    #[serde(default)]
    shape: Shape,
    fault: Option<Fault>,
    incomplete: Option<String>,
    status: Option<u16>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    body: Option<Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileCall {
    name: String,
    id: Option<String>,
    arguments: Option<Value>,
    input: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Fault {
    Cut,
    Reset,
    Stall,
    NoEnd,
    Malformed,
    Html,
}

fn usual() -> Option<(u64, u64)> {
    Some((100, 10))
}

impl FileStep {
    fn step(self, gates: &mut HashMap<String, Gate>) -> Step {
        let mut step = match (self.fault, self.status) {
            (Some(Fault::Html), _) => Step::html(),
            (_, Some(status)) => {
                let body = self.body.unwrap_or_default();
                Step::status(status, body.as_str().map_or_else(|| body.to_string(), str::to_owned))
            }
            (_, None) => Step::default(),
        };
        for (name, value) in &self.headers {
            step = step.header(name, value);
        }
        step.parts.extend(self.reasoning.map(Part::Reasoning));
        step.parts.extend(self.text.map(Part::Text));
        if let Some(name) = self.hold {
            step = step.hold(gates.entry(name).or_default());
        }
        if self.fault == Some(Fault::Malformed) {
            step = step.malformed();
        }
        step.parts.extend(self.then.map(Part::Text));
        step.parts.extend(self.calls.into_iter().map(|call| {
            Part::Call {
                id: call.id,
                name: call.name,
                custom: call.input.is_some(),
                arguments: call
                    .input
                    .unwrap_or_else(|| call.arguments.unwrap_or_else(|| json!({})).to_string()),
            }
        }));
        step.end = match (self.fault, self.incomplete) {
            (Some(Fault::Cut), _) => End::Cut,
            (Some(Fault::Reset), _) => End::Reset,
            (Some(Fault::Stall), _) => End::Stall,
            (Some(Fault::NoEnd), _) => End::Unended,
            (Some(Fault::Malformed | Fault::Html) | None, Some(reason)) => End::Incomplete(reason),
            (Some(Fault::Malformed | Fault::Html) | None, None) => End::Proper,
        };
        step.times = match (self.times, &self.when) {
            (Some(0), _) | (None, Some(_)) => None,
            (Some(times), _) => Some(times),
            (None, None) => Some(1),
        };
        step.when = self.when.unwrap_or_default();
        step.usage = self.usage;
        step.pace = self.pace;
        step.shape = self.shape;
        if let Some(letters) = self.delta_chars {
            step = step.delta_chars(letters);
        }
        step
    }
}
