//! Workspaces and the people in them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::id::{BindingId, DeviceId, InvitationId, UserId, WorkspaceId};

/// What somebody may do. A later role may all that an earlier one may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Reads everything that is shared, changes nothing.
    Viewer,
    /// Shares threads, writes documents, uploads artifacts.
    Member,
    /// Also invites, changes roles below owner, and deletes what others shared.
    Admin,
    /// Also makes owners, reads the audit log, and deletes the workspace.
    Owner,
}

impl Role {
    /// All, from the least to the most.
    pub const ALL: [Self; 4] = [Self::Viewer, Self::Member, Self::Admin, Self::Owner];

    /// As it is written on the wire and in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Member => "member",
            Self::Admin => "admin",
            Self::Owner => "owner",
        }
    }

    /// Reads [`Role::as_str`].
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == name)
    }
}

/// Part of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Listed<T> {
    /// This part.
    pub items: Vec<T>,
    /// Ask with `after=` this for the next part; absent when this is the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// The signed-in person, as the server sees them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Me {
    /// `global`, `china`, `usgov`; `dev` in development.
    pub cloud: String,
    /// The tenant.
    pub tid: String,
    /// The person within the tenant.
    pub oid: String,
    /// For display only: it can change and is no proof of anything.
    pub name: String,
    /// The role that the server's own configuration gives. A workspace has its own roles; this one caps them.
    pub role: Role,
    /// The person's id on this server.
    pub user_id: UserId,
    /// Comes from another tenant.
    pub guest: bool,
}

/// A shared place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Workspace {
    /// Its id.
    pub id: WorkspaceId,
    /// Its name.
    pub name: String,
    /// What the one who asks may do here.
    pub role: Role,
    /// When it was made.
    pub created_at_ms: u64,
    /// Since when it is archived: readable, and closed for changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archived_at_ms: Option<u64>,
    /// The number of the newest line in its activity feed.
    pub activity_seq: u64,
}

/// Makes a workspace; who asks becomes its owner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewWorkspace {
    /// 1 to 100 characters.
    pub name: String,
}

/// Changes what is named and leaves the rest.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WorkspaceChange {
    /// 1 to 100 characters.
    #[serde(default)]
    pub name: Option<String>,
    /// Out of the list and closed for changes, or back.
    #[serde(default)]
    pub archived: Option<bool>,
}

/// Where a membership comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MemberSource {
    /// Made the workspace, was invited, or was added.
    Direct,
    /// A group of the tenant is bound to the workspace.
    Group,
    /// An app role of the tenant is bound to the workspace.
    AppRole,
}

/// Somebody in a workspace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Member {
    /// Who.
    pub user_id: UserId,
    /// For display only.
    pub name: String,
    /// Comes from another tenant.
    pub guest: bool,
    /// May do what.
    pub role: Role,
    /// Why.
    pub source: MemberSource,
    /// Since when.
    pub added_at_ms: u64,
}

/// Gives a member another role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MemberChange {
    /// The role from now on.
    pub role: Role,
}

/// Invites somebody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewInvitation {
    /// As what.
    pub role: Role,
    /// For how long it can be taken, in seconds; 7 days unless said, 30 days at most.
    #[serde(default)]
    pub expires_in_s: Option<u64>,
}

/// An invitation, as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Invitation {
    /// Its id.
    pub id: InvitationId,
    /// As what.
    pub role: Role,
    /// Until when.
    pub expires_at_ms: u64,
    /// Who took it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used_by: Option<UserId>,
    /// The secret to hand over. Only in the answer that made it: the server keeps a hash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
}

/// Takes an invitation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AcceptInvitation {
    /// The secret that was handed over.
    pub token: String,
}

/// What of the directory a binding names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BindingKind {
    /// A group, by its object id.
    Group,
    /// An app role, by its value.
    AppRole,
}

/// Everybody in a group, or with an app role, is a member of the workspace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewBinding {
    /// What is named.
    pub kind: BindingKind,
    /// Of which tenant (its GUID). It must be the caller's own.
    pub tid: String,
    /// The group's object id, or the app role's value.
    pub value: String,
    /// As what. Never owner: owners are named one by one.
    pub role: Role,
}

/// A binding that is in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Binding {
    /// Its id.
    pub id: BindingId,
    /// What is named.
    pub kind: BindingKind,
    /// Of which tenant.
    pub tid: String,
    /// The group's object id, or the app role's value.
    pub value: String,
    /// As what.
    pub role: Role,
}

/// An installation of a client, as its person's list shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Device {
    /// Its id.
    pub id: DeviceId,
    /// Its name.
    pub name: String,
    /// Its operating system.
    pub platform: String,
    /// Since when it is known.
    pub created_at_ms: u64,
    /// When it last made itself known.
    pub last_seen_at_ms: u64,
    /// Since when it may do nothing any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at_ms: Option<u64>,
}

/// Makes a device known, or its new name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewDevice {
    /// The id it has already; the server gives one otherwise.
    #[serde(default)]
    pub id: Option<DeviceId>,
    /// 1 to 100 characters.
    pub name: String,
    /// Up to 40 characters, such as `linux`.
    #[serde(default)]
    pub platform: String,
}

/// One line of the activity feed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Activity {
    /// Its number in the workspace: gapless, from 1.
    pub seq: u64,
    /// When.
    pub at_ms: u64,
    /// Who; nobody when the server itself did it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<UserId>,
    /// Did what, such as `thread.shared` or `artifact.uploaded`.
    pub verb: String,
    /// To what kind of thing.
    pub object_kind: String,
    /// To which.
    pub object_id: String,
    /// Names and titles that the line needs.
    pub data: serde_json::Value,
}

/// One line of the audit log, chained to the one before it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AuditLine {
    /// Its number on this server.
    pub id: u64,
    /// When.
    pub at_ms: u64,
    /// `cloud/tid/oid` of who did it, or `server`.
    pub actor: String,
    /// From which address.
    pub address: String,
    /// What, such as `member.role_changed`.
    pub action: String,
    /// To what.
    pub object: String,
    /// `ok` or `refused`.
    pub outcome: String,
    /// Facts without content or secrets.
    pub detail: serde_json::Value,
    /// The hash of the line before it, which may be another workspace's; empty at the very first.
    pub prev_hash: String,
    /// SHA-256 of the line before it and of this one, in hex.
    pub hash: String,
}
