//! Documents: a snapshot and the updates after it. Updates are only ever added; a snapshot replaces those it contains in the
//! same transaction. `seq` has no holes, so whoever reads knows whether something is missing. How far a document is, its last
//! update says; the view `docs_now` joins that with its row.

use bytes::Bytes;
use protocol::id::{UserId, WorkspaceId};
use protocol::workspace::document::SharedDocument;
use sqlx::{Any, AssertSqlSafe, Transaction};

use super::{Kind, Store, StoreError, Within, int, uint};

mod append;
mod embedded;
mod later;
mod load;
mod versions;

pub use append::{Added, Addition, UPDATES};
pub(super) use embedded::Embedded;
pub use later::{Known, Later};
pub use versions::Changed;

/// How far a document is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Which life of it this is.
    pub epoch: u64,
    /// The last update.
    pub seq: u64,
    /// The last update that the snapshot contains.
    pub snapshot: u64,
}

/// A document as it lies on the disk.
#[derive(Debug, Clone)]
pub struct Stored {
    /// Its row.
    pub head: Head,
    /// The snapshot, if there is one: state vector and state.
    pub snapshot: Option<(Bytes, Bytes)>,
    /// The updates after it, without holes up to the head.
    pub tail: Vec<Bytes>,
}

/// One update to be added.
#[derive(Debug, Clone)]
pub struct NewUpdate {
    /// Whose.
    pub user: UserId,
    /// What.
    pub body: Bytes,
}

/// A snapshot that takes the place of updates.
#[derive(Debug, Clone)]
pub struct Fold {
    /// Of which life.
    pub epoch: u64,
    /// Contains all up to here.
    pub seq: u64,
    /// Its state vector.
    pub vector: Bytes,
    /// All of it.
    pub state: Bytes,
}

/// Documents of one question.
const DOCUMENTS: usize = 500;

/// Updates of one read.
const PAGE: i64 = 1_000;

type Row = (i64, i64, i64);

impl Head {
    fn of((epoch, seq, snapshot): Row) -> Self {
        Self {
            epoch: uint(epoch),
            seq: uint(seq),
            snapshot: uint(snapshot),
        }
    }
}

