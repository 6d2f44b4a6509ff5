//! What only a window can do: dialogs, opening things with other programs, notifications.
//!
//! The same shape as [`crate::request`], answered by the desktop shell (or refused by surfaces without a window).

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::artifact::ArtifactRef;

/// A request to the window: `{"method": "host/pickFolder", "params": {…}}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "method", content = "params", rename_all_fields = "camelCase")]
pub enum HostRequest {
    /// What this window is. Answer: [`HostInfo`].
    #[serde(rename = "host/info")]
    Info {},
    /// Lets the person pick a folder. Answer: its absolute path, or null.
    #[serde(rename = "host/pickFolder")]
    PickFolder {},
    /// Lets the person pick files. Answer: absolute paths.
    #[serde(rename = "host/pickFiles")]
    PickFiles {},
    /// Lets the person pick where to save a file. Answer: an absolute path, or null.
    #[serde(rename = "host/pickSave")]
    PickSave {
        /// Proposed file name.
        name: String,
    },
    /// Opens an artifact with the program the system has for it.
    #[serde(rename = "host/openArtifact")]
    OpenArtifact {
        /// Which.
        artifact: ArtifactRef,
    },
    /// Shows an artifact in the file manager.
    #[serde(rename = "host/revealArtifact")]
    RevealArtifact {
        /// Which.
        artifact: ArtifactRef,
    },
    /// Opens a folder that a thread works in, in the file manager.
    #[serde(rename = "host/openFolder")]
    OpenFolder {
        /// Absolute folder.
        cwd: String,
    },
    /// Opens a web address in the person's browser. Only `http`, `https` and `mailto`.
    #[serde(rename = "host/openUrl")]
    OpenUrl {
        /// The address.
        url: String,
    },
    /// Makes an address from which a frame or an image may load one artifact. Answer: [`Preview`].
    #[serde(rename = "host/preview")]
    Preview {
        /// Which.
        artifact: ArtifactRef,
    },
    /// The page is drawn: the window may show itself.
    #[serde(rename = "host/ready")]
    Ready {},
}

/// What the window is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct HostInfo {
    /// zspark's version.
    pub version: String,
    /// `linux`, `macos` or `windows`.
    pub platform: String,
    /// The system's language, a BCP 47 tag.
    pub locale: String,
    /// The folder given on the command line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub folder: Option<String>,
    /// `$ZSPARK_HOME`.
    pub home: String,
}

/// An address for one artifact, good until the window closes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Preview {
    /// For `src`. The frame has an opaque origin and a Content-Security-Policy of its own.
    pub url: String,
}

/// News from the window to its page, through the frame channel's sibling `host` event stream.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum HostEvent {
    /// Files are held over the window, in CSS pixels.
    DragOver {
        /// From the left.
        x: f64,
        /// From the top.
        y: f64,
    },
    /// They left.
    DragLeave {},
    /// They were dropped.
    Drop {
        /// Absolute paths.
        paths: Vec<String>,
        /// From the left.
        x: f64,
        /// From the top.
        y: f64,
    },
    /// A second start of the program asked for this folder.
    OpenFolder {
        /// Absolute folder.
        cwd: String,
    },
    /// A notification was clicked.
    OpenThread {
        /// Which.
        thread_id: crate::id::ThreadId,
    },
}
