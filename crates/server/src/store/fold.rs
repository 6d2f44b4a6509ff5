//! What a thread's events add up to, as it is kept: loaded for a batch, saved with it, and read by the page.

use std::collections::BTreeSet;

use protocol::id::{ApprovalId, ItemId, ThreadId, TurnId};
use protocol::workspace::log::{SharedItem, SharedTurn, Snapshot};
use protocol::workspace::people::Listed;
use serde_json::{Map, Value};
use sqlx::{Any, AssertSqlSafe, Transaction};

use super::approvals::{self, ApprovalRow};
use super::events::json;
use super::threads::LogId;
use super::{Kind, Store, StoreError, Within, int, rows, uint};
use crate::fold::{Fact, Fold, Item, Turn};

/// At most so many items in one page or snapshot.
pub const ITEMS: usize = 1000;
/// At most so many turns in a snapshot, and so many questions: the newest.
const TURNS: i64 = 1000;

/// Which rows a batch is about.
#[derive(Debug, Default)]
pub(crate) struct Wanted {
    turns: BTreeSet<String>,
    items: BTreeSet<String>,
    approvals: BTreeSet<String>,
    ended: BTreeSet<String>,
}

impl Wanted {
    pub(crate) fn of<'a>(facts: impl Iterator<Item = &'a Fact>) -> Self {
        let mut wanted = Self::default();
        for fact in facts {
            match fact {
                Fact::TurnStarted { turn_id, .. } => {
                    wanted.turns.insert(turn_id.0.clone());
                }
                Fact::TurnEnded { turn_id, .. } => {
                    wanted.turns.insert(turn_id.0.clone());
                    wanted.ended.insert(turn_id.0.clone());
                }
                Fact::Item { item_id, .. } | Fact::Piece { item_id, .. } => {
                    wanted.items.insert(item_id.0.clone());
                }
                Fact::Asked { approval_id, .. } | Fact::Resolved { approval_id, .. } => {
                    wanted.approvals.insert(approval_id.0.clone());
                }
                Fact::Renamed { .. } | Fact::Model { .. } | Fact::Other => {}
            }
        }
        wanted
    }
}

type TurnRow = (String, i64, String, i64, Option<i64>, i64);
type ItemRow = (String, String, i64, String, Option<i64>, i64, i64);

/// What is there of what a batch is about. The transaction holds the thread.
pub(crate) async fn load(tx: &mut Transaction<'_, Any>, log: LogId, wanted: &Wanted) -> Result<Fold, StoreError> {
    let mut fold = Fold::default();
    if !wanted.turns.is_empty() {
        let sql = format!(
            "SELECT turn_id, first_seq, status, started_at_ms, ended_at_ms, applied_seq FROM turns \
             WHERE log_id = $1 AND turn_id IN ({})",
            rows::list(2, wanted.turns.len())
        );
        let mut query = sqlx::query_as::<_, TurnRow>(AssertSqlSafe(sql)).bind(log.0);
        for id in &wanted.turns {
            query = query.bind(id);
        }
        for (id, first_seq, status, started, ended, applied) in query.fetch_all(&mut **tx).await? {
            let turn = Turn {
                first_seq: uint(first_seq),
                status,
                started_at_ms: uint(started),
                ended_at_ms: ended.map(uint),
                applied_seq: uint(applied),
            };
            fold.turns.insert(TurnId(id), turn);
        }
    }
    if !wanted.items.is_empty() {
        // The bounds say nothing new, but nothing outside of them is looked at. Later ids sort after earlier ones, so that is
        // little. Else Postgres, as long as it has no statistics of the table, goes through all items of the thread.
        let sql = format!(
            "WITH w (id) AS (VALUES {}) SELECT item_id, turn_id, first_seq, payload, completed_at_ms, pieces, applied_seq \
             FROM items WHERE log_id = $1 AND item_id >= (SELECT MIN(id) FROM w) AND item_id <= (SELECT MAX(id) FROM w) \
             AND item_id IN (SELECT id FROM w)",
            rows::singles(2, wanted.items.len())
        );
        let mut query = sqlx::query_as::<_, ItemRow>(AssertSqlSafe(sql)).bind(log.0);
        for id in &wanted.items {
            query = query.bind(id);
        }
        for (id, turn_id, first_seq, payload, completed, pieces, applied) in query.fetch_all(&mut **tx).await? {
            let payload: Map<String, Value> =
                serde_json::from_str(&payload).map_err(|_| StoreError::Damaged(format!("the item {id}")))?;
            let item = Item {
                turn_id: TurnId(turn_id),
                first_seq: uint(first_seq),
                payload,
                completed_at_ms: completed.map(uint),
                pieces: pieces == 1,
                applied_seq: uint(applied),
            };
            fold.items.insert(ItemId(id), item);
        }
    }
    if !(wanted.approvals.is_empty() && wanted.ended.is_empty()) {
        let sql = format!(
            "SELECT {} FROM approvals WHERE log_id = $1 AND (approval_id IN ({}) OR (status = 'pending' AND turn_id IN ({})))",
            approvals::COLUMNS,
            rows::list(2, wanted.approvals.len()),
            rows::list(2 + wanted.approvals.len(), wanted.ended.len())
        );
        let mut query = sqlx::query_as::<_, ApprovalRow>(AssertSqlSafe(sql)).bind(log.0);
        for id in wanted.approvals.iter().chain(&wanted.ended) {
            query = query.bind(id);
        }
        for row in query.fetch_all(&mut **tx).await? {
            let id = ApprovalId(row.approval_id.clone());
            fold.approvals.insert(id, row.approval()?);
        }
    }
    Ok(fold)
}

