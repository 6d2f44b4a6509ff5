//! Kept states of documents: those that people name, and those that the server keeps by itself, which are thinned out.

use std::collections::BTreeSet;

use bytes::Bytes;
use protocol::id::{UserId, VersionId, WorkspaceId};
use protocol::workspace::document::DocumentVersion;
use sqlx::{Any, Transaction};

use crate::store::{Scope, Store, StoreError, Within, int, uint};

#[cfg(test)]
mod tests;

/// So many of the newest automatic versions stay, an hour or more apart.
const HOURLY: usize = 24;
/// And the last one of each of so many days on which there was any.
const DAILY: usize = 30;
const DAY_MS: u64 = 24 * 3_600_000;

/// A document that changed since the server last kept a state of it.
#[derive(Debug, Clone)]
pub struct Changed {
    /// Where.
    pub scope: Scope,
    /// Which.
    pub document: String,
    /// How far it was when this was found out: a state that is read later has all of that.
    seq: u64,
}

impl Within<'_> {
    /// Keeps a state under a name. False when the document has as many as it may have.
    pub async fn keep_version(
        &self,
        tx: &mut Transaction<'_, Any>,
        document: &str,
        epoch: u64,
        version: &DocumentVersion,
        state: &Bytes,
        most: u32,
    ) -> Result<bool, StoreError> {
        let kept = sqlx::query(
            "INSERT INTO doc_versions (workspace_id, doc_id, id, epoch, label, size_bytes, created_by, created_at_ms, state) \
             SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9 WHERE $7 = '' OR \
             (SELECT COUNT(*) FROM doc_versions WHERE workspace_id = $1 AND doc_id = $2 AND created_by <> '') < $10",
        )
        .bind(self.workspace.as_str())
        .bind(document)
        .bind(version.id.as_str())
        .bind(int(epoch))
        .bind(&version.label)
        .bind(int(version.size))
        // Nobody's are the server's own.
        .bind(version.created_by.as_ref().map_or("", UserId::as_str))
        .bind(int(version.created_at_ms))
        .bind(state.to_vec())
        .bind(i64::from(most))
        .execute(&mut **tx)
        .await?;
        Ok(kept.rows_affected() > 0)
    }

    /// The kept states, newest first.
    pub async fn versions(&self, document: &str, limit: u32) -> Result<Vec<DocumentVersion>, StoreError> {
        let rows: Vec<(String, String, i64, String, i64)> = sqlx::query_as(
            "SELECT id, label, size_bytes, created_by, created_at_ms FROM doc_versions \
             WHERE workspace_id = $1 AND doc_id = $2 ORDER BY id DESC LIMIT $3",
        )
        .bind(self.workspace.as_str())
        .bind(document)
        .bind(i64::from(limit))
        .fetch_all(self.store.read())
        .await?;
        Ok(rows
            .into_iter()
            .map(|(id, label, size, by, at)| DocumentVersion {
                id: VersionId(id),
                label,
                size: uint(size),
                created_by: (!by.is_empty()).then_some(UserId(by)),
                created_at_ms: uint(at),
            })
            .collect())
    }

    /// One kept state.
    pub async fn version_state(&self, document: &str, version: &VersionId) -> Result<Option<Bytes>, StoreError> {
        let row: Option<(Vec<u8>,)> =
            sqlx::query_as("SELECT state FROM doc_versions WHERE workspace_id = $1 AND doc_id = $2 AND id = $3")
                .bind(self.workspace.as_str())
                .bind(document)
                .bind(version.as_str())
                .fetch_optional(self.store.read())
                .await?;
        Ok(row.map(|(state,)| state.into()))
    }

    /// Says that the server has looked after a changed document. False when another node was quicker.
    pub async fn look_after(
        &self,
        tx: &mut Transaction<'_, Any>,
        changed: &Changed,
        now_ms: u64,
        before_ms: u64,
    ) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "UPDATE docs SET versioned_seq = $3, versioned_at_ms = $4 WHERE workspace_id = $1 AND id = $2 \
             AND versioned_at_ms <= $5 AND deleted_at_ms IS NULL",
        )
        .bind(self.workspace.as_str())
        .bind(&changed.document)
        .bind(int(changed.seq))
        .bind(int(now_ms))
        .bind(int(before_ms))
        .execute(&mut **tx)
        .await?;
        if done.rows_affected() == 0 {
            return Ok(false);
        }
        // What was added since the state was read shows in the row from now on.
        self.settle(tx, &changed.document).await?;
        Ok(true)
    }

    /// Forgets the automatic versions that are too many.
    pub async fn thin_versions(&self, tx: &mut Transaction<'_, Any>, document: &str) -> Result<(), StoreError> {
        let kept: Vec<(String, i64)> = sqlx::query_as(
            "SELECT id, created_at_ms FROM doc_versions WHERE workspace_id = $1 AND doc_id = $2 AND created_by = '' \
             ORDER BY created_at_ms DESC, id DESC",
        )
        .bind(self.workspace.as_str())
        .bind(document)
        .fetch_all(&mut **tx)
        .await?;
        let times: Vec<u64> = kept.iter().map(|(_, at)| uint(*at)).collect();
        for surplus in surplus(&times) {
            let Some((id, _)) = kept.get(surplus) else { continue };
            sqlx::query("DELETE FROM doc_versions WHERE workspace_id = $1 AND doc_id = $2 AND id = $3")
                .bind(self.workspace.as_str())
                .bind(document)
                .bind(id)
                .execute(&mut **tx)
                .await?;
        }
        Ok(())
    }
}

impl Store {
    /// Documents of which the server kept no state since `before_ms`, and that changed since it last did.
    pub async fn changed_documents(&self, before_ms: u64, most: u32) -> Result<Vec<Changed>, StoreError> {
        let rows: Vec<(String, String, i64)> = sqlx::query_as(
            "SELECT n.workspace_id, n.id, n.head_seq FROM docs d JOIN docs_now n ON n.workspace_id = d.workspace_id \
             AND n.id = d.id WHERE d.deleted_at_ms IS NULL AND d.head_seq > d.versioned_seq \
             AND d.versioned_at_ms <= $1 ORDER BY d.versioned_at_ms LIMIT $2",
        )
        .bind(int(before_ms))
        .bind(i64::from(most))
        .fetch_all(self.read())
        .await?;
        Ok(rows
            .into_iter()
            .map(|(workspace, document, seq)| Changed {
                scope: Scope::of(WorkspaceId(workspace)),
                document,
                seq: uint(seq),
            })
            .collect())
    }
}

/// Which of these are neither among the newest nor the last ones of their days. Times, newest first; the answer says where.
fn surplus(times: &[u64]) -> Vec<usize> {
    let mut days = BTreeSet::new();
    let mut surplus = Vec::new();
    for (place, at_ms) in times.iter().enumerate() {
        let is_last_of_day = days.len() < DAILY && days.insert(at_ms / DAY_MS);
        if place >= HOURLY && !is_last_of_day {
            surplus.push(place);
        }
    }
    surplus
}
