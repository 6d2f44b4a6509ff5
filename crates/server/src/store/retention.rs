//! What is no longer kept: streamed pieces of ended items, and what belonged to deleted threads.

use sqlx::{Any, AssertSqlSafe, Transaction};

use super::threads::LogId;
use super::{Store, StoreError, int};

/// Tables that hold what belongs to a thread, under its log's number, and the column that tells their rows apart.
const TABLES: [(&str, &str); 7] = [
    ("events", "seq"),
    ("items", "item_id"),
    ("turns", "turn_id"),
    ("approvals", "approval_id"),
    ("turn_requests", "id"),
    ("cursors", "device_id"),
    ("producers", "producer_id"),
];

/// Holds a thread, deleted or not, until the transaction ends.
pub(crate) async fn hold(tx: &mut Transaction<'_, Any>, log: LogId) -> Result<(), StoreError> {
    sqlx::query("UPDATE threads SET head_seq = head_seq WHERE log_id = $1")
        .bind(log.0)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

impl Store {
    /// Items that ended before `before_ms` and have pieces.
    pub(crate) async fn old_pieces(&self, before_ms: u64, most: usize) -> Result<Vec<(LogId, String)>, StoreError> {
        let found: Vec<(i64, String)> = sqlx::query_as(
            "SELECT log_id, item_id FROM items WHERE pieces = 1 AND completed_at_ms <= $1 ORDER BY completed_at_ms LIMIT $2",
        )
        .bind(int(before_ms))
        .bind(int(most as u64))
        .fetch_all(self.read())
        .await?;
        Ok(found.into_iter().map(|(log, item)| (LogId(log), item)).collect())
    }

    /// Forgets about `most` rows of a deleted thread, and at last the thread. True: there may be more.
    pub(crate) async fn purge_log(&self, log: i64, most: u64) -> Result<bool, StoreError> {
        for (table, key) in TABLES {
            let sql = format!(
                "DELETE FROM {table} WHERE log_id = $1 AND {key} IN (SELECT {key} FROM {table} WHERE log_id = $1 LIMIT $2)"
            );
            let gone = sqlx::query(AssertSqlSafe(sql))
                .bind(log)
                .bind(int(most))
                .execute(self.write())
                .await?;
            if gone.rows_affected() > 0 {
                return Ok(true);
            }
        }
        sqlx::query("DELETE FROM threads WHERE log_id = $1 AND deleted_at_ms IS NOT NULL")
            .bind(log)
            .execute(self.write())
            .await?;
        Ok(true)
    }
}
