//! Events as short lines for a person who watches stderr. Pure: events in, text out.
//!
//! The agent's last message is not among them: it is the result, and belongs to stdout.

use std::collections::HashMap;
use std::fmt::Write as _;

use protocol::change::{ChangeKind, FileChange};
use protocol::item::{PlanStep, StepStatus};
use protocol::thread::{ThreadSummary, Usage};
use protocol::{EventKind, Failure, Item, ItemId, ItemKind, ItemStatus, Live};

/// Lines of output that a failed command shows.
const OUTPUT_LINES: usize = 10;

/// Folds the events of one turn into text.
#[derive(Debug)]
pub(crate) struct Progress {
    paint: Paint,
    /// A message that may be the last one.
    held: Option<String>,
    /// Commands that run, so that an end says whose end it is when there are several.
    running: HashMap<ItemId, String>,
    plan: Vec<PlanStep>,
    usage: Usage,
}

impl Progress {
    pub(crate) fn new(paint: Paint) -> Self {
        Self {
            paint,
            held: None,
            running: HashMap::new(),
            plan: Vec::new(),
            usage: Usage::default(),
        }
    }

    /// What runs, and with what.
    pub(crate) fn opening(&self, thread: &ThreadSummary) -> String {
        let settings = &thread.settings;
        let line = format!(
            "{} · {} ({}) · sandbox {} · approval {} · thread {}",
            thread.cwd,
            settings.model,
            settings.provider,
            word(&settings.sandbox),
            word(&settings.approval),
            thread.id,
        );
        self.paint.dim(&plain(&line)) + "\n"
    }

    /// The text for one fact; often empty.
    pub(crate) fn event(&mut self, kind: &EventKind) -> String {
        match kind {
            EventKind::ItemStarted { item, .. } => self.started(item),
            EventKind::ItemUpdated { item, .. } => self.planned(item),
            EventKind::ItemCompleted { item, .. } => self.completed(item),
            EventKind::UsageUpdated { last, .. } => {
                self.usage += *last;
                String::new()
            }
            EventKind::TurnCompleted { .. } => self.tokens(),
            EventKind::TurnInterrupted { .. } => self.flush() + &self.paint.warn("interrupted") + "\n",
            EventKind::TurnFailed { failure, .. } => self.flush() + &self.paint.failure(failure),
            EventKind::ThreadStarted { .. }
            | EventKind::ThreadRenamed { .. }
            | EventKind::ThreadPinned { .. }
            | EventKind::ThreadArchived { .. }
            | EventKind::SettingsChanged { .. }
            | EventKind::TurnStarted { .. }
            | EventKind::ItemAppended { .. }
            | EventKind::ApprovalRequested { .. }
            | EventKind::ApprovalResolved { .. }
            | EventKind::InputQueued { .. }
            | EventKind::InputDequeued { .. }
            | EventKind::ChangesReverted { .. }
            | EventKind::ContextAppended { .. } => String::new(),
        }
    }

    /// The text for a piece of news; often empty.
    pub(crate) fn live(&self, live: &Live) -> String {
        match live {
            Live::Retrying {
                attempt, max, failure, ..
            } => self.paint.warn(&plain(&format!("retrying {attempt}/{max}: {failure}"))) + "\n",
            Live::Text { .. } | Live::Output { .. } => String::new(),
        }
    }

    fn started(&mut self, item: &Item) -> String {
        let ItemKind::Command { command, escalated, .. } = &item.kind else {
            return self.planned(item);
        };
        let mark = if *escalated { "!$" } else { "$" };
        let short = first_line(command);
        self.running.insert(item.id.clone(), short.clone());
        format!("{}{} {short}\n", self.flush(), self.paint.bold(mark))
    }

    fn planned(&mut self, item: &Item) -> String {
        let ItemKind::Plan { steps, .. } = &item.kind else {
            return String::new();
        };
        if *steps == self.plan {
            return String::new();
        }
        self.plan.clone_from(steps);
        let mut text = self.flush();
        for step in steps {
            let mark = match step.status {
                StepStatus::Completed => "[x]",
                StepStatus::InProgress => "[>]",
                StepStatus::Pending => "[ ]",
            };
            let _ = writeln!(text, "{} {}", self.paint.dim(mark), first_line(&step.step));
        }
        text
    }

    fn completed(&mut self, item: &Item) -> String {
        let text = match &item.kind {
            ItemKind::AgentMessage { text } => {
                let before = self.flush();
                self.held = (!text.is_empty()).then(|| text.clone());
                return before;
            }
            ItemKind::Plan { .. } => return self.planned(item),
            ItemKind::Command { tail, exit_code, .. } => {
                let name = self.running.remove(&item.id);
                let name = name.filter(|_| !self.running.is_empty());
                self.command_end(item, name, tail, *exit_code)
            }
            ItemKind::FileChange { changes, error } => match error {
                Some(error) => self.paint.warn(&format!("patch failed: {}", first_line(error))) + "\n",
                None => changes.iter().map(|it| self.changed(item.status, it)).collect(),
            },
            ItemKind::Reasoning { text } if !text.is_empty() => {
                self.paint.dim(&first_line(&text.replace("**", ""))) + "\n"
            }
            ItemKind::ImageView { path } => self.paint.dim(&format!("looked at {}", plain(path))) + "\n",
            ItemKind::Artifact { artifact } => format!("{} {}\n", self.paint.bold("file"), plain(&artifact.path)),
            ItemKind::ToolCall { tool, .. } => self.paint.dim(&format!("tool {}", plain(tool))) + "\n",
            ItemKind::Error { failure } => self.paint.failure(failure),
            ItemKind::UserMessage { .. } | ItemKind::CommandInput { .. } | ItemKind::Reasoning { .. } => String::new(),
        };
        if text.is_empty() { text } else { self.flush() + &text }
    }

