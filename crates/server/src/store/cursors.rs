//! How far each device has read a thread: for marks of what is new, never a limit on what it may read.

use protocol::id::{DeviceId, UserId};
use sqlx::{Any, Transaction};

use super::threads::LogId;
use super::{StoreError, Within, int, uint};

/// So many devices of one person are remembered in one thread: those that read last.
const DEVICES: i64 = 64;

impl Within<'_> {
    /// How far a device of this person has read. Whether one may see the thread was asked before.
    pub(crate) async fn cursor(&self, log: LogId, user: &UserId, device: &DeviceId) -> Result<u64, StoreError> {
        let row: Option<(i64,)> =
            sqlx::query_as("SELECT seq FROM cursors WHERE log_id = $1 AND user_id = $2 AND device_id = $3")
                .bind(log.0)
                .bind(user.as_str())
                .bind(device.as_str())
                .fetch_optional(self.store.read())
                .await?;
        Ok(row.map_or(0, |it| uint(it.0)))
    }
}

/// Moves a cursor on, never back, and answers where it is.
pub(crate) async fn advance(
    tx: &mut Transaction<'_, Any>,
    now_ms: u64,
    log: LogId,
    user: &UserId,
    device: &DeviceId,
    seq: u64,
) -> Result<u64, StoreError> {
    let (now_at,): (i64,) = sqlx::query_as(
        "INSERT INTO cursors (log_id, user_id, device_id, seq, updated_at_ms) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (log_id, user_id, device_id) DO UPDATE SET updated_at_ms = excluded.updated_at_ms, \
         seq = CASE WHEN excluded.seq > cursors.seq THEN excluded.seq ELSE cursors.seq END RETURNING seq",
    )
    .bind(log.0)
    .bind(user.as_str())
    .bind(device.as_str())
    .bind(int(seq))
    .bind(int(now_ms))
    .fetch_one(&mut **tx)
    .await?;
    sqlx::query(
        "DELETE FROM cursors WHERE log_id = $1 AND user_id = $2 AND device_id <> $3 AND device_id NOT IN \
         (SELECT device_id FROM cursors WHERE log_id = $1 AND user_id = $2 ORDER BY updated_at_ms DESC LIMIT $4)",
    )
    .bind(log.0)
    .bind(user.as_str())
    .bind(device.as_str())
    .bind(DEVICES)
    .execute(&mut **tx)
    .await?;
    Ok(uint(now_at))
}
