//! The bytes and the logs of a workspace that is deleted. Bytes go before the rows that say where they are, so that a node
//! that dies in between leaves nothing that nobody knows of.

use protocol::id::ArtifactId;
use protocol::workspace::job::DeletionTarget;
use sqlx::{Any, Transaction};

use super::{BATCH, Job};
use crate::store::{Store, StoreError, Within, int};

/// Something that is in the storage.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Kept {
    kind: String,
    id: String,
    start: i64,
    /// Where.
    pub place: String,
}

impl Within<'_> {
    /// Forgets the versions of an artifact that is deleted, and its name. Its own row stays, so that an upload that ends
    /// late does not bring it back.
    pub(crate) async fn forget_versions(
        &self,
        tx: &mut Transaction<'_, Any>,
        id: &ArtifactId,
    ) -> Result<u64, StoreError> {
        sqlx::query("UPDATE artifacts SET name = '' WHERE workspace_id = $1 AND id = $2 AND deleted_at_ms IS NOT NULL")
            .bind(self.workspace.as_str())
            .bind(id.as_str())
            .execute(&mut **tx)
            .await?;
        let done = sqlx::query(
            "DELETE FROM artifact_versions WHERE artifact_id = \
             (SELECT id FROM artifacts WHERE workspace_id = $1 AND id = $2 AND deleted_at_ms IS NOT NULL)",
        )
        .bind(self.workspace.as_str())
        .bind(id.as_str())
        .execute(&mut **tx)
        .await?;
        Ok(done.rows_affected())
    }
}

impl Store {
    /// What a workspace that nobody gets into any more has in the storage: at most [`BATCH`] of it.
    pub async fn kept(&self, job: &Job) -> Result<Vec<Kept>, StoreError> {
        if job.target != DeletionTarget::Workspace {
            return Ok(Vec::new());
        }
        Ok(sqlx::query_as(
            "SELECT kind, id, start, place FROM ( \
             SELECT CAST('blob' AS TEXT) AS kind, workspace_id, sha256 AS id, CAST(0 AS BIGINT) AS start, place FROM blobs \
             UNION ALL SELECT CAST('part' AS TEXT), u.workspace_id, p.upload_id, p.start, p.place \
             FROM upload_parts p JOIN uploads u ON u.id = p.upload_id) k \
             WHERE workspace_id = $1 AND (SELECT deleted_at_ms FROM workspaces w WHERE w.id = $1) IS NOT NULL LIMIT $2",
        )
        .bind(job.scope.workspace().as_str())
        .bind(int(BATCH))
        .fetch_all(self.read())
        .await?)
    }

    /// Forgets what is no longer in the storage.
    pub async fn forget_kept(&self, job: &Job, kept: &[Kept]) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        for it in kept {
            let done = if it.kind == "blob" {
                sqlx::query("DELETE FROM blobs WHERE workspace_id = $1 AND sha256 = $2 AND $3 = 0")
            } else {
                sqlx::query(
                    "DELETE FROM upload_parts WHERE upload_id IN (SELECT id FROM uploads WHERE workspace_id = $1 AND id = $2) \
                     AND start = $3",
                )
            };
            done.bind(job.scope.workspace().as_str())
                .bind(&it.id)
                .bind(it.start)
                .execute(&mut *tx)
                .await?;
        }
        tx.commit().await?;
        Ok(())
    }

    /// Forgets a part of the logs of a workspace that is deleted, or of the thread's. True when there may be more.
    pub(crate) async fn purge_logs(&self, job: &Job) -> Result<bool, StoreError> {
        if job.target == DeletionTarget::Thread {
            return match self.log_of(job).await? {
                Some(log) => self.purge_log(log, BATCH).await,
                None => Ok(false),
            };
        }
        if job.target != DeletionTarget::Workspace {
            return Ok(false);
        }
        let next: Option<(i64,)> = sqlx::query_as(
            "SELECT log_id FROM threads WHERE workspace_id = $1 AND deleted_at_ms IS NOT NULL \
             AND (SELECT deleted_at_ms FROM workspaces w WHERE w.id = $1) IS NOT NULL LIMIT 1",
        )
        .bind(job.scope.workspace().as_str())
        .fetch_optional(self.read())
        .await?;
        match next {
            Some((log,)) => self.purge_log(log, BATCH).await,
            None => Ok(false),
        }
    }
}
