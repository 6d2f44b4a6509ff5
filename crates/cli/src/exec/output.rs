//! Where a turn is shown: lines of JSON on stdout, or progress on stderr and the last message on stdout.
//!
//! A stdout that nobody reads any more is remembered ([`Output::broken`]); a stderr that nobody reads is no reason to stop.

use std::io::{self, Write};
use std::path::Path;

use protocol::thread::ThreadSummary;
use protocol::{Code, EventKind, Failure, ItemKind, Live};

use super::json::{Line, Lines, told};
use super::progress::{Paint, Progress, plain};

/// Where a turn is shown.
pub(super) struct Output {
    form: Form,
    paint: Paint,
    stdout_is_terminal: bool,
    /// The agent's last message so far.
    last: Option<String>,
    broken: bool,
}

enum Form {
    Json(Lines),
    Prose(Progress),
}

impl Output {
    pub(super) fn new(json: bool, paint: Paint, stdout_is_terminal: bool) -> Self {
        let form = if json {
            Form::Json(Lines::default())
        } else {
            Form::Prose(Progress::new(paint))
        };
        Self {
            form,
            paint,
            stdout_is_terminal,
            last: None,
            broken: false,
        }
    }

    pub(super) fn is_json(&self) -> bool {
        matches!(self.form, Form::Json(_))
    }

    /// Nobody reads stdout any more.
    pub(super) fn broken(&self) -> bool {
        self.broken
    }

    /// A turn begins in this thread.
    pub(super) fn opening(&mut self, thread: &ThreadSummary) {
        match &self.form {
            Form::Json(_) => self.line(&Line::thread_started(thread.id.as_str())),
            Form::Prose(progress) => say(&progress.opening(thread)),
        }
    }

    pub(super) fn event(&mut self, kind: &EventKind) {
        if let EventKind::ItemCompleted { item, .. } = kind
            && let ItemKind::AgentMessage { text } = &item.kind
            && !text.is_empty()
        {
            self.last = Some(text.clone());
        }
        match &mut self.form {
            Form::Json(lines) => {
                let lines = lines.event(kind);
                lines.iter().for_each(|it| self.line(it));
            }
            Form::Prose(progress) => say(&progress.event(kind)),
        }
    }

    pub(super) fn live(&mut self, live: &Live) {
        match &self.form {
            Form::Json(_) => {
                if let Some(line) = Lines::live(live) {
                    self.line(&line);
                }
            }
            Form::Prose(progress) => say(&progress.live(live)),
        }
    }

    /// Something failed before or beside the turn.
    pub(super) fn fail(&mut self, failure: &Failure) {
        say(&self.paint.failure(failure));
        if self.is_json() {
            self.line(&Line::error(told(failure)));
        }
    }

    /// The last message, as the result of it all.
    pub(super) fn result(&mut self) {
        if let (Form::Prose(_), Some(last)) = (&self.form, &self.last) {
            let text = if self.stdout_is_terminal {
                plain(last)
            } else {
                last.clone()
            };
            let end = if text.ends_with('\n') { "" } else { "\n" };
            self.write(&format!("{text}{end}"));
        }
    }

    /// Writes the last message to a file.
    pub(super) fn keep_last(&self, path: &Path) -> Result<(), Failure> {
        if self.last.is_none() {
            say(&format!(
                "warning: there was no last message; {} is empty\n",
                path.display()
            ));
        }
        std::fs::write(path, self.last.as_deref().unwrap_or_default()).map_err(|error| {
            let message = format!("the last message could not be written to {}", path.display());
            Failure::new(Code::FolderUnusable, message).details(error.to_string())
        })
    }

    fn line(&mut self, line: &Line) {
        match serde_json::to_string(line) {
            Ok(line) => self.write(&(line + "\n")),
            // Strings and numbers only: there is no value that could not be written.
            Err(error) => say(&format!("error: {error}\n")),
        }
    }

    fn write(&mut self, text: &str) {
        let mut stdout = io::stdout().lock();
        if !self.broken && stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()).is_err() {
            self.broken = true;
        }
    }
}

/// Writes to stderr. Nobody listening there is no reason to stop.
pub(crate) fn say(text: &str) {
    if !text.is_empty() {
        let _ = io::stderr().lock().write_all(text.as_bytes());
    }
}
