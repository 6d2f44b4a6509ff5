//! Groups and app roles of a directory whose people are in a workspace.

use protocol::id::BindingId;
use protocol::workspace::people::{Binding, BindingKind, NewBinding};
use sqlx::{Any, Transaction};

use super::members::role_named;
use super::people::binding_name;
use super::{StoreError, Within, int};

/// At most so many in one workspace.
pub const MOST: usize = 200;

impl Within<'_> {
    /// All of them.
    pub async fn bindings(&self) -> Result<Vec<Binding>, StoreError> {
        let rows: Vec<(String, String, String, String, String)> = sqlx::query_as(
            "SELECT id, kind, tid, value, role FROM bindings WHERE workspace_id = $1 ORDER BY id LIMIT $2",
        )
        .bind(self.workspace.as_str())
        .bind(int(MOST as u64))
        .fetch_all(self.store.read())
        .await?;
        rows.into_iter()
            .map(|(id, kind, tid, value, role)| {
                let kind = [BindingKind::Group, BindingKind::AppRole]
                    .into_iter()
                    .find(|it| binding_name(*it) == kind)
                    .ok_or_else(|| StoreError::Damaged(format!("the kind of binding {kind}")))?;
                Ok(Binding {
                    id: BindingId(id),
                    kind,
                    tid,
                    value,
                    role: role_named(&role)?,
                })
            })
            .collect()
    }

    /// Binds, or gives what is bound already another role.
    pub async fn bind(
        &self,
        tx: &mut Transaction<'_, Any>,
        cloud: &str,
        new: &NewBinding,
    ) -> Result<BindingId, StoreError> {
        let (id,): (String,) = sqlx::query_as(
            "INSERT INTO bindings (id, workspace_id, cloud, tid, kind, value, role) VALUES ($1, $2, $3, $4, $5, $6, $7) \
             ON CONFLICT (workspace_id, cloud, tid, kind, value) DO UPDATE SET role = excluded.role RETURNING id",
        )
        .bind(BindingId::new().0)
        .bind(self.workspace.as_str())
        .bind(cloud)
        .bind(&new.tid)
        .bind(binding_name(new.kind))
        .bind(&new.value)
        .bind(new.role.as_str())
        .fetch_one(&mut **tx)
        .await?;
        Ok(BindingId(id))
    }

    /// Unbinds. Invitations by people who are here by a binding alone end with any binding: which one let them in is not kept.
    pub async fn unbind(&self, tx: &mut Transaction<'_, Any>, id: &BindingId) -> Result<bool, StoreError> {
        let done = sqlx::query("DELETE FROM bindings WHERE workspace_id = $1 AND id = $2")
            .bind(self.workspace.as_str())
            .bind(id.as_str())
            .execute(&mut **tx)
            .await?;
        if done.rows_affected() == 0 {
            return Ok(false);
        }
        self.void_invitations_by_binding(tx).await?;
        Ok(true)
    }

    /// See [`Within::unbind`]. Also for a binding that now gives less.
    pub async fn void_invitations_by_binding(&self, tx: &mut Transaction<'_, Any>) -> Result<(), StoreError> {
        sqlx::query(
            "DELETE FROM invitations WHERE workspace_id = $1 AND used_by IS NULL AND made_by NOT IN \
             (SELECT user_id FROM memberships WHERE workspace_id = $1 AND role IN ('owner', 'admin'))",
        )
        .bind(self.workspace.as_str())
        .execute(&mut **tx)
        .await?;
        Ok(())
    }
}
