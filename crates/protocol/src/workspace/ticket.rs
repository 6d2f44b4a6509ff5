//! Tickets: how a page opens a websocket, where it cannot send headers, without putting its token into an address.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::id::{DeviceId, WorkspaceId};

/// What a ticket opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TicketPurpose {
    /// The live socket.
    Live,
    /// One document.
    Document,
}

/// Asks for a ticket: for the live socket, or for a document when one is named.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewTicket {
    /// What it shall open; follows from the other fields unless said.
    #[serde(default)]
    pub purpose: Option<TicketPurpose>,
    /// The document's workspace.
    #[serde(default, alias = "workspace_id")]
    pub workspace: Option<WorkspaceId>,
    /// The document.
    #[serde(default, alias = "document", alias = "doc_id")]
    pub doc: Option<String>,
    /// The device that will use it.
    #[serde(default)]
    pub device_id: Option<DeviceId>,
    /// The page that will use it, when a program asks on the page's behalf. A page's own `Origin` header goes before.
    #[serde(default)]
    pub origin: Option<String>,
}

/// A ticket: append it to the websocket's address as `?ticket=`. It opens one socket, once, soon.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Ticket {
    /// The secret.
    pub ticket: String,
    /// Until when.
    pub expires_at_ms: u64,
}
