//! Adding updates in Postgres, in three questions at most, however many documents there are. A statement sees what was there when
//! it began, so the one that gives numbers begins when the documents are locked.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use sqlx::any::AnyArguments;
use sqlx::query::QueryAs;
use sqlx::{Any, AssertSqlSafe};

use super::{Added, Addition, NewUpdate};
use crate::store::{Store, StoreError, int, rows, uint};

/// Locks the documents, then adds to them.
pub(super) async fn append(
    store: &Store,
    additions: &[Addition<'_>],
    now_ms: u64,
) -> Result<Vec<Option<Added>>, StoreError> {
    let lines: Vec<Line<'_>> = (0..).zip(additions).flat_map(lines).collect();
    let documents = documents(additions.len());
    let mut tx = store.begin().await?;
    let sql = format!(
        "WITH {documents} SELECT d.place, n.snapshot_seq, CASE WHEN n.head_seq > n.versioned_seq THEN 1 ELSE 0 END \
         FROM d JOIN docs n ON {LIVES} ORDER BY n.workspace_id, n.id FOR UPDATE OF n"
    );
    let query = with_additions(sqlx::query_as(AssertSqlSafe(sql)), additions);
    let locked: Vec<(i64, i64, i64)> = query.fetch_all(&mut *tx).await?;
    let sql = format!(
        "WITH {documents}, {}, a AS (INSERT INTO doc_updates (workspace_id, doc_id, seq, user_id, created_at_ms, body) \
         SELECT n.workspace_id, n.id, n.head_seq + u.nth, u.user_id, t.now_ms, u.body \
         FROM u JOIN d ON d.place = u.place JOIN docs_now n ON {LIVES} CROSS JOIN t RETURNING workspace_id, doc_id, seq) \
         SELECT d.place, MAX(a.seq) FROM a JOIN d ON d.workspace_id = a.workspace_id AND d.id = a.doc_id GROUP BY d.place",
        updates(additions.len(), lines.len())
    );
    let query = with_lines(
        with_additions(sqlx::query_as(AssertSqlSafe(sql)), additions),
        &lines,
        now_ms,
    );
    let last: Vec<(i64, i64)> = query.fetch_all(&mut *tx).await?;
    if locked.iter().any(|(.., marked)| *marked == 0) {
        let sql = format!("WITH {documents} {MARK}");
        let query = with_additions(sqlx::query_as(AssertSqlSafe(sql)), additions);
        let _: Vec<(i64,)> = query.fetch_all(&mut *tx).await?;
    }
    tx.commit().await?;
    let last: BTreeMap<i64, i64> = last.into_iter().collect();
    let mut added = vec![None; additions.len()];
    for (place, snapshot, _) in locked {
        let at = usize::try_from(place).ok().and_then(|it| added.get_mut(it));
        if let (Some(at), Some(last)) = (at, last.get(&place)) {
            *at = Some(Added {
                last: uint(*last),
                snapshot: uint(snapshot),
            });
        }
    }
    Ok(added)
}

type Asked<'q, R> = QueryAs<'q, Any, R, AnyArguments>;

/// `d`: so many documents. Their parameters come first.
fn documents(count: usize) -> String {
    let mut sql = "d (place, workspace_id, id, epoch) AS (VALUES ".to_owned();
    for place in 0..count {
        let comma = if place == 0 { "" } else { ", " };
        let first = 3 * place + 1;
        // Writing into a string cannot fail.
        let _ = write!(sql, "{comma}({place}, ${first}, ${}, ${})", first + 1, first + 2);
    }
    sql.push(')');
    sql
}

/// `t` and `u`: the time, and so many updates. Their parameters come behind those of so many documents.
fn updates(documents: usize, count: usize) -> String {
    let now = 3 * documents + 1;
    format!(
        "t (now_ms) AS (VALUES (${now})), u (place, nth, user_id, body) AS (VALUES {})",
        rows::tuples(now + 1, 4, count)
    )
}

/// That a document of `d` is still in that life of it.
const LIVES: &str = "n.workspace_id = d.workspace_id AND n.id = d.id AND n.epoch = d.epoch AND n.deleted_at_ms IS NULL";

/// Moves those rows of `d` from which one could not tell that their documents changed since a state was last kept.
const MARK: &str = "\
UPDATE docs SET head_seq = n.head_seq, updated_at_ms = n.updated_at_ms FROM d JOIN docs_now n \
ON n.workspace_id = d.workspace_id AND n.id = d.id \
WHERE docs.workspace_id = d.workspace_id AND docs.id = d.id AND docs.head_seq <= docs.versioned_seq";

fn with_additions<'q, R>(mut query: Asked<'q, R>, additions: &'q [Addition<'q>]) -> Asked<'q, R> {
    for addition in additions {
        query = query
            .bind(addition.scope.workspace().as_str())
            .bind(addition.document)
            .bind(int(addition.epoch));
    }
    query
}

/// An update: of which addition, and which of it.
type Line<'a> = (u64, u64, &'a NewUpdate);

fn lines<'a>((place, addition): (u64, &'a Addition<'a>)) -> impl Iterator<Item = Line<'a>> {
    (1..).zip(&addition.updates).map(move |(nth, it)| (place, nth, *it))
}

fn with_lines<'q, R>(query: Asked<'q, R>, lines: &'q [Line<'q>], now_ms: u64) -> Asked<'q, R> {
    let mut query = query.bind(int(now_ms));
    for (place, nth, update) in lines {
        query = query
            .bind(int(*place))
            .bind(int(*nth))
            .bind(update.user.as_str())
            .bind(update.body.to_vec());
    }
    query
}
