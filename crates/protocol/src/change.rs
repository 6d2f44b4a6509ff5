//! What a turn does to files.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// What happened to one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum ChangeKind {
    /// It is new.
    Add,
    /// Its content differs.
    Update,
    /// It is gone.
    Delete,
}

/// One changed file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct FileChange {
    /// Absolute path; after a move, the new one.
    pub path: String,
    /// What happened.
    pub kind: ChangeKind,
    /// The old path of a moved file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub moved_from: Option<String>,
    /// Lines added.
    pub added: u32,
    /// Lines removed.
    pub removed: u32,
    /// Unified diff without file headers; empty for binary files.
    pub diff: String,
    /// Not text: no diff.
    #[serde(default)]
    pub binary: bool,
    /// The diff was cut because it is very long; the counts are of the whole.
    #[serde(default)]
    pub truncated: bool,
}

/// A file of a turn's changes, with whether it was undone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct TurnChange {
    /// What changed, from before the turn to after it.
    pub change: FileChange,
    /// Its change was taken back.
    pub undone: bool,
    /// The file was edited since by somebody else, so an undo would overwrite that.
    pub modified_since: bool,
}
