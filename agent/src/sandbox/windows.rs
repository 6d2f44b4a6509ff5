//! Windows: no confinement yet, and it says so. A restricted token keeps a command from writing only where every
//! folder's access list cooperates, which nobody has verified for us on a real machine; so commands that would need a
//! sandbox are refused with a remedy instead of being run with a promise that may not hold.

use protocol::setting::SandboxMode;

use super::{Error, Launcher, Policy, Sandbox, Spawn};

/// The sandbox of Windows.
#[derive(Debug)]
pub struct Restricted {
    _launcher: Launcher,
}

impl Restricted {
    /// The launcher is kept for the stage that a confinement would need.
    #[must_use]
    pub fn new(launcher: Launcher) -> Self {
        Self { _launcher: launcher }
    }
}

impl Sandbox for Restricted {
    fn confine(&self, spawn: Spawn, policy: &Policy) -> Result<Spawn, Error> {
        if policy.mode == SandboxMode::DangerFullAccess {
            return Ok(spawn);
        }
        self.check()?;
        Ok(spawn)
    }

    fn check(&self) -> Result<(), Error> {
        Err(Error::Unavailable {
            why: "commands cannot be confined on Windows yet".to_owned(),
            remedy: "Choose \"full access\" and let every command ask, or run zspark inside WSL.".to_owned(),
        })
    }

    fn describe(&self) -> String {
        "Commands cannot be confined on Windows yet; they ask before they run.".to_owned()
    }
}
