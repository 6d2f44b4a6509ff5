//! What waits to be written to one socket: bounded in bytes. Nothing in it is ever dropped alone: who does not read is closed
//! and comes back with a state vector.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use axum::extract::ws::WebSocket;
use bytes::Bytes;
use futures::task::AtomicWaker;

use super::wire::{Broken, Read, Socket, Wire, Wrote};

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

/// The queue of one socket, and the socket. The room puts in and writes what is little; the socket's task writes all else, and
/// reads. To wake a task for each frame would cost more than the frame.
#[derive(Debug)]
pub(crate) struct Outbox<S = WebSocket> {
    /// Gone when the task has ended. Locked before what waits is, so that frames stay in their order.
    wire: Mutex<Option<Wire<S>>>,
    waiting: Mutex<Waiting>,
    task: AtomicWaker,
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

/// What the socket's task hears of next.
#[derive(Debug)]
pub(crate) enum Turn {
    Read(Read),
    Close(Close),
    Broken,
}

/// Larger things are left to the socket's task.
const AT_ONCE: usize = 16 << 10;

impl<S: Socket> Outbox<S> {
    pub(crate) fn new(socket: S, most: usize) -> Self {
        Self {
            wire: Mutex::new(Some(Wire::new(socket))),
            waiting: Mutex::default(),
            task: AtomicWaker::new(),
            most,
            said: AtomicU32::new(0),
        }
    }

    /// Something that happened. False when the socket reads too slowly for it and is closed. It waits for
    /// [`Outbox::write_out`].
    pub(crate) fn push(&self, frame: Bytes) -> bool {
        self.put(Kind::News, std::iter::once(frame))
    }

    /// What the socket asked for. Its task writes it.
    pub(crate) fn answer(&self, frames: impl IntoIterator<Item = Bytes>) -> bool {
        let fits = self.put(Kind::Answer, frames);
        self.task.wake();
        fits
    }

    /// Writes what waits, `at_once` if it is little and the other side takes it right now. Otherwise the socket's task will.
    pub(crate) fn write_out(&self, at_once: bool) {
        let waits = {
            let waiting = self.lock();
            waiting.news + waiting.answers
        };
        match waits {
            0 => {}
            1..=AT_ONCE if at_once && self.writes_at_once() => {}
            _ => self.task.wake(),
        }
    }

    /// False when the task has to be told.
    fn writes_at_once(&self) -> bool {
        let mut wire = match self.wire.try_lock() {
            Ok(wire) => wire,
            Err(TryLockError::Poisoned(wire)) => wire.into_inner(),
            // The task is at it, and may have looked already.
            Err(TryLockError::WouldBlock) => return false,
        };
        let Some(wire) = wire.as_mut() else { return true };
        // Its task waits for the other side, and then writes all of it.
        if wire.is_stuck() {
            return true;
        }
        let wrote = wire.poll_write(&mut Context::from_waker(Waker::noop()), || self.next());
        matches!(wrote, Poll::Ready(Ok(Wrote::All)))
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
        if !fits {
            self.task.wake();
        }
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
        self.task.wake();
    }

    /// Why it is closed, if it is.
    pub(crate) fn closed(&self) -> Option<Close> {
        self.lock().close
    }

    fn next(&self) -> Option<Bytes> {
        let mut waiting = self.lock();
        let Some((kind, frame)) = waiting.frames.pop_front() else {
            waiting.frames.shrink_to(8);
            return None;
        };
        match kind {
            Kind::News => waiting.news -= frame.len(),
            Kind::Answer => waiting.answers -= frame.len(),
        }
        Some(frame)
    }

    /// The turn of the socket's task: writes what waits and, when the other side took it, reads a message if it listens.
    pub(crate) fn poll_turn(&self, cx: &mut Context<'_>, listens: bool) -> Poll<Turn> {
        // Whatever changes from here on wakes it again.
        self.task.register(cx.waker());
        let mut wire = self.wire();
        let Some(wire) = wire.as_mut() else {
            return Poll::Ready(Turn::Broken);
        };
        loop {
            if let Some(close) = self.closed() {
                return Poll::Ready(Turn::Close(close));
            }
            let wrote = match wire.poll_write(cx, || self.next()) {
                Poll::Ready(Ok(wrote)) => wrote,
                Poll::Ready(Err(Broken)) => return Poll::Ready(Turn::Broken),
                // Who takes nothing is not heard either.
                Poll::Pending => return Poll::Pending,
            };
            if listens && let Poll::Ready(read) = wire.poll_read(cx) {
                return Poll::Ready(Turn::Read(read));
            }
            if wrote == Wrote::All {
                return Poll::Pending;
            }
        }
    }

    /// Shows the other side that this one is here, unless it has enough to read. False when it is not there any more, or has
    /// taken nothing for longer than `most`.
    pub(crate) fn still_here(&self, most: Duration) -> bool {
        let mut wire = self.wire();
        let Some(wire) = wire.as_mut() else { return false };
        if wire.is_stuck() {
            return wire.stuck_for() <= most;
        }
        // What does not fit right now is written in the task's next turn.
        let still = wire.poll_still(&mut Context::from_waker(Waker::noop()));
        still != Poll::Ready(Err(Broken))
    }

    /// Whether the other side does not take what was written to it.
    pub(crate) fn is_stuck(&self) -> bool {
        self.wire().as_ref().is_some_and(Wire::is_stuck)
    }

    /// Waits until it is closed.
    pub(crate) async fn until_closed(&self) -> Close {
        std::future::poll_fn(|cx| {
            self.task.register(cx.waker());
            self.closed().map_or(Poll::Pending, Poll::Ready)
        })
        .await
    }

    /// Takes the socket out: its task ends.
    pub(crate) fn hang_up(&self) -> Option<S> {
        self.wire().take().map(Wire::into_socket)
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

    fn wire(&self) -> MutexGuard<'_, Option<Wire<S>>> {
        self.wire.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
