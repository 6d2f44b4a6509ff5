//! Who is in a workspace by name. Whoever changes it holds the workspace's row first ([`Within::hold`]), so that two owners
//! cannot both stop being the last one.

use protocol::id::UserId;
use protocol::workspace::people::{Member, MemberSource, Role};
use sqlx::{Any, Transaction};

use super::{StoreError, Within, int, uint};

impl Within<'_> {
    /// Takes the workspace's row until the transaction ends: changes of its people come one after the other.
    pub async fn hold(&self, tx: &mut Transaction<'_, Any>) -> Result<(), StoreError> {
        sqlx::query("UPDATE workspaces SET activity_seq = activity_seq WHERE id = $1")
            .bind(self.workspace.as_str())
            .execute(&mut **tx)
            .await?;
        Ok(())
    }

    /// The same for what must not get into a workspace that is deleted: from here to the transaction's end it is not.
    pub async fn hold_open(&self, tx: &mut Transaction<'_, Any>) -> Result<(), StoreError> {
        let held =
            sqlx::query("UPDATE workspaces SET activity_seq = activity_seq WHERE id = $1 AND deleted_at_ms IS NULL")
                .bind(self.workspace.as_str())
                .execute(&mut **tx)
                .await?;
        if held.rows_affected() == 0 {
            return Err(StoreError::Gone);
        }
        Ok(())
    }

    /// Those who are in it by name, by id, after `after`.
    pub async fn members(&self, after: &str, limit: usize) -> Result<Vec<Member>, StoreError> {
        let rows: Vec<(String, String, i64, String, i64)> = sqlx::query_as(
            "SELECT u.id, u.name, u.guest, m.role, m.added_at_ms FROM memberships m JOIN users u ON u.id = m.user_id \
             WHERE m.workspace_id = $1 AND u.id > $2 ORDER BY u.id LIMIT $3",
        )
        .bind(self.workspace.as_str())
        .bind(after)
        .bind(int(limit as u64))
        .fetch_all(self.store.read())
        .await?;
        rows.into_iter()
            .map(|(id, name, guest, role, added)| {
                Ok(Member {
                    user_id: UserId(id),
                    name,
                    guest: guest != 0,
                    role: role_named(&role)?,
                    source: MemberSource::Direct,
                    added_at_ms: uint(added),
                })
            })
            .collect()
    }

    /// The role that somebody was given by name.
    pub async fn role_of(&self, tx: &mut Transaction<'_, Any>, user: &UserId) -> Result<Option<Role>, StoreError> {
        let role: Option<(String,)> =
            sqlx::query_as("SELECT role FROM memberships WHERE workspace_id = $1 AND user_id = $2")
                .bind(self.workspace.as_str())
                .bind(user.as_str())
                .fetch_optional(&mut **tx)
                .await?;
        role.map(|(it,)| role_named(&it)).transpose()
    }

    /// How many owners there are.
    pub async fn owners(&self, tx: &mut Transaction<'_, Any>) -> Result<u64, StoreError> {
        let (count,): (i64,) =
            sqlx::query_as("SELECT COUNT(*) FROM memberships WHERE workspace_id = $1 AND role = 'owner'")
                .bind(self.workspace.as_str())
                .fetch_one(&mut **tx)
                .await?;
        Ok(uint(count))
    }

    /// Gives somebody a role by name.
    pub async fn give_role(
        &self,
        tx: &mut Transaction<'_, Any>,
        user: &UserId,
        role: Role,
        by: &UserId,
        now_ms: u64,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO memberships (workspace_id, user_id, role, added_by, added_at_ms) VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT (workspace_id, user_id) DO UPDATE SET role = excluded.role",
        )
        .bind(self.workspace.as_str())
        .bind(user.as_str())
        .bind(role.as_str())
        .bind(by.as_str())
        .bind(int(now_ms))
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// Somebody is no longer in it by name.
    pub async fn remove_member(&self, tx: &mut Transaction<'_, Any>, user: &UserId) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM memberships WHERE workspace_id = $1 AND user_id = $2")
            .bind(self.workspace.as_str())
            .bind(user.as_str())
            .execute(&mut **tx)
            .await?;
        Ok(())
    }

    /// Whoever loses a role also loses the invitations made with it: nobody comes back by their own one.
    pub async fn void_invitations_of(&self, tx: &mut Transaction<'_, Any>, user: &UserId) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM invitations WHERE workspace_id = $1 AND made_by = $2 AND used_by IS NULL")
            .bind(self.workspace.as_str())
            .bind(user.as_str())
            .execute(&mut **tx)
            .await?;
        Ok(())
    }
}

/// A role as it is kept.
pub(crate) fn role_named(name: &str) -> Result<Role, StoreError> {
    Role::from_name(name).ok_or_else(|| StoreError::Damaged(format!("the role {name}")))
}
