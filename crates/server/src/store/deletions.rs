//! Deletions: asked for now, done later, in batches, by one node at a time. A node that dies in the middle leaves a lease
//! that ends, and another node goes on.

use protocol::id::{ArtifactId, DeletionId, ThreadId, TurnId, UserId, WorkspaceId};
use protocol::workspace::job::{Deletion, DeletionStatus, DeletionTarget, NewDeletion};
use sqlx::{Any, AssertSqlSafe, Transaction};

use super::{Kind, Scope, Store, StoreError, Within, int, uint};

mod bytes;
mod thread;
mod turn;

pub use bytes::Kept;

/// So many rows in one transaction.
pub const BATCH: u64 = 500;
/// For how long a node has a job without being heard of.
pub const LEASE_MS: u64 = 30_000;

/// What a workspace has, in an order in which nothing points at what is gone. The workspace's own row, its audit lines and
/// its deletions stay: they say that it was there and who deleted it. Threads go with their logs, and blobs with their
/// bytes, before these.
const WORKSPACE: &[&str] = &[
    "uploads",
    "artifacts",
    "room",
    "doc_updates",
    "doc_snapshots",
    "doc_versions",
    "docs",
    "webhook_deliveries",
    "webhooks",
    "activity",
    "invitations",
    "bindings",
    "memberships",
];

/// A job that this node has for a while.
#[derive(Debug, Clone)]
pub struct Job {
    /// Which.
    pub id: DeletionId,
    /// Where.
    pub scope: Scope,
    /// What kind of thing.
    pub target: DeletionTarget,
    /// Which.
    pub target_id: String,
    /// The thread that a turn is of.
    pub thread: Option<ThreadId>,
    /// How far the thread's log was looked through.
    position: i64,
    /// The log's newest event, once it says that the turn is gone.
    pub head_seq: u64,
    /// Of several nodes that think they have it, the one with the highest number does.
    lease: i64,
}

/// What one batch did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// There is more.
    More,
    /// Nothing is left.
    Done,
    /// Another node has the job, or it is over.
    Lost,
    /// It must not be done, and why.
    Refused(&'static str),
}

type Row = (
    String,
    String,
    String,
    Option<String>,
    String,
    String,
    i64,
    i64,
    i64,
    Option<String>,
);

const FIELDS: &str = "id, target, target_id, thread_id, status, requested_by, created_at_ms, run_at_ms, deleted, error";

