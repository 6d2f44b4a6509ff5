//! Which changed files are for people, and their kept versions. (The interface the engine is written against; EXEC's module takes its place.)

use std::path::Path;

use protocol::artifact::{Artifact, ArtifactEntry};
use protocol::change::FileChange;
use protocol::request::ArtifactText;
use protocol::{Code, Failure};

use crate::blob::Blobs;

#[expect(clippy::unused_async, missing_docs, reason = "the interface only")]
pub async fn found(_: &[FileChange], _: &[ArtifactEntry], _: &Blobs) -> Vec<Artifact> {
    Vec::new()
}
#[expect(clippy::unused_async, missing_docs, reason = "the interface only")]
pub async fn read(_: &Blobs, _: &Artifact, _limit: u64) -> Result<ArtifactText, Failure> {
    Err(Failure::new(Code::Internal, "not here yet"))
}
#[expect(clippy::unused_async, missing_docs, reason = "the interface only")]
pub async fn save(_: &Blobs, _: &Artifact, _to: &Path) -> Result<(), Failure> {
    Err(Failure::new(Code::Internal, "not here yet"))
}
