//! Tickets as they are kept: hashed, so that whoever reads the database cannot use them, and on every node.

use protocol::id::{DeviceId, UserId};

use super::{Store, StoreError, int};
use crate::auth::Verified;

/// What a ticket stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TicketRow {
    /// Whose.
    pub user: UserId,
    /// Who that is.
    pub verified: Verified,
    /// What it opens, in a text of the gate's.
    pub purpose: String,
    /// The page that may use it.
    pub origin: Option<String>,
    /// The device that uses it.
    pub device: Option<DeviceId>,
    /// Until when.
    pub expires_at_ms: u64,
}

type Row = (String, String, String, Option<String>, Option<String>, i64);

impl Store {
    /// Keeps a ticket, and forgets those that have ended. False when the person has `most` waiting already.
    pub async fn put_ticket(&self, hash: &str, row: &TicketRow, most: u64, now_ms: u64) -> Result<bool, StoreError> {
        let verified = serde_json::to_string(&row.verified).map_err(|it| StoreError::Damaged(it.to_string()))?;
        let mut transaction = self.begin().await?;
        sqlx::query("DELETE FROM tickets WHERE expires_at_ms <= $1")
            .bind(int(now_ms))
            .execute(&mut *transaction)
            .await?;
        let (waiting,): (i64,) = sqlx::query_as("SELECT COUNT(*) FROM tickets WHERE user_id = $1")
            .bind(row.user.as_str())
            .fetch_one(&mut *transaction)
            .await?;
        if waiting >= int(most) {
            return Ok(false);
        }
        sqlx::query(
            "INSERT INTO tickets (hash, user_id, verified, purpose, origin, device_id, expires_at_ms) \
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(hash)
        .bind(row.user.as_str())
        .bind(verified)
        .bind(&row.purpose)
        .bind(row.origin.as_deref())
        .bind(row.device.as_ref().map(DeviceId::as_str))
        .bind(int(row.expires_at_ms))
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// Takes a ticket. Of several who ask at once, on whatever nodes, one gets it.
    pub async fn take_ticket(&self, hash: &str) -> Result<Option<TicketRow>, StoreError> {
        let row: Option<Row> = sqlx::query_as(
            "DELETE FROM tickets WHERE hash = $1 RETURNING user_id, verified, purpose, origin, device_id, expires_at_ms",
        )
        .bind(hash)
        .fetch_optional(self.write())
        .await?;
        row.map(|(user, verified, purpose, origin, device, expires_at_ms)| {
            Ok(TicketRow {
                user: UserId(user),
                verified: serde_json::from_str(&verified).map_err(|it| StoreError::Damaged(it.to_string()))?,
                purpose,
                origin,
                device: device.map(DeviceId),
                expires_at_ms: super::uint(expires_at_ms),
            })
        })
        .transpose()
    }
}
