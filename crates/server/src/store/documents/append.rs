//! Adding updates, those of many documents at once: the embedded database is asked twice for all of them together.

use std::collections::HashMap;

use sqlx::{Any, AssertSqlSafe, Transaction};

use super::{Head, NewUpdate};
use crate::store::{Kind, Scope, Store, StoreError, int, rows, uint};

/// Rows of one statement: five parameters each, and SQLite takes 32,766.
const ROWS: usize = 500;

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
    /// Adds updates behind the last ones. Answers the new heads; `None` where this life of the document is over. Documents
    /// come in the same order from all nodes, so that no two of them wait for each other.
    pub async fn append_updates(
        &self,
        tx: &mut Transaction<'_, Any>,
        additions: &[Addition<'_>],
        now_ms: u64,
    ) -> Result<Vec<Option<Head>>, StoreError> {
        // Postgres locks the rows of one statement in an order of its own.
        let together = match self.kind {
            Kind::Sqlite => ROWS,
            Kind::Postgres => 1,
        };
        let mut heads = Vec::with_capacity(additions.len());
        for some in additions.chunks(together) {
            heads.extend(advance(tx, some, now_ms).await?);
        }
        let mut lines = Vec::new();
        for (addition, head) in additions.iter().zip(&heads) {
            let Some(head) = head else { continue };
            let first = head.seq + 1 - addition.updates.len() as u64;
            lines.extend((first..).zip(addition.updates.iter().map(|it| (addition, *it))));
        }
        for some in lines.chunks(ROWS) {
            insert(tx, some, now_ms).await?;
        }
        Ok(heads)
    }
}

type HeadRow = (String, String, i64, i64, i64, i64);

/// Moves the heads.
async fn advance(
    tx: &mut Transaction<'_, Any>,
    additions: &[Addition<'_>],
    now_ms: u64,
) -> Result<Vec<Option<Head>>, StoreError> {
    let mut wanted = String::new();
    for index in 0..additions.len() {
        let (comma, bind) = (if index == 0 { "" } else { ", " }, 2 + index * 5);
        wanted.push_str(&format!(
            "{comma}(${bind}, ${}, ${}, ${}, ${})",
            bind + 1,
            bind + 2,
            bind + 3,
            bind + 4
        ));
    }
    let sql = format!(
        "WITH w (workspace_id, id, epoch, updates, bytes) AS (VALUES {wanted}) \
         UPDATE docs SET head_seq = head_seq + w.updates, size_bytes = size_bytes + w.bytes, updated_at_ms = $1 FROM w \
         WHERE docs.workspace_id = w.workspace_id AND docs.id = w.id AND docs.epoch = w.epoch \
         AND docs.deleted_at_ms IS NULL \
         RETURNING docs.workspace_id, docs.id, docs.epoch, docs.head_seq, docs.snapshot_seq, docs.size_bytes"
    );
    // The text is made of numbers only.
    let mut query = sqlx::query_as::<_, HeadRow>(AssertSqlSafe(sql)).bind(int(now_ms));
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
    let moved = query.fetch_all(&mut **tx).await?.into_iter();
    let mut moved: HashMap<(String, String, u64), Head> = moved
        .map(|(workspace, document, epoch, head, snapshot, size)| {
            let head = Head::of((epoch, head, snapshot, size));
            ((workspace, document, uint(epoch)), head)
        })
        .collect();
    let heads = additions.iter().map(|it| {
        let key = (it.scope.workspace().0.clone(), it.document.to_owned(), it.epoch);
        moved.remove(&key)
    });
    Ok(heads.collect())
}

type Line<'a> = (u64, (&'a Addition<'a>, &'a NewUpdate));

/// Writes the updates under their numbers.
async fn insert(tx: &mut Transaction<'_, Any>, lines: &[Line<'_>], now_ms: u64) -> Result<(), StoreError> {
    let sql = format!(
        "INSERT INTO doc_updates (created_at_ms, workspace_id, doc_id, seq, user_id, body) VALUES {}",
        rows::values("$1", 2, 5, lines.len())
    );
    let mut query = sqlx::query(AssertSqlSafe(sql)).bind(int(now_ms));
    for (seq, (addition, update)) in lines {
        query = query
            .bind(addition.scope.workspace().as_str())
            .bind(addition.document)
            .bind(int(*seq))
            .bind(update.user.as_str())
            .bind(update.body.to_vec());
    }
    query.execute(&mut **tx).await?;
    Ok(())
}