impl Within<'_> {
    /// Keeps a deletion for later.
    pub async fn schedule_deletion(
        &self,
        tx: &mut Transaction<'_, Any>,
        new: &NewDeletion,
        by: &UserId,
        now_ms: u64,
        run_at_ms: u64,
    ) -> Result<Deletion, StoreError> {
        let row: Row = sqlx::query_as(AssertSqlSafe(format!(
            "INSERT INTO deletions (id, workspace_id, target, target_id, status, requested_by, created_at_ms, run_at_ms, \
             thread_id, lease, lease_until_ms, deleted) VALUES ($1, $2, $3, $4, 'scheduled', $5, $6, $7, $8, 0, 0, 0) \
             RETURNING {FIELDS}"
        )))
        .bind(DeletionId::new().0)
        .bind(self.workspace.as_str())
        .bind(new.target.as_str())
        .bind(&new.id)
        .bind(by.as_str())
        .bind(int(now_ms))
        .bind(int(run_at_ms))
        .bind(new.thread_id.as_ref().map(ThreadId::as_str))
        .fetch_one(&mut **tx)
        .await?;
        deletion(row)
    }

    /// The deletion of the workspace itself that waits or is under way.
    pub async fn open_deletion(&self) -> Result<Option<Deletion>, StoreError> {
        let row: Option<Row> = sqlx::query_as(AssertSqlSafe(format!(
            "SELECT {FIELDS} FROM deletions WHERE workspace_id = $1 AND target = 'workspace' \
             AND status IN ('scheduled', 'running') ORDER BY run_at_ms LIMIT 1"
        )))
        .bind(self.workspace.as_str())
        .fetch_optional(self.store.read())
        .await?;
        row.map(deletion).transpose()
    }

    /// Whether there is something to delete.
    pub async fn can_be_deleted(&self, new: &NewDeletion, by: &UserId) -> Result<bool, StoreError> {
        let id = new.id.as_str();
        let sql = match new.target {
            DeletionTarget::Workspace => return Ok(id == self.workspace.as_str()),
            // Somebody else's private thread is not there, for admins neither.
            DeletionTarget::Thread => return Ok(self.thread(&ThreadId(id.to_owned()), by).await?.is_some()),
            DeletionTarget::Turn => {
                let Some(thread) = &new.thread_id else {
                    return Ok(false);
                };
                return Ok(
                    self.thread(thread, by).await?.is_some() && self.has_turn(thread, &TurnId(id.to_owned())).await?
                );
            }
            DeletionTarget::User => "SELECT 1 FROM memberships WHERE workspace_id = $1 AND user_id = $2",
            DeletionTarget::Artifact => {
                return Ok(!self.artifact_versions(by, &ArtifactId(id.to_owned())).await?.is_empty());
            }
            DeletionTarget::Document => {
                "SELECT 1 FROM docs WHERE workspace_id = $1 AND id = $2 AND deleted_at_ms IS NULL"
            }
        };
        let row: Option<(i64,)> = sqlx::query_as(sql)
            .bind(self.workspace.as_str())
            .bind(id)
            .fetch_optional(self.store.read())
            .await?;
        Ok(row.is_some())
    }

    /// All of them, by id, after `after`.
    pub async fn deletions(&self, after: &str, limit: usize) -> Result<Vec<Deletion>, StoreError> {
        let rows: Vec<Row> = sqlx::query_as(AssertSqlSafe(format!(
            "SELECT {FIELDS} FROM deletions WHERE workspace_id = $1 AND id > $2 ORDER BY id LIMIT $3"
        )))
        .bind(self.workspace.as_str())
        .bind(after)
        .bind(int(limit as u64))
        .fetch_all(self.store.read())
        .await?;
        rows.into_iter().map(deletion).collect()
    }

    /// One of them.
    pub async fn deletion(&self, id: &DeletionId) -> Result<Option<Deletion>, StoreError> {
        let row: Option<Row> = sqlx::query_as(AssertSqlSafe(format!(
            "SELECT {FIELDS} FROM deletions WHERE workspace_id = $1 AND id = $2"
        )))
        .bind(self.workspace.as_str())
        .bind(id.as_str())
        .fetch_optional(self.store.read())
        .await?;
        row.map(deletion).transpose()
    }

    /// Cancels one that has not begun, or lets it begin now. None when it has begun, or is not there.
    pub async fn decide_deletion(
        &self,
        tx: &mut Transaction<'_, Any>,
        id: &DeletionId,
        to: DeletionStatus,
        now_ms: u64,
    ) -> Result<Option<Deletion>, StoreError> {
        let row: Option<Row> = sqlx::query_as(AssertSqlSafe(format!(
            "UPDATE deletions SET status = $3, run_at_ms = $4 WHERE workspace_id = $1 AND id = $2 AND status = 'scheduled' \
             RETURNING {FIELDS}"
        )))
        .bind(self.workspace.as_str())
        .bind(id.as_str())
        .bind(to.as_str())
        .bind(int(now_ms))
        .fetch_optional(&mut **tx)
        .await?;
        row.map(deletion).transpose()
    }
}

impl Store {
    /// A job that is due and that no living node has. Of several nodes that ask, one gets it.
    pub async fn claim_deletion(&self, now_ms: u64, lease_ms: u64) -> Result<Option<Job>, StoreError> {
        const DUE: &str = "(status = 'scheduled' AND run_at_ms <= $1) OR (status = 'running' AND lease_until_ms <= $1)";
        let due: Option<(String,)> = sqlx::query_as(AssertSqlSafe(format!(
            "SELECT id FROM deletions WHERE {DUE} ORDER BY run_at_ms LIMIT 1"
        )))
        .bind(int(now_ms))
        .fetch_optional(self.read())
        .await?;
        let Some((id,)) = due else {
            return Ok(None);
        };
        let row: Option<(String, String, String, Option<String>, i64, i64)> = sqlx::query_as(AssertSqlSafe(format!(
            "UPDATE deletions SET status = 'running', lease = lease + 1, lease_until_ms = $2 WHERE id = $3 AND ({DUE}) \
             RETURNING workspace_id, target, target_id, thread_id, position, lease"
        )))
        .bind(int(now_ms))
        .bind(int(now_ms + lease_ms))
        .bind(&id)
        .fetch_optional(self.write())
        .await?;
        row.map(|(workspace, target, target_id, thread, position, lease)| {
            Ok(Job {
                id: DeletionId(id),
                scope: Scope::of(WorkspaceId(workspace)),
                target: target_named(&target)?,
                target_id,
                thread: thread.map(ThreadId),
                position,
                head_seq: 0,
                lease,
            })
        })
        .transpose()
    }

