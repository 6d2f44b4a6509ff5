//! Shared places.

use protocol::id::{UserId, WorkspaceId};
use protocol::workspace::people::{Role, Workspace};

use super::{Store, StoreError, Within, int, uint};

impl Store {
    /// Makes a workspace with its first owner.
    pub async fn create_workspace(
        &self,
        name: &str,
        tid: &str,
        owner: &UserId,
        now_ms: u64,
    ) -> Result<Workspace, StoreError> {
        let id = WorkspaceId::new();
        let mut transaction = self.begin().await?;
        sqlx::query(
            "INSERT INTO workspaces (id, name, tid, activity_seq, created_by, created_at_ms) VALUES ($1, $2, $3, 0, $4, $5)",
        )
        .bind(id.as_str())
        .bind(name)
        .bind(tid)
        .bind(owner.as_str())
        .bind(int(now_ms))
        .execute(&mut *transaction)
        .await?;
        sqlx::query(
            "INSERT INTO memberships (workspace_id, user_id, role, added_by, added_at_ms) VALUES ($1, $2, $3, $2, $4)",
        )
        .bind(id.as_str())
        .bind(owner.as_str())
        .bind(Role::Owner.as_str())
        .bind(int(now_ms))
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(Workspace {
            id,
            name: name.to_owned(),
            role: Role::Owner,
            created_at_ms: now_ms,
            archived_at_ms: None,
            activity_seq: 0,
        })
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
}
