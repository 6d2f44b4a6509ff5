//! Forks: a new rollout that begins with a copy of another one's events.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use protocol::approval::{DecidedBy, Decision};
use protocol::thread::{ForkPoint, InterruptReason};
use protocol::{Event, EventKind, Item, ItemStatus, ThreadId, TurnId};

use super::files::{make_folder, open};
use super::rollout::{self, Lines};
use super::state::State;
use super::writer::outputs;
use super::{Error, Result};

/// A copy to make.
pub(super) struct Fork {
    pub(super) from: ThreadId,
    pub(super) source: PathBuf,
    /// Bytes of the source that are whole, where a writer knows.
    pub(super) len: Option<u64>,
    pub(super) before_turn: Option<TurnId>,
    pub(super) id: ThreadId,
    pub(super) target: PathBuf,
    pub(super) now_ms: u64,
}

impl Fork {
    /// Writes the copy under another name and then moves it into place, so that there is never half a thread.
    pub(super) fn write(&self) -> Result<()> {
        if self.target.exists() {
            return Err(Error::Exists(self.id.clone()));
        }
        let source = open(&self.from, &self.source)?;
        let (end, last) = self
            .end(&source)
            .map_err(|error| Error::io("read", &self.source, error))?;
        let Some(last) = last else {
            return Err(self
                .before_turn
                .clone()
                .map_or_else(|| Error::NoSuchThread(self.from.clone()), Error::NoSuchTurn));
        };
        make_folder(&self.target)?;
        let folder = self.target.parent().unwrap_or(Path::new("."));
        let fail = |source| Error::io("write", &self.target, source);
        let draft = tempfile::NamedTempFile::new_in(folder).map_err(fail)?;
        self.copy(&source, end, last, draft.as_file()).map_err(fail)?;
        self.copy_outputs().map_err(fail)?;
        draft
            .persist_noclobber(&self.target)
            .map_err(|error| fail(error.error))?;
        Ok(())
    }

    /// Where the shared part ends: its offset and last `seq`. No `seq` when there is no such turn or nothing at all.
    fn end(&self, source: &File) -> io::Result<(u64, Option<u64>)> {
        let len = match self.len {
            Some(len) => len,
            None => rollout::whole_lines(source, source.metadata()?.len())?,
        };
        let mut lines = Lines { seq: 0 };
        let (mut end, mut last) = (0, None);
        rollout::forwards(source, 0, len, |offset, line| {
            let prefix = rollout::prefix(line);
            if let Some(turn) = &self.before_turn
                && prefix.is_some_and(|it| it.kind == "turnStarted")
                && let Some(Event {
                    kind: EventKind::TurnStarted { turn_id, .. },
                    ..
                }) = lines.next(line, &self.source)
                && &turn_id == turn
            {
                (end, last) = (offset, Some(lines.seq - 1));
                return ControlFlow::Break(());
            }
            lines.pass(prefix.map(|it| it.seq));
            ControlFlow::Continue(())
        })?;
        if self.before_turn.is_none() && lines.seq > 0 {
            (end, last) = (len, Some(lines.seq));
        }
        Ok((end, last))
    }

    fn copy(&self, source: &File, end: u64, last: u64, target: &File) -> io::Result<()> {
        let mut copy = Copy {
            target: BufWriter::new(target),
            state: State::new(self.id.clone()),
        };
        let mut lines = Lines { seq: 0 };
        let mut failed = None;
        rollout::forwards(source, 0, end, |_, line| {
            let Some(event) = lines.next(line, &self.source) else {
                return ControlFlow::Continue(());
            };
            let at_ms = if event.seq == 1 { self.now_ms } else { event.at_ms };
            match self.shared(event.kind, last).map(|kind| copy.write(at_ms, kind)) {
                Some(Err(error)) => {
                    failed = Some(error);
                    ControlFlow::Break(())
                }
                Some(Ok(())) | None => ControlFlow::Continue(()),
            }
        })?;
        if let Some(error) = failed {
            return Err(error);
        }
        for kind in closing(&copy.state, self.now_ms) {
            copy.write(self.now_ms, kind)?;
        }
        copy.target.flush()?;
        target.sync_data()
    }

    /// What of an event the copy shares: not how the other thread was kept, nor what waited in it.
    fn shared(&self, kind: EventKind, last: u64) -> Option<EventKind> {
        match kind {
            EventKind::ThreadStarted { cwd, settings, .. } => Some(EventKind::ThreadStarted {
                thread_id: self.id.clone(),
                cwd,
                settings,
                forked_from: Some(ForkPoint {
                    thread_id: self.from.clone(),
                    seq: last,
                }),
                version: env!("CARGO_PKG_VERSION").to_owned(),
            }),
            EventKind::ThreadRenamed { .. }
            | EventKind::ThreadPinned { .. }
            | EventKind::ThreadArchived { .. }
            | EventKind::InputQueued { .. }
            | EventKind::InputDequeued { .. } => None,
            kind @ (EventKind::SettingsChanged { .. }
            | EventKind::TurnStarted { .. }
            | EventKind::TurnCompleted { .. }
            | EventKind::TurnInterrupted { .. }
            | EventKind::TurnFailed { .. }
            | EventKind::ItemStarted { .. }
            | EventKind::ItemUpdated { .. }
            | EventKind::ItemAppended { .. }
            | EventKind::ItemCompleted { .. }
            | EventKind::ApprovalRequested { .. }
            | EventKind::ApprovalResolved { .. }
            | EventKind::UsageUpdated { .. }
            | EventKind::ChangesReverted { .. }
            | EventKind::ContextAppended { .. }) => Some(kind),
        }
    }

    /// Links the commands' outputs, so that either thread can be deleted.
    fn copy_outputs(&self) -> io::Result<()> {
        let (from, to) = (outputs(&self.source), outputs(&self.target));
        let entries = match std::fs::read_dir(&from) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        };
        std::fs::create_dir_all(&to)?;
        for entry in entries {
            let entry = entry?;
            let copy = to.join(entry.file_name());
            if std::fs::hard_link(entry.path(), &copy).is_err() {
                std::fs::copy(entry.path(), &copy)?;
            }
        }
        Ok(())
    }
}

struct Copy<'a> {
    target: BufWriter<&'a File>,
    state: State,
}

impl Copy<'_> {
    fn write(&mut self, at_ms: u64, kind: EventKind) -> io::Result<()> {
        let seq = self.state.summary.head_seq + 1;
        let event = Event { seq, at_ms, kind };
        serde_json::to_writer(&mut self.target, &event)?;
        self.target.write_all(b"\n")?;
        self.state.apply(&event);
        Ok(())
    }
}

/// The events that close whatever is open.
fn closing(state: &State, now_ms: u64) -> Vec<EventKind> {
    let approvals = state.approvals.iter().map(|it| EventKind::ApprovalResolved {
        approval_id: it.id.clone(),
        decision: Decision::Decline {
            note: None,
            interrupt: true,
        },
        by: DecidedBy::Nobody,
    });
    let items = state.open_items.iter().map(|(turn_id, item)| EventKind::ItemCompleted {
        turn_id: turn_id.clone(),
        item: Item {
            status: ItemStatus::Interrupted,
            ended_ms: Some(now_ms),
            ..item.clone()
        },
    });
    let turn = state.open_turn.iter().map(|it| EventKind::TurnInterrupted {
        turn_id: it.clone(),
        reason: InterruptReason::Person,
    });
    approvals.chain(items).chain(turn).collect()
}
