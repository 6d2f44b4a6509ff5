//! One websocket of a document: reads one message at a time at the pace it may, writes what its room left in its outbox, and
//! closes with a code and a word. One task each.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use axum::extract::ws::{CloseFrame, Message, WebSocket};
use bytes::Bytes;
use protocol::id::UserId;
use sync::frame::{Frame, FrameError};
use tokio::sync::oneshot;

use super::bucket::{Bucket, Pace};
use super::outbox::{Close, Outbox, Turn};
use super::room::{Input, Joining, Way};
use super::wire::Read;
use super::{Documents, Ground};
use crate::auth::Verified;
use crate::store::Scope;

#[cfg(test)]
mod tests;

/// How often the other side hears something, however quiet it is. Stock clients give up after 30 s without a message.
const STILL: Duration = Duration::from_secs(20);

/// Who has not been heard for so long is gone.
const SILENCE: Duration = Duration::from_secs(45);

/// Who does not take anything for so long is gone.
const STUCK: Duration = Duration::from_secs(120);

/// For how long the other side may take to hear why it is closed.
const GOODBYE: Duration = Duration::from_secs(5);

/// Somebody who may come in.
#[derive(Debug)]
pub(crate) struct Guest {
    /// Who.
    pub(crate) user: UserId,
    /// As their credentials say.
    pub(crate) verified: Verified,
    /// The workspace's part of the database.
    pub(crate) scope: Scope,
    /// Which document.
    pub(crate) document: String,
    /// May write.
    pub(crate) writes: bool,
    /// Wants to know what is on the disk.
    pub(crate) acks: bool,
    /// Knows this life of the document.
    pub(crate) epoch: Option<u64>,
    /// [`Documents::rechecks`] before their place was looked up.
    pub(crate) rechecks: u64,
}

impl Documents {
    /// Serves a socket until it ends. Whoever may not come in is told why, which takes a socket that is open.
    pub(crate) async fn serve(self, socket: WebSocket, guest: Result<Guest, Close>) {
        let sockets = self.0.sockets.clone();
        sockets
            .track_future(async move {
                let (socket, close) = match guest {
                    Ok(guest) => self.seat(socket, guest).await,
                    Err(close) => (Some(socket), Some(close)),
                };
                if let (Some(socket), Some(close)) = (socket, close) {
                    say_goodbye(socket, close).await;
                }
            })
            .await;
    }

    async fn seat(&self, socket: WebSocket, guest: Guest) -> (Option<WebSocket>, Option<Close>) {
        if !self.comes(&guest.user) {
            return (Some(socket), Some(Close::TOO_FAST));
        }
        let user = guest.user.clone();
        let open = &self.0.ground.counts.sockets;
        open.inc();
        let outbox = Arc::new(Outbox::new(socket, self.0.ground.limits.queue_bytes));
        let close = self.sit(&outbox, guest).await;
        open.dec();
        self.goes(&user);
        (outbox.hang_up(), close)
    }

    async fn sit(&self, outbox: &Arc<Outbox>, guest: Guest) -> Option<Close> {
        let socket = self.next();
        let expires_at_ms = guest.verified.expires_at_ms;
        let way = match self.join(guest, socket, outbox).await {
            Ok(way) => way,
            Err(close) => return Some(close),
        };
        let close = talk(&self.0.ground, &way, socket, outbox, expires_at_ms).await;
        way.send(Input::Left(socket));
        close
    }

    async fn join(&self, guest: Guest, socket: u64, outbox: &Arc<Outbox>) -> Result<Way, Close> {
        let verified = Arc::new(guest.verified);
        // A room that ends right now does not answer; the next one will.
        for _ in 0..10 {
            let way = self.way(&guest.scope, &guest.document)?;
            let (reply, taken) = oneshot::channel();
            way.send(Input::Join(Box::new(Joining {
                socket,
                user: guest.user.clone(),
                verified: verified.clone(),
                writes: guest.writes,
                acks: guest.acks,
                epoch: guest.epoch,
                rechecks: guest.rechecks,
                outbox: outbox.clone(),
                reply,
            })));
            if taken.await.is_ok() {
                return Ok(way);
            }
        }
        Err(Close::UNAVAILABLE)
    }
}

/// What one socket may say how often, and when it last said anything.
struct Paces {
    updates: Bucket,
    awareness: Bucket,
    message_bytes: usize,
    heard_at: Instant,
}

/// What a message leads to.
enum Heard {
    Frame(Frame, Bytes),
    Nothing,
    Close(Close),
    Gone,
}

