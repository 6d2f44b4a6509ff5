//! Files the agent makes that people open.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::id::{ArtifactId, ThreadId, TurnId};

/// One version of one file that a turn created or changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Artifact {
    /// The same over all versions of one path in a thread.
    pub id: ArtifactId,
    /// File name.
    pub name: String,
    /// Absolute path of the living file.
    pub path: String,
    /// Media type.
    pub media_type: String,
    /// Bytes of this version.
    pub size: u64,
    /// SHA-256 of this version, lower-case hex; also the name of its kept copy.
    pub hash: String,
    /// 1, 2, 3 …
    pub version: u32,
}

/// Which version of which artifact.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ArtifactRef {
    /// The thread that made it.
    pub thread_id: ThreadId,
    /// The artifact.
    pub artifact_id: ArtifactId,
    /// The newest when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub version: Option<u32>,
}

/// An artifact in a list, with where it came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ArtifactEntry {
    /// The newest version.
    pub artifact: Artifact,
    /// All versions, oldest first.
    pub versions: Vec<ArtifactVersion>,
}

/// One version in a list of versions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ArtifactVersion {
    /// 1, 2, 3 …
    pub version: u32,
    /// The turn that made it.
    pub turn_id: TurnId,
    /// Bytes.
    pub size: u64,
    /// SHA-256, lower-case hex.
    pub hash: String,
    /// Milliseconds since the epoch.
    pub at_ms: u64,
}
