//! Documents that people write together. Their content is Yjs and goes over a websocket of its own; this is what is said
//! about them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::id::{UserId, VersionId};

/// One document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SharedDocument {
    /// Its id: 1 to 128 letters, digits, `_` or `-`, chosen by who made it.
    pub id: String,
    /// Which life of it this is: grows when it is deleted and made again.
    pub epoch: u64,
    /// How many updates it has had.
    pub head_seq: u64,
    /// About what it takes, in bytes.
    pub size: u64,
    /// Who made it.
    pub created_by: UserId,
    /// When.
    pub created_at_ms: u64,
    /// When it last changed.
    pub updated_at_ms: u64,
}

/// One page of documents, by id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DocumentPage {
    /// The documents.
    pub documents: Vec<SharedDocument>,
    /// There are more: ask with `after` = the last id.
    pub more: bool,
}

/// A state of a document that somebody wanted to keep, or that the server kept by itself: once an hour while it changes,
/// thinned out to the newest 24 and the last one of each of 30 days.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DocumentVersion {
    /// Which.
    pub id: VersionId,
    /// What it is called; nothing when the server kept it.
    pub label: String,
    /// In bytes.
    pub size: u64,
    /// Who kept it; nobody when the server did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_by: Option<UserId>,
    /// When.
    pub created_at_ms: u64,
}

/// Keeps the document as it is now under a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewVersion {
    /// 1 to 100 characters.
    pub label: String,
}

/// The versions of a document, newest first: 300 at most.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct VersionList {
    /// The versions.
    pub versions: Vec<DocumentVersion>,
}
