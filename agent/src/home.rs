//! Where zspark keeps things: the layout of `$ZSPARK_HOME`. Knows paths, not contents.

use std::path::{Path, PathBuf};

/// The folder that holds configuration and all data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Home(PathBuf);

impl Home {
    /// The home at `root`, which need not exist yet.
    #[must_use]
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self(root.into())
    }

    /// Creates the folder, readable by its owner only.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub fn prepare(&self) -> std::io::Result<()> {
        let mut builder = std::fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&self.0)
    }

    /// The folder itself.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.0
    }

    /// `config.toml`.
    #[must_use]
    pub fn config(&self) -> PathBuf {
        self.0.join("config.toml")
    }

    /// Rollouts: one append-only JSONL file a thread. The truth.
    #[must_use]
    pub fn threads(&self) -> PathBuf {
        self.0.join("threads")
    }

    /// Deleted threads, until they are emptied by hand.
    #[must_use]
    pub fn bin(&self) -> PathBuf {
        self.0.join("bin")
    }

    /// The rebuildable projection of all rollouts.
    #[must_use]
    pub fn index(&self) -> PathBuf {
        self.0.join("index.sqlite")
    }

    /// Rules and other state that is in no log.
    #[must_use]
    pub fn state(&self) -> PathBuf {
        self.0.join("state.sqlite")
    }

    /// Large contents by SHA-256, and outputs that still grow.
    #[must_use]
    pub fn blobs(&self) -> PathBuf {
        self.0.join("blobs")
    }

    /// What turns did to files.
    #[must_use]
    pub fn checkpoints(&self) -> PathBuf {
        self.0.join("checkpoints")
    }

    /// Copies of attached files.
    #[must_use]
    pub fn attachments(&self) -> PathBuf {
        self.0.join("attachments")
    }

    /// The program's own diagnostics.
    #[must_use]
    pub fn logs(&self) -> PathBuf {
        self.0.join("logs")
    }
}
