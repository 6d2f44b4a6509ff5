//! All of a batch in one question. Columns come as one text each, cut into rows by a letter that JSON and names cannot hold:
//! that is read in less than half the time that a parameter for each value takes.

use std::fmt::Display;

use sqlx::{Any, Executor};

use super::{Batch, seq};
use crate::store::{StoreError, int};

/// Between the rows of a column: `chr(31)`. JSON has it escaped in texts, and nowhere else.
const CUT: char = '\u{1f}';

const WRITE: &str = "\
WITH t AS (\
  UPDATE threads SET head_seq = head_seq + $3, updated_at_ms = $4, title = COALESCE($5, title), \
  model = COALESCE($6, model), turn_status = COALESCE($7, turn_status) \
  WHERE workspace_id = $1 AND id = $2 AND deleted_at_ms IS NULL AND (visibility = 'workspace' OR owner = $9) \
  AND lease_producer = $8 AND lease_user = $9 AND lease_epoch = $10 AND lease_until_ms > $4 \
  RETURNING log_id, head_seq, head_seq - $3 AS base), \
p AS (\
  UPDATE producers SET last_seq = $11 + $3 FROM t WHERE producers.log_id = t.log_id \
  AND producers.producer_id = $8 AND producers.user_id = $9 AND producers.last_seq = $11 RETURNING 1), \
e AS (\
  INSERT INTO events (log_id, seq, event_id, at_ms, received_at_ms, producer_id, producer_seq, piece_of, payload) \
  SELECT t.log_id, t.base + n.place, n.event_id, n.at_ms, $4, $8, $11 + n.place, n.piece_of, n.payload FROM t, p, \
  unnest(string_to_array($12, chr(31)), string_to_array($13, chr(31))::bigint[], string_to_array($14, chr(31), ''), \
  string_to_array($15, chr(31))) WITH ORDINALITY AS n (event_id, at_ms, piece_of, payload, place)), \
i AS (\
  INSERT INTO items (log_id, item_id, turn_id, first_seq, payload, payload_seq, completed_at_ms, pieces, applied_seq) \
  SELECT t.log_id, n.item_id, n.turn_id, t.base + n.first, '', t.base + n.place, \
  CASE WHEN n.completed = 1 THEN $4 END, n.pieces, t.base + n.last FROM t, p, \
  unnest(string_to_array($16, chr(31)), string_to_array($17, chr(31)), string_to_array($18, chr(31))::bigint[], \
  string_to_array($19, chr(31))::bigint[], string_to_array($20, chr(31))::bigint[], \
  string_to_array($21, chr(31))::bigint[], string_to_array($22, chr(31))::bigint[]) \
  AS n (item_id, turn_id, first, place, completed, pieces, last) \
  ON CONFLICT (log_id, item_id) DO UPDATE SET turn_id = excluded.turn_id, payload = '', \
  payload_seq = excluded.payload_seq, completed_at_ms = excluded.completed_at_ms, \
  pieces = GREATEST(items.pieces, excluded.pieces), applied_seq = excluded.applied_seq \
  WHERE items.applied_seq < excluded.applied_seq) \
SELECT t.log_id, t.head_seq, 1 / (SELECT COUNT(*) FROM p) FROM t";

/// What the last line says when the thread is there for the taking and its producer is not where it should be: another batch of
/// it was quicker. Nothing of the statement stays then.
const DIVISION_BY_ZERO: &str = "22012";

/// Answers the log and its new head.
pub(super) async fn write(
    executor: impl Executor<'_, Database = Any>,
    workspace: &str,
    batch: &Batch<'_>,
) -> Result<Option<(i64, i64)>, StoreError> {
    let (claim, header, lines) = (&batch.claim, batch.header, batch.lines);
    // Whoever waited for the thread has looked at its producer before; both are compared again with what is there then.
    let written: Result<Option<(i64, i64, i64)>, sqlx::Error> = sqlx::query_as(WRITE)
        .bind(workspace)
        .bind(batch.thread.as_str())
        .bind(int(lines.len() as u64))
        .bind(int(batch.now_ms))
        .bind(header.title.as_deref())
        .bind(header.model.as_deref())
        .bind(header.turn_status)
        .bind(claim.producer_id)
        .bind(claim.user.as_str())
        .bind(int(claim.epoch))
        .bind(int(batch.last))
        .bind(column(lines.iter().map(|it| it.event_id.as_str())))
        .bind(column(lines.iter().map(|it| it.at_ms)))
        .bind(column(
            lines.iter().map(|it| it.piece_of.as_deref().unwrap_or_default()),
        ))
        .bind(column(lines.iter().map(|it| it.payload.as_str())))
        .bind(column(batch.whole_items().map(|(id, ..)| id.as_str())))
        .bind(column(batch.whole_items().map(|(.., it)| it.turn_id.as_str())))
        .bind(column(batch.whole_items().map(|(.., it)| seq(it.first))))
        .bind(column(batch.whole_items().map(|(.., it)| seq(it.place))))
        .bind(column(batch.whole_items().map(|(.., it)| u8::from(it.completed))))
        .bind(column(batch.whole_items().map(|(_, it, _)| u8::from(it.pieces))))
        .bind(column(batch.whole_items().map(|(_, it, _)| seq(it.last))))
        .fetch_optional(executor)
        .await;
    match written {
        Ok(written) => Ok(written.map(|(log, head, _)| (log, head))),
        Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some(DIVISION_BY_ZERO) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn column(values: impl Iterator<Item = impl Display>) -> String {
    let mut column = String::new();
    for (row, value) in values.enumerate() {
        if row > 0 {
            column.push(CUT);
        }
        // Writing into a string cannot fail.
        let _ = std::fmt::Write::write_fmt(&mut column, format_args!("{value}"));
    }
    column
}
