//! Which file on disk is meant by an artifact of a thread.

use std::path::PathBuf;

use agent::blob::Blobs;
use protocol::artifact::ArtifactRef;
use protocol::request::ArtifactList;
use protocol::{Code, Failure};
use tauri::{AppHandle, Manager};

use crate::host::Host;

/// One version of one artifact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    /// File name.
    pub(crate) name: String,
    /// Media type.
    pub(crate) media_type: String,
    /// SHA-256 of this version.
    pub(crate) hash: String,
    /// The copy of exactly this version.
    pub(crate) kept: PathBuf,
    /// The file in the person's folder; of the newest version only.
    pub(crate) living: Option<PathBuf>,
}

/// Looks it up.
pub(crate) async fn find(app: &AppHandle, wanted: &ArtifactRef) -> Result<Found, Failure> {
    let host = app.state::<Host>();
    let thread_id = wanted.thread_id.clone();
    let entries = host.engine().await?.ask(ArtifactList { thread_id }).await?.0;
    let gone = || Failure::new(Code::NotFound, "This file is no longer among the thread's files.");
    let entry = entries
        .into_iter()
        .find(|it| it.artifact.id == wanted.artifact_id)
        .ok_or_else(gone)?;
    let newest = entry.artifact.version;
    let version = wanted.version.unwrap_or(newest);
    let hash = entry
        .versions
        .into_iter()
        .find(|it| it.version == version)
        .map(|it| it.hash)
        .ok_or_else(gone)?;
    Ok(Found {
        name: entry.artifact.name,
        media_type: entry.artifact.media_type,
        kept: Blobs::new(host.home()).path(&hash).ok_or_else(gone)?,
        hash,
        living: (version == newest).then(|| PathBuf::from(entry.artifact.path)),
    })
}
