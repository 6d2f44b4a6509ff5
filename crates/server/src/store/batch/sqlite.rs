//! A batch in several statements: the embedded database is in this process, and each of them is cheap to ask.

use std::fmt::Write as _;

use sqlx::{Any, AssertSqlSafe, Transaction};

use super::{Batch, TAKE_NUMBERS, seq, with_claim};
use crate::store::{StoreError, int, rows};

/// Answers the log and its new head.
pub(super) async fn write(
    tx: &mut Transaction<'_, Any>,
    workspace: &str,
    batch: &Batch<'_>,
) -> Result<Option<(i64, i64)>, StoreError> {
    let Some((log, head)) = advance(tx, workspace, batch).await? else {
        return Ok(None);
    };
    let base = head - int(batch.lines.len() as u64);
    append(tx, log, base, batch).await?;
    place_items(tx, log, base, batch).await?;
    Ok(Some((log, head)))
}

async fn advance(
    tx: &mut Transaction<'_, Any>,
    workspace: &str,
    batch: &Batch<'_>,
) -> Result<Option<(i64, i64)>, StoreError> {
    let (claim, count) = (&batch.claim, batch.lines.len() as u64);
    let taken: Option<(i64, i64)> = with_claim(sqlx::query_as(TAKE_NUMBERS), workspace, batch)
        .fetch_optional(&mut **tx)
        .await?;
    let Some((log, head)) = taken else {
        return Ok(None);
    };
    let moved = sqlx::query(
        "UPDATE producers SET last_seq = $4 WHERE log_id = $1 AND producer_id = $2 AND user_id = $3 AND last_seq = $5",
    )
    .bind(log)
    .bind(claim.producer_id)
    .bind(claim.user.as_str())
    .bind(int(batch.last + count))
    .bind(int(batch.last))
    .execute(&mut **tx)
    .await?;
    Ok((moved.rows_affected() == 1).then_some((log, head)))
}

async fn append(tx: &mut Transaction<'_, Any>, log: i64, base: i64, batch: &Batch<'_>) -> Result<(), StoreError> {
    let mut sql = String::with_capacity(128 + batch.lines.len() * 56);
    sql.push_str(
        "INSERT INTO events (log_id, received_at_ms, producer_id, seq, producer_seq, event_id, at_ms, piece_of, payload) VALUES ",
    );
    for index in 0..batch.lines.len() {
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
        .bind(log)
        .bind(int(batch.now_ms))
        .bind(batch.claim.producer_id)
        .bind(base + 1)
        .bind(int(batch.last + 1));
    for line in batch.lines {
        query = query
            .bind(line.event_id.as_str())
            .bind(int(line.at_ms))
            .bind(line.piece_of.as_deref())
            .bind(line.payload.as_str());
    }
    query.execute(&mut **tx).await?;
    Ok(())
}

async fn place_items(tx: &mut Transaction<'_, Any>, log: i64, base: i64, batch: &Batch<'_>) -> Result<(), StoreError> {
    let count = batch.whole_items().count();
    if count == 0 {
        return Ok(());
    }
    let sql = format!(
        "INSERT INTO items (log_id, payload, item_id, turn_id, first_seq, payload_seq, completed_at_ms, pieces, applied_seq) \
         VALUES {} ON CONFLICT (log_id, item_id) DO UPDATE SET turn_id = excluded.turn_id, payload = '', \
         payload_seq = excluded.payload_seq, completed_at_ms = excluded.completed_at_ms, \
         pieces = MAX(items.pieces, excluded.pieces), applied_seq = excluded.applied_seq \
         WHERE items.applied_seq < excluded.applied_seq",
        rows::values("$1, ''", 2, 7, count)
    );
    let mut query = sqlx::query(AssertSqlSafe(sql)).bind(log);
    for (id, change, it) in batch.whole_items() {
        query = query
            .bind(id.as_str())
            .bind(it.turn_id.as_str())
            .bind(base + seq(it.first))
            .bind(base + seq(it.place))
            .bind(it.completed.then(|| int(batch.now_ms)))
            .bind(i64::from(change.pieces))
            .bind(base + seq(change.last));
    }
    query.execute(&mut **tx).await?;
    Ok(())
}
