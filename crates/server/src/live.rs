//! The live socket: one for each client, JSON both ways. One task serves it, and it is the client that sets the pace: the
//! next frame is looked for when the last one was taken, so nothing piles up for a slow one and nothing is lost.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::{Message, WebSocket};
use axum::http::{HeaderMap, HeaderName, Uri, header};
use protocol::id::DeviceId;
use protocol::workspace::live::{ClientFrame, ServerFrame};
use protocol::workspace::problem::{Problem, ProblemCode};
use tokio::time::{Instant, sleep_until, timeout};

use crate::app::App;
use crate::auth::development;
use crate::follow::Ear;
use crate::gate::socket::{has_credentials, parameter, socket_holder};
use crate::gate::ticket::{Holder, Purpose};
use crate::gate::{Caller, caller, refused};
use crate::problem::Answer;

mod ask;
mod due;
mod following;
mod pen;

use following::Following;
use pen::{Close, Pen};

/// What a client's message may have at most, in bytes: a full batch, with room for how JSON writes it.
pub(crate) const MESSAGE_BYTES: usize = 4 * 1024 * 1024;

/// How somebody came.
#[derive(Debug)]
pub(crate) struct Arrival {
    pub(crate) headers: HeaderMap,
    pub(crate) uri: Uri,
    pub(crate) address: IpAddr,
}

/// Serves one socket to its end.
pub(crate) async fn serve(app: App, arrival: Arrival, socket: WebSocket, pending: crate::sockets::Counted<IpAddr>) {
    let mut pen = Pen::new(socket, app.config.rhythm.dead);
    let stopping = app.sockets.stopping();
    let admitted = tokio::select! {
        () = stopping.cancelled() => Err(Close::restart()),
        admitted = timeout(app.config.rhythm.authenticate, admit(&app, &arrival, &mut pen)) => {
            admitted.unwrap_or_else(|_| Err(Close::unauthenticated("nobody signed in, in time")))
        }
    };
    drop(pending);
    let close = match admitted {
        Ok(holder) => match app.sockets.sit(&holder.caller.user) {
            Some(_seat) => {
                app.metrics.live_sockets.inc();
                let device = holder.device.or_else(|| {
                    parameter(&arrival.uri, "device_id")
                        .filter(|it| is_device(it))
                        .map(DeviceId)
                });
                let mut live = Live::new(app.clone(), holder.caller, device, pen);
                let close = live.run().await;
                app.metrics.live_sockets.dec();
                if close.is_slow() {
                    app.metrics.slow_sockets.inc();
                }
                live.pen.close(close).await;
                return;
            }
            None => Close::too_many(),
        },
        Err(close) => close,
    };
    pen.close(close).await;
}

/// Who it is: by the request's credentials, or by the first frame when the request has none.
async fn admit(app: &App, arrival: &Arrival, pen: &mut Pen) -> Result<Holder, Close> {
    if has_credentials(&arrival.headers, &arrival.uri) {
        let holder = socket_holder(app, &arrival.headers, &arrival.uri, arrival.address, &Purpose::Live).await;
        return holder.map_err(|it| Close::of(&it));
    }
    match pen.read().await? {
        Some(Message::Text(text)) => match serde_json::from_str(&text) {
            Ok(ClientFrame::Authenticate { token }) => {
                // As if it had come with the request: the same limits, and the same notes of what was refused.
                let mut headers = HeaderMap::new();
                for (name, value) in [
                    (header::AUTHORIZATION, format!("Bearer {token}")),
                    (HeaderName::from_static(development::HEADER), token),
                ] {
                    let value = value.parse().map_err(|_| Close::unauthenticated("this is no token"))?;
                    headers.insert(name, value);
                }
                let caller = caller(app, &headers, arrival.address).await;
                caller
                    .map(|caller| Holder { caller, device: None })
                    .map_err(|it| Close::of(&it))
            }
            _ => Err(Close::unauthenticated("the first frame must authenticate")),
        },
        Some(_) => Err(Close::unauthenticated("the first frame must authenticate")),
        None => Err(Close::gone()),
    }
}

/// One client's socket.
#[derive(Debug)]
struct Live {
    app: App,
    caller: Caller,
    /// The client's name for itself; the socket's own when it gave none.
    device: DeviceId,
    /// Which socket of this node.
    number: u64,
    ear: Arc<Ear>,
    following: Following,
    pen: Pen,
    hours: Hours,
}

/// When what is due.
#[derive(Debug)]
struct Hours {
    ping: Instant,
    head: Instant,
    recheck: Instant,
    /// When to ask the database again, which refused.
    retry: Option<Instant>,
    /// When the credentials are to be renewed, by the server's clock.
    renew_at_ms: Option<u64>,
    /// And when they have ended.
    end_at_ms: Option<u64>,
}

impl Live {
    fn new(app: App, caller: Caller, device: Option<DeviceId>, pen: Pen) -> Self {
        let ear = Arc::new(Ear::new(caller.user.clone()));
        let rhythm = &app.config.rhythm;
        let now = Instant::now();
        let hours = Hours {
            ping: now + rhythm.heartbeat,
            head: now + rhythm.heartbeat,
            recheck: now + rhythm.recheck,
            retry: None,
            renew_at_ms: None,
            end_at_ms: None,
        };
        let number = rand::random();
        let mut live = Self {
            following: Following::new(app.clone(), ear.clone(), number),
            device: device.unwrap_or_default(),
            number,
            app,
            caller,
            ear,
            pen,
            hours,
        };
        live.set_hours();
        live
    }