/// Until one side has had enough. Answers why, if it was this one.
async fn talk(ground: &Ground, way: &Way, socket: u64, outbox: &Outbox, expires_at_ms: Option<u64>) -> Option<Close> {
    let limits = &ground.limits;
    let start = Instant::now();
    let mut paces = Paces {
        updates: Bucket::new(limits.updates_per_s, start),
        awareness: Bucket::new(limits.awareness_per_s, start),
        message_bytes: limits.message_bytes,
        heard_at: start,
    };
    let mut times = Times::from_now(expires_at_ms.map(|at| {
        let left = at.saturating_add(ground.skew_ms).saturating_sub(ground.clock.now_ms());
        // A year is as good as for ever, and no timer runs over.
        Duration::from_millis(left.min(366 * 24 * 3_600_000))
    }));
    let mut alarm = pin!(tokio::time::sleep_until(times.first()));
    loop {
        let turn = poll_fn(|cx| match alarm.as_mut().poll(cx) {
            Poll::Ready(()) => Poll::Ready(None),
            Poll::Pending => outbox.poll_turn(cx, times.pause.is_none()).map(Some),
        });
        match turn.await {
            Some(Turn::Close(close)) => return Some(close),
            Some(Turn::Broken) => return None,
            Some(Turn::Read(read)) => {
                paces.heard_at = Instant::now();
                let Read::Message(message) = read else { continue };
                times.pause = match heard(message, way, socket, outbox, &mut paces).await {
                    Ok(wait) => wait,
                    Err(close) => return close,
                };
                if times.pause.is_none() {
                    continue;
                }
            }
            None => {
                let now = tokio::time::Instant::now();
                if times.ends.is_some_and(|it| it <= now) {
                    return Some(Close::UNAUTHENTICATED);
                }
                times.pause = times.pause.filter(|it| *it > now);
                if times.still <= now {
                    times.still = now + STILL;
                    if outbox.is_stuck() {
                        // It is not listened to.
                        paces.heard_at = Instant::now();
                    }
                    if paces.heard_at.elapsed() > SILENCE || !outbox.still_here(STUCK) {
                        return None;
                    }
                }
            }
        }
        alarm.as_mut().reset(times.first());
    }
}

/// When something has to be done, whatever anybody says.
struct Times {
    /// The credentials are over.
    ends: Option<tokio::time::Instant>,
    /// The other side should hear something.
    still: tokio::time::Instant,
    /// Until then it is not listened to.
    pause: Option<tokio::time::Instant>,
}

impl Times {
    fn from_now(left: Option<Duration>) -> Self {
        let now = tokio::time::Instant::now();
        Self {
            ends: left.map(|it| now + it),
            still: now + STILL,
            pause: None,
        }
    }

    fn first(&self) -> tokio::time::Instant {
        let others = self.ends.into_iter().chain(self.pause);
        others.fold(self.still, |first, it| first.min(it))
    }
}

/// Takes one message. Answers until when to say nothing, or why it is over.
async fn heard(
    message: Option<Result<Message, axum::Error>>,
    way: &Way,
    socket: u64,
    outbox: &Outbox,
    paces: &mut Paces,
) -> Result<Option<tokio::time::Instant>, Option<Close>> {
    match hear(message, paces.message_bytes) {
        Heard::Frame(frame, raw) => forward(way, socket, outbox, frame, raw, paces).await.map_err(Some),
        Heard::Nothing => Ok(None),
        Heard::Close(close) => Err(Some(close)),
        Heard::Gone => Err(None),
    }
}

/// Says why, and waits a little until that was heard: a connection that is closed with something unread in it takes the
/// reason with it.
async fn say_goodbye(mut socket: WebSocket, Close(code, reason): Close) {
    let frame = Message::Close(Some(CloseFrame {
        code,
        reason: reason.into(),
    }));
    let goodbye = async {
        socket.send(frame).await?;
        while let Some(Ok(_)) = socket.recv().await {}
        Ok::<(), axum::Error>(())
    };
    let _ = tokio::time::timeout(GOODBYE, goodbye).await;
}

/// Reads a message.
fn hear(message: Option<Result<Message, axum::Error>>, limit: usize) -> Heard {
    match message {
        Some(Ok(Message::Binary(raw))) if raw.len() > limit => Heard::Close(Close::TOO_LARGE),
        Some(Ok(Message::Binary(raw))) => match Frame::decode(&raw) {
            Ok(frame) => Heard::Frame(frame, raw),
            // Stock clients skip what they do not know, and so do we.
            Err(FrameError::Unknown(_)) => Heard::Nothing,
            Err(_) => Heard::Close(Close::INVALID),
        },
        Some(Ok(Message::Text(_))) => Heard::Close(Close::INVALID),
        Some(Ok(Message::Ping(_) | Message::Pong(_))) => Heard::Nothing,
        Some(Ok(Message::Close(_))) | None => Heard::Gone,
        // A message that is larger than anything is not even read.
        Some(Err(_)) => Heard::Close(Close::TOO_LARGE),
    }
}

/// Gives a message to the room when both have room for it. Answers until when to say nothing.
async fn forward(
    way: &Way,
    socket: u64,
    outbox: &Outbox,
    frame: Frame,
    raw: Bytes,
    paces: &mut Paces,
) -> Result<Option<tokio::time::Instant>, Close> {
    let now = Instant::now();
    let said = paces.awareness.take(outbox.take_said(), now);
    let wrote = match frame {
        Frame::Step1(_) | Frame::Step2(_) | Frame::Update(_) | Frame::QueryAwareness => paces.updates.take(1, now),
        // Stock clients send back all awareness they hear; only what the room did not know counts.
        Frame::Awareness(_) | Frame::Denied(_) | Frame::Hello { .. } | Frame::Stored { .. } => Pace::Go,
    };
    let permit = tokio::select! {
        biased;
        permit = way.ready(raw.len()) => permit,
        close = outbox.until_closed() => return Err(close),
    };
    let Some(permit) = permit else {
        return Err(Close::RESYNC);
    };
    let input = Input::Said {
        socket,
        frame,
        raw,
        permit,
    };
    if !way.send(input) {
        return Err(outbox.closed().unwrap_or(Close::RESYNC));
    }
    let wait = match (said, wrote) {
        (Pace::Stop, _) | (_, Pace::Stop) => return Err(Close::TOO_FAST),
        (Pace::Wait(one), Pace::Wait(other)) => one.max(other),
        (Pace::Wait(it), Pace::Go) | (Pace::Go, Pace::Wait(it)) => it,
        (Pace::Go, Pace::Go) => return Ok(None),
    };
    Ok(Some(tokio::time::Instant::now() + wait))
}
