//! The demo model: no network, no intelligence, always the same task. It drives the real tools on the person's real
//! folder, so that everything can be seen before a model is connected. It says that it is a demo wherever it speaks.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::StreamExt;
use futures::stream::BoxStream;
use protocol::context::{Content, Entry, Role};
use protocol::setting::Model;
use protocol::thread::Usage;
use serde_json::{Value, json};

use crate::error::Error;
use crate::prompt::{Format, Piece, Prompt};
use crate::provider::Provider;
use crate::window;
use crate::wire::text_of;

mod report;

mod words;

use report::Files;
use words::Words;

/// The model's and the provider's name.
const NAME: &str = "demo";
/// Between two pieces of text, so that one can watch it being written.
const PAUSE: Duration = Duration::from_millis(12);

/// The demo provider.
#[must_use]
pub fn demo() -> Arc<dyn Provider> {
    Arc::new(Demo)
}

struct Demo;

#[async_trait]
impl Provider for Demo {
    fn stream(&self, prompt: Prompt) -> BoxStream<'static, Result<Piece, Error>> {
        let pieces = VecDeque::from(answer(&prompt));
        futures::stream::unfold(pieces, |mut pieces| async move {
            let piece = pieces.pop_front()?;
            if matches!(piece, Piece::Text(_) | Piece::Reasoning(_)) {
                tokio::time::sleep(PAUSE).await;
            }
            Some((Ok(piece), pieces))
        })
        .boxed()
    }

    async fn models(&self) -> Result<Vec<Model>, Error> {
        Ok(vec![Model {
            id: NAME.to_owned(),
            context_window: window::known(NAME),
        }])
    }

    fn context_window(&self, _: &str) -> Option<u64> {
        window::known(NAME)
    }
}

/// The steps of the task; each is one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Look,
    Plan,
    Ask,
    Write,
    Tick,
}

impl Step {
    const ALL: [Self; 5] = [Self::Look, Self::Plan, Self::Ask, Self::Write, Self::Tick];

    fn tool(self) -> &'static str {
        match self {
            Self::Look | Self::Ask => "exec_command",
            Self::Plan | Self::Tick => "update_plan",
            Self::Write => "apply_patch",
        }
    }

    /// Found again in the context by this.
    fn call_id(self) -> &'static str {
        match self {
            Self::Look => "demo_look",
            Self::Plan => "demo_plan",
            Self::Ask => "demo_ask",
            Self::Write => "demo_write",
            Self::Tick => "demo_tick",
        }
    }
}

/// All pieces of the answer to a prompt. What was done so far is read off the context.
fn answer(prompt: &Prompt) -> Vec<Piece> {
    let words = words::in_language_of(&last_prompt(prompt));
    let done = |step: Step| output(prompt, step).is_some();
    let has = |step: Step| prompt.tools.iter().any(|it| it.name == step.tool());
    let mut speech = Speech::default();
    let next = Step::ALL.into_iter().find(|step| has(*step) && !done(*step));
    let finished = Step::ALL.into_iter().all(|step| !has(step) || done(step));
    match next {
        Some(step) => {
            if step == Step::Look {
                speech.think(words.thought);
            }
            speech.say(&introduction(prompt, step, words));
            speech.call(prompt, step, words);
        }
        None if finished && has(Step::Write) && !asked_since(prompt) => speech.say(&summary(prompt, words)),
        None => speech.say(words.only_a_demo),
    }
    speech.end(prompt)
}

/// What is said before a step.
fn introduction(prompt: &Prompt, step: Step, words: &Words) -> String {
    match step {
        Step::Look => words.look.to_owned(),
        Step::Plan => (words.plan)(files(prompt).len()),
        Step::Ask => words.ask.to_owned(),
        Step::Write => match output(prompt, Step::Ask) {
            Some((_, false)) => format!("{} {}", words.declined, words.write),
            _ => words.write.to_owned(),
        },
        Step::Tick => String::new(),
    }
}

/// The last message of the task.
fn summary(prompt: &Prompt, words: &Words) -> String {
    let files = files(prompt);
    match output(prompt, Step::Write) {
        Some((text, false)) => (words.not_written)(text.lines().next().unwrap_or_default()),
        _ => (words.summary)(files.len(), &files.report_name(), &files.sheet_name()),
    }
}

