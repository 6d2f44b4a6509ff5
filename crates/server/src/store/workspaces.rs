//! Shared places.

use std::collections::BTreeSet;

use protocol::id::{UserId, WorkspaceId};
use protocol::workspace::people::{BindingKind, Role, Workspace, WorkspaceChange};
use sqlx::{Any, Transaction};

use super::people::binding_name;
use super::{Scope, Store, StoreError, Within, int, uint};
use crate::auth::Verified;

impl Store {
    /// Makes a workspace with its first owner.
    pub async fn create_workspace(
        &self,
        transaction: &mut Transaction<'_, Any>,
        name: &str,
        tid: &str,
        owner: &UserId,
        now_ms: u64,
    ) -> Result<Workspace, StoreError> {
        let id = WorkspaceId::new();
        sqlx::query(
            "INSERT INTO workspaces (id, name, tid, activity_seq, created_by, created_at_ms) VALUES ($1, $2, $3, 0, $4, $5)",
        )
        .bind(id.as_str())
        .bind(name)
        .bind(tid)
        .bind(owner.as_str())
        .bind(int(now_ms))
        .execute(&mut **transaction)
        .await?;
        sqlx::query(
            "INSERT INTO memberships (workspace_id, user_id, role, added_by, added_at_ms) VALUES ($1, $2, $3, $2, $4)",
        )
        .bind(id.as_str())
        .bind(owner.as_str())
        .bind(Role::Owner.as_str())
        .bind(int(now_ms))
        .execute(&mut **transaction)
        .await?;
        Ok(Workspace {
            id,
            name: name.to_owned(),
            role: Role::Owner,
            created_at_ms: now_ms,
            archived_at_ms: None,
            activity_seq: 0,
        })
    }

    /// Where somebody is, by name, by group or by app role: those after `after`, by id.
    pub async fn workspaces_of(
        &self,
        user: &UserId,
        verified: &Verified,
        after: &str,
        limit: usize,
    ) -> Result<Vec<Workspace>, StoreError> {
        let direct: Vec<(String,)> = sqlx::query_as(
            "SELECT workspace_id FROM memberships WHERE user_id = $1 AND workspace_id > $2 \
             AND workspace_id IN (SELECT id FROM workspaces WHERE deleted_at_ms IS NULL) ORDER BY workspace_id LIMIT $3",
        )
        .bind(user.as_str())
        .bind(after)
        .bind(int(limit as u64))
        .fetch_all(self.read())
        .await?;
        let mut ids: BTreeSet<String> = direct.into_iter().map(|(id,)| id).collect();
        let named = [
            (BindingKind::Group, &verified.groups),
            (BindingKind::AppRole, &verified.app_roles),
        ];
        for (kind, values) in named {
            // Many groups, few bindings: a question for each group goes through the index.
            for value in values {
                let bound: Vec<(String,)> = sqlx::query_as(
                    "SELECT workspace_id FROM bindings WHERE cloud = $1 AND tid = $2 AND kind = $3 AND value = $4 \
                     AND workspace_id > $5 AND workspace_id IN (SELECT id FROM workspaces WHERE deleted_at_ms IS NULL) ORDER BY workspace_id LIMIT $6",
                )
                .bind(&verified.cloud)
                .bind(&verified.tid)
                .bind(binding_name(kind))
                .bind(value)
                .bind(after)
                .bind(int(limit as u64))
                .fetch_all(self.read())
                .await?;
                ids.extend(bound.into_iter().map(|(id,)| id));
            }
        }
        let mut found = Vec::new();
        for id in ids {
            if found.len() == limit {
                break;
            }
            let id = WorkspaceId(id);
            if let Some(membership) = self.membership(&id, user, verified).await? {
                found.push(self.within(&Scope::of(id)).workspace(membership.role).await?);
            }
        }
        Ok(found)
    }
}

impl Within<'_> {
    /// The workspace itself, for somebody with this role.
    pub async fn workspace(&self, role: Role) -> Result<Workspace, StoreError> {
        let (name, created, archived, activity): (String, i64, Option<i64>, i64) =
            sqlx::query_as("SELECT name, created_at_ms, archived_at_ms, activity_seq FROM workspaces WHERE id = $1")
                .bind(self.workspace.as_str())
                .fetch_one(self.store.read())
                .await?;
        Ok(Workspace {
            id: self.workspace.clone(),
            name,
            role,
            created_at_ms: uint(created),
            archived_at_ms: archived.map(uint),
            activity_seq: uint(activity),
        })
    }
    /// Changes what is named.
    pub async fn change_workspace(
        &self,
        tx: &mut Transaction<'_, Any>,
        change: &WorkspaceChange,
        now_ms: u64,
    ) -> Result<(), StoreError> {
        if let Some(name) = &change.name {
            sqlx::query("UPDATE workspaces SET name = $2 WHERE id = $1")
                .bind(self.workspace.as_str())
                .bind(name.trim())
                .execute(&mut **tx)
                .await?;
        }
        if let Some(archived) = change.archived {
            sqlx::query(
                "UPDATE workspaces SET archived_at_ms = CASE WHEN $2 = 1 THEN COALESCE(archived_at_ms, $3) END WHERE id = $1",
            )
            .bind(self.workspace.as_str())
            .bind(i64::from(archived))
            .bind(int(now_ms))
            .execute(&mut **tx)
            .await?;
        }
        Ok(())
    }
}
