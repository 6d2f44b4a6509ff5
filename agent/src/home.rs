//! Where zspark keeps things: the layout of `$ZSPARK_HOME`. Knows paths, not contents.

use std::path::{Path, PathBuf};

/// The folder that holds configuration and all data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Home {
    root: PathBuf,
    /// Where threads and what belongs to them are kept, when that is not the root.
    data: Option<PathBuf>,
}

impl Home {
    /// The home at `root`, which need not exist yet.
    #[must_use]
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self {
            root: root.into(),
            data: None,
        }
    }

    /// The same home with its threads, outputs and checkpoints in another folder: threads that must leave no trace.
    /// Configuration, keys and rules stay.
    #[must_use]
    pub fn with_data(self, folder: impl Into<PathBuf>) -> Self {
        Self {
            data: Some(folder.into()),
            ..self
        }
    }

    /// Creates the folders, readable by its owner only.
    ///
    /// # Errors
    /// When a folder cannot be made.
    pub fn prepare(&self) -> std::io::Result<()> {
        let mut builder = std::fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        for folder in [self.root.as_path(), self.data()] {
            builder.create(folder).map_err(|error| {
                // The system only says that something of that name exists.
                if folder.exists() && !folder.is_dir() {
                    let message = format!("{} is a file, and a folder is needed there", folder.display());
                    std::io::Error::new(std::io::ErrorKind::NotADirectory, message)
                } else {
                    error
                }
            })?;
        }
        Ok(())
    }

    /// The folder itself.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// `config.toml`.
    #[must_use]
    pub fn config(&self) -> PathBuf {
        self.root.join("config.toml")
    }

    /// Rollouts: one append-only JSONL file a thread. The truth.
    #[must_use]
    pub fn threads(&self) -> PathBuf {
        self.data().join("threads")
    }

    /// Deleted threads, until they are emptied by hand.
    #[must_use]
    pub fn bin(&self) -> PathBuf {
        self.data().join("bin")
    }

    /// The rebuildable projection of all rollouts.
    #[must_use]
    pub fn index(&self) -> PathBuf {
        self.data().join("index.sqlite")
    }

    /// Rules and other state that is in no log.
    #[must_use]
    pub fn state(&self) -> PathBuf {
        self.root.join("state.sqlite")
    }

    /// Large contents by SHA-256, and outputs that still grow.
    #[must_use]
    pub fn blobs(&self) -> PathBuf {
        self.data().join("blobs")
    }

    /// What turns did to files.
    #[must_use]
    pub fn checkpoints(&self) -> PathBuf {
        self.data().join("checkpoints")
    }

    /// Copies of attached files.
    #[must_use]
    pub fn attachments(&self) -> PathBuf {
        self.data().join("attachments")
    }

    /// The program's own diagnostics.
    #[must_use]
    pub fn logs(&self) -> PathBuf {
        self.root.join("logs")
    }

    fn data(&self) -> &Path {
        self.data.as_deref().unwrap_or(&self.root)
    }
}