    /// Until the client leaves, or must.
    async fn run(&mut self) -> Close {
        let hello = ServerFrame::Hello {
            user_id: self.caller.user.clone(),
            now_ms: self.app.clock.now_ms(),
            expires_at_ms: self.caller.verified.expires_at_ms,
        };
        if let Err(close) = self.pen.write(&hello).await {
            return close;
        }
        let stopping = self.app.sockets.stopping();
        loop {
            // Whatever is due goes out before anything new is heard: a client that asks and does not read asks no more.
            let close = tokio::select! {
                () = stopping.cancelled() => Err(Close::restart()),
                done = self.settle() => done,
            };
            if let Err(close) = close {
                return close;
            }
            let next = self.next_hour();
            let ear = self.ear.clone();
            let done = tokio::select! {
                biased;
                () = stopping.cancelled() => Err(Close::restart()),
                () = ear.woken() => Ok(()),
                message = self.pen.read() => match message {
                    Ok(Some(message)) => self.hear(message).await,
                    Ok(None) => Err(Close::gone()),
                    Err(close) => Err(close),
                },
                () = sleep_until(next) => self.strike().await,
            };
            if let Err(close) = done {
                return close;
            }
        }
    }

    async fn hear(&mut self, message: Message) -> Result<(), Close> {
        match message {
            Message::Text(text) => match serde_json::from_str::<ClientFrame>(&text) {
                Ok(frame) => self.obey(frame).await,
                Err(error) => {
                    let problem = Problem::new(ProblemCode::InvalidRequest, "This is no frame that is known here.")
                        .fact("at", format!("line {} column {}", error.line(), error.column()));
                    self.refuse(None, None, problem).await
                }
            },
            Message::Binary(_) => {
                let problem = Problem::new(ProblemCode::InvalidRequest, "Frames are text here.");
                self.refuse(None, None, problem).await
            }
            Message::Ping(_) | Message::Pong(_) => Ok(()),
            Message::Close(_) => Err(Close::gone()),
        }
    }

    /// Does what the clock asks for.
    async fn strike(&mut self) -> Result<(), Close> {
        let rhythm = self.app.config.rhythm.clone();
        let now = Instant::now();
        let now_ms = self.app.clock.now_ms();
        if self.hours.end_at_ms.is_some_and(|it| it <= now_ms) {
            return Err(Close::unauthenticated("the token has ended"));
        }
        if self.hours.retry.is_some_and(|it| it <= now) {
            self.hours.retry = None;
        }
        if self.pen.silence(now) >= rhythm.dead {
            return Err(Close::gone());
        }
        if self.hours.renew_at_ms.is_some_and(|it| it <= now_ms) {
            self.hours.renew_at_ms = None;
            if let Some(expires_at_ms) = self.caller.verified.expires_at_ms {
                self.pen.write(&ServerFrame::Reauthenticate { expires_at_ms }).await?;
            }
        }
        if self.hours.ping <= now {
            self.hours.ping = now + rhythm.heartbeat;
            self.pen.ping().await?;
        }
        if self.hours.head <= now {
            self.hours.head = now + rhythm.heartbeat;
            for head in self.following.heads() {
                self.pen.write(&head).await?;
            }
        }
        if self.hours.recheck <= now {
            self.hours.recheck = now + rhythm.recheck;
            self.following.recheck();
        }
        Ok(())
    }

    fn next_hour(&self) -> Instant {
        let now = Instant::now();
        if self.is_busy() {
            return now;
        }
        let now_ms = self.app.clock.now_ms();
        let clocks = [self.hours.renew_at_ms, self.hours.end_at_ms];
        let by_clock = clocks
            .into_iter()
            .flatten()
            .map(|it| now + Duration::from_millis(it.saturating_sub(now_ms)));
        let dead = self.pen.heard() + self.app.config.rhythm.dead;
        [self.hours.ping, self.hours.head, self.hours.recheck]
            .into_iter()
            .chain(self.hours.retry)
            .chain(by_clock)
            .fold(dead, Instant::min)
    }

    /// From the credentials: asked for new ones when four fifths of what is left have passed.
    fn set_hours(&mut self) {
        let now_ms = self.app.clock.now_ms();
        let skew_ms = self.app.config.auth.clock_skew_s.saturating_mul(1000);
        let end = self.caller.verified.expires_at_ms;
        self.hours.renew_at_ms = end.map(|it| now_ms + it.saturating_sub(now_ms) / 5 * 4);
        self.hours.end_at_ms = end.map(|it| it.saturating_add(skew_ms));
    }

    /// A fresh token of the same person.
    async fn authenticate(&mut self, token: &str) -> Result<(), Close> {
        let verified = match self.app.identity.of_token(token).await {
            Ok(verified) => verified,
            // The old one is still good; who has nothing better is closed when it ends.
            Err(denied) => {
                let refusal = refused(&self.app, denied, self.caller.address).await;
                return self.refuse(None, None, refusal.0).await;
            }
        };
        let person = |it: &crate::auth::Verified| (it.cloud.clone(), it.tid.clone(), it.oid.clone());
        if person(&verified) != person(&self.caller.verified) {
            return Err(Close::forbidden("the token is another person's"));
        }
        self.caller.verified = verified;
        self.set_hours();
        // Groups and roles may be others now.
        self.following.recheck();
        let hello = ServerFrame::Hello {
            user_id: self.caller.user.clone(),
            now_ms: self.app.clock.now_ms(),
            expires_at_ms: self.caller.verified.expires_at_ms,
        };
        self.pen.write(&hello).await
    }
}

/// Names of devices, as clients give them.
fn is_device(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text
            .bytes()
            .all(|it| it.is_ascii_alphanumeric() || it == b'-' || it == b'_')
}

/// What the database refused, when that shall not end the socket.
fn problem<T>(answer: Answer<T>) -> Result<T, Problem> {
    answer.map_err(|it| it.0)
}
