//! A Redis of one's own.

use std::sync::Mutex;

use anyhow::Result;

use super::{Daemon, folder, free_port};

/// A running Redis that keeps nothing. Dropping it stops it.
#[derive(Debug)]
pub struct Redis {
    daemon: Mutex<Daemon>,
    port: u16,
}

impl Redis {
    /// Starts one.
    ///
    /// # Errors
    /// Redis is not installed, or does not start.
    pub fn start() -> Result<Self> {
        let folder = folder("redis")?;
        let port = free_port()?;
        let command = [
            "redis-server",
            "--port",
            &port.to_string(),
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--appendonly",
            "no",
        ]
        .map(str::to_owned);
        let daemon = Daemon::start(None, &folder, &command, "Ready to accept connections")?;
        Ok(Self {
            daemon: Mutex::new(daemon),
            port,
        })
    }

    /// Its URL.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Ends it as a crash would.
    ///
    /// # Errors
    /// It does not end.
    pub fn kill(&self) -> Result<()> {
        self.daemon()?.end("kill")
    }

    /// Starts it again on the same port, empty.
    ///
    /// # Errors
    /// It does not start.
    pub fn begin(&self) -> Result<()> {
        self.daemon()?.begin()
    }

    /// Lets it take connections and answer nothing, as a machine that hangs does.
    ///
    /// # Errors
    /// It is gone.
    pub fn pause(&self) -> Result<()> {
        self.daemon()?.pause()
    }

    /// Lets it go on.
    ///
    /// # Errors
    /// It is gone.
    pub fn resume(&self) -> Result<()> {
        self.daemon()?.resume()
    }

    fn daemon(&self) -> Result<std::sync::MutexGuard<'_, Daemon>> {
        self.daemon
            .lock()
            .map_err(|_| anyhow::anyhow!("a test failed while it held the server"))
    }
}
