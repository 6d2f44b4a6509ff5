//! Identifiers: newtypes over UUIDv7 strings, sortable by creation.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema, TS)]
        #[serde(transparent)]
        pub struct $name(pub String);

        impl $name {
            /// A new one: UUIDv7, so that later ids sort after earlier ones.
            #[must_use]
            pub fn new() -> Self {
                Self(uuid::Uuid::now_v7().to_string())
            }

            /// The id as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self::new()
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }
    )+};
}

ids! {
    /// Names a thread: one log, one folder, one conversation with the agent.
    ThreadId,
    /// Names a turn: what follows one prompt, up to the agent's last word.
    TurnId,
    /// Names an item: one thing that happened in a turn.
    ItemId,
    /// Names a question to the person.
    ApprovalId,
    /// Names a standing answer to such questions.
    RuleId,
    /// Names a file the agent made or changed that people open; the same file keeps its id over versions.
    ArtifactId,
    /// Names a shared place on a server.
    WorkspaceId,
    /// Names a person on a server.
    UserId,
    /// Names one installation of a client.
    DeviceId,
    /// Names an invitation into a workspace.
    InvitationId,
    /// Names a binding of a group or an app role to a workspace.
    BindingId,
    /// Names what a teammate asks the machine of a thread to do.
    TurnRequestId,
    /// Names an upload under way.
    UploadId,
    /// Names an address that is told what happens in a workspace.
    WebhookId,
    /// Names one thing that such an address is told.
    DeliveryId,
    /// Names a kept state of a document.
    VersionId,
    /// Names a job that deletes things.
    DeletionId,
}
