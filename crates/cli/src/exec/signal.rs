//! Signals that end a run: the first one stops the turn, and what was done is kept.

use protocol::{Code, Failure};

/// Exit code when nobody reads stdout: what the shell shows for a program that SIGPIPE ended.
pub(super) const BROKEN_PIPE: u8 = 141;

/// The signals, listened to from now on.
pub(super) struct Signals {
    #[cfg(unix)]
    hangup: tokio::signal::unix::Signal,
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(windows)]
    interrupt: tokio::signal::windows::CtrlC,
}

impl Signals {
    pub(super) fn listen() -> Result<Self, Failure> {
        Self::new()
            .map_err(|error| Failure::new(Code::Internal, "signals cannot be listened to").details(error.to_string()))
    }

    #[cfg(unix)]
    fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            hangup: signal(SignalKind::hangup())?,
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    #[cfg(windows)]
    fn new() -> std::io::Result<Self> {
        Ok(Self {
            interrupt: tokio::signal::windows::ctrl_c()?,
        })
    }

    /// Waits for the next one; gives the exit code that stands for it.
    #[cfg(unix)]
    pub(super) async fn next(&mut self) -> u8 {
        tokio::select! {
            _ = self.hangup.recv() => 129,
            _ = self.interrupt.recv() => 130,
            _ = self.terminate.recv() => 143,
        }
    }

    /// Waits for the next one; gives the exit code that stands for it.
    #[cfg(windows)]
    pub(super) async fn next(&mut self) -> u8 {
        let _ = self.interrupt.recv().await;
        130
    }
}
