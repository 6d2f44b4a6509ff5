//! The log of a thread: numbered without holes, written in batches, read from any place.

use std::fmt::Write as _;

use protocol::id::{ThreadId, UserId};
use protocol::workspace::log::{EventPage, PageStatus, ServerEvent, SharedEvent, Snapshot};
use serde_json::Value;
use sqlx::{Any, AssertSqlSafe, Transaction};

use super::threads::LogId;
use super::{StoreError, Within, int, rows, uint};

/// At most so many events in one page.
pub const PAGE: usize = 1000;
/// So many rows are read at first: nothing is known yet of how large they are.
const FIRST_ROWS: usize = 32;

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
type EventRow = (i64, String, i64, i64, String, i64, String);

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

    /// Takes the next `count` numbers for a producer, who must have the lease, may see the thread and is at `last`. Answers
    /// the log and its new head; nothing when any of that is not so, and then the transaction is good for nothing else. From
    /// here to its end nobody else appends.
    pub(crate) async fn advance(
        &self,
        tx: &mut Transaction<'_, Any>,
        thread: &ThreadId,
        now_ms: u64,
        claim: Claim<'_>,
        (last, count): (u64, u64),
        header: &Header,
    ) -> Result<Option<(LogId, u64)>, StoreError> {
        let taken: Option<(i64, i64)> = sqlx::query_as(
            "UPDATE threads SET head_seq = head_seq + $3, updated_at_ms = $4, title = COALESCE($5, title), \
             model = COALESCE($6, model), turn_status = COALESCE($7, turn_status) \
             WHERE workspace_id = $1 AND id = $2 AND deleted_at_ms IS NULL AND (visibility = 'workspace' OR owner = $9) \
             AND lease_producer = $8 AND lease_user = $9 AND lease_epoch = $10 AND lease_until_ms > $4 \
             AND EXISTS (SELECT 1 FROM producers p WHERE p.log_id = threads.log_id AND p.producer_id = $8 \
             AND p.user_id = $9 AND p.last_seq = $11) RETURNING log_id, head_seq",
        )
        .bind(self.workspace.as_str())
        .bind(thread.as_str())
        .bind(int(count))
        .bind(int(now_ms))
        .bind(header.title.as_deref())
        .bind(header.model.as_deref())
        .bind(header.turn_status)
        .bind(claim.producer_id)
        .bind(claim.user.as_str())
        .bind(int(claim.epoch))
        .bind(int(last))
        .fetch_optional(&mut **tx)
        .await?;
        let Some((log, head)) = taken else {
            return Ok(None);
        };
        // Whoever waited for the thread above may have looked at its producer before.
        let moved =
            sqlx::query("UPDATE producers SET last_seq = $3 WHERE log_id = $1 AND producer_id = $2 AND last_seq = $4")
                .bind(log)
                .bind(claim.producer_id)
                .bind(int(last + count))
                .bind(int(last))
                .execute(&mut **tx)
                .await?;
        Ok((moved.rows_affected() == 1).then(|| (LogId(log), uint(head))))
    }

    /// Events after `after`, in order: at most `limit`, and about `max_bytes` of payload. Whether one may see the thread was
    /// asked before, by [`Within::thread`].
    pub async fn events_after(
        &self,
        thread: &ThreadId,
        after: u64,
        limit: usize,
        max_bytes: usize,
    ) -> Result<EventPage, StoreError> {
        let (log, head, floor): (i64, i64, i64) = sqlx::query_as(
            "SELECT log_id, head_seq, floor_seq FROM threads WHERE workspace_id = $1 AND id = $2 AND deleted_at_ms IS NULL",
        )
        .bind(self.workspace.as_str())
        .bind(thread.as_str())
        .fetch_one(self.store.read())
        .await?;
        let (log, head, floor) = (LogId(log), uint(head), uint(floor));
        if after > head {
            return Ok(page(PageStatus::Ahead, Vec::new(), None, 0, head));
        }
        if after < floor {
            let (snapshot, head) = self.folded(thread, log, max_bytes).await?;
            let next = snapshot.snapshot_seq;
            return Ok(page(PageStatus::Rebased, Vec::new(), Some(snapshot), next, head));
        }
        let events = self.read_events(log, after, head, limit, max_bytes).await?;
        let next = events.last().map_or(after, |it| it.seq);
        if events.first().is_some_and(|it| it.seq != after + 1) {
            // Pieces went between the two looks: the floor is above this cursor by now.
            let (snapshot, head) = self.folded(thread, log, max_bytes).await?;
            let next = snapshot.snapshot_seq;
            return Ok(page(PageStatus::Rebased, Vec::new(), Some(snapshot), next, head));
        }
        Ok(page(PageStatus::Ok, events, None, next, head))
    }

    /// Up to the first hole, which is where pieces were dropped meanwhile.
    async fn read_events(
        &self,
        log: LogId,
        after: u64,
        head: u64,
        limit: usize,
        max_bytes: usize,
    ) -> Result<Vec<SharedEvent>, StoreError> {
        let limit = limit.clamp(1, PAGE);
        let (mut events, mut bytes, mut rows) = (Vec::new(), 0, FIRST_ROWS);
        let mut last = after;
        while last < head && events.len() < limit && (bytes < max_bytes || events.is_empty()) {
            let asked = rows.min(limit - events.len());
            let found: Vec<EventRow> = sqlx::query_as(
                "SELECT seq, event_id, at_ms, received_at_ms, producer_id, producer_seq, payload FROM events \
                 WHERE log_id = $1 AND seq > $2 AND seq <= $3 ORDER BY seq LIMIT $4",
            )
            .bind(log.0)
            .bind(int(last))
            .bind(int(head))
            .bind(int(asked as u64))
            .fetch_all(self.store.read())
            .await?;
            let whole = found.len() == asked;
            for row in found {
                bytes += row.6.len();
                let event = event(row)?;
                if !events.is_empty() && (event.seq != last + 1 || bytes > max_bytes) {
                    return Ok(events);
                }
                last = event.seq;
                events.push(event);
            }
            if !whole {
                break;
            }
            let average = bytes / events.len().max(1) + 1;
            rows = (max_bytes.saturating_sub(bytes) / average).clamp(1, PAGE);
        }
        Ok(events)
    }
}