    /// Keeps the job for a while longer. False when another node has it.
    pub async fn renew_deletion(&self, job: &Job, now_ms: u64) -> Result<bool, StoreError> {
        let mut tx = self.begin().await?;
        let has = self.still_has(&mut tx, job, now_ms).await?;
        tx.commit().await?;
        Ok(has)
    }

    /// Deletes at most [`BATCH`] rows of the job, together with the note that they are gone. Adds the places in the storage
    /// that nobody needs any more.
    pub async fn delete_batch(
        &self,
        job: &mut Job,
        now_ms: u64,
        unneeded: &mut Vec<String>,
    ) -> Result<Step, StoreError> {
        let mut tx = self.begin().await?;
        if !self.still_has(&mut tx, job, now_ms).await? {
            return Ok(Step::Lost);
        }
        let within = self.within(&job.scope);
        // A log is looked through page by page, and a page may hold nothing of a turn.
        let mut before_the_end = false;
        let gone = match job.target {
            DeletionTarget::Workspace => self.workspace_batch(&mut tx, &job.scope, now_ms).await?,
            DeletionTarget::User => {
                let user = UserId(job.target_id.clone());
                within.hold(&mut tx).await?;
                match within.role_of(&mut tx, &user).await? {
                    None => 0,
                    Some(role) => {
                        let last =
                            role == protocol::workspace::people::Role::Owner && within.owners(&mut tx).await? <= 1;
                        if last {
                            return Ok(Step::Refused("A workspace has at least one owner."));
                        }
                        within.remove_member(&mut tx, &user).await?;
                        within.void_invitations_of(&mut tx, &user).await?;
                        const PRIVATE: &str = "UPDATE threads SET deleted_at_ms = $2, lease_producer = NULL \
                                               WHERE workspace_id = $1 AND owner = $3 AND visibility = 'private' \
                                               AND deleted_at_ms IS NULL";
                        let marked = mark(&mut tx, PRIVATE, job, now_ms).await?;
                        1 + marked + within.blank_activity(&mut tx, "user", &job.target_id).await?
                    }
                }
            }
            DeletionTarget::Thread => {
                const ONE: &str = "UPDATE threads SET deleted_at_ms = $2, lease_producer = NULL \
                                   WHERE workspace_id = $1 AND id = $3 AND deleted_at_ms IS NULL";
                let marked = mark(&mut tx, ONE, job, now_ms).await?;
                let thread = ThreadId(job.target_id.clone());
                marked
                    + within.forget_files(&mut tx, &thread, now_ms, unneeded).await?
                    + within.blank_activity(&mut tx, "thread", &job.target_id).await?
            }
            DeletionTarget::Turn => match within.turn_page(&mut tx, job, now_ms).await? {
                turn::Page::Looked { gone, position } => {
                    before_the_end = true;
                    job.position = position;
                    gone
                }
                turn::Page::End { gone, head_seq } => {
                    job.head_seq = head_seq.unwrap_or(job.head_seq);
                    gone
                }
                turn::Page::Runs => {
                    return Ok(Step::Refused("The turn is under way: stop it first."));
                }
            },
            DeletionTarget::Document => match within.delete_document(&mut tx, &job.target_id, now_ms).await? {
                Some(_) => 1 + within.blank_activity(&mut tx, "document", &job.target_id).await?,
                None => 0,
            },
            DeletionTarget::Artifact => {
                let id = ArtifactId(job.target_id.clone());
                unneeded.extend(within.delete_artifact(&mut tx, &id, now_ms).await?);
                within.forget_versions(&mut tx, &id).await?
                    + within.blank_activity(&mut tx, "artifact", &job.target_id).await?
            }
        };
        sqlx::query("UPDATE deletions SET deleted = deleted + $2, position = $3 WHERE id = $1")
            .bind(job.id.as_str())
            .bind(int(gone))
            .bind(job.position)
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok(if gone == 0 && !before_the_end {
            Step::Done
        } else {
            Step::More
        })
    }

