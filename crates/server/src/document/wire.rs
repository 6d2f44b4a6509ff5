//! A websocket that two write to, never at once: its room what fits right now, its own task whatever takes longer.

use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use axum::extract::ws::Message;
use bytes::Bytes;
use futures::{Sink, SinkExt as _, Stream, StreamExt as _};
use sync::frame::STILL_HERE;

use super::echo::Echo;

#[cfg(test)]
pub(crate) mod tests;

/// After about so many bytes the other side is heard again, however much waits for it.
const TURN_BYTES: usize = 64 << 10;

/// What a document's websocket can do.
pub(crate) trait Socket: Sink<Message> + Stream<Item = Result<Message, axum::Error>> + Unpin {}

impl<S: Sink<Message> + Stream<Item = Result<Message, axum::Error>> + Unpin> Socket for S {}

/// The websocket, and how its writing goes.
#[derive(Debug)]
pub(crate) struct Wire<S> {
    socket: S,
    echo: Echo,
    /// Bytes of this turn.
    given: usize,
    /// Since then the other side takes nothing.
    stuck: Option<Instant>,
    broken: bool,
}

/// How far a turn of writing came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wrote {
    /// Nothing waits any more.
    All,
    /// The other side takes what it is given, and there is more.
    Some,
}

/// The other side is not there any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Broken;

/// What was read.
#[derive(Debug)]
pub(crate) enum Read {
    /// What the other side says; nothing when it ended.
    Message(Option<Result<Message, axum::Error>>),
    /// Only what was written to it before.
    Echo,
}

impl<S: Socket> Wire<S> {
    pub(crate) fn new(socket: S) -> Self {
        Self {
            socket,
            echo: Echo::default(),
            given: 0,
            stuck: None,
            broken: false,
        }
    }

    /// Writes frames until there is none, in as few writes as they fit into. Whoever finds that the other side takes no more
    /// leaves the rest to the task, which has to be told.
    pub(crate) fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        next: impl FnMut() -> Option<Bytes>,
    ) -> Poll<Result<Wrote, Broken>> {
        if self.broken {
            return Poll::Ready(Err(Broken));
        }
        let wrote = self.poll_give(cx, next);
        match wrote {
            Poll::Pending => {
                self.stuck.get_or_insert_with(Instant::now);
            }
            Poll::Ready(Ok(_)) => self.stuck = None,
            Poll::Ready(Err(Broken)) => self.broken = true,
        }
        wrote
    }

    fn poll_give(
        &mut self,
        cx: &mut Context<'_>,
        mut next: impl FnMut() -> Option<Bytes>,
    ) -> Poll<Result<Wrote, Broken>> {
        let mut wrote = Wrote::Some;
        while self.given < TURN_BYTES {
            ready!(self.socket.poll_ready_unpin(cx)).map_err(|_| Broken)?;
            let Some(frame) = next() else {
                wrote = Wrote::All;
                break;
            };
            self.given += frame.len();
            self.echo.wrote(&frame);
            self.socket
                .start_send_unpin(Message::Binary(frame))
                .map_err(|_| Broken)?;
        }
        ready!(self.socket.poll_flush_unpin(cx)).map_err(|_| Broken)?;
        self.given = 0;
        Poll::Ready(Ok(wrote))
    }

    /// Shows the other side, and whatever stands between, that this one is still here. What does not fit is not needed: then
    /// they have something to read.
    pub(crate) fn poll_still(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Broken>> {
        for message in [Message::Ping(Bytes::new()), Message::Binary(STILL_HERE)] {
            ready!(self.socket.poll_ready_unpin(cx)).map_err(|_| Broken)?;
            self.socket.start_send_unpin(message).map_err(|_| Broken)?;
        }
        self.poll_write(cx, || None).map_ok(|_| ())
    }

    /// Reads one message.
    pub(crate) fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<Read> {
        let message = ready!(self.socket.poll_next_unpin(cx));
        Poll::Ready(match message {
            Some(Ok(Message::Binary(raw))) if self.echo.is(&raw) => Read::Echo,
            other => Read::Message(other),
        })
    }

    /// The task has something to do that nobody else does.
    pub(crate) fn is_stuck(&self) -> bool {
        self.stuck.is_some()
    }

    /// For how long the other side has taken nothing.
    pub(crate) fn stuck_for(&self) -> Duration {
        self.stuck.map_or(Duration::ZERO, |it| it.elapsed())
    }

    pub(crate) fn into_socket(self) -> S {
        self.socket
    }
}
