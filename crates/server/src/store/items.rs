//! Items as they are kept: where in the log they are, so that a piece of a text that streams costs as much as any event, however
//! long the text has become. What an item says is read from there.

use protocol::id::{ItemId, TurnId};
use protocol::workspace::log::SharedItem;
use protocol::workspace::people::Listed;
use serde_json::{Map, Value};
use sqlx::{Any, Transaction};

use super::events::json;
use super::threads::LogId;
use super::{StoreError, Within, int, uint};
use crate::fold::take_piece;

#[cfg(test)]
mod tests;

/// At most so many items in one page or snapshot.
pub const ITEMS: usize = 1000;

/// Items are read in small portions: one may have a megabyte.
const CHUNK: i64 = 32;

/// Pieces of one question: each may have 256 KiB.
const PIECES: i64 = 64;

/// An item, the event that has all of it, and how far it is.
type ItemRow = (String, String, i64, String, Option<String>, i64, Option<i64>, i64, i64);

/// What is read of an item, and about how many bytes that is.
#[derive(Debug)]
struct Read {
    item: SharedItem,
    bytes: usize,
}

impl Within<'_> {
    /// Items in the order in which they began: those after the place `after`. Whether one may see the thread was asked before.
    pub(crate) async fn items(
        &self,
        log: LogId,
        after: u64,
        limit: usize,
        max_bytes: usize,
    ) -> Result<Listed<SharedItem>, StoreError> {
        let mut tx = self.store.still().await?;
        let listed = listed(&mut tx, log, after, limit.clamp(1, ITEMS), max_bytes).await?;
        tx.rollback().await?;
        Ok(listed)
    }
}

async fn listed(
    tx: &mut Transaction<'_, Any>,
    log: LogId,
    after: u64,
    limit: usize,
    max_bytes: usize,
) -> Result<Listed<SharedItem>, StoreError> {
    let (mut items, mut bytes, mut last) = (Vec::new(), 0, after);
    loop {
        let rows: Vec<ItemRow> = sqlx::query_as(
                "SELECT i.item_id, i.turn_id, i.first_seq, i.payload, e.payload, i.payload_seq, i.completed_at_ms, i.pieces, \
                 i.applied_seq FROM items i LEFT JOIN events e ON e.log_id = i.log_id AND e.seq = i.payload_seq \
                 WHERE i.log_id = $1 AND i.first_seq > $2 ORDER BY i.first_seq LIMIT $3",
            )
            .bind(log.0)
            .bind(int(last))
            .bind(CHUNK)
            .fetch_all(&mut **tx)
            .await?;
        if rows.is_empty() {
            return Ok(Listed { items, next: None });
        }
        for row in rows {
            let first_seq = uint(row.2);
            if let Some(read) = read(tx, log, row).await? {
                if items.len() == limit || (bytes + read.bytes > max_bytes && !items.is_empty()) {
                    return Ok(Listed {
                        items,
                        next: Some(last.to_string()),
                    });
                }
                bytes += read.bytes;
                items.push(read.item);
            }
            last = first_seq;
        }
    }
}

/// The newest items in their order, and how many there are before them.
pub(super) async fn newest(
    tx: &mut Transaction<'_, Any>,
    log: LogId,
    max_bytes: usize,
) -> Result<(Vec<SharedItem>, u64), StoreError> {
    let (mut items, mut bytes, mut before) = (Vec::new(), 0, i64::MAX);
    'read: loop {
        let rows: Vec<ItemRow> = sqlx::query_as(
            "SELECT i.item_id, i.turn_id, i.first_seq, i.payload, e.payload, i.payload_seq, i.completed_at_ms, i.pieces, \
             i.applied_seq FROM items i LEFT JOIN events e ON e.log_id = i.log_id AND e.seq = i.payload_seq \
             WHERE i.log_id = $1 AND i.first_seq < $2 ORDER BY i.first_seq DESC LIMIT $3",
        )
        .bind(log.0)
        .bind(before)
        .bind(CHUNK)
        .fetch_all(&mut **tx)
        .await?;
        if rows.is_empty() {
            break;
        }
        for row in rows {
            let first_seq = row.2;
            if let Some(read) = read(tx, log, row).await? {
                bytes += read.bytes;
                if items.len() == ITEMS || (bytes > max_bytes && !items.is_empty()) {
                    break 'read;
                }
                items.push(read.item);
            }
            before = first_seq;
        }
    }
    items.reverse();
    let (earlier,): (i64,) = sqlx::query_as("SELECT COUNT(*) FROM items WHERE log_id = $1 AND first_seq < $2")
        .bind(log.0)
        .bind(before)
        .fetch_one(&mut **tx)
        .await?;
    Ok((items, uint(earlier)))
}

/// None while its turn is being deleted: the events are gone, and the item will be.
async fn read(tx: &mut Transaction<'_, Any>, log: LogId, row: ItemRow) -> Result<Option<Read>, StoreError> {
    let (id, turn, _, kept, event, payload_seq, completed, pieces, applied) = row;
    // Earlier versions kept all of an item here, as of the event that is named.
    let is_event = kept.is_empty();
    let text = if is_event { event.unwrap_or_default() } else { kept };
    let Some(mut item) = said(&text, &id, is_event)? else {
        return Ok(None);
    };
    let mut bytes = text.len();
    if completed.is_none() && pieces == 1 {
        let mut last = payload_seq;
        loop {
            let rows: Vec<(i64, String)> = sqlx::query_as(
                "SELECT seq, payload FROM events WHERE log_id = $1 AND seq > $2 AND seq <= $3 AND piece_of = $4 \
                 ORDER BY seq LIMIT $5",
            )
            .bind(log.0)
            .bind(last)
            .bind(applied)
            .bind(&id)
            .bind(PIECES)
            .fetch_all(&mut **tx)
            .await?;
            let Some((seq, _)) = rows.last() else { break };
            last = *seq;
            // At once, so that what is kept in memory has the bound that a text has, however many pieces there are.
            for (seq, payload) in rows {
                bytes += payload.len();
                take_piece(&mut item, &json(&payload, "an event", seq)?);
            }
        }
    }
    let item = SharedItem {
        item_id: ItemId(id),
        turn_id: TurnId(turn),
        payload: Value::Object(item),
        completed: completed.is_some(),
        applied_seq: uint(applied),
    };
    Ok(Some(Read { item, bytes }))
}

fn said(text: &str, id: &str, is_event: bool) -> Result<Option<Map<String, Value>>, StoreError> {
    if text.is_empty() {
        return Ok(None);
    }
    let mut value = json(text, "the item", id)?;
    let item = if is_event {
        value.get_mut("item").map(Value::take)
    } else {
        Some(value)
    };
    Ok(item.and_then(|it| match it {
        Value::Object(item) => Some(item),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => None,
    }))
}