    fn command_end(&self, item: &Item, name: Option<String>, tail: &str, exit_code: Option<i32>) -> String {
        let end = match (item.status, exit_code) {
            (ItemStatus::Declined, _) => "declined".to_owned(),
            (ItemStatus::Interrupted, _) => "interrupted".to_owned(),
            (ItemStatus::Completed | ItemStatus::Failed | ItemStatus::InProgress, Some(code)) => format!("exit {code}"),
            (ItemStatus::Completed | ItemStatus::InProgress, None) => "done".to_owned(),
            (ItemStatus::Failed, None) => "failed".to_owned(),
        };
        let ms = item.ended_ms.unwrap_or(item.started_ms).saturating_sub(item.started_ms);
        let took = format!("{}.{} s", ms / 1000, ms % 1000 / 100);
        let name = name.map(|it| format!(" · {it}")).unwrap_or_default();
        if item.status == ItemStatus::Completed {
            return self.paint.dim(&format!("  {end} · {took}{name}")) + "\n";
        }
        let mut text = self.paint.warn(&format!("  {end} · {took}{name}")) + "\n";
        let lines: Vec<&str> = tail.lines().collect();
        for line in lines.iter().skip(lines.len().saturating_sub(OUTPUT_LINES)) {
            let _ = writeln!(text, "  {}", self.paint.dim(&plain(line)));
        }
        text
    }

    fn changed(&self, status: ItemStatus, change: &FileChange) -> String {
        let verb = match change.kind {
            ChangeKind::Add => "added",
            ChangeKind::Update if change.moved_from.is_some() => "moved",
            ChangeKind::Update => "edited",
            ChangeKind::Delete => "deleted",
        };
        let line = format!("{verb} {} (+{} -{})", plain(&change.path), change.added, change.removed);
        match status {
            ItemStatus::Completed | ItemStatus::InProgress => format!("{line}\n"),
            ItemStatus::Failed | ItemStatus::Declined | ItemStatus::Interrupted => {
                self.paint.warn(&format!("not {line}")) + "\n"
            }
        }
    }

    fn tokens(&self) -> String {
        let Usage {
            input_tokens,
            cached_input_tokens,
            output_tokens,
            ..
        } = self.usage;
        if input_tokens + output_tokens == 0 {
            return String::new();
        }
        let line = format!("tokens: {input_tokens} in ({cached_input_tokens} cached), {output_tokens} out");
        self.paint.dim(&line) + "\n"
    }

    /// What was held back as perhaps the last message was not the last.
    fn flush(&mut self) -> String {
        self.held.take().map(|it| plain(&it) + "\n").unwrap_or_default()
    }
}

/// Colours, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Paint {
    /// ANSI colours.
    Ansi,
    /// Text only.
    None,
}

impl Paint {
    fn dim(self, text: &str) -> String {
        self.with("2", text)
    }

    fn bold(self, text: &str) -> String {
        self.with("1", text)
    }

    fn warn(self, text: &str) -> String {
        self.with("33", text)
    }

    /// A failure: what happened, what to do, the words of the provider or the system.
    pub(crate) fn failure(self, failure: &Failure) -> String {
        let mut text = format!("{} {}\n", self.with("31", "error:"), plain(&failure.message));
        if let Some(hint) = &failure.hint {
            let _ = writeln!(text, "{} {}", self.bold("hint:"), plain(hint));
        }
        if let Some(details) = &failure.details {
            let _ = writeln!(text, "{} {}", self.dim("details:"), plain(details));
        }
        text
    }

    fn with(self, code: &str, text: &str) -> String {
        match self {
            Self::Ansi => format!("\u{1b}[{code}m{text}\u{1b}[0m"),
            Self::None => text.to_owned(),
        }
    }
}

/// Text of the model or of a command, without what could steer the terminal.
pub(crate) fn plain(text: &str) -> String {
    text.chars()
        .filter(|it| !it.is_control() || matches!(it, '\n' | '\t'))
        .collect()
}

fn first_line(text: &str) -> String {
    let text = text.trim();
    let (first, more) = text.split_once('\n').map_or((text, ""), |(first, _)| (first, " …"));
    plain(first) + more
}

/// A setting as it is written in the configuration.
fn word(value: &impl serde::Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        Ok(_) | Err(_) => String::new(),
    }
}

#[cfg(test)]
mod tests;
