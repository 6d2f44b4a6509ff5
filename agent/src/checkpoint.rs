//! What turns did to files, and the way back. (The interface the engine is written against; EXEC's module takes its place.)

use std::path::PathBuf;

use protocol::change::{FileChange, TurnChange};
use protocol::{Code, Failure, ThreadId, TurnId};

use crate::blob::Blobs;
use crate::home::Home;
use crate::sandbox::Policy;
use crate::tool::Grant;

/// What turns did to files.
#[derive(Clone, Debug)]
pub struct Checkpoints;

/// Why something could not be kept or brought back.
#[derive(Debug, thiserror::Error)]
#[error("checkpoints are not here yet")]
pub struct Error;

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::new(Code::Internal, error.to_string())
    }
}

/// What a turn did.
#[derive(Debug, Default)]
pub struct Finished {
    /// The changes, from before the turn to after it.
    pub changes: Vec<FileChange>,
    /// What is not covered, for the person.
    pub note: Option<Failure>,
}

/// What an undo or redo did.
#[derive(Debug, Default)]
pub struct Reverted {
    /// The turn's changes as they stand now.
    pub changes: Vec<TurnChange>,
    /// The files that were written.
    pub paths: Vec<PathBuf>,
}

#[expect(clippy::unused_async, missing_docs, reason = "the interface only")]
impl Checkpoints {
    #[must_use]
    pub fn new(_: &Home, _: Blobs) -> Self {
        Self
    }
    pub async fn before_command(&self, _: &ThreadId, _: &TurnId, _: &Policy, _: Grant) -> Result<(), Error> {
        Ok(())
    }
    pub async fn before_write(&self, _: &ThreadId, _: &TurnId, _: &[PathBuf]) -> Result<(), Error> {
        Ok(())
    }
    pub async fn finish(&self, _: &ThreadId, _: &TurnId) -> Result<Finished, Error> {
        Ok(Finished::default())
    }
    pub async fn changes(&self, _: &ThreadId, _: Option<&TurnId>) -> Result<Vec<TurnChange>, Error> {
        Ok(Vec::new())
    }
    pub async fn undo(
        &self,
        _: &ThreadId,
        _: &TurnId,
        _paths: Option<Vec<PathBuf>>,
        _hunk: Option<usize>,
        _force: bool,
    ) -> Result<Reverted, Error> {
        Err(Error)
    }
    pub async fn redo(&self, _: &ThreadId, _: &TurnId, _: Option<Vec<PathBuf>>) -> Result<Reverted, Error> {
        Err(Error)
    }
}