impl Within<'_> {
    /// How far a document is, unless it was deleted.
    pub async fn document_head(&self, document: &str) -> Result<Option<Head>, StoreError> {
        let row: Option<Row> = sqlx::query_as(
            "SELECT epoch, head_seq, snapshot_seq FROM docs_now \
             WHERE workspace_id = $1 AND id = $2 AND deleted_at_ms IS NULL",
        )
        .bind(self.workspace.as_str())
        .bind(document)
        .fetch_optional(self.store.read())
        .await?;
        Ok(row.map(Head::of))
    }

    /// Makes a document unless it is there. One that was deleted begins a new life. True when this made it.
    pub async fn make_document(
        &self,
        tx: &mut Transaction<'_, Any>,
        document: &str,
        user: &UserId,
        now_ms: u64,
    ) -> Result<bool, StoreError> {
        let made = sqlx::query(
            "INSERT INTO docs (workspace_id, id, epoch, head_seq, snapshot_seq, size_bytes, created_by, created_at_ms, \
             updated_at_ms) VALUES ($1, $2, 1, 0, 0, 0, $3, $4, $4) ON CONFLICT (workspace_id, id) DO UPDATE SET \
             epoch = docs.epoch + 1, snapshot_seq = docs.head_seq, size_bytes = 0, created_by = excluded.created_by, \
             created_at_ms = excluded.created_at_ms, updated_at_ms = excluded.updated_at_ms, deleted_at_ms = NULL \
             WHERE docs.deleted_at_ms IS NOT NULL",
        )
        .bind(self.workspace.as_str())
        .bind(document)
        .bind(user.as_str())
        .bind(int(now_ms))
        .execute(&mut **tx)
        .await?;
        Ok(made.rows_affected() > 0)
    }

    /// The documents after this id, in the order of their ids.
    pub async fn documents(&self, after: &str, limit: u32) -> Result<Vec<SharedDocument>, StoreError> {
        let rows: Vec<(String, i64, i64, i64, String, i64, i64)> = sqlx::query_as(
            "SELECT id, epoch, head_seq, size_bytes, created_by, created_at_ms, updated_at_ms FROM docs_now \
             WHERE workspace_id = $1 AND id > $2 AND deleted_at_ms IS NULL ORDER BY id LIMIT $3",
        )
        .bind(self.workspace.as_str())
        .bind(after)
        .bind(i64::from(limit))
        .fetch_all(self.store.read())
        .await?;
        Ok(rows
            .into_iter()
            .map(|(id, epoch, head, size, by, created, updated)| SharedDocument {
                id,
                epoch: uint(epoch),
                head_seq: uint(head),
                size: uint(size),
                created_by: UserId(by),
                created_at_ms: uint(created),
                updated_at_ms: uint(updated),
            })
            .collect())
    }

    /// One document, unless it was deleted.
    pub async fn document(&self, document: &str) -> Result<Option<SharedDocument>, StoreError> {
        let row: Option<(i64, i64, i64, String, i64, i64)> = sqlx::query_as(
            "SELECT epoch, head_seq, size_bytes, created_by, created_at_ms, updated_at_ms FROM docs_now \
             WHERE workspace_id = $1 AND id = $2 AND deleted_at_ms IS NULL",
        )
        .bind(self.workspace.as_str())
        .bind(document)
        .fetch_optional(self.store.read())
        .await?;
        Ok(row.map(|(epoch, head, size, by, created, updated)| SharedDocument {
            id: document.to_owned(),
            epoch: uint(epoch),
            head_seq: uint(head),
            size: uint(size),
            created_by: UserId(by),
            created_at_ms: uint(created),
            updated_at_ms: uint(updated),
        }))
    }

    /// Puts a snapshot in the place of the updates it contains. False when another node was quicker.
    pub async fn fold_document(&self, document: &str, fold: &Fold) -> Result<bool, StoreError> {
        let mut tx = self.store.begin().await?;
        if self.store.kind() == Kind::Postgres {
            let (mine,): (bool,) = sqlx::query_as("SELECT pg_try_advisory_xact_lock(hashtext($1), hashtext($2))")
                .bind(self.workspace.as_str())
                .bind(document)
                .fetch_one(&mut *tx)
                .await?;
            if !mine {
                return Ok(false);
            }
        }
        let folded = sqlx::query(
            "UPDATE docs SET snapshot_seq = $1, size_bytes = $2 WHERE workspace_id = $3 AND id = $4 AND epoch = $5 \
             AND snapshot_seq < $1 AND deleted_at_ms IS NULL",
        )
        .bind(int(fold.seq))
        .bind(int(fold.state.len() as u64))
        .bind(self.workspace.as_str())
        .bind(document)
        .bind(int(fold.epoch))
        .execute(&mut *tx)
        .await?;
        if folded.rows_affected() == 0 {
            return Ok(false);
        }
        sqlx::query(
            "INSERT INTO doc_snapshots (workspace_id, doc_id, seq, vector, state) VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT (workspace_id, doc_id) DO UPDATE SET seq = excluded.seq, vector = excluded.vector, state = excluded.state",
        )
        .bind(self.workspace.as_str())
        .bind(document)
        .bind(int(fold.seq))
        .bind(fold.vector.to_vec())
        .bind(fold.state.to_vec())
        .execute(&mut *tx)
        .await?;
        self.settle(&mut tx, document).await?;
        sqlx::query("DELETE FROM doc_updates WHERE workspace_id = $1 AND doc_id = $2 AND seq <= $3")
            .bind(self.workspace.as_str())
            .bind(document)
            .bind(int(fold.seq))
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok(true)
    }

    /// Puts into a document's row what its updates say, before they go. The caller's transaction has changed the row before:
    /// nobody adds anything meanwhile.
    async fn settle(&self, tx: &mut Transaction<'_, Any>, document: &str) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE docs SET head_seq = n.head_seq, updated_at_ms = n.updated_at_ms FROM docs_now n \
             WHERE n.workspace_id = $1 AND n.id = $2 AND docs.workspace_id = $1 AND docs.id = $2",
        )
        .bind(self.workspace.as_str())
        .bind(document)
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// Deletes a document with all that it was; its row stays, so that a new life gets a new epoch. Answers the head to
    /// look at, or `None` when there is none.
    pub async fn delete_document(
        &self,
        tx: &mut Transaction<'_, Any>,
        document: &str,
        now_ms: u64,
    ) -> Result<Option<u64>, StoreError> {
        let deleted = sqlx::query(
            "UPDATE docs SET deleted_at_ms = $1, size_bytes = 0 \
             WHERE workspace_id = $2 AND id = $3 AND deleted_at_ms IS NULL",
        )
        .bind(int(now_ms))
        .bind(self.workspace.as_str())
        .bind(document)
        .execute(&mut **tx)
        .await?;
        if deleted.rows_affected() == 0 {
            return Ok(None);
        }
        self.settle(tx, document).await?;
        let (head,): (i64,) = sqlx::query_as(
            "UPDATE docs SET head_seq = head_seq + 1 WHERE workspace_id = $1 AND id = $2 RETURNING head_seq",
        )
        .bind(self.workspace.as_str())
        .bind(document)
        .fetch_one(&mut **tx)
        .await?;
        for sql in [
            "DELETE FROM doc_updates WHERE workspace_id = $1 AND doc_id = $2",
            "DELETE FROM doc_snapshots WHERE workspace_id = $1 AND doc_id = $2",
            "DELETE FROM doc_versions WHERE workspace_id = $1 AND doc_id = $2",
        ] {
            sqlx::query(sql)
                .bind(self.workspace.as_str())
                .bind(document)
                .execute(&mut **tx)
                .await?;
        }
        Ok(Some(uint(head)))
    }
}

impl Store {
    /// How far these documents are, deleted ones included: for a node that cannot hear the others. Asks for all at once.
    pub async fn document_heads(
        &self,
        documents: &[(WorkspaceId, String)],
    ) -> Result<Vec<(WorkspaceId, String, u64)>, StoreError> {
        let mut heads = Vec::with_capacity(documents.len());
        for some in documents.chunks(DOCUMENTS) {
            let places: Vec<String> = (0..some.len())
                .map(|it| format!("(${}, ${})", 2 * it + 1, 2 * it + 2))
                .collect();
            let sql = format!(
                "SELECT workspace_id, id, head_seq FROM docs_now WHERE (workspace_id, id) IN (VALUES {})",
                places.join(", ")
            );
            // The text is made of numbers only.
            let mut query = sqlx::query_as::<_, (String, String, i64)>(AssertSqlSafe(sql));
            for (workspace, id) in some {
                query = query.bind(workspace.as_str()).bind(id);
            }
            let rows = query.fetch_all(self.read()).await?;
            heads.extend(
                rows.into_iter()
                    .map(|(workspace, id, head)| (WorkspaceId(workspace), id, uint(head))),
            );
        }
        Ok(heads)
    }
}
