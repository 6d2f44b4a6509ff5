//! The log of a thread: numbered without holes, read from any place. Machines write it in batches ([`super::batch`]).

use protocol::id::ThreadId;
use protocol::workspace::log::{EventPage, PageStatus, ServerEvent, SharedEvent, Snapshot};
use serde_json::Value;
use sqlx::{Any, AssertSqlSafe, Transaction};

use super::threads::LogId;
use super::{StoreError, Within, int, rows, uint};

/// At most so many events in one page.
pub const PAGE: usize = 1000;
/// So many rows are read at first: nothing is known yet of how large they are.
const FIRST_ROWS: usize = 32;

type EventRow = (i64, String, i64, i64, String, i64, String);

impl Within<'_> {
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
