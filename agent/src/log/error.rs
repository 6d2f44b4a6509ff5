//! What can go wrong with the log, and how a person is told.

use std::path::{Path, PathBuf};

use protocol::{Code, Failure, ThreadId, TurnId};

/// Why the log could not do something.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is none of this name.
    #[error("there is no thread {0}")]
    NoSuchThread(ThreadId),
    /// There is one of this name already.
    #[error("there already is a thread {0}")]
    Exists(ThreadId),
    /// Another process writes it.
    #[error("another process works on thread {0}")]
    Busy(ThreadId),
    /// There is no turn of this name.
    #[error("the thread has no turn {0}")]
    NoSuchTurn(TurnId),
    /// A thread must begin with `ThreadStarted`.
    #[error("a thread begins with its start, not with something else")]
    NotAStart,
    /// No room.
    #[error("the disk is full, so nothing was written to {path}")]
    DiskFull {
        /// Where it should have gone.
        path: PathBuf,
        /// The system's word.
        source: std::io::Error,
    },
    /// A file did not do what it should.
    #[error("cannot {what} {path}")]
    Io {
        /// What was tried.
        what: &'static str,
        /// With which file.
        path: PathBuf,
        /// The system's word.
        source: std::io::Error,
    },
    /// The index failed in a way that building it anew does not mend.
    #[error("the index of threads cannot be used")]
    Index(#[source] sqlx::Error),
    /// An event that cannot be JSON: a defect.
    #[error("an event cannot be encoded")]
    Encode(#[source] serde_json::Error),
    /// A task of ours died: a defect.
    #[error("reading the log was cut short")]
    Lost(#[from] tokio::task::JoinError),
}

impl Error {
    pub(super) fn io(what: &'static str, path: &Path, source: std::io::Error) -> Self {
        use std::io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
        let path = path.to_owned();
        if matches!(source.kind(), StorageFull | QuotaExceeded | FileTooLarge) {
            Self::DiskFull { path, source }
        } else {
            Self::Io { what, path, source }
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let details = std::error::Error::source(&error).map(ToString::to_string);
        let failure = match &error {
            Error::NoSuchThread(_) => Self::new(Code::NotFound, "This thread is not here any more.")
                .hint("It may have been deleted, here or by another window."),
            Error::NoSuchTurn(_) => Self::new(Code::NotFound, "This thread has no such turn."),
            Error::Exists(_) => Self::new(Code::Conflict, "There already is such a thread."),
            Error::Busy(_) => Self::new(Code::Conflict, "Another zspark is working on this thread right now.")
                .hint("Wait until it is done, or end it there."),
            Error::NotAStart | Error::Encode(_) | Error::Lost(_) => Self::new(Code::Internal, error.to_string()),
            Error::Index(_) => Self::new(
                Code::StoreDamaged,
                "The index of your threads cannot be used right now.",
            )
            .hint("The threads themselves are safe. Check that the disk has room and the folder can be written."),
            Error::DiskFull { path, .. } => Self::new(
                Code::DiskFull,
                format!(
                    "The disk is full: {} could not be written. Nothing that was there is lost.",
                    path.display()
                ),
            )
            .hint("Make room on the disk, then try again."),
            Error::Io { what, path, .. } => Self::new(
                Code::StoreDamaged,
                format!("zspark could not {what} {}.", path.display()),
            )
            .hint("Check that the folder can be read and written by you."),
        };
        match details {
            Some(details) => failure.details(details),
            None => failure,
        }
    }
}
