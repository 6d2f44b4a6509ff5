//! Webhooks: addresses elsewhere that are told what everybody in a workspace may see.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::people::Activity;
use crate::id::{DeliveryId, UserId, WebhookId, WorkspaceId};

/// Asks for a webhook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewWebhook {
    /// Where to: `https://…`.
    pub url: String,
    /// Which lines of the activity feed, by their verbs; all of them unless said.
    #[serde(default)]
    pub verbs: Option<Vec<String>>,
}

/// A webhook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Webhook {
    /// Which.
    pub id: WebhookId,
    /// Where to.
    pub url: String,
    /// Which lines of the activity feed; all of them when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verbs: Option<Vec<String>>,
    /// Who made it.
    pub made_by: UserId,
    /// When.
    pub created_at_ms: u64,
    /// What its deliveries are signed with. Only in the answer to making it, and never again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
}

/// How far a delivery is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    /// It will be tried, again or for the first time.
    Pending,
    /// The receiver took it.
    Delivered,
    /// It was given up; it can be sent again by hand.
    Dead,
}

impl DeliveryState {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Pending, Self::Delivered, Self::Dead];

    /// As it is written on the wire and in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Delivered => "delivered",
            Self::Dead => "dead",
        }
    }
}

/// One line of the activity feed on its way to one webhook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Delivery {
    /// Which.
    pub id: DeliveryId,
    /// The line's number in the feed.
    pub seq: u64,
    /// How far it is.
    pub state: DeliveryState,
    /// How often it was tried.
    pub attempts: u64,
    /// When the line was written.
    pub created_at_ms: u64,
    /// When it is tried next; only while it is pending.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at_ms: Option<u64>,
    /// When it was tried last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_at_ms: Option<u64>,
    /// The HTTP status that was answered last, if there was an answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_status: Option<u16>,
    /// Why it did not arrive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
}

/// The body of what a webhook is sent. It has no content of threads, documents or files.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct WebhookPayload {
    /// Which webhook.
    pub webhook_id: WebhookId,
    /// Which delivery: the same when it is tried again, so that a receiver can tell.
    pub delivery_id: DeliveryId,
    /// Where it happened.
    pub workspace_id: WorkspaceId,
    /// When this was sent.
    pub sent_at_ms: u64,
    /// The line, as the feed shows it.
    pub activity: Activity,
}
