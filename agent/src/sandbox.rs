//! What a command may touch: the policy, and the seam that enforces it.

use std::path::PathBuf;

use protocol::setting::SandboxMode;

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
}
