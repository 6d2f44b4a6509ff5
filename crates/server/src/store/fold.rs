//! What a thread's events add up to, as it is kept: turns and questions are loaded for a batch and saved with it.

use std::collections::BTreeSet;

use protocol::id::{ApprovalId, ThreadId, TurnId};
use protocol::workspace::log::{SharedTurn, Snapshot};
use sqlx::{Any, AssertSqlSafe, Transaction};

use super::approvals::{self, ApprovalRow};
use super::threads::LogId;
use super::{Kind, Store, StoreError, Within, int, items, rows, uint};
use crate::fold::{Fact, Fold, Turn};

/// At most so many turns in a snapshot, and so many questions: the newest.
const TURNS: i64 = 1000;

/// Which rows a batch is about.
#[derive(Debug, Default)]
pub(crate) struct Wanted {
    turns: BTreeSet<String>,
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
                Fact::Asked { approval_id, .. } | Fact::Resolved { approval_id, .. } => {
                    wanted.approvals.insert(approval_id.0.clone());
                }
                Fact::Item { .. } | Fact::Piece { .. } | Fact::Renamed { .. } | Fact::Model { .. } | Fact::Other => {}
            }
        }
        wanted
    }

    /// About none.
    pub(crate) fn is_empty(&self) -> bool {
        self.turns.is_empty() && self.approvals.is_empty()
    }
}

type TurnRow = (String, i64, String, i64, Option<i64>, i64);

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
    pub(super) async fn still(&self) -> Result<Transaction<'static, Any>, StoreError> {
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
    /// [`items::ITEMS`], and about `max_bytes`.
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
        let (items, earlier) = items::newest(&mut tx, log, max_bytes).await?;
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