/// Appends lines of a producer. `first` are the numbers of the first one, in the thread and by its producer.
pub(crate) async fn append(
    tx: &mut Transaction<'_, Any>,
    log: LogId,
    now_ms: u64,
    producer_id: &str,
    first: (u64, u64),
    lines: &[&Line],
) -> Result<(), StoreError> {
    let mut sql = String::with_capacity(128 + lines.len() * 56);
    sql.push_str(
        "INSERT INTO events (log_id, received_at_ms, producer_id, seq, producer_seq, event_id, at_ms, piece_of, payload) VALUES ",
    );
    for index in 0..lines.len() {
        let (comma, bind) = (if index == 0 { "" } else { ", " }, 6 + index * 4);
        // Writing into a string cannot fail.
        let _ = write!(
            sql,
            "{comma}($1, $2, $3, $4 + {index}, $5 + {index}, ${}, ${}, ${}, ${})",
            bind,
            bind + 1,
            bind + 2,
            bind + 3
        );
    }
    let mut query = sqlx::query(AssertSqlSafe(sql))
        .bind(log.0)
        .bind(int(now_ms))
        .bind(producer_id)
        .bind(int(first.0))
        .bind(int(first.1));
    for line in lines {
        query = query
            .bind(line.event_id.as_str())
            .bind(int(line.at_ms))
            .bind(line.piece_of.as_deref())
            .bind(line.payload.as_str());
    }
    query.execute(&mut **tx).await?;
    Ok(())
}

