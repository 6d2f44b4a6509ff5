//! Installations of clients, each of one person.

use protocol::id::{DeviceId, UserId};
use protocol::workspace::people::{Device, NewDevice};

use super::{Store, StoreError, int, uint};

/// At most so many of one person that are not revoked.
pub const MOST: usize = 100;

type Row = (String, String, String, i64, i64, Option<i64>);

impl Store {
    /// Makes a device known. None when the id is another person's, revoked, or one too many.
    pub async fn register_device(
        &self,
        user: &UserId,
        new: &NewDevice,
        now_ms: u64,
    ) -> Result<Option<Device>, StoreError> {
        let id = new.id.clone().unwrap_or_default();
        let mut tx = self.begin().await?;
        let (others,): (i64,) =
            sqlx::query_as("SELECT COUNT(*) FROM devices WHERE user_id = $1 AND id <> $2 AND revoked_at_ms IS NULL")
                .bind(user.as_str())
                .bind(id.as_str())
                .fetch_one(&mut *tx)
                .await?;
        if others >= int(MOST as u64) {
            return Ok(None);
        }
        let row: Option<Row> = sqlx::query_as(
            "INSERT INTO devices (id, user_id, name, platform, created_at_ms, last_seen_at_ms) VALUES ($1, $2, $3, $4, $5, $5) \
             ON CONFLICT (id) DO UPDATE SET name = excluded.name, platform = excluded.platform, \
             last_seen_at_ms = excluded.last_seen_at_ms \
             WHERE devices.user_id = excluded.user_id AND devices.revoked_at_ms IS NULL \
             RETURNING id, name, platform, created_at_ms, last_seen_at_ms, revoked_at_ms",
        )
        .bind(id.as_str())
        .bind(user.as_str())
        .bind(new.name.trim())
        .bind(new.platform.trim())
        .bind(int(now_ms))
        .fetch_optional(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(row.map(device))
    }

    /// A person's own, newest first.
    pub async fn devices(&self, user: &UserId) -> Result<Vec<Device>, StoreError> {
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT id, name, platform, created_at_ms, last_seen_at_ms, revoked_at_ms FROM devices WHERE user_id = $1 \
             ORDER BY last_seen_at_ms DESC, id LIMIT 500",
        )
        .bind(user.as_str())
        .fetch_all(self.read())
        .await?;
        Ok(rows.into_iter().map(device).collect())
    }

    /// Whether this is the person's device and may still do something.
    pub async fn owns_device(&self, user: &UserId, device: &DeviceId) -> Result<bool, StoreError> {
        let row: Option<(i64,)> =
            sqlx::query_as("SELECT 1 FROM devices WHERE id = $1 AND user_id = $2 AND revoked_at_ms IS NULL")
                .bind(device.as_str())
                .bind(user.as_str())
                .fetch_optional(self.read())
                .await?;
        Ok(row.is_some())
    }

    /// Ends what a person's device may do, in the transaction that writes this down.
    pub async fn revoke_device(
        &self,
        tx: &mut sqlx::Transaction<'_, sqlx::Any>,
        user: &UserId,
        device: &DeviceId,
        now_ms: u64,
    ) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "UPDATE devices SET revoked_at_ms = $3 WHERE id = $1 AND user_id = $2 AND revoked_at_ms IS NULL",
        )
        .bind(device.as_str())
        .bind(user.as_str())
        .bind(int(now_ms))
        .execute(&mut **tx)
        .await?;
        Ok(done.rows_affected() == 1)
    }
}

fn device((id, name, platform, created, seen, revoked): Row) -> Device {
    Device {
        id: DeviceId(id),
        name,
        platform,
        created_at_ms: uint(created),
        last_seen_at_ms: uint(seen),
        revoked_at_ms: revoked.map(uint),
    }
}
