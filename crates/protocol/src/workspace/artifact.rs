//! Shared files.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::id::{ArtifactId, ThreadId, UploadId, UserId};

/// A file that people in a workspace share. A new version keeps the id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SharedArtifact {
    /// Its id.
    pub id: ArtifactId,
    /// The thread it comes from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thread_id: Option<ThreadId>,
    /// Its name, without folders.
    pub name: String,
    /// From a list of known ones, else `application/octet-stream`.
    pub media_type: String,
    /// The newest version: 1, 2 …
    pub version: u64,
    /// Of the newest version, in bytes.
    pub size: u64,
    /// SHA-256 of the newest version, in hex.
    pub sha256: String,
    /// Who uploaded the newest version.
    pub created_by: UserId,
    /// When.
    pub created_at_ms: u64,
}

/// Begins an upload, which reserves room for all of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewUpload {
    /// The file's name, without folders.
    pub name: String,
    /// In bytes.
    pub size: u64,
    /// SHA-256 of the whole, in hex; checked at the end.
    pub sha256: String,
    /// What the client takes it for.
    #[serde(default)]
    pub media_type: Option<String>,
    /// The thread it comes from.
    #[serde(default)]
    pub thread_id: Option<ThreadId>,
    /// The artifact of which it is a new version.
    #[serde(default)]
    pub artifact_id: Option<ArtifactId>,
}

/// An upload that is under way. Bytes are sent by `PUT …/uploads/{id}?offset=N`; after a break, ask where to go on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Upload {
    /// Which.
    pub id: UploadId,
    /// So many bytes are there.
    pub offset: u64,
    /// Of so many.
    pub size: u64,
    /// Until when it can be gone on with.
    pub expires_at_ms: u64,
    /// What it became, once all bytes are there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact: Option<SharedArtifact>,
}