    /// Nobody gets in any more, and then the rows go, table by table. Threads are held before their workspace, as everywhere.
    async fn workspace_batch(
        &self,
        tx: &mut Transaction<'_, Any>,
        scope: &Scope,
        now_ms: u64,
    ) -> Result<u64, StoreError> {
        sqlx::query(
            "UPDATE threads SET deleted_at_ms = $2, lease_producer = NULL WHERE workspace_id = $1 AND deleted_at_ms IS NULL",
        )
        .bind(scope.workspace().as_str())
        .bind(int(now_ms))
        .execute(&mut **tx)
        .await?;
        let closed =
            sqlx::query("UPDATE workspaces SET deleted_at_ms = $2, name = '' WHERE id = $1 AND deleted_at_ms IS NULL")
                .bind(scope.workspace().as_str())
                .bind(int(now_ms))
                .execute(&mut **tx)
                .await?;
        if closed.rows_affected() > 0 {
            // Logs and bytes come first, and they may go only once nobody gets in.
            return Ok(1);
        }
        sqlx::query(
            "DELETE FROM artifact_versions WHERE artifact_id IN (SELECT id FROM artifacts WHERE workspace_id = $1)",
        )
        .bind(scope.workspace().as_str())
        .execute(&mut **tx)
        .await?;
        let row = match self.kind() {
            Kind::Sqlite => "rowid",
            Kind::Postgres => "ctid",
        };
        let mut gone = 0;
        for table in WORKSPACE {
            let done = sqlx::query(AssertSqlSafe(format!(
                "DELETE FROM {table} WHERE {row} IN (SELECT {row} FROM {table} WHERE workspace_id = $1 LIMIT $2)"
            )))
            .bind(scope.workspace().as_str())
            .bind(int(BATCH - gone))
            .execute(&mut **tx)
            .await?;
            gone += done.rows_affected();
            if gone >= BATCH {
                break;
            }
        }
        Ok(gone)
    }

    async fn still_has(&self, tx: &mut Transaction<'_, Any>, job: &Job, now_ms: u64) -> Result<bool, StoreError> {
        let done =
            sqlx::query("UPDATE deletions SET lease_until_ms = $3 WHERE id = $1 AND lease = $2 AND status = 'running'")
                .bind(job.id.as_str())
                .bind(job.lease)
                .bind(int(now_ms + LEASE_MS))
                .execute(&mut **tx)
                .await?;
        Ok(done.rows_affected() == 1)
    }

    /// The job is over.
    pub async fn end_deletion(
        &self,
        tx: &mut Transaction<'_, Any>,
        job: &Job,
        error: Option<&str>,
    ) -> Result<bool, StoreError> {
        let status = if error.is_some() {
            DeletionStatus::Failed
        } else {
            DeletionStatus::Completed
        };
        let done = sqlx::query(
            "UPDATE deletions SET status = $3, error = $4 WHERE id = $1 AND lease = $2 AND status = 'running'",
        )
        .bind(job.id.as_str())
        .bind(job.lease)
        .bind(status.as_str())
        .bind(error)
        .execute(&mut **tx)
        .await?;
        Ok(done.rows_affected() == 1)
    }
}

/// Marks threads as deleted: `$1` is the workspace, `$2` the time, `$3` the job's target.
async fn mark(tx: &mut Transaction<'_, Any>, sql: &'static str, job: &Job, now_ms: u64) -> Result<u64, StoreError> {
    let done = sqlx::query(sql)
        .bind(job.scope.workspace().as_str())
        .bind(int(now_ms))
        .bind(&job.target_id)
        .execute(&mut **tx)
        .await?;
    Ok(done.rows_affected())
}

fn target_named(name: &str) -> Result<DeletionTarget, StoreError> {
    DeletionTarget::ALL
        .into_iter()
        .find(|it| it.as_str() == name)
        .ok_or_else(|| StoreError::Damaged(format!("the target {name} of a deletion")))
}

fn deletion(
    (id, target, target_id, thread, status, by, created, run_at, deleted, error): Row,
) -> Result<Deletion, StoreError> {
    Ok(Deletion {
        id: DeletionId(id),
        target: target_named(&target)?,
        target_id,
        thread_id: thread.map(ThreadId),
        status: DeletionStatus::ALL
            .into_iter()
            .find(|it| it.as_str() == status)
            .ok_or_else(|| StoreError::Damaged(format!("the status {status} of a deletion")))?,
        requested_by: UserId(by),
        created_at_ms: uint(created),
        run_at_ms: uint(run_at),
        deleted: uint(deleted),
        error,
    })
}
