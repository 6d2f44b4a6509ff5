//! All of a batch in one question. Columns come as one text each, cut into rows by a letter that JSON and names cannot hold:
//! that is read in less than half the time that a parameter for each value takes.

use std::fmt::Write as _;
use std::sync::LazyLock;

use protocol::id::ItemId;
use sqlx::AnyConnection;

use super::{Batch, TAKE_NUMBERS, seq, with_claim};
use crate::fold::{Change, Whole};
use crate::store::{StoreError, int};

/// Between the rows of a column: `chr(31)`. JSON has it escaped in texts, and nowhere else.
const CUT: char = '\u{1f}';

/// All of it. Items come twice: those that begin, which nobody has heard of, and others.
static WRITE: LazyLock<String> = LazyLock::new(|| {
    let (begun, known) = (items(16), items(23));
    format!(
        "WITH t AS ({TAKE_NUMBERS}, head_seq - $3 AS base), \
         p AS (UPDATE producers SET last_seq = $11 + $3 FROM t WHERE producers.log_id = t.log_id \
         AND producers.producer_id = $8 AND producers.user_id = $9 AND producers.last_seq = $11 RETURNING 1), \
         e AS (INSERT INTO events \
         (log_id, seq, event_id, at_ms, received_at_ms, producer_id, producer_seq, piece_of, payload) \
         SELECT t.log_id, t.base + n.place, n.event_id, n.at_ms, $4, $8, $11 + n.place, n.piece_of, n.payload FROM t, p, \
         unnest(string_to_array($12, chr(31)), string_to_array($13, chr(31))::bigint[], \
         string_to_array($14, chr(31), ''), string_to_array($15, chr(31))) \
         WITH ORDINALITY AS n (event_id, at_ms, piece_of, payload, place)), \
         b AS ({begun}), \
         i AS ({known} ON CONFLICT (log_id, item_id) DO UPDATE SET turn_id = excluded.turn_id, payload = '', \
         payload_seq = excluded.payload_seq, completed_at_ms = excluded.completed_at_ms, \
         pieces = GREATEST(items.pieces, excluded.pieces), applied_seq = excluded.applied_seq \
         WHERE items.applied_seq < excluded.applied_seq) \
         SELECT t.log_id, t.head_seq, 1 / (SELECT COUNT(*) FROM p) FROM t"
    )
});

/// Places items; their columns begin with this parameter.
fn items(from: usize) -> String {
    let columns: Vec<String> = (from..from + 7)
        .map(|it| format!("string_to_array(${it}, chr(31))"))
        .collect();
    let (names, numbers) = columns.split_at(2);
    format!(
        "INSERT INTO items (log_id, item_id, turn_id, first_seq, payload, payload_seq, completed_at_ms, pieces, applied_seq) \
         SELECT t.log_id, n.item_id, n.turn_id, t.base + n.first, '', t.base + n.place, \
         CASE WHEN n.completed = 1 THEN $4 END, n.pieces, t.base + n.last FROM t, p, \
         unnest({}, {}::bigint[]) AS n (item_id, turn_id, first, place, completed, pieces, last)",
        names.join(", "),
        numbers.join("::bigint[], ")
    )
}

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
    let lines = batch.lines;
    // Whoever waited for the thread has looked at its producer before; both are compared again with what is there then.
    let mut query = with_claim(sqlx::query_as(WRITE.as_str()), workspace, batch)
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