/// Keeps what changed from event `since` on.
pub(crate) async fn save(tx: &mut Transaction<'_, Any>, log: LogId, since: u64, fold: &Fold) -> Result<(), StoreError> {
    let turns: Vec<_> = fold.turns.iter().filter(|(_, it)| it.applied_seq >= since).collect();
    if !turns.is_empty() {
        let sql = format!(
            "INSERT INTO turns (log_id, turn_id, first_seq, status, started_at_ms, ended_at_ms, applied_seq) VALUES {} \
             ON CONFLICT (log_id, turn_id) DO UPDATE SET status = excluded.status, ended_at_ms = excluded.ended_at_ms, \
             applied_seq = excluded.applied_seq WHERE turns.applied_seq < excluded.applied_seq",
            rows::values("$1", 2, 6, turns.len())
        );
        let mut query = sqlx::query(AssertSqlSafe(sql)).bind(log.0);
        for (id, turn) in turns {
            query = query
                .bind(id.as_str())
                .bind(int(turn.first_seq))
                .bind(turn.status.as_str())
                .bind(int(turn.started_at_ms))
                .bind(turn.ended_at_ms.map(int))
                .bind(int(turn.applied_seq));
        }
        query.execute(&mut **tx).await?;
    }
    let items: Vec<_> = fold.items.iter().filter(|(_, it)| it.applied_seq >= since).collect();
    if !items.is_empty() {
        let sql = format!(
            "INSERT INTO items (log_id, item_id, turn_id, first_seq, payload, completed_at_ms, pieces, applied_seq) VALUES {} \
             ON CONFLICT (log_id, item_id) DO UPDATE SET turn_id = excluded.turn_id, payload = excluded.payload, \
             completed_at_ms = excluded.completed_at_ms, pieces = excluded.pieces, applied_seq = excluded.applied_seq \
             WHERE items.applied_seq < excluded.applied_seq",
            rows::values("$1", 2, 7, items.len())
        );
        let mut query = sqlx::query(AssertSqlSafe(sql)).bind(log.0);
        for (id, item) in items {
            let payload =
                serde_json::to_string(&item.payload).map_err(|error| StoreError::Damaged(error.to_string()))?;
            query = query
                .bind(id.as_str())
                .bind(item.turn_id.as_str())
                .bind(int(item.first_seq))
                .bind(payload)
                .bind(item.completed_at_ms.map(int))
                .bind(i64::from(item.pieces))
                .bind(int(item.applied_seq));
        }
        query.execute(&mut **tx).await?;
    }
    let asked: Vec<_> = fold
        .approvals
        .iter()
        .filter(|(_, it)| it.applied_seq >= since)
        .collect();
    if !asked.is_empty() {
        approvals::save(tx, log, &asked).await?;
    }
    Ok(())
}

impl Store {
    /// A transaction that only reads, and sees one state of everything.
    async fn still(&self) -> Result<Transaction<'static, Any>, StoreError> {
        Ok(match self.kind {
            Kind::Sqlite => self.read.begin().await?,
            Kind::Postgres => {
                self.read
                    .begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
                    .await?
            }
        })
    }
}