fn arguments(prompt: &Prompt, step: Step, words: &Words) -> String {
    let plan = |states: [&str; 3]| {
        let steps: Vec<Value> = words
            .steps
            .iter()
            .zip(states)
            .map(|(step, status)| json!({ "step": step, "status": status }))
            .collect();
        json!({ "explanation": words.why_plan, "plan": steps }).to_string()
    };
    let windows = cfg!(windows);
    match step {
        Step::Look => json!({ "cmd": if windows { report::LOOK_WINDOWS } else { report::LOOK } }).to_string(),
        Step::Plan => plan(["completed", "in_progress", "pending"]),
        Step::Ask => json!({
            "cmd": if windows { "Get-Date" } else { "date" },
            "sandbox_permissions": "require_escalated",
            "justification": words.justification,
        })
        .to_string(),
        Step::Write => files(prompt).patch(words),
        Step::Tick => plan(["completed", "completed", "completed"]),
    }
}

/// What the listing showed.
fn files(prompt: &Prompt) -> Files {
    let listing = output(prompt, Step::Look).map(|(text, _)| text).unwrap_or_default();
    Files::parse(&listing)
}

/// A step's output, and whether it worked.
fn output(prompt: &Prompt, step: Step) -> Option<(String, bool)> {
    prompt.input.iter().rev().find_map(|entry| match entry {
        Entry::Output {
            call_id, content, ok, ..
        } if call_id == step.call_id() => Some((text_of(content), *ok)),
        Entry::Output { .. } | Entry::Message { .. } | Entry::Reasoning { .. } | Entry::Call { .. } => None,
    })
}

/// The person said something after the task's last step.
fn asked_since(prompt: &Prompt) -> bool {
    let last = prompt.input.iter().rposition(|it| matches!(it, Entry::Output { .. }));
    let said = prompt
        .input
        .iter()
        .rposition(|it| matches!(it, Entry::Message { role: Role::User, .. }));
    said > last
}

fn last_prompt(prompt: &Prompt) -> String {
    let text = prompt.input.iter().rev().find_map(|entry| match entry {
        Entry::Message {
            role: Role::User,
            content,
            ..
        } => Some(text_of(content)),
        Entry::Message { .. } | Entry::Reasoning { .. } | Entry::Call { .. } | Entry::Output { .. } => None,
    });
    text.unwrap_or_default()
}

/// Puts an answer together, in pieces as a model would send it.
#[derive(Default)]
struct Speech {
    pieces: Vec<Piece>,
    written: u64,
}

impl Speech {
    fn think(&mut self, text: &str) {
        self.pieces.extend(in_pieces(text).map(Piece::Reasoning));
        self.entry(Entry::Reasoning {
            id: None,
            summary: vec![text.to_owned()],
            encrypted: None,
            raw: None,
        });
    }

    fn say(&mut self, text: &str) {
        if !text.is_empty() {
            self.pieces.extend(in_pieces(text).map(Piece::Text));
            self.entry(Entry::text(Role::Assistant, text));
        }
    }

    fn call(&mut self, prompt: &Prompt, step: Step, words: &Words) {
        let tool = prompt.tools.iter().find(|it| it.name == step.tool());
        let freeform = tool.is_some_and(|it| matches!(it.format, Format::Freeform(_)));
        let arguments = arguments(prompt, step, words);
        self.entry(Entry::Call {
            call_id: step.call_id().to_owned(),
            name: step.tool().to_owned(),
            // Where there is no freeform tool, the patch goes into its one argument.
            arguments: if step == Step::Write && !freeform {
                json!({ "input": arguments }).to_string()
            } else {
                arguments
            },
            freeform,
            id: None,
        });
    }

    fn entry(&mut self, entry: Entry) {
        self.written += tokens(&entry);
        self.pieces.push(Piece::Entry(entry));
    }

    fn end(mut self, prompt: &Prompt) -> Vec<Piece> {
        let read: u64 = prompt.input.iter().map(tokens).sum();
        self.pieces.push(Piece::Usage(Usage {
            input_tokens: read + prompt.instructions.len() as u64 / 4,
            output_tokens: self.written,
            ..Usage::default()
        }));
        self.pieces.push(Piece::Done { incomplete: None });
        self.pieces
    }
}

/// As near as a demo needs it: four bytes are a token.
fn tokens(entry: &Entry) -> u64 {
    let bytes = match entry {
        Entry::Message { content, .. } | Entry::Output { content, .. } => content
            .iter()
            .map(|it| match it {
                Content::Text { text } => text.len(),
                Content::Image { .. } => 4_000,
            })
            .sum(),
        Entry::Reasoning { summary, .. } => summary.iter().map(String::len).sum(),
        Entry::Call { arguments, .. } => arguments.len(),
    };
    bytes as u64 / 4 + 1
}

fn in_pieces(text: &str) -> impl Iterator<Item = String> {
    let letters: Vec<char> = text.chars().collect();
    let size = if text.is_ascii() { 6 } else { 3 };
    let pieces: Vec<String> = letters.chunks(size).map(|it| it.iter().collect()).collect();
    pieces.into_iter()
}

#[cfg(test)]
mod tests;
