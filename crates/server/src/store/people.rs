//! Who has been here, and who may do what where.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use protocol::id::{UserId, WorkspaceId};
use protocol::workspace::people::{BindingKind, MemberSource, Role};

use super::{Store, StoreError, int};
use crate::auth::Verified;

#[cfg(test)]
mod tests;

/// A person's place in a workspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Membership {
    /// May do what.
    pub role: Role,
    /// Why.
    pub source: MemberSource,
    /// The workspace is archived.
    pub archived: bool,
}

/// A row of a person is written again when it is so old.
const SEEN_MS: i64 = 60_000;
/// A node remembers at most so many people.
const REMEMBERED: usize = 10_000;

/// Who was here lately, so that not every request asks the database who it comes from. It only says under which id a person
/// is known, which never changes, and never what they may do: that is asked each time.
#[derive(Debug, Default)]
pub(super) struct Familiar {
    people: Mutex<HashMap<Key, Seen>>,
}

/// Cloud, tenant and object id.
type Key = (String, String, String);

#[derive(Debug, Clone)]
struct Seen {
    id: UserId,
    name: String,
    at_ms: i64,
}

impl Seen {
    /// The row of the person is good enough as it is.
    fn holds(&self, verified: &Verified, now_ms: u64) -> bool {
        self.name == verified.name && int(now_ms) - self.at_ms < SEEN_MS
    }
}

impl Familiar {
    fn id(&self, key: &Key, verified: &Verified, now_ms: u64) -> Option<UserId> {
        let people = self.people.lock().unwrap_or_else(PoisonError::into_inner);
        let seen = people.get(key).filter(|it| it.holds(verified, now_ms))?;
        Some(seen.id.clone())
    }

    fn remember(&self, key: Key, seen: Seen, now_ms: u64) {
        let mut people = self.people.lock().unwrap_or_else(PoisonError::into_inner);
        if people.len() >= REMEMBERED && !people.contains_key(&key) {
            people.retain(|_, it| int(now_ms) - it.at_ms < SEEN_MS);
            if people.len() >= REMEMBERED {
                people.clear();
            }
        }
        people.insert(key, seen);
    }
}

impl Store {
    /// The person behind verified credentials, kept from the first time on. The key is cloud, tenant and object id;
    /// names change and prove nothing. Rows of people are never deleted, so an id that was seen once stays right.
    pub async fn user(&self, verified: &Verified, now_ms: u64) -> Result<UserId, StoreError> {
        let key = (verified.cloud.clone(), verified.tid.clone(), verified.oid.clone());
        if let Some(id) = self.familiar.id(&key, verified, now_ms) {
            return Ok(id);
        }
        let seen = self.seen(verified, now_ms).await?;
        let id = seen.id.clone();
        self.familiar.remember(key, seen, now_ms);
        Ok(id)
    }

    /// The row of a person, written when there is none or it is old.
    async fn seen(&self, verified: &Verified, now_ms: u64) -> Result<Seen, StoreError> {
        let known: Option<(String, String, i64)> =
            sqlx::query_as("SELECT id, name, last_seen_at_ms FROM users WHERE cloud = $1 AND tid = $2 AND oid = $3")
                .bind(&verified.cloud)
                .bind(&verified.tid)
                .bind(&verified.oid)
                .fetch_optional(self.read())
                .await?;
        let known = known.map(|(id, name, at_ms)| Seen {
            id: UserId(id),
            name,
            at_ms,
        });
        if let Some(seen) = known
            && seen.holds(verified, now_ms)
        {
            return Ok(seen);
        }
        let (id,): (String,) = sqlx::query_as(
            "INSERT INTO users (id, cloud, tid, oid, name, guest, created_at_ms, last_seen_at_ms) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $7) \
             ON CONFLICT (cloud, tid, oid) DO UPDATE SET name = excluded.name, guest = excluded.guest, \
             last_seen_at_ms = excluded.last_seen_at_ms RETURNING id",
        )
        .bind(UserId::new().0)
        .bind(&verified.cloud)
        .bind(&verified.tid)
        .bind(&verified.oid)
        .bind(&verified.name)
        .bind(i64::from(verified.guest))
        .bind(int(now_ms))
        .fetch_one(self.write())
        .await?;
        Ok(Seen {
            id: UserId(id),
            name: verified.name.clone(),
            at_ms: int(now_ms),
        })
    }

    /// What a person may do in a workspace: the highest of what they were given and what their groups and app roles
    /// give, and never more than the server's own configuration lets them. None when they may not even know of it.
    pub async fn membership(
        &self,
        workspace: &WorkspaceId,
        user: &UserId,
        verified: &Verified,
    ) -> Result<Option<Membership>, StoreError> {
        let mut held = self.warm.take(&self.read).await?;
        let rows: Vec<(String, String, String, Option<i64>)> = sqlx::query_as(
            "SELECT 'direct', m.role, '', w.archived_at_ms FROM memberships m JOIN workspaces w ON w.id = m.workspace_id \
             WHERE m.workspace_id = $1 AND m.user_id = $2 AND w.deleted_at_ms IS NULL \
             UNION ALL SELECT b.kind, b.role, b.value, w.archived_at_ms FROM bindings b JOIN workspaces w ON w.id = b.workspace_id \
             WHERE b.workspace_id = $1 AND b.cloud = $3 AND b.tid = $4 AND w.deleted_at_ms IS NULL",
        )
        .bind(workspace.as_str())
        .bind(user.as_str())
        .bind(&verified.cloud)
        .bind(&verified.tid)
        .fetch_all(&mut *held.connection)
        .await?;
        self.warm.give(held);
        let mut best: Option<Membership> = None;
        for (kind, role, value, archived) in rows {
            let source = match kind.as_str() {
                "direct" => MemberSource::Direct,
                it if it == binding_name(BindingKind::Group) && verified.groups.contains(&value) => MemberSource::Group,
                it if it == binding_name(BindingKind::AppRole) && verified.app_roles.contains(&value) => {
                    MemberSource::AppRole
                }
                _ => continue,
            };
            let role = Role::from_name(&role).ok_or_else(|| StoreError::Damaged(format!("the role {role}")))?;
            let role = role.min(verified.role);
            if best.is_none_or(|it| it.role < role) {
                best = Some(Membership {
                    role,
                    source,
                    archived: archived.is_some(),
                });
            }
        }
        Ok(best)
    }
}

/// As a kind of binding is kept.
pub(crate) fn binding_name(kind: BindingKind) -> &'static str {
    match kind {
        BindingKind::Group => "group",
        BindingKind::AppRole => "app_role",
    }
}
