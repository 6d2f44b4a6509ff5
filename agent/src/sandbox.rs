//! What a command may touch: the policy, and the seam that enforces it. A sandbox that cannot start is an error,
//! never a run without one.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use protocol::failure::{Code, Failure};
use protocol::setting::SandboxMode;

#[cfg(target_os = "linux")]
pub mod linux;
pub mod macos;
#[cfg(unix)]
mod unix;
#[cfg(windows)]
pub mod windows;

/// Names below a writable root that stay read-only, whether they exist or not: whoever could write them could have
/// code run outside the sandbox later.
pub const PROTECTED: [&str; 3] = [".git", ".zspark", ".codex"];

/// What a command may touch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// The mode.
    pub mode: SandboxMode,
    /// The thread's folder.
    pub cwd: PathBuf,
    /// Further folders that may be written in `workspace-write`.
    pub writable_roots: Vec<PathBuf>,
    /// Network is allowed in `workspace-write`.
    pub network: bool,
    /// The temporary folders that may be written in `workspace-write`.
    pub temporary: Temporary,
}

/// Which temporary folders commands may write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Temporary {
    /// `/tmp`.
    pub slash_tmp: bool,
    /// What `TMPDIR` names.
    pub tmpdir: bool,
}

impl Default for Temporary {
    fn default() -> Self {
        Self {
            slash_tmp: true,
            tmpdir: true,
        }
    }
}

impl Temporary {
    /// The folders, for a command with this environment; they need not exist.
    pub(crate) fn folders<'a>(&self, env: &'a BTreeMap<String, String>) -> impl Iterator<Item = &'a str> {
        let slash_tmp = self.slash_tmp.then_some("/tmp");
        let tmpdir = env.get("TMPDIR").map(String::as_str).filter(|_| self.tmpdir);
        slash_tmp.into_iter().chain(tmpdir)
    }
}

impl Policy {
    /// Commands may reach the network.
    #[must_use]
    pub fn network_allowed(&self) -> bool {
        match self.mode {
            SandboxMode::ReadOnly => false,
            SandboxMode::WorkspaceWrite => self.network,
            SandboxMode::DangerFullAccess => true,
        }
    }

    /// The folders that may be written, without the temporary ones.
    #[must_use]
    pub fn roots(&self) -> Vec<PathBuf> {
        match self.mode {
            SandboxMode::ReadOnly => Vec::new(),
            SandboxMode::WorkspaceWrite => std::iter::once(&self.cwd)
                .chain(&self.writable_roots)
                .cloned()
                .collect(),
            SandboxMode::DangerFullAccess => vec![PathBuf::from("/")],
        }
    }

    /// Whether `path` (absolute, without `..`, symbolic links looked through) may be written without asking.
    #[must_use]
    pub fn may_write(&self, path: &Path) -> bool {
        if self.mode == SandboxMode::DangerFullAccess {
            return true;
        }
        let roots = self.roots();
        let real = roots.iter().filter_map(|it| it.canonicalize().ok());
        let below: Vec<_> = roots
            .iter()
            .cloned()
            .chain(real)
            .filter_map(|root| path.strip_prefix(root).ok().map(Path::to_owned))
            .collect();
        // One root may lie in another: what is protected in one stays so.
        !below.is_empty() && !below.iter().any(|it| protected(it))
    }
}

/// The path, relative to a root, is one of the protected names or below one.
fn protected(relative: &Path) -> bool {
    let first = relative.components().next();
    first.is_some_and(|first| PROTECTED.iter().any(|it| first.as_os_str().eq_ignore_ascii_case(it)))
}

/// A program about to be started, with everything it gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spawn {
    /// Absolute path, or a name looked up in `PATH`.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<OsString>,
    /// Absolute folder.
    pub cwd: PathBuf,
    /// The whole environment: nothing is inherited.
    pub env: BTreeMap<String, String>,
    /// The program ends all its descendants by itself when it is asked to end (`SIGTERM`) or when zspark is gone.
    pub supervised: bool,
}

/// The program that can become the sandbox stage: one whose `main` begins with [`run_if_asked`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Launcher {
    /// Absolute path. Best a small program: it is started once for every sandboxed command.
    pub exe: PathBuf,
}

/// Why a command could not be confined. Nothing was run.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// This machine cannot confine commands.
    #[error("the sandbox cannot start on this machine: {why}")]
    Unavailable {
        /// What is missing.
        why: String,
        /// What the person can do.
        remedy: String,
    },
    /// A folder of the policy cannot be used.
    #[error("cannot use {path} as a writable folder: {source}")]
    Root {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The program that would become the sandbox cannot be started.
    #[error("cannot start the sandbox program {path}: {source}")]
    Launcher {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let hint = match &error {
            Error::Unavailable { remedy, .. } => remedy.clone(),
            Error::Root { .. } => {
                "Choose another folder, or remove it from the writable folders in the settings.".into()
            }
            Error::Launcher { .. } => "Install zspark again: a part of it is missing.".into(),
        };
        Failure::new(Code::SandboxUnavailable, error.to_string()).hint(hint)
    }
}

/// Makes commands obey a policy.
pub trait Sandbox: Send + Sync {
    /// The command that runs `spawn` under `policy`. `danger-full-access` gives it back as it is.
    ///
    /// # Errors
    /// When the policy cannot be enforced.
    fn confine(&self, spawn: Spawn, policy: &Policy) -> Result<Spawn, Error>;

    /// Whether commands can be confined here at all.
    ///
    /// # Errors
    /// When they cannot, with the remedy.
    fn check(&self) -> Result<(), Error>;

    /// What is in force here, in a sentence, for the doctor.
    fn describe(&self) -> String;
}

/// The sandbox of this operating system.
#[must_use]
pub fn system(launcher: Launcher) -> Box<dyn Sandbox> {
    #[cfg(target_os = "linux")]
    return Box::new(linux::Linux::new(launcher));
    #[cfg(target_os = "macos")]
    return Box::new(macos::Seatbelt::new(launcher));
    #[cfg(windows)]
    return Box::new(windows::Restricted::new(launcher));
}

/// Runs commands as they are. For tests, and for machines that are a sandbox themselves.
#[derive(Debug, Clone, Copy)]
pub struct Unconfined;

impl Sandbox for Unconfined {
    fn confine(&self, spawn: Spawn, _: &Policy) -> Result<Spawn, Error> {
        Ok(spawn)
    }

    fn check(&self) -> Result<(), Error> {
        Ok(())
    }

    fn describe(&self) -> String {
        "Commands run without a sandbox.".to_owned()
    }
}

/// The first line of every `main`: when this process was started as the sandbox stage, confines itself, runs the
/// command and exits. Otherwise returns at once, having done nothing.
pub fn run_if_asked() {
    #[cfg(target_os = "linux")]
    linux::stage::run_if_asked();
}

#[cfg(unix)]
pub use unix::detach;

#[cfg(test)]
mod tests;
