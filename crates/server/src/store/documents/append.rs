//! Adding updates, those of many documents at once: the embedded database is asked once for all of them together.

use std::collections::HashMap;

use sqlx::any::AnyArguments;
use sqlx::query::QueryAs;
use sqlx::{Any, AssertSqlSafe};

use super::{Head, NewUpdate};
use crate::store::{Kind, Scope, Store, StoreError, int, rows, uint};

#[cfg(test)]
mod tests;

/// At most about so many updates at once: each may take eleven parameters, and SQLite has 32,766.
pub const UPDATES: usize = 2000;

/// Updates of one document, in their order.
#[derive(Debug, Clone)]
pub struct Addition<'a> {
    /// Its workspace, which was opened to who made them.
    pub scope: &'a Scope,
    /// Which document.
    pub document: &'a str,
    /// Which life of it.
    pub epoch: u64,
    /// What to add.
    pub updates: Vec<&'a NewUpdate>,
}

impl Store {
    /// Adds updates behind the last ones, all or none of them, and answers when they are on the disk: the new heads; `None`
    /// where this life of the document is over. All nodes lock rows in the same order, so that no two of them wait for each
    /// other.
    pub async fn append_updates(
        &self,
        additions: &[Addition<'_>],
        now_ms: u64,
    ) -> Result<Vec<Option<Head>>, StoreError> {
        let lines: Vec<Line<'_>> = additions.iter().flat_map(lines).collect();
        let moved = match self.kind {
            Kind::Sqlite => self.append_at_once(additions, &lines, now_ms).await?,
            Kind::Postgres => {
                let mut tx = self.begin().await?;
                // An UPDATE locks rows in an order of its own, so they are locked before.
                let mut query = sqlx::query(AssertSqlSafe(lock(additions.len())));
                for Addition { scope, document, .. } in additions {
                    query = query.bind(scope.workspace().as_str()).bind(*document);
                }
                query.execute(&mut *tx).await?;
                let query = sqlx::query_as(AssertSqlSafe(advance(2, additions.len()))).bind(int(now_ms));
                let moved = with_additions(query, additions).fetch_all(&mut *tx).await?;
                let query = sqlx::query_as(AssertSqlSafe(insert(2, lines.len()))).bind(int(now_ms));
                with_lines(query, &lines).fetch_all(&mut *tx).await?;
                tx.commit().await?;
                moved
            }
        };
        let mut heads: HashMap<(String, String, u64), Head> = moved
            .into_iter()
            .map(|(workspace, document, epoch, head, snapshot, size)| {
                let head = Head::of((epoch, head, snapshot, size));
                ((workspace, document, uint(epoch)), head)
            })
            .collect();
        let heads = additions.iter().map(|it| {
            let key = (it.scope.workspace().0.clone(), it.document.to_owned(), it.epoch);
            heads.remove(&key)
        });
        Ok(heads.collect())
    }

    /// The embedded database takes several statements at once, and its thread is woken once for all of them.
    async fn append_at_once(
        &self,
        additions: &[Addition<'_>],
        lines: &[Line<'_>],
        now_ms: u64,
    ) -> Result<Vec<HeadRow>, StoreError> {
        let sql = format!(
            "BEGIN IMMEDIATE; {}; {}; COMMIT",
            advance(2, additions.len()),
            insert(2 + additions.len() * 5, lines.len())
        );
        let query = sqlx::query_as(AssertSqlSafe(sql)).bind(int(now_ms));
        let query = with_lines(with_additions(query, additions), lines);
        let mut connection = self.write().acquire().await?;
        match query.fetch_all(&mut *connection).await {
            Ok(moved) => Ok(moved),
            Err(error) => {
                // The driver does not know whether a transaction was begun. It ends with its connection.
                if let Err(error) = connection.close().await {
                    tracing::warn!(%error, "a connection to the database could not be closed");
                }
                Err(error.into())
            }
        }
    }
}

type HeadRow = (String, String, i64, i64, i64, i64);
type Asked<'q> = QueryAs<'q, Any, HeadRow, AnyArguments>;

/// Locks the rows of so many documents, in the same order on all nodes.
fn lock(documents: usize) -> String {
    format!(
        "SELECT 1 FROM docs WHERE (workspace_id, id) IN (VALUES {}) ORDER BY workspace_id, id FOR UPDATE",
        rows::tuples(1, 2, documents)
    )
}

/// Moves the heads of so many documents, and answers them: `$1` is the time, and the documents' parameters begin at `from`.
fn advance(from: usize, documents: usize) -> String {
    format!(
        "WITH w (workspace_id, id, epoch, updates, bytes) AS (VALUES {}) \
         UPDATE docs SET head_seq = head_seq + w.updates, size_bytes = size_bytes + w.bytes, updated_at_ms = $1 FROM w \
         WHERE docs.workspace_id = w.workspace_id AND docs.id = w.id AND docs.epoch = w.epoch \
         AND docs.deleted_at_ms IS NULL \
         RETURNING docs.workspace_id, docs.id, docs.epoch, docs.head_seq, docs.snapshot_seq, docs.size_bytes",
        rows::tuples(from, 5, documents)
    )
}

fn with_additions<'q>(mut query: Asked<'q>, additions: &'q [Addition<'q>]) -> Asked<'q> {
    for Addition {
        scope,
        document,
        epoch,
        updates,
    } in additions
    {
        let bytes: usize = updates.iter().map(|it| it.body.len()).sum();
        query = query
            .bind(scope.workspace().as_str())
            .bind(*document)
            .bind(int(*epoch))
            .bind(int(updates.len() as u64))
            .bind(int(bytes as u64));
    }
    query
}

/// An update, and how many of the same document come after it.
type Line<'a> = (&'a Addition<'a>, &'a NewUpdate, usize);

fn lines<'a>(addition: &'a Addition<'a>) -> impl Iterator<Item = Line<'a>> {
    let after = (0..addition.updates.len()).rev();
    addition
        .updates
        .iter()
        .zip(after)
        .map(move |(it, after)| (addition, *it, after))
}

/// Writes so many updates, of documents whose heads have been moved; none where that life of the document is over.
fn insert(from: usize, updates: usize) -> String {
    format!(
        "WITH w (workspace_id, id, epoch, after, user_id, body) AS (VALUES {}) \
         INSERT INTO doc_updates (workspace_id, doc_id, seq, user_id, created_at_ms, body) \
         SELECT w.workspace_id, w.id, docs.head_seq - w.after, w.user_id, $1, w.body FROM w JOIN docs \
         ON docs.workspace_id = w.workspace_id AND docs.id = w.id AND docs.epoch = w.epoch \
         AND docs.deleted_at_ms IS NULL",
        rows::tuples(from, 6, updates)
    )
}

fn with_lines<'q>(mut query: Asked<'q>, lines: &'q [Line<'q>]) -> Asked<'q> {
    for (addition, update, after) in lines {
        query = query
            .bind(addition.scope.workspace().as_str())
            .bind(addition.document)
            .bind(int(addition.epoch))
            .bind(int(*after as u64))
            .bind(update.user.as_str())
            .bind(update.body.to_vec());
    }
    query
}
