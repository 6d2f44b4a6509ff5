//! Stretches of a thread, read from its rollout: a page from some place backwards, the outline, the whole fold.

use std::fs::File;
use std::io;
use std::ops::ControlFlow;
use std::path::Path;

use protocol::thread::TurnSummary;
use protocol::{Event, EventKind};

use super::index::Known;
use super::rollout::{self, Lines, Prefix};
use super::state::{State, fold_turn};

/// Events of one page.
const EVENTS: usize = 200;
/// Bytes of one page, unless it must reach further.
const BYTES: usize = 256 * 1024;

/// Events that follow each other.
#[derive(Debug, Default)]
pub(super) struct Stretch {
    /// In order, without what only the model reads.
    pub(super) events: Vec<Event>,
    /// The first event's `seq`, visible or not.
    pub(super) first: u64,
    /// Nothing comes before it.
    pub(super) whole: bool,
    /// Bytes of the lines it was made from.
    pub(super) bytes: usize,
}

/// Reads a page backwards from byte `end`, which is the end of a line, at least to event `reach`.
pub(super) fn stretch(file: &File, path: &Path, end: u64, reach: Option<u64>) -> io::Result<Stretch> {
    let mut page = Stretch {
        whole: true,
        ..Stretch::default()
    };
    let mut visible = 0;
    rollout::backwards(file, end, |_, line| {
        let prefix = rollout::prefix(line);
        let far_enough = match (reach, prefix) {
            (Some(reach), Some(prefix)) => prefix.seq < reach,
            (Some(_), None) => false,
            (None, _) => true,
        };
        if far_enough && (page.events.len() >= EVENTS || visible >= BYTES) {
            page.whole = false;
            return ControlFlow::Break(());
        }
        page.bytes += line.len();
        if let Some(prefix) = prefix {
            page.first = prefix.seq;
        }
        if prefix.is_some_and(|it| it.kind == "contextAppended") {
            return ControlFlow::Continue(());
        }
        if let Some(event) = (Lines { seq: 0 }).next(line, path) {
            page.first = event.seq;
            visible += line.len();
            page.events.push(event);
        }
        ControlFlow::Continue(())
    })?;
    page.events.reverse();
    Ok(page)
}

/// The fold of a thread's events in `from..len`, onto `state`.
fn fold(file: &File, path: &Path, from: u64, len: u64, state: &mut State) -> io::Result<()> {
    let mut lines = Lines {
        seq: state.summary.head_seq,
    };
    rollout::forwards(file, from, len, |_, line| {
        match rollout::prefix(line) {
            // Long and of no interest to the fold.
            Some(Prefix {
                seq,
                kind: "contextAppended",
            }) => lines.pass(Some(seq)),
            Some(_) | None => {
                if let Some(event) = lines.next(line, path) {
                    state.apply(&event);
                }
            }
        }
        state.summary.head_seq = lines.seq;
        ControlFlow::Continue(())
    })?;
    Ok(())
}

/// The fold of the first `len` bytes of a file, on top of what is known of it already, if that is still true.
pub(super) fn fold_on(file: &File, path: &Path, len: u64, known: Known) -> io::Result<State> {
    let Known { mut state, len: from } = known;
    if rollout::continues(file, from, state.summary.head_seq, len)? {
        fold(file, path, from, len, &mut state)?;
    } else {
        state = State::new(state.summary.id);
        fold(file, path, 0, len, &mut state)?;
    }
    Ok(state)
}

/// All turns, in order.
pub(super) fn outline(file: &File, path: &Path, len: u64) -> io::Result<Vec<TurnSummary>> {
    let user_message = memchr::memmem::Finder::new(b"\"userMessage\"");
    let mut turns: Vec<TurnSummary> = Vec::new();
    let mut turn = None;
    let mut lines = Lines { seq: 0 };
    rollout::forwards(file, 0, len, |_, line| {
        let of_interest = rollout::prefix(line).is_none_or(|it| match it.kind {
            "turnStarted" | "turnCompleted" | "turnInterrupted" | "turnFailed" => true,
            "itemStarted" | "itemCompleted" => user_message.find(line).is_some(),
            _ => false,
        });
        if of_interest && let Some(event) = lines.next(line, path) {
            if matches!(event.kind, EventKind::TurnStarted { .. }) {
                turns.extend(turn.take());
            }
            fold_turn(&mut turn, &event);
        }
        ControlFlow::Continue(())
    })?;
    turns.extend(turn);
    Ok(turns)
}

/// Those of `turns` that a stretch from event `first` to event `last` shows a part of.
pub(super) fn between(mut turns: Vec<TurnSummary>, first: u64, last: u64) -> Vec<TurnSummary> {
    turns.truncate(turns.partition_point(|it| it.first_seq <= last));
    let before = turns.partition_point(|it| it.first_seq <= first);
    turns.drain(..before.saturating_sub(1));
    turns
}
