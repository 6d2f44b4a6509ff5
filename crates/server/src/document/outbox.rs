//! What waits to be written to one socket: bounded in bytes. Nothing in it is ever dropped alone: who does not read is closed
//! and comes back with a state vector.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::Notify;

#[cfg(test)]
mod tests;

/// Why a socket is closed: the code, and one word for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Close(pub(crate) u16, pub(crate) &'static str);

impl Close {
    // Stock clients give up on 4400 to 4499 and come back on all others.
    pub(crate) const UNAUTHENTICATED: Self = Self(4401, "unauthenticated");
    pub(crate) const FORBIDDEN: Self = Self(4403, "forbidden");
    pub(crate) const NOT_FOUND: Self = Self(4404, "not_found");
    pub(crate) const EPOCH: Self = Self(4409, "epoch_changed");
    pub(crate) const ARCHIVED: Self = Self(4409, "conflict");
    pub(crate) const TOO_LARGE: Self = Self(4413, "too_large");
    pub(crate) const INVALID: Self = Self(4400, "invalid_request");
    pub(crate) const UNAVAILABLE: Self = Self(4503, "unavailable");
    pub(crate) const RESYNC: Self = Self(4508, "resync");
    pub(crate) const TOO_FAST: Self = Self(4529, "rate_limited");
    pub(crate) const RESTART: Self = Self(1012, "restart");
}

/// The queue of one socket. The room puts in, the socket's task takes out.
#[derive(Debug)]
pub(crate) struct Outbox {
    waiting: Mutex<Waiting>,
    wake: Notify,
    most: usize,
    /// Awareness messages of this socket that told the room something, until its task has counted them.
    said: AtomicU32,
}

#[derive(Debug, Default)]
struct Waiting {
    frames: VecDeque<(Kind, Bytes)>,
    news: usize,
    answers: usize,
    close: Option<Close>,
}

/// Answers are counted apart: a document may be larger than what a slow reader may have waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    News,
    Answer,
}

/// What the socket's task does next.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Next {
    Write(Vec<Bytes>),
    Close(Close),
    Wait,
}

impl Outbox {
    pub(crate) fn new(most: usize) -> Self {
        Self {
            waiting: Mutex::default(),
            wake: Notify::new(),
            most,
            said: AtomicU32::new(0),
        }
    }

    /// Something that happened. False when the socket reads too slowly for it and is closed.
    pub(crate) fn push(&self, frame: Bytes) -> bool {
        self.put(Kind::News, std::iter::once(frame))
    }

    /// What the socket asked for.
    pub(crate) fn answer(&self, frames: impl IntoIterator<Item = Bytes>) -> bool {
        self.put(Kind::Answer, frames)
    }

    fn put(&self, kind: Kind, frames: impl IntoIterator<Item = Bytes>) -> bool {
        let mut waiting = self.lock();
        if waiting.close.is_some() {
            return true;
        }
        // One may be larger than the bound, if it is alone.
        let had = match kind {
            Kind::News => waiting.news,
            Kind::Answer => waiting.answers,
        };
        for frame in frames {
            let count = match kind {
                Kind::News => &mut waiting.news,
                Kind::Answer => &mut waiting.answers,
            };
            *count += frame.len();
            waiting.frames.push_back((kind, frame));
        }
        let has = match kind {
            Kind::News => waiting.news,
            Kind::Answer => waiting.answers,
        };
        let fits = has <= self.most || had == 0;
        if !fits {
            *waiting = Waiting {
                close: Some(Close::RESYNC),
                ..Waiting::default()
            };
        }
        drop(waiting);
        self.wake.notify_one();
        fits
    }

    /// Closes the socket; what waits for it is let go.
    pub(crate) fn close(&self, close: Close) {
        let mut waiting = self.lock();
        if waiting.close.is_none() {
            *waiting = Waiting {
                close: Some(close),
                ..Waiting::default()
            };
        }
        drop(waiting);
        self.wake.notify_one();
    }

    /// Why it is closed, if it is.
    pub(crate) fn closed(&self) -> Option<Close> {
        self.lock().close
    }

    /// Takes frames of about `most` bytes, at least one.
    pub(crate) fn take(&self, most: usize) -> Next {
        let mut waiting = self.lock();
        if let Some(close) = waiting.close {
            return Next::Close(close);
        }
        let mut taken = Vec::new();
        let mut bytes = 0;
        while bytes < most
            && let Some((kind, frame)) = waiting.frames.pop_front()
        {
            match kind {
                Kind::News => waiting.news -= frame.len(),
                Kind::Answer => waiting.answers -= frame.len(),
            }
            bytes += frame.len();
            taken.push(frame);
        }
        if waiting.frames.is_empty() {
            waiting.frames.shrink_to(8);
        }
        if taken.is_empty() {
            Next::Wait
        } else {
            Next::Write(taken)
        }
    }

    /// There is nothing to write right now.
    pub(crate) fn is_empty(&self) -> bool {
        self.lock().frames.is_empty()
    }

    /// Something was put in, or it was closed. May wake once too often.
    pub(crate) async fn changed(&self) {
        self.wake.notified().await;
    }

    /// The room counts an awareness message that told it something.
    pub(crate) fn has_said(&self) {
        self.said.fetch_add(1, Ordering::Relaxed);
    }

    /// How many there were since the last time.
    pub(crate) fn take_said(&self) -> u32 {
        self.said.swap(0, Ordering::Relaxed)
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