/// Appends what the server itself says, and answers its number.
pub(crate) async fn say(
    tx: &mut Transaction<'_, Any>,
    log: LogId,
    now_ms: u64,
    event: &ServerEvent,
) -> Result<u64, StoreError> {
    let payload = serde_json::to_string(event).map_err(|error| StoreError::Damaged(error.to_string()))?;
    let (seq,): (i64,) = sqlx::query_as(
        "UPDATE threads SET head_seq = head_seq + 1, updated_at_ms = $2 WHERE log_id = $1 RETURNING head_seq",
    )
    .bind(log.0)
    .bind(int(now_ms))
    .fetch_one(&mut **tx)
    .await?;
    sqlx::query(
        "INSERT INTO events (log_id, seq, event_id, at_ms, received_at_ms, producer_id, producer_seq, payload) \
         VALUES ($1, $2, $3, $4, $4, $5, 0, $6)",
    )
    .bind(log.0)
    .bind(seq)
    .bind(format!("{SERVER}:{seq}"))
    .bind(int(now_ms))
    .bind(SERVER)
    .bind(payload)
    .execute(&mut **tx)
    .await?;
    Ok(uint(seq))
}

/// The producer of what the server itself says. Nobody else can have this name, nor event ids that begin with it.
pub(crate) const SERVER: &str = "server";

/// Forgets the pieces of these items and answers the number of the last one. The transaction holds the thread.
///
/// Pieces have no index of their own, which every event would pay for: those of an item lie between the event that first
/// told of it and the last that is in it, and so the log's key finds them. What came before that was no piece of anything.
pub(crate) async fn drop_pieces(
    tx: &mut Transaction<'_, Any>,
    log: LogId,
    items: &[String],
) -> Result<Option<u64>, StoreError> {
    let picked = rows::list(2, items.len());
    let sql = format!("SELECT item_id, first_seq, applied_seq FROM items WHERE log_id = $1 AND item_id IN ({picked})");
    let mut query = sqlx::query_as::<_, (String, i64, i64)>(AssertSqlSafe(sql)).bind(log.0);
    for item in items {
        query = query.bind(item);
    }
    let mut last = None;
    for (item, first_seq, applied_seq) in query.fetch_all(&mut **tx).await? {
        let gone: Vec<(i64,)> = sqlx::query_as(
            "DELETE FROM events WHERE log_id = $1 AND seq >= $2 AND seq <= $3 AND piece_of = $4 RETURNING seq",
        )
        .bind(log.0)
        .bind(first_seq)
        .bind(applied_seq)
        .bind(item)
        .fetch_all(&mut **tx)
        .await?;
        last = last.max(gone.into_iter().map(|(seq,)| seq).max());
    }
    let sql = format!("UPDATE items SET pieces = 0 WHERE log_id = $1 AND item_id IN ({picked})");
    let mut query = sqlx::query(AssertSqlSafe(sql)).bind(log.0);
    for item in items {
        query = query.bind(item);
    }
    query.execute(&mut **tx).await?;
    if let Some(last) = last {
        sqlx::query("UPDATE threads SET floor_seq = $2 WHERE log_id = $1 AND floor_seq < $2")
            .bind(log.0)
            .bind(last)
            .execute(&mut **tx)
            .await?;
    }
    Ok(last.map(uint))
}

fn page(status: PageStatus, events: Vec<SharedEvent>, snapshot: Option<Snapshot>, next: u64, head: u64) -> EventPage {
    EventPage {
        status,
        events,
        snapshot,
        next,
        head_seq: head,
    }
}

fn event((seq, id, at, received, producer, number, payload): EventRow) -> Result<SharedEvent, StoreError> {
    Ok(SharedEvent {
        seq: uint(seq),
        event_id: id,
        at_ms: uint(at),
        received_at_ms: uint(received),
        producer_id: producer,
        producer_seq: uint(number),
        payload: json(&payload, "an event", seq)?,
    })
}

/// Text that was JSON when it was written.
pub(super) fn json(text: &str, what: &str, which: impl std::fmt::Display) -> Result<Value, StoreError> {
    serde_json::from_str(text).map_err(|_| StoreError::Damaged(format!("{what}: {which}")))
}