impl Within<'_> {
    /// The state of a thread as of its newest event, and that event's number. Of many items the newest are in it: at most
    /// [`ITEMS`], and about `max_bytes`.
    pub(super) async fn folded(
        &self,
        thread: &ThreadId,
        log: LogId,
        max_bytes: usize,
    ) -> Result<(Snapshot, u64), StoreError> {
        let mut tx = self.store.still().await?;
        let (head,): (i64,) = sqlx::query_as("SELECT head_seq FROM threads WHERE workspace_id = $1 AND log_id = $2")
            .bind(self.workspace.as_str())
            .bind(log.0)
            .fetch_one(&mut *tx)
            .await?;
        let mut turns: Vec<TurnRow> = sqlx::query_as(
            "SELECT turn_id, first_seq, status, started_at_ms, ended_at_ms, applied_seq FROM turns WHERE log_id = $1 \
             ORDER BY first_seq DESC LIMIT $2",
        )
        .bind(log.0)
        .bind(TURNS)
        .fetch_all(&mut *tx)
        .await?;
        turns.reverse();
        let (items, earlier) = newest_items(&mut tx, log, max_bytes).await?;
        let asked = approvals::newest(&mut tx, log, TURNS).await?;
        tx.rollback().await?;
        let snapshot = Snapshot {
            snapshot_seq: uint(head),
            turns: turns.into_iter().map(shared_turn).collect(),
            items,
            earlier_items: earlier,
            approvals: asked
                .into_iter()
                .map(|it| it.shared(thread))
                .collect::<Result<_, _>>()?,
        };
        Ok((snapshot, uint(head)))
    }

    /// Items in the order in which they began: those after the place `after`. Whether one may see the thread was asked before.
    pub(crate) async fn items(
        &self,
        log: LogId,
        after: u64,
        limit: usize,
        max_bytes: usize,
    ) -> Result<Listed<SharedItem>, StoreError> {
        let limit = limit.clamp(1, ITEMS);
        let (mut items, mut bytes, mut last) = (Vec::new(), 0, after);
        loop {
            let rows: Vec<ItemRow> = sqlx::query_as(
                "SELECT item_id, turn_id, first_seq, payload, completed_at_ms, pieces, applied_seq FROM items \
                 WHERE log_id = $1 AND first_seq > $2 ORDER BY first_seq LIMIT $3",
            )
            .bind(log.0)
            .bind(int(last))
            .bind(CHUNK)
            .fetch_all(self.store.read())
            .await?;
            if rows.is_empty() {
                return Ok(Listed { items, next: None });
            }
            for row in rows {
                if items.len() == limit || (bytes > max_bytes && !items.is_empty()) {
                    return Ok(Listed {
                        items,
                        next: Some(last.to_string()),
                    });
                }
                bytes += row.3.len();
                last = uint(row.2);
                items.push(shared_item(row)?);
            }
        }
    }
}

/// Items are read in small portions: one may have a megabyte.
const CHUNK: i64 = 32;

async fn newest_items(
    tx: &mut Transaction<'_, Any>,
    log: LogId,
    max_bytes: usize,
) -> Result<(Vec<SharedItem>, u64), StoreError> {
    let (mut items, mut bytes, mut before) = (Vec::new(), 0, i64::MAX);
    'read: loop {
        let rows: Vec<ItemRow> = sqlx::query_as(
            "SELECT item_id, turn_id, first_seq, payload, completed_at_ms, pieces, applied_seq FROM items \
             WHERE log_id = $1 AND first_seq < $2 ORDER BY first_seq DESC LIMIT $3",
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
            bytes += row.3.len();
            if items.len() == ITEMS || (bytes > max_bytes && !items.is_empty()) {
                break 'read;
            }
            before = row.2;
            items.push(shared_item(row)?);
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

fn shared_turn((id, _, status, started, ended, applied): TurnRow) -> SharedTurn {
    SharedTurn {
        turn_id: TurnId(id),
        status,
        started_at_ms: uint(started),
        ended_at_ms: ended.map(uint),
        applied_seq: uint(applied),
    }
}

fn shared_item((id, turn, _, payload, completed, _, applied): ItemRow) -> Result<SharedItem, StoreError> {
    Ok(SharedItem {
        payload: json(&payload, "the item", &id)?,
        item_id: ItemId(id),
        turn_id: TurnId(turn),
        completed: completed.is_some(),
        applied_seq: uint(applied),
    })
}
