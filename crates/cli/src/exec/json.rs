//! Events as the lines that `codex exec --json` prints, so that programs made for it read ours. Pure: events in, lines out.
//!
//! Artifacts, messages of the person and input to running commands have no counterpart there and are left out.

use std::collections::HashMap;

use protocol::change::{ChangeKind, FileChange};
use protocol::item::{PlanStep, StepStatus};
use protocol::thread::Usage;
use protocol::{EventKind, Failure, Item, ItemId, ItemKind, ItemStatus, Live};
use serde::Serialize;

/// One line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "type")]
pub(crate) enum Line {
    #[serde(rename = "thread.started")]
    ThreadStarted { thread_id: String },
    #[serde(rename = "turn.started")]
    TurnStarted,
    #[serde(rename = "item.started")]
    ItemStarted { item: LineItem },
    #[serde(rename = "item.updated")]
    ItemUpdated { item: LineItem },
    #[serde(rename = "item.completed")]
    ItemCompleted { item: LineItem },
    #[serde(rename = "turn.completed")]
    TurnCompleted { usage: LineUsage },
    #[serde(rename = "turn.failed")]
    TurnFailed { error: LineError },
    #[serde(rename = "error")]
    Error(LineError),
}

/// An item of a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct LineItem {
    id: String,
    #[serde(flatten)]
    kind: LineKind,
}

/// What an item of a line is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum LineKind {
    AgentMessage {
        text: String,
    },
    Reasoning {
        text: String,
    },
    CommandExecution {
        command: String,
        aggregated_output: String,
        exit_code: Option<i32>,
        status: LineStatus,
    },
    FileChange {
        changes: Vec<LineChange>,
        status: LineStatus,
    },
    TodoList {
        items: Vec<LineTodo>,
    },
    Error {
        message: String,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum LineStatus {
    InProgress,
    Completed,
    Failed,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct LineChange {
    path: String,
    kind: ChangeKind,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct LineTodo {
    text: String,
    completed: bool,
}

/// Tokens of a whole turn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct LineUsage {
    input_tokens: u64,
    cached_input_tokens: u64,
    cache_write_input_tokens: u64,
    output_tokens: u64,
    reasoning_output_tokens: u64,
}

/// Why something failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct LineError {
    message: String,
}

/// Folds the events of one turn into lines.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    /// Numbers given so far.
    items: u32,
    /// Items that were started and not yet completed.
    open: HashMap<ItemId, u32>,
    /// The turn's plan: one item of the lines from its first version to the end of the turn.
    plan: Option<(u32, Vec<LineTodo>)>,
    usage: Usage,
}

impl Lines {
    /// The lines for one fact.
    pub(crate) fn event(&mut self, kind: &EventKind) -> Vec<Line> {
        match kind {
            EventKind::TurnStarted { .. } => {
                self.usage = Usage::default();
                vec![Line::TurnStarted]
            }
            EventKind::ItemStarted { item, .. } => self.started(item),
            EventKind::ItemUpdated { item, .. } => self.updated(item),
            EventKind::ItemCompleted { item, .. } => self.completed(item),
            EventKind::UsageUpdated { last, .. } => {
                self.usage += *last;
                Vec::new()
            }
            EventKind::TurnCompleted { .. } => {
                let usage = LineUsage {
                    input_tokens: self.usage.input_tokens,
                    cached_input_tokens: self.usage.cached_input_tokens,
                    cache_write_input_tokens: 0,
                    output_tokens: self.usage.output_tokens,
                    reasoning_output_tokens: self.usage.reasoning_output_tokens,
                };
                self.ended(vec![Line::TurnCompleted { usage }])
            }
            EventKind::TurnInterrupted { .. } => self.ended(vec![Line::turn_failed("turn interrupted".to_owned())]),
            EventKind::TurnFailed { failure, .. } => {
                let message = told(failure);
                self.ended(vec![Line::error(message.clone()), Line::turn_failed(message)])
            }
            EventKind::ThreadStarted { .. }
            | EventKind::ThreadRenamed { .. }
            | EventKind::ThreadPinned { .. }
            | EventKind::ThreadArchived { .. }
            | EventKind::SettingsChanged { .. }
            | EventKind::ItemAppended { .. }
            | EventKind::ApprovalRequested { .. }
            | EventKind::ApprovalResolved { .. }
            | EventKind::InputQueued { .. }
            | EventKind::InputDequeued { .. }
            | EventKind::ChangesReverted { .. }
            | EventKind::ContextAppended { .. } => Vec::new(),
        }
    }

    /// The line for a piece of news, if it has one.
    pub(crate) fn live(live: &Live) -> Option<Line> {
        match live {
            Live::Retrying {
                attempt, max, failure, ..
            } => Some(Line::error(format!("Reconnecting... {attempt}/{max} ({failure})"))),
            Live::Text { .. } | Live::Output { .. } => None,
        }
    }

    fn started(&mut self, item: &Item) -> Vec<Line> {
        match &item.kind {
            ItemKind::Plan { steps, .. } => self.planned(steps),
            ItemKind::Command { .. } | ItemKind::FileChange { .. } => {
                let Some(kind) = line_kind(item) else { return Vec::new() };
                let number = self.number();
                self.open.insert(item.id.clone(), number);
                vec![Line::ItemStarted {
                    item: line_item(number, kind),
                }]
            }
            // These are complete at once in the reference's lines.
            ItemKind::UserMessage { .. }
            | ItemKind::AgentMessage { .. }
            | ItemKind::Reasoning { .. }
            | ItemKind::CommandInput { .. }
            | ItemKind::ImageView { .. }
            | ItemKind::Artifact { .. }
            | ItemKind::ToolCall { .. }
            | ItemKind::Error { .. } => Vec::new(),
        }
    }

