//! A machine's batch on its way into a log: its numbers, its events, and where the items are that it tells of. Both databases do
//! the same; Postgres, which is another process and may be another machine, is asked once for all of it.

use protocol::id::{ItemId, ThreadId, UserId};
use sqlx::any::AnyArguments;
use sqlx::query::QueryAs;
use sqlx::{Any, Transaction};

use super::threads::LogId;
use super::{Kind, StoreError, Within, int, uint};
use crate::fold::{Change, Whole};

mod postgres;
mod sqlite;

/// An event on its way into the log.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    pub(crate) event_id: String,
    pub(crate) at_ms: u64,
    /// The item whose streamed text it is a piece of.
    pub(crate) piece_of: Option<String>,
    /// JSON text.
    pub(crate) payload: String,
}

/// What a batch says of the thread as a whole.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) title: Option<String>,
    pub(crate) model: Option<String>,
    pub(crate) turn_status: Option<&'static str>,
}

/// Under what a producer appends.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Claim<'a> {
    pub(crate) user: &'a UserId,
    pub(crate) producer_id: &'a str,
    pub(crate) epoch: u64,
}

/// Where a batch stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) owner: UserId,
    pub(crate) head_seq: u64,
    pub(crate) lease_producer: Option<String>,
    pub(crate) lease_user: Option<UserId>,
    pub(crate) lease_epoch: u64,
    pub(crate) lease_until_ms: u64,
    /// Whose producer it is and the last number it is known by; none when it never had the lease.
    pub(crate) producer: Option<(UserId, u64)>,
}

/// What comes next of a producer.
#[derive(Debug)]
pub(crate) struct Batch<'a> {
    pub(crate) thread: &'a ThreadId,
    pub(crate) claim: Claim<'a>,
    pub(crate) now_ms: u64,
    /// The producer's last number before.
    pub(crate) last: u64,
    pub(crate) header: &'a Header,
    pub(crate) lines: &'a [&'a Line],
    pub(crate) items: &'a Changes<'a>,
}

/// What a batch says of items.
pub(crate) type Changes<'a> = std::collections::BTreeMap<&'a ItemId, Change>;

impl Batch<'_> {
    /// Items that it has all of.
    fn whole_items(&self) -> impl Iterator<Item = (&ItemId, &Change, &Whole)> {
        self.items
            .iter()
            .filter_map(|(id, change)| Some((*id, change, change.whole.as_ref()?)))
    }
}

/// Who may append, and how the thread moves on: the fence, the same for both databases. Its parameters are those that
/// [`with_claim`] binds.
const TAKE_NUMBERS: &str = "\
UPDATE threads SET head_seq = head_seq + $3, updated_at_ms = $4, title = COALESCE($5, title), \
model = COALESCE($6, model), turn_status = COALESCE($7, turn_status) \
WHERE workspace_id = $1 AND id = $2 AND deleted_at_ms IS NULL AND (visibility = 'workspace' OR owner = $9) \
AND lease_producer = $8 AND lease_user = $9 AND lease_epoch = $10 AND lease_until_ms > $4 RETURNING log_id, head_seq";

type Asked<'q, R> = QueryAs<'q, Any, R, AnyArguments>;

/// `$1` to `$10`.
fn with_claim<'q, R>(query: Asked<'q, R>, workspace: &'q str, batch: &'q Batch<'_>) -> Asked<'q, R> {
    let Batch { claim, header, .. } = batch;
    query
        .bind(workspace)
        .bind(batch.thread.as_str())
        .bind(int(batch.lines.len() as u64))
        .bind(int(batch.now_ms))
        .bind(header.title.as_deref())
        .bind(header.model.as_deref())
        .bind(header.turn_status)
        .bind(claim.producer_id)
        .bind(claim.user.as_str())
        .bind(int(claim.epoch))
}

