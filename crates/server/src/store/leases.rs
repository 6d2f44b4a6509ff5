//! The right to append, which one machine has at a time. Its end is told by the server's clock alone.

use protocol::id::{DeviceId, UserId};
use sqlx::{Any, Transaction};

use super::threads::{LogId, Row};
use super::{Store, StoreError, int, uint};

/// Who holds a thread's lease, as the transaction that holds the thread sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Holder {
    pub(crate) owner: UserId,
    /// Nobody after a release and some time after the end.
    pub(crate) producer: Option<String>,
    /// The last one, whether it still holds it or not.
    pub(crate) device: Option<DeviceId>,
    /// The last one, unless it gave the lease back.
    pub(crate) user: Option<UserId>,
    pub(crate) epoch: u64,
    pub(crate) until_ms: u64,
    pub(crate) hand_to: Option<UserId>,
    pub(crate) hand_until_ms: u64,
}

impl Row {
    pub(crate) fn holder(&self) -> Holder {
        Holder {
            owner: UserId(self.owner.clone()),
            producer: self.lease_producer.clone(),
            device: self.lease_device.clone().map(DeviceId),
            user: self.lease_user.clone().map(UserId),
            epoch: uint(self.lease_epoch),
            until_ms: uint(self.lease_until_ms),
            hand_to: self.hand_to.clone().map(UserId),
            hand_until_ms: uint(self.hand_until_ms),
        }
    }
}

/// The lease as it shall be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Grant<'a> {
    pub(crate) producer_id: &'a str,
    pub(crate) device: &'a DeviceId,
    pub(crate) user: &'a UserId,
    pub(crate) epoch: u64,
    pub(crate) until_ms: u64,
}

/// Gives the lease of a held thread. The producer is this person's from now on; false when it is another one's.
pub(crate) async fn grant(tx: &mut Transaction<'_, Any>, log: LogId, grant: Grant<'_>) -> Result<bool, StoreError> {
    let (whose,): (String,) = sqlx::query_as(
        "INSERT INTO producers (log_id, producer_id, user_id, last_seq) VALUES ($1, $2, $3, 0) \
         ON CONFLICT (log_id, producer_id) DO UPDATE SET last_seq = producers.last_seq RETURNING user_id",
    )
    .bind(log.0)
    .bind(grant.producer_id)
    .bind(grant.user.as_str())
    .fetch_one(&mut **tx)
    .await?;
    if whose != grant.user.as_str() {
        return Ok(false);
    }
    sqlx::query(
        "UPDATE threads SET lease_producer = $2, lease_device = $3, lease_user = $4, lease_epoch = $5, lease_until_ms = $6, \
         hand_to = NULL, hand_until_ms = 0 WHERE log_id = $1",
    )
    .bind(log.0)
    .bind(grant.producer_id)
    .bind(grant.device.as_str())
    .bind(grant.user.as_str())
    .bind(int(grant.epoch))
    .bind(int(grant.until_ms))
    .execute(&mut **tx)
    .await?;
    Ok(true)
}

/// Takes the lease of a held thread back from its holder, for nobody or for somebody.
pub(crate) async fn release(
    tx: &mut Transaction<'_, Any>,
    log: LogId,
    hand_to: Option<&UserId>,
    hand_until_ms: u64,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE threads SET lease_producer = NULL, lease_user = NULL, lease_until_ms = 0, hand_to = $2, hand_until_ms = $3 \
         WHERE log_id = $1",
    )
    .bind(log.0)
    .bind(hand_to.map(UserId::as_str))
    .bind(int(hand_until_ms))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// So many producers may a thread have had.
pub(crate) const PRODUCERS: i64 = 1000;

/// How many producers a held thread has had, this one not counted.
pub(crate) async fn other_producers(
    tx: &mut Transaction<'_, Any>,
    log: LogId,
    producer: &str,
) -> Result<i64, StoreError> {
    let (count,): (i64,) = sqlx::query_as("SELECT COUNT(*) FROM producers WHERE log_id = $1 AND producer_id <> $2")
        .bind(log.0)
        .bind(producer)
        .fetch_one(&mut **tx)
        .await?;
    Ok(count)
}

impl Store {
    /// Takes leases back that ran out before `before_ms`, and answers whose threads they were: workspace and thread.
    pub(crate) async fn end_leases(&self, before_ms: u64) -> Result<Vec<(String, String)>, StoreError> {
        Ok(sqlx::query_as(
            "UPDATE threads SET lease_producer = NULL WHERE lease_producer IS NOT NULL AND lease_until_ms <= $1 \
             AND deleted_at_ms IS NULL RETURNING workspace_id, id",
        )
        .bind(int(before_ms))
        .fetch_all(self.write())
        .await?)
    }
}
