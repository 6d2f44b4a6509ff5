//! Files a person hands to a turn.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// How an attachment reaches the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum Delivery {
    /// As an image the model sees.
    Image,
    /// Its text is part of the prompt.
    Inline,
    /// The model is told its path and reads it with tools.
    Path,
}

/// One attached file or folder. A file outside the thread's folder is copied beside the log, never changed in place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Attachment {
    /// File name as the person knows it.
    pub name: String,
    /// Absolute path of what the model will read.
    pub path: String,
    /// Media type, `inode/directory` for a folder.
    pub media_type: String,
    /// Bytes.
    pub size: u64,
    /// How it reaches the model.
    pub delivery: Delivery,
}
