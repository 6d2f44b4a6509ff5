//! What happens in a thread right now: where its log ends, and the unfinished text and output of open items.
//!
//! One [`Feed`] a thread, shared by its writer and all readers. It holds each open message once, however many read it,
//! and of a command's output only the newest window, so its size does not depend on how fast anyone reads.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use protocol::{EventKind, ItemId, ItemStatus, Live};
use tokio::sync::watch;

use super::state::{byte_of_unit, units};

/// Bytes of a running command's output that are kept for readers.
const WINDOW: usize = 8 * 1024;

/// How far a thread got. Two equal heads mean that there is nothing new.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Head {
    /// Bytes of the rollout that may be read; `None` when no writer is open here, and the file itself says it.
    pub(super) len: Option<u64>,
    /// Counts live pieces and whatever else is news.
    pub(super) news: u64,
    /// The thread was deleted.
    pub(super) gone: bool,
}

/// The living end of one thread.
pub(super) struct Feed {
    head: watch::Sender<Head>,
    streams: Mutex<Streams>,
}

impl Feed {
    pub(super) fn new() -> Self {
        Self {
            head: watch::Sender::new(Head::default()),
            streams: Mutex::default(),
        }
    }

    pub(super) fn watch(&self) -> watch::Receiver<Head> {
        self.head.subscribe()
    }

    /// Waits until no writer is open here, one that is just being dropped included.
    pub(super) async fn closed(&self) {
        // The sender is ours, so this cannot fail.
        let _ = self.watch().wait_for(|it| it.len.is_none()).await;
    }

    /// A writer opened, closed (`None`), or appended up to here.
    pub(super) fn reach(&self, len: Option<u64>) {
        self.head.send_modify(|it| {
            it.len = len;
            it.news += 1;
        });
    }

    /// Another process appended.
    pub(super) fn poke(&self) {
        self.head.send_modify(|it| it.news += 1);
    }

    /// The thread was deleted. A thread that comes back gets a new feed.
    pub(super) fn end(&self) {
        self.head.send_modify(|it| it.gone = true);
        self.streams().items.clear();
    }

    /// Forgets what an event made superfluous.
    pub(super) fn settle(&self, kind: &EventKind) {
        match kind {
            EventKind::ItemCompleted { item, .. } => self.streams().items.retain(|it| it.id != item.id),
            EventKind::ItemUpdated { item, .. } | EventKind::ItemStarted { item, .. } => {
                let mut streams = self.streams();
                streams.retrying = None;
                if item.status != ItemStatus::InProgress {
                    streams.items.retain(|it| it.id != item.id);
                }
            }
            EventKind::TurnCompleted { .. } | EventKind::TurnInterrupted { .. } | EventKind::TurnFailed { .. } => {
                self.streams().retrying = None;
            }
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
            | EventKind::UsageUpdated { .. }
            | EventKind::ChangesReverted { .. }
            | EventKind::ContextAppended { .. } => {}
        }
    }

    /// Takes in a live piece.
    pub(super) fn live(&self, live: Live) {
        self.streams().push(live);
        self.poke();
    }

    /// What a reader has not seen yet, at most about `budget` bytes of it, and whether there is more.
    /// `None` when the rollout grew past `read`, because a piece may belong to an item the reader does not know yet.
    pub(super) fn collect(&self, read: u64, seen: &mut Seen, budget: usize) -> Option<(Vec<Live>, bool)> {
        let streams = self.streams();
        // Compared under the lock: pieces follow their item's event, so whoever has read all events knows all items.
        if self.head.borrow().len.is_some_and(|it| it != read) {
            return None;
        }
        Some(streams.collect(seen, budget))
    }

    fn streams(&self) -> MutexGuard<'_, Streams> {
        self.streams.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Default)]
struct Streams {
    items: Vec<Stream>,
    retrying: Option<Live>,
    /// Counts retries, so that each is told once to each reader.
    retries: u64,
}

struct Stream {
    id: ItemId,
    body: Body,
}

enum Body {
    Text(Text),
    Output(Output),
}

/// A message's text since this process opened its log.
#[derive(Default)]
struct Text {
    text: String,
    /// UTF-16 units before it and up to its end.
    begin: u64,
    end: u64,
    /// How often some of it was taken back.
    rewinds: u32,
}

impl Streams {
    fn push(&mut self, live: Live) {
        match live {
            Live::Text { item_id, at, text } => {
                self.retrying = None;
                self.push_text(item_id, at, &text);
            }
            Live::Output { item_id, at, text } => {
                let known = self.items.iter_mut().find(|it| it.id == item_id);
                if let Some(Stream {
                    body: Body::Output(output),
                    ..
                }) = known
                {
                    output.push(at, &text);
                } else {
                    let mut output = Output::default();
                    output.push(at, &text);
                    self.items.push(Stream {
                        id: item_id,
                        body: Body::Output(output),
                    });
                }
            }
            Live::Retrying { .. } => {
                self.retries += 1;
                self.retrying = Some(live);
            }
        }
    }

    fn push_text(&mut self, id: ItemId, at: u64, piece: &str) {
        let known = self.items.iter_mut().rev().find(|it| it.id == id);
        if let Some(Stream {
            body: Body::Text(text), ..
        }) = known
        {
            text.push(at, piece);
        } else {
            self.items.push(Stream {
                id,
                body: Body::Text(Text {
                    text: piece.to_owned(),
                    begin: at,
                    end: at + units(piece),
                    rewinds: 0,
                }),
            });
        }
    }

