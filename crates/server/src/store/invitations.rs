//! Invitations: a secret that whoever gets it can take once. The database has its hash only.

use protocol::id::{InvitationId, UserId, WorkspaceId};
use protocol::workspace::people::{Invitation, Role};
use sha2::{Digest as _, Sha256};
use sqlx::{Any, Transaction};

use super::members::role_named;
use super::{Scope, Store, StoreError, Within, int, uint};
use crate::auth::Verified;

/// At most so many that nobody has taken yet, in one workspace.
pub const OPEN: u64 = 500;

/// An invitation to keep.
#[derive(Debug, Clone, Copy)]
pub struct Invite<'a> {
    /// Who makes it.
    pub by: &'a UserId,
    /// Whose tenant it is for.
    pub verified: &'a Verified,
    /// As what.
    pub role: Role,
    /// The secret.
    pub token: &'a str,
    /// Until when.
    pub expires_at_ms: u64,
}

/// An invitation that was just taken.
#[derive(Debug)]
pub struct Taken {
    /// Which.
    pub id: InvitationId,
    /// Into where: taking it is what opens the workspace.
    pub scope: Scope,
    /// As what.
    pub role: Role,
    /// Who made it.
    pub made_by: UserId,
}

impl Within<'_> {
    /// Keeps an invitation. None when there are too many.
    pub async fn invite(
        &self,
        tx: &mut Transaction<'_, Any>,
        new: &Invite<'_>,
        now_ms: u64,
    ) -> Result<Option<InvitationId>, StoreError> {
        let (open,): (i64,) = sqlx::query_as(
            "SELECT COUNT(*) FROM invitations WHERE workspace_id = $1 AND used_by IS NULL AND expires_at_ms > $2",
        )
        .bind(self.workspace.as_str())
        .bind(int(now_ms))
        .fetch_one(&mut **tx)
        .await?;
        if uint(open) >= OPEN {
            return Ok(None);
        }
        let id = InvitationId::new();
        sqlx::query(
            "INSERT INTO invitations (id, workspace_id, token_hash, cloud, tid, role, made_by, created_at_ms, expires_at_ms) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        )
        .bind(id.as_str())
        .bind(self.workspace.as_str())
        .bind(hash(new.token))
        .bind(&new.verified.cloud)
        .bind(&new.verified.tid)
        .bind(new.role.as_str())
        .bind(new.by.as_str())
        .bind(int(now_ms))
        .bind(int(new.expires_at_ms))
        .execute(&mut **tx)
        .await?;
        Ok(Some(id))
    }

    /// All of them, by id, after `after`.
    pub async fn invitations(&self, after: &str, limit: usize) -> Result<Vec<Invitation>, StoreError> {
        let rows: Vec<(String, String, i64, Option<String>)> = sqlx::query_as(
            "SELECT id, role, expires_at_ms, used_by FROM invitations WHERE workspace_id = $1 AND id > $2 \
             ORDER BY id LIMIT $3",
        )
        .bind(self.workspace.as_str())
        .bind(after)
        .bind(int(limit as u64))
        .fetch_all(self.store.read())
        .await?;
        rows.into_iter()
            .map(|(id, role, expires, used_by)| {
                Ok(Invitation {
                    id: InvitationId(id),
                    role: role_named(&role)?,
                    expires_at_ms: uint(expires),
                    used_by: used_by.map(UserId),
                    token: None,
                })
            })
            .collect()
    }

    /// Takes one back that nobody has taken.
    pub async fn withdraw(&self, tx: &mut Transaction<'_, Any>, id: &InvitationId) -> Result<bool, StoreError> {
        let done = sqlx::query("DELETE FROM invitations WHERE workspace_id = $1 AND id = $2 AND used_by IS NULL")
            .bind(self.workspace.as_str())
            .bind(id.as_str())
            .execute(&mut **tx)
            .await?;
        Ok(done.rows_affected() == 1)
    }
}

impl Store {
    /// Takes an invitation: of two at a time, one gets it. None when there is none for this person with this secret.
    pub async fn take_invitation(
        &self,
        tx: &mut Transaction<'_, Any>,
        user: &UserId,
        verified: &Verified,
        token: &str,
        now_ms: u64,
    ) -> Result<Option<Taken>, StoreError> {
        let row: Option<(String, String, String, String)> = sqlx::query_as(
            "UPDATE invitations SET used_by = $2, used_at_ms = $3 \
             WHERE token_hash = $1 AND used_by IS NULL AND expires_at_ms > $3 AND cloud = $4 AND tid = $5 AND made_by <> $2 \
             AND workspace_id IN (SELECT id FROM workspaces WHERE deleted_at_ms IS NULL AND archived_at_ms IS NULL) \
             RETURNING id, workspace_id, role, made_by",
        )
        .bind(hash(token))
        .bind(user.as_str())
        .bind(int(now_ms))
        .bind(&verified.cloud)
        .bind(&verified.tid)
        .fetch_optional(&mut **tx)
        .await?;
        row.map(|(id, workspace, role, made_by)| {
            Ok(Taken {
                id: InvitationId(id),
                scope: Scope::of(WorkspaceId(workspace)),
                role: role_named(&role)?,
                made_by: UserId(made_by),
            })
        })
        .transpose()
    }
}

fn hash(token: &str) -> String {
    format!("{:x}", Sha256::digest(token))
}