type StandingRow = (
    String,
    i64,
    Option<String>,
    Option<String>,
    i64,
    i64,
    Option<String>,
    Option<i64>,
);
impl Within<'_> {
    /// Where a producer's next batch would stand, if this person may see the thread.
    pub(crate) async fn standing(
        &self,
        tx: &mut Transaction<'_, Any>,
        thread: &ThreadId,
        claim: Claim<'_>,
    ) -> Result<Option<Standing>, StoreError> {
        let row: Option<StandingRow> = sqlx::query_as(
            "SELECT t.owner, t.head_seq, t.lease_producer, t.lease_user, t.lease_epoch, t.lease_until_ms, \
             p.user_id, p.last_seq FROM threads t LEFT JOIN producers p ON p.log_id = t.log_id AND p.producer_id = $4 \
             WHERE t.workspace_id = $1 AND t.id = $2 AND t.deleted_at_ms IS NULL \
             AND (t.visibility = 'workspace' OR t.owner = $3)",
        )
        .bind(self.workspace.as_str())
        .bind(thread.as_str())
        .bind(claim.user.as_str())
        .bind(claim.producer_id)
        .fetch_optional(&mut **tx)
        .await?;
        Ok(
            row.map(|(owner, head, producer, user, epoch, until, whose, last)| Standing {
                owner: UserId(owner),
                head_seq: uint(head),
                lease_producer: producer,
                lease_user: user.map(UserId),
                lease_epoch: uint(epoch),
                lease_until_ms: uint(until),
                producer: whose.zip(last).map(|(whose, last)| (UserId(whose), uint(last))),
            }),
        )
    }

    /// Writes a batch of a producer, who must have the lease, may see the thread and be at `last`. Answers the thread's new head;
    /// nothing when any of that is not so.
    pub(crate) async fn write_batch(&self, batch: &Batch<'_>) -> Result<Option<u64>, StoreError> {
        let has_all = batch.items.values().all(|it| it.whole.is_some());
        if has_all && self.store.kind() == Kind::Postgres {
            // One statement is a transaction.
            let mut held = self.store.warm.take(&self.store.write).await?;
            let written = postgres::write_alone(&mut held.connection, self.workspace.as_str(), batch).await?;
            self.store.warm.give(held);
            return Ok(written.map(|(_, head)| uint(head)));
        }
        let mut tx = self.store.begin_known().await?;
        let written = self.write_batch_within(&mut tx, batch).await?;
        if written.is_some() {
            tx.commit().await?;
        } else {
            tx.rollback().await?;
        }
        Ok(written.map(|(_, head)| head))
    }

    /// The same as part of a transaction, which is good for nothing else when the answer is nothing. From here to its end nobody
    /// else appends. Answers the log, too.
    pub(crate) async fn write_batch_within(
        &self,
        tx: &mut Transaction<'_, Any>,
        batch: &Batch<'_>,
    ) -> Result<Option<(LogId, u64)>, StoreError> {
        let written = match self.store.kind() {
            Kind::Sqlite => sqlite::write(tx, self.workspace.as_str(), batch).await?,
            Kind::Postgres => postgres::write(&mut *tx, self.workspace.as_str(), batch).await?,
        };
        let Some((log, head)) = written else {
            return Ok(None);
        };
        let base = head - int(batch.lines.len() as u64);
        for (item, change) in batch.items.iter().filter(|(_, it)| it.whole.is_none()) {
            // Pieces of an item that nobody announced are kept, and belong to nothing.
            sqlx::query(
                "UPDATE items SET pieces = 1, applied_seq = $3 WHERE log_id = $1 AND item_id = $2 AND applied_seq < $3",
            )
            .bind(log)
            .bind(item.as_str())
            .bind(base + seq(change.last))
            .execute(&mut **tx)
            .await?;
        }
        Ok(Some((LogId(log), uint(head))))
    }
}

/// The number of an event of a batch, if those before it end at 0.
fn seq(place: usize) -> i64 {
    int(place as u64) + 1
}
