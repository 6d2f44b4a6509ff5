//! Writing to one client and hearing it: who takes nothing for too long is closed, and why is said in the close frame,
//! where a browser can read it.

use std::time::Duration;

use axum::Error;
use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket};
use protocol::workspace::live::ServerFrame;
use protocol::workspace::problem::ProblemCode;
use tokio::time::{Instant, timeout};

use crate::problem::Refusal;

/// Why a socket ends. Codes from 4400 to 4499 mean that coming back is of no use as things are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Close {
    /// None: there is nobody to tell.
    code: Option<u16>,
    reason: String,
    slow: bool,
}

impl Close {
    fn new(code: u16, reason: impl Into<String>) -> Self {
        Self {
            code: Some(code),
            reason: reason.into(),
            slow: false,
        }
    }

    /// The client is gone.
    pub(super) fn gone() -> Self {
        Self {
            code: None,
            reason: String::new(),
            slow: false,
        }
    }

    fn slow() -> Self {
        Self {
            slow: true,
            ..Self::gone()
        }
    }

    pub(super) fn unauthenticated(reason: &str) -> Self {
        Self::new(4401, reason)
    }

    pub(super) fn forbidden(reason: &str) -> Self {
        Self::new(4403, reason)
    }

    pub(super) fn too_many() -> Self {
        Self::new(1013, "too many sockets of this person")
    }

    fn too_large() -> Self {
        Self::new(1009, "the message is too large")
    }

    /// The node ends. Not all shall come back at once.
    pub(super) fn restart() -> Self {
        let wait_ms = 200 + rand::random_range(0..3000);
        Self::new(1012, format!("{{\"retry_after_ms\":{wait_ms}}}"))
    }

    /// For a refusal of the gate's.
    pub(super) fn of(Refusal(problem): &Refusal) -> Self {
        let code = match problem.code {
            ProblemCode::Unauthenticated => 4401,
            ProblemCode::Forbidden => 4403,
            ProblemCode::NotFound => 4404,
            ProblemCode::InvalidRequest
            | ProblemCode::Conflict
            | ProblemCode::Fenced
            | ProblemCode::Gap
            | ProblemCode::EpochChanged
            | ProblemCode::TooLarge
            | ProblemCode::QuotaExceeded => 4400,
            ProblemCode::TooSlow | ProblemCode::RateLimited | ProblemCode::Unavailable => 1013,
            ProblemCode::Internal => 1011,
        };
        Self::new(code, problem.message.clone())
    }

    pub(super) fn is_slow(&self) -> bool {
        self.slow
    }

    fn frame(&self) -> Option<CloseFrame> {
        let mut reason = self.reason.clone();
        // A close frame holds 123 bytes of it.
        while reason.len() > 123 {
            reason.pop();
        }
        Some(CloseFrame {
            code: self.code?,
            reason: reason.into(),
        })
    }
}

/// One client's end of the socket.
#[derive(Debug)]
pub(super) struct Pen {
    socket: WebSocket,
    heard: Instant,
    patience: Duration,
}

impl Pen {
    pub(super) fn new(socket: WebSocket, patience: Duration) -> Self {
        Self {
            socket,
            heard: Instant::now(),
            patience,
        }
    }

    /// When the client was last heard.
    pub(super) fn heard(&self) -> Instant {
        self.heard
    }

    /// For how long the client has said nothing.
    pub(super) fn silence(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.heard)
    }

    /// The next message; none when the client is gone.
    pub(super) async fn read(&mut self) -> Result<Option<Message>, Close> {
        let Some(message) = self.socket.recv().await else {
            return Ok(None);
        };
        self.heard = Instant::now();
        message.map(Some).map_err(|error| {
            if is_too_large(error) {
                Close::too_large()
            } else {
                Close::gone()
            }
        })
    }

    pub(super) async fn write(&mut self, frame: &ServerFrame) -> Result<(), Close> {
        match serde_json::to_string(frame) {
            Ok(text) => self.pass(text.into()).await,
            Err(error) => {
                tracing::error!(%error, "a frame cannot be written");
                Ok(())
            }
        }
    }

    /// Writes what was made into bytes before.
    pub(super) async fn pass(&mut self, text: Utf8Bytes) -> Result<(), Close> {
        self.send(Message::Text(text)).await
    }

    pub(super) async fn ping(&mut self) -> Result<(), Close> {
        self.send(Message::Ping(Vec::new().into())).await
    }

    async fn send(&mut self, message: Message) -> Result<(), Close> {
        let begun = Instant::now();
        let sent = timeout(self.patience, self.socket.send(message)).await;
        // While the client was waited for, nobody listened to it.
        self.heard += begun.elapsed();
        match sent {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(Close::gone()),
            Err(_) => Err(Close::slow()),
        }
    }

    /// Says why, and waits a moment for the client to hear it.
    pub(super) async fn close(mut self, close: Close) {
        let Some(frame) = close.frame() else { return };
        let said = async {
            self.socket.send(Message::Close(Some(frame))).await?;
            // Bytes that nobody read would make the other side lose the close frame.
            while let Some(Ok(_)) = self.socket.recv().await {}
            Ok::<(), Error>(())
        };
        // Whoever does not hear it in a second is gone anyway.
        let _ = timeout(Duration::from_secs(1), said).await;
    }
}

fn is_too_large(error: Error) -> bool {
    let inner = error.into_inner();
    // axum does not name the type it wraps.
    inner.to_string().starts_with("Space limit exceeded")
}
