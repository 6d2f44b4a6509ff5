//! What a deleted thread leaves besides its log: files that came from it, and uploads that would become such.

use protocol::id::{ArtifactId, ThreadId, UploadId, WorkspaceId};
use sqlx::{Any, Transaction};

use super::Job;
use crate::store::{Scope, Store, StoreError, Within, int};

/// So many files in one transaction: each takes several statements.
const FILES: u64 = 50;

/// A thread whose rows may go.
#[derive(Debug, Clone)]
pub(crate) struct Purged {
    pub(crate) scope: Scope,
    pub(crate) thread: ThreadId,
    pub(crate) log: i64,
}

impl Within<'_> {
    /// Forgets some of a deleted thread's files and uploads. Answers how many; none when there are no more. Adds the places
    /// in the storage that nobody needs any more.
    pub(crate) async fn forget_files(
        &self,
        tx: &mut Transaction<'_, Any>,
        thread: &ThreadId,
        now_ms: u64,
        unneeded: &mut Vec<String>,
    ) -> Result<u64, StoreError> {
        let mut gone = 0;
        for upload in self.of_thread(tx, "uploads", thread).await? {
            unneeded.extend(self.drop_upload(tx, &UploadId(upload)).await?);
            gone += 1;
        }
        for artifact in self.of_thread(tx, "artifacts", thread).await? {
            let id = ArtifactId(artifact);
            unneeded.extend(self.delete_artifact(tx, &id, now_ms).await?);
            gone += 1 + self.forget_versions(tx, &id).await?;
            self.blank_activity(tx, "artifact", id.as_str()).await?;
            sqlx::query("UPDATE artifacts SET thread_id = NULL WHERE workspace_id = $1 AND id = $2")
                .bind(self.workspace.as_str())
                .bind(id.as_str())
                .execute(&mut **tx)
                .await?;
        }
        Ok(gone)
    }

    async fn of_thread(
        &self,
        tx: &mut Transaction<'_, Any>,
        table: &'static str,
        thread: &ThreadId,
    ) -> Result<Vec<String>, StoreError> {
        let sql = format!("SELECT id FROM {table} WHERE workspace_id = $1 AND thread_id = $2 ORDER BY id LIMIT $3");
        let found: Vec<(String,)> = sqlx::query_as(sqlx::AssertSqlSafe(sql))
            .bind(self.workspace.as_str())
            .bind(thread.as_str())
            .bind(int(FILES))
            .fetch_all(&mut **tx)
            .await?;
        Ok(found.into_iter().map(|(id,)| id).collect())
    }
}

impl Store {
    /// A thread that was deleted before `before_ms`.
    pub(crate) async fn deleted_thread(&self, before_ms: u64) -> Result<Option<Purged>, StoreError> {
        let due: Option<(String, String, i64)> = sqlx::query_as(
            "SELECT workspace_id, id, log_id FROM threads WHERE deleted_at_ms <= $1 ORDER BY deleted_at_ms LIMIT 1",
        )
        .bind(int(before_ms))
        .fetch_optional(self.read())
        .await?;
        Ok(due.map(|(workspace, thread, log)| Purged {
            scope: Scope::of(WorkspaceId(workspace)),
            thread: ThreadId(thread),
            log,
        }))
    }

    /// The log of the thread that a job deletes, once it has no more files: who shares a thread under the same id again
    /// shall not find them.
    pub(super) async fn log_of(&self, job: &Job) -> Result<Option<i64>, StoreError> {
        let found: Option<(i64,)> = sqlx::query_as(
            "SELECT log_id FROM threads WHERE workspace_id = $1 AND id = $2 AND deleted_at_ms IS NOT NULL \
             AND NOT EXISTS (SELECT 1 FROM artifacts a WHERE a.workspace_id = $1 AND a.thread_id = $2)",
        )
        .bind(job.scope.workspace().as_str())
        .bind(&job.target_id)
        .fetch_optional(self.read())
        .await?;
        Ok(found.map(|(log,)| log))
    }
}
