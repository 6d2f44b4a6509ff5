//! All of a batch in one question. Columns come as one text each, cut into rows by a letter that JSON and names cannot hold:
//! that is read in less than half the time that a parameter for each value takes.

use std::fmt::Write as _;

use protocol::id::ItemId;
use sqlx::AnyConnection;

use super::{Batch, seq};
use crate::fold::{Change, Whole};
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
b AS (\
  INSERT INTO items (log_id, item_id, turn_id, first_seq, payload, payload_seq, completed_at_ms, pieces, applied_seq) \
  SELECT t.log_id, n.item_id, n.turn_id, t.base + n.first, '', t.base + n.place, \
  CASE WHEN n.completed = 1 THEN $4 END, n.pieces, t.base + n.last FROM t, p, \
  unnest(string_to_array($16, chr(31)), string_to_array($17, chr(31)), string_to_array($18, chr(31))::bigint[], \
  string_to_array($19, chr(31))::bigint[], string_to_array($20, chr(31))::bigint[], \
  string_to_array($21, chr(31))::bigint[], string_to_array($22, chr(31))::bigint[]) \
  AS n (item_id, turn_id, first, place, completed, pieces, last)), \
i AS (\
  INSERT INTO items (log_id, item_id, turn_id, first_seq, payload, payload_seq, completed_at_ms, pieces, applied_seq) \
  SELECT t.log_id, n.item_id, n.turn_id, t.base + n.first, '', t.base + n.place, \
  CASE WHEN n.completed = 1 THEN $4 END, n.pieces, t.base + n.last FROM t, p, \
  unnest(string_to_array($23, chr(31)), string_to_array($24, chr(31)), string_to_array($25, chr(31))::bigint[], \
  string_to_array($26, chr(31))::bigint[], string_to_array($27, chr(31))::bigint[], \
  string_to_array($28, chr(31))::bigint[], string_to_array($29, chr(31))::bigint[]) \
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
    connection: &mut AnyConnection,
    workspace: &str,
    batch: &Batch<'_>,
) -> Result<Option<(i64, i64)>, StoreError> {
    let all = batch.whole_items().collect();
    answer(ask(connection, workspace, batch, [Vec::new(), all]).await)
}

/// The same outside of a transaction, where it may be tried: looking first whether an item is there costs half as much again as
/// putting it there.
pub(super) async fn write_alone(
    connection: &mut AnyConnection,
    workspace: &str,
    batch: &Batch<'_>,
) -> Result<Option<(i64, i64)>, StoreError> {
    let (begun, known) = batch.whole_items().partition(|(.., it)| it.begun);
    match ask(connection, workspace, batch, [begun, known]).await {
        // One that begins had begun before.
        Err(error) if is_about_items(&error) => write(connection, workspace, batch).await,
        written => answer(written),
    }
}

type Row = (i64, i64, i64);
type WholeItem<'a> = (&'a ItemId, &'a Change, &'a Whole);

async fn ask(
    connection: &mut AnyConnection,
    workspace: &str,
    batch: &Batch<'_>,
    items: [Vec<WholeItem<'_>>; 2],
) -> Result<Option<Row>, sqlx::Error> {
    let (claim, header, lines) = (&batch.claim, batch.header, batch.lines);
    // Whoever waited for the thread has looked at its producer before; both are compared again with what is there then.
    let mut query = sqlx::query_as(WRITE)
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
        .bind(texts(lines.iter().map(|it| it.event_id.as_str())))
        .bind(numbers(lines.iter().map(|it| int(it.at_ms))))
        .bind(texts(lines.iter().map(|it| it.piece_of.as_deref().unwrap_or_default())))
        .bind(texts(lines.iter().map(|it| it.payload.as_str())));
    for items in items {
        query = query
            .bind(texts(items.iter().map(|(id, ..)| id.as_str())))
            .bind(texts(items.iter().map(|(.., it)| it.turn_id.as_str())))
            .bind(numbers(items.iter().map(|(.., it)| seq(it.first))))
            .bind(numbers(items.iter().map(|(.., it)| seq(it.place))))
            .bind(numbers(items.iter().map(|(.., it)| i64::from(it.completed))))
            .bind(numbers(items.iter().map(|(_, it, _)| i64::from(it.pieces))))
            .bind(numbers(items.iter().map(|(_, it, _)| seq(it.last))));
    }
    query.fetch_optional(connection).await
}

fn answer(written: Result<Option<Row>, sqlx::Error>) -> Result<Option<(i64, i64)>, StoreError> {
    match written {
        Ok(written) => Ok(written.map(|(log, head, _)| (log, head))),
        Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some(DIVISION_BY_ZERO) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn is_about_items(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Database(error) if error.is_unique_violation() && error.table() == Some("items"))
}

fn texts<'a>(rows: impl Iterator<Item = &'a str> + Clone) -> String {
    let mut column = String::with_capacity(rows.clone().map(|it| it.len() + 1).sum());
    for (row, text) in rows.enumerate() {
        if row > 0 {
            column.push(CUT);
        }
        column.push_str(text);
    }
    column
}

fn numbers(rows: impl Iterator<Item = i64>) -> String {
    let mut column = String::new();
    for (row, number) in rows.enumerate() {
        if row > 0 {
            column.push(CUT);
        }
        // Writing into a string cannot fail.
        let _ = write!(column, "{number}");
    }
    column
}