    fn updated(&mut self, item: &Item) -> Vec<Line> {
        match &item.kind {
            ItemKind::Plan { steps, .. } => self.planned(steps),
            // The reference says nothing of a command between its beginning and its end.
            ItemKind::UserMessage { .. }
            | ItemKind::AgentMessage { .. }
            | ItemKind::Reasoning { .. }
            | ItemKind::Command { .. }
            | ItemKind::CommandInput { .. }
            | ItemKind::FileChange { .. }
            | ItemKind::ImageView { .. }
            | ItemKind::Artifact { .. }
            | ItemKind::ToolCall { .. }
            | ItemKind::Error { .. } => Vec::new(),
        }
    }

    fn completed(&mut self, item: &Item) -> Vec<Line> {
        if let ItemKind::Plan { steps, .. } = &item.kind {
            return self.planned(steps);
        }
        let Some(kind) = line_kind(item) else { return Vec::new() };
        let number = self.open.remove(&item.id).unwrap_or_else(|| self.number());
        vec![Line::ItemCompleted {
            item: line_item(number, kind),
        }]
    }

    /// A plan is one item of the lines, however many versions it has.
    fn planned(&mut self, steps: &[PlanStep]) -> Vec<Line> {
        let items: Vec<LineTodo> = steps
            .iter()
            .map(|it| LineTodo {
                text: it.step.clone(),
                completed: it.status == StepStatus::Completed,
            })
            .collect();
        let kind = LineKind::TodoList { items: items.clone() };
        if let Some((number, last)) = &mut self.plan {
            if *last == items {
                return Vec::new();
            }
            *last = items;
            let item = line_item(*number, kind);
            return vec![Line::ItemUpdated { item }];
        }
        let number = self.number();
        self.plan = Some((number, items));
        vec![Line::ItemStarted {
            item: line_item(number, kind),
        }]
    }

    fn ended(&mut self, end: Vec<Line>) -> Vec<Line> {
        let plan = self.plan.take().map(|(number, items)| Line::ItemCompleted {
            item: line_item(number, LineKind::TodoList { items }),
        });
        plan.into_iter().chain(end).collect()
    }

    fn number(&mut self) -> u32 {
        let number = self.items;
        self.items += 1;
        number
    }
}

impl Line {
    pub(crate) fn thread_started(id: &str) -> Self {
        Self::ThreadStarted {
            thread_id: id.to_owned(),
        }
    }

    pub(crate) fn error(message: String) -> Self {
        Self::Error(LineError { message })
    }

    fn turn_failed(message: String) -> Self {
        Self::TurnFailed {
            error: LineError { message },
        }
    }
}

/// A failure as one text: what happened, what to do, and the words of the provider or the system.
pub(crate) fn told(failure: &Failure) -> String {
    let details = failure.details.as_ref().map(|it| format!("({it})"));
    let parts = [Some(&failure.message), failure.hint.as_ref(), details.as_ref()];
    parts.into_iter().flatten().cloned().collect::<Vec<_>>().join(" ")
}

fn line_item(number: u32, kind: LineKind) -> LineItem {
    LineItem {
        id: format!("item_{number}"),
        kind,
    }
}

fn line_kind(item: &Item) -> Option<LineKind> {
    let status = match item.status {
        ItemStatus::InProgress => LineStatus::InProgress,
        ItemStatus::Completed => LineStatus::Completed,
        ItemStatus::Failed | ItemStatus::Declined | ItemStatus::Interrupted => LineStatus::Failed,
    };
    match &item.kind {
        ItemKind::AgentMessage { text } if !text.is_empty() => Some(LineKind::AgentMessage { text: text.clone() }),
        ItemKind::Reasoning { text } if !text.is_empty() => Some(LineKind::Reasoning { text: text.clone() }),
        ItemKind::Command {
            command,
            tail,
            exit_code,
            ..
        } => Some(LineKind::CommandExecution {
            command: command.clone(),
            aggregated_output: tail.clone(),
            exit_code: *exit_code,
            status,
        }),
        ItemKind::FileChange { changes, .. } => Some(LineKind::FileChange {
            changes: changes.iter().map(line_change).collect(),
            status,
        }),
        ItemKind::Error { failure } => Some(LineKind::Error { message: told(failure) }),
        ItemKind::AgentMessage { .. }
        | ItemKind::Reasoning { .. }
        | ItemKind::Plan { .. }
        | ItemKind::UserMessage { .. }
        | ItemKind::CommandInput { .. }
        | ItemKind::ImageView { .. }
        | ItemKind::Artifact { .. }
        | ItemKind::ToolCall { .. } => None,
    }
}

/// A moved file is named by its old path, as the reference does.
fn line_change(change: &FileChange) -> LineChange {
    LineChange {
        path: change.moved_from.clone().unwrap_or_else(|| change.path.clone()),
        kind: change.kind,
    }
}

#[cfg(test)]
mod tests;