    fn collect(&self, seen: &mut Seen, budget: usize) -> (Vec<Live>, bool) {
        seen.items.retain(|id, _| self.items.iter().any(|it| &it.id == id));
        let mut pieces = Vec::new();
        let mut left = budget;
        if let Some(live) = self.retrying.as_ref().filter(|_| seen.retries != self.retries) {
            pieces.push(live.clone());
        }
        seen.retries = self.retries;
        for stream in &self.items {
            if left == 0 {
                return (pieces, true);
            }
            let place = seen.items.entry(stream.id.clone()).or_default();
            let piece = match &stream.body {
                Body::Text(text) => text.after(place, &stream.id, left),
                Body::Output(output) => output.after(place, &stream.id, left),
            };
            if let Some(piece) = piece {
                left = left.saturating_sub(size(&piece));
                pieces.push(piece);
            }
        }
        let more = self.items.iter().any(|it| {
            let end = match &it.body {
                Body::Text(text) => text.end,
                Body::Output(output) => output.end,
            };
            seen.items.get(&it.id).is_none_or(|place| place.at < end)
        });
        (pieces, more)
    }
}

fn size(live: &Live) -> usize {
    match live {
        Live::Text { text, .. } | Live::Output { text, .. } => text.len(),
        Live::Retrying { .. } => 0,
    }
}

/// What one reader was given of the open items.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen {
    items: HashMap<ItemId, Place>,
    retries: u64,
}

impl Seen {
    /// The reader was given text as an event: its screen now ends there.
    pub(super) fn appended(&mut self, id: &ItemId, at: u64, text: &str) {
        let rewinds = self.items.get(id).map_or(0, |it| it.rewinds);
        let at = at + units(text);
        self.items.insert(id.clone(), Place { at, rewinds });
    }
}

/// Where a reader is in one stream: UTF-16 units of a text, bytes of an output.
#[derive(Debug, Clone, Copy, Default)]
struct Place {
    at: u64,
    rewinds: u32,
}

impl Text {
    fn push(&mut self, at: u64, piece: &str) {
        if at < self.end {
            let keep = byte_of_unit(&self.text, at.saturating_sub(self.begin));
            self.text.truncate(keep);
            self.begin = self.begin.min(at);
            self.end = self.begin + units(&self.text);
            self.rewinds += 1;
        }
        self.text.push_str(piece);
        self.end += units(piece);
    }

    fn after(&self, place: &mut Place, id: &ItemId, limit: usize) -> Option<Live> {
        let anew = place.rewinds != self.rewinds;
        if anew {
            *place = Place {
                at: self.begin,
                rewinds: self.rewinds,
            };
        }
        let at = place.at.max(self.begin);
        if at >= self.end && !anew {
            return None;
        }
        let begin = byte_of_unit(&self.text, at - self.begin);
        let rest = self.text.get(begin..).unwrap_or_default();
        let piece = rest.get(..rest.floor_char_boundary(limit)).unwrap_or_default();
        place.at = at + units(piece);
        Some(Live::Text {
            item_id: id.clone(),
            at,
            text: piece.to_owned(),
        })
    }
}

/// The newest window of a command's output.
///
/// Places count bytes of the text as it was given; `marks` translate them to bytes of the output where the two differ,
/// because invalid UTF-8 was replaced or something was left out.
#[derive(Default)]
struct Output {
    window: String,
    end: u64,
    marks: VecDeque<(u64, u64)>,
}

impl Output {
    fn push(&mut self, at: u64, piece: &str) {
        if piece.is_empty() {
            return;
        }
        if self.marks.is_empty() || self.raw(self.end) != at {
            self.marks.push_back((self.end, at));
        }
        self.window.push_str(piece);
        self.end += piece.len() as u64;
        // Trimmed at twice the size, so that a byte is moved at most once.
        if self.window.len() > 2 * WINDOW {
            let cut = self.window.ceil_char_boundary(self.window.len() - WINDOW);
            self.window.drain(..cut);
            let start = self.start();
            while self.marks.get(1).is_some_and(|it| it.0 <= start) {
                self.marks.pop_front();
            }
        }
    }

    fn start(&self) -> u64 {
        self.end - self.window.len() as u64
    }

    /// Bytes of output before place `at`.
    fn raw(&self, at: u64) -> u64 {
        let mark = self.marks.iter().rev().find(|it| it.0 <= at);
        mark.map_or(at, |&(place, raw)| raw + (at - place))
    }

    fn after(&self, place: &mut Place, id: &ItemId, limit: usize) -> Option<Live> {
        if place.at >= self.end {
            return None;
        }
        let limit = limit.min(WINDOW) as u64;
        let newest = place.at.max(self.start()).max(self.end.saturating_sub(limit));
        let skip = usize::try_from(newest - self.start()).unwrap_or(usize::MAX);
        let begin = self.window.ceil_char_boundary(skip);
        let text = self.window.get(begin..).unwrap_or_default().to_owned();
        let at = self.raw(self.start() + begin as u64);
        place.at = self.end;
        Some(Live::Output {
            item_id: id.clone(),
            at,
            text,
        })
    }
}

#[cfg(test)]
mod tests;
