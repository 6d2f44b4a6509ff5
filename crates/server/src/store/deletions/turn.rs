//! A turn that is deleted alone. Its events keep their places in the log and say `workspace.removed`, so cursors stay right and
//! numbers have no holes; what they said, and what was folded of them, is gone. The log's last line then names the turn, for
//! those who had read it before.

use std::collections::HashSet;

use protocol::id::{ThreadId, TurnId};
use protocol::workspace::log::{ServerEvent, TURN_REMOVED};
use serde_json::Value;
use sqlx::{Any, AssertSqlSafe, Transaction};

use super::Job;
use crate::store::events::{json, say};
use crate::store::threads::LogId;
use crate::store::{StoreError, Within, int, rows};

/// Events of one page: each may have 256 KiB.
const PAGE: u64 = 100;

/// What one look did.
#[derive(Debug)]
pub(super) enum Page {
    /// There may be more behind `position`.
    Looked { gone: u64, position: i64 },
    /// The log was looked through, and the rest of the turn is gone too. `head_seq` says so.
    End { gone: u64, head_seq: Option<u64> },
    /// A machine is at work in it.
    Runs,
}

/// What else events call what belongs to the turn.
#[derive(Debug)]
struct Names {
    items: HashSet<String>,
    approvals: HashSet<String>,
    requests: HashSet<String>,
}

impl Names {
    /// Whether an event is about the turn or about something in it.
    fn own(&self, turn: &str, payload: &Value) -> bool {
        // What says that a turn is gone names it, and stays.
        if payload.get("type").and_then(Value::as_str) == Some(TURN_REMOVED) {
            return false;
        }
        let says = |place: &str| payload.pointer(place).and_then(Value::as_str);
        let one_of = |places: &[&str], names: &HashSet<String>| {
            places.iter().filter_map(|it| says(it)).any(|it| names.contains(it))
        };
        ["/turnId", "/turn_id", "/approval/turnId"]
            .iter()
            .any(|it| says(it) == Some(turn))
            // A prompt that waited is the turn's first item, under the same id.
            || one_of(&["/itemId", "/item/id", "/queued/id", "/id"], &self.items)
            || one_of(&["/approvalId", "/approval_id", "/approval/id"], &self.approvals)
            || one_of(&["/request_id"], &self.requests)
    }
}

impl Within<'_> {
    /// Whether a thread has this turn.
    pub(super) async fn has_turn(&self, thread: &ThreadId, turn: &TurnId) -> Result<bool, StoreError> {
        let row: Option<(i64,)> = sqlx::query_as(
            "SELECT 1 FROM turns u JOIN threads t ON t.log_id = u.log_id \
             WHERE t.workspace_id = $1 AND t.id = $2 AND u.turn_id = $3",
        )
        .bind(self.workspace.as_str())
        .bind(thread.as_str())
        .bind(turn.as_str())
        .fetch_optional(self.store.read())
        .await?;
        Ok(row.is_some())
    }

    /// Looks through the next page of the thread's log, or ends it.
    pub(super) async fn turn_page(
        &self,
        tx: &mut Transaction<'_, Any>,
        job: &Job,
        now_ms: u64,
    ) -> Result<Page, StoreError> {
        let held: Option<(i64, i64, Option<String>)> = sqlx::query_as(
            "UPDATE threads SET head_seq = head_seq WHERE workspace_id = $1 AND id = $2 AND deleted_at_ms IS NULL \
             RETURNING log_id, lease_until_ms, lease_producer",
        )
        .bind(self.workspace.as_str())
        .bind(job.thread.as_ref().map_or("", ThreadId::as_str))
        .fetch_optional(&mut **tx)
        .await?;
        let Some((log, until, producer)) = held else {
            // The thread was deleted meanwhile, and the turn with it.
            return Ok(Page::End {
                gone: 0,
                head_seq: None,
            });
        };
        let log = LogId(log);
        if producer.is_some() && until > int(now_ms) && runs(tx, log, &job.target_id).await? {
            return Ok(Page::Runs);
        }
        let found: Vec<(i64, String)> =
            sqlx::query_as("SELECT seq, payload FROM events WHERE log_id = $1 AND seq > $2 ORDER BY seq LIMIT $3")
                .bind(log.0)
                .bind(job.position)
                .bind(int(PAGE))
                .fetch_all(&mut **tx)
                .await?;
        let Some(position) = found.last().map(|(seq, _)| *seq) else {
            // The thread is held: nothing comes behind this.
            let (gone, head_seq) = forget(tx, log, &job.target_id, now_ms).await?;
            return Ok(Page::End { gone, head_seq });
        };
        let names = names(tx, log, &job.target_id).await?;
        let mut own = Vec::new();
        for (seq, payload) in found {
            if names.own(&job.target_id, &json(&payload, "an event", seq)?) {
                own.push(seq);
            }
        }
        if !own.is_empty() {
            remove(tx, log, &own).await?;
        }
        Ok(Page::Looked {
            gone: own.len() as u64,
            position,
        })
    }
}

async fn runs(tx: &mut Transaction<'_, Any>, log: LogId, turn: &str) -> Result<bool, StoreError> {
    let row: Option<(i64,)> =
        sqlx::query_as("SELECT 1 FROM turns WHERE log_id = $1 AND turn_id = $2 AND status = 'running'")
            .bind(log.0)
            .bind(turn)
            .fetch_optional(&mut **tx)
            .await?;
    Ok(row.is_some())
}

async fn names(tx: &mut Transaction<'_, Any>, log: LogId, turn: &str) -> Result<Names, StoreError> {
    let mut found = Vec::new();
    for sql in [
        "SELECT item_id FROM items WHERE log_id = $1 AND turn_id = $2",
        "SELECT approval_id FROM approvals WHERE log_id = $1 AND turn_id = $2",
        "SELECT id FROM turn_requests WHERE log_id = $1 AND turn_id = $2",
    ] {
        let ids: Vec<(String,)> = sqlx::query_as(sql).bind(log.0).bind(turn).fetch_all(&mut **tx).await?;
        found.push(ids.into_iter().map(|(id,)| id).collect());
    }
    let mut next = found.into_iter();
    Ok(Names {
        items: next.next().unwrap_or_default(),
        approvals: next.next().unwrap_or_default(),
        requests: next.next().unwrap_or_default(),
    })
}

/// Events that say nothing any more. They are no pieces either: those are dropped when their item has ended.
async fn remove(tx: &mut Transaction<'_, Any>, log: LogId, events: &[i64]) -> Result<(), StoreError> {
    let nothing =
        serde_json::to_string(&ServerEvent::Removed).map_err(|error| StoreError::Damaged(error.to_string()))?;
    let sql = format!(
        "UPDATE events SET payload = $2, piece_of = NULL WHERE log_id = $1 AND seq IN ({})",
        rows::list(3, events.len())
    );
    let mut query = sqlx::query(AssertSqlSafe(sql)).bind(log.0).bind(nothing);
    for seq in events {
        query = query.bind(seq);
    }
    query.execute(&mut **tx).await?;
    Ok(())
}

/// What was folded of the turn, and at last the turn itself.
async fn forget(
    tx: &mut Transaction<'_, Any>,
    log: LogId,
    turn: &str,
    now_ms: u64,
) -> Result<(u64, Option<u64>), StoreError> {
    let mut gone = 0;
    for sql in [
        "DELETE FROM items WHERE log_id = $1 AND turn_id = $2",
        "DELETE FROM approvals WHERE log_id = $1 AND turn_id = $2",
        "DELETE FROM turn_requests WHERE log_id = $1 AND turn_id = $2",
    ] {
        gone += sqlx::query(sql)
            .bind(log.0)
            .bind(turn)
            .execute(&mut **tx)
            .await?
            .rows_affected();
    }
    let ended = sqlx::query("DELETE FROM turns WHERE log_id = $1 AND turn_id = $2")
        .bind(log.0)
        .bind(turn)
        .execute(&mut **tx)
        .await?
        .rows_affected();
    let mut head_seq = None;
    if ended > 0 {
        sqlx::query(
            "UPDATE threads SET turn_status = 'idle' WHERE log_id = $1 AND turn_status = 'running' \
             AND NOT EXISTS (SELECT 1 FROM turns u WHERE u.log_id = $1 AND u.status = 'running')",
        )
        .bind(log.0)
        .execute(&mut **tx)
        .await?;
        let event = ServerEvent::TurnRemoved {
            turn_id: TurnId(turn.to_owned()),
        };
        head_seq = Some(say(tx, log, now_ms, &event).await?);
    }
    Ok((gone + ended, head_seq))
}
