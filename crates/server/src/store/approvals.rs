//! Questions of a thread, and who answered them first.

use protocol::id::{ApprovalId, ThreadId, TurnId, UserId};
use protocol::workspace::log::{ApprovalStatus, SharedApproval};
use protocol::workspace::people::Listed;
use sqlx::{Any, AssertSqlSafe, Transaction};

use super::events::json;
use super::threads::LogId;
use super::{Store, StoreError, Within, int, rows, uint};
use crate::fold::Approval;

/// At most so many questions in one page.
pub const PAGE: usize = 200;

/// All columns of [`ApprovalRow`].
pub(super) const COLUMNS: &str = "approval_id, turn_id, first_seq, payload, payload_hash, status, expires_at_ms, decided_by, \
     decided_at_ms, decision_seq, settled, applied_seq";

/// A question as its row has it.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(crate) struct ApprovalRow {
    pub(super) approval_id: String,
    turn_id: String,
    first_seq: i64,
    payload: String,
    payload_hash: String,
    status: String,
    expires_at_ms: i64,
    decided_by: Option<String>,
    decided_at_ms: Option<i64>,
    decision_seq: Option<i64>,
    settled: i64,
    applied_seq: i64,
}

impl ApprovalRow {
    pub(super) fn approval(self) -> Result<Approval, StoreError> {
        Ok(Approval {
            turn_id: TurnId(self.turn_id),
            first_seq: uint(self.first_seq),
            payload: self.payload,
            payload_hash: self.payload_hash,
            status: status_of(&self.status)?,
            expires_at_ms: uint(self.expires_at_ms),
            decided_by: self.decided_by.map(UserId),
            decided_at_ms: self.decided_at_ms.map(uint),
            decision_seq: self.decision_seq.map(uint),
            settled: self.settled == 1,
            applied_seq: uint(self.applied_seq),
        })
    }

    pub(crate) fn is_pending(&self) -> bool {
        self.status == status_name(ApprovalStatus::Pending)
    }

    /// As everybody reads it.
    pub(crate) fn shared(self, thread: &ThreadId) -> Result<SharedApproval, StoreError> {
        Ok(SharedApproval {
            payload: json(&self.payload, "the question", &self.approval_id)?,
            approval_id: ApprovalId(self.approval_id),
            thread_id: thread.clone(),
            turn_id: TurnId(self.turn_id),
            payload_hash: self.payload_hash,
            status: status_of(&self.status)?,
            expires_at_ms: uint(self.expires_at_ms),
            decided_by: self.decided_by.map(UserId),
            decided_at_ms: self.decided_at_ms.map(uint),
            decision_seq: self.decision_seq.map(uint),
        })
    }
}

/// An answer on its way.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Verdict<'a> {
    pub(crate) status: ApprovalStatus,
    /// Nobody when time ran out.
    pub(crate) by: Option<&'a UserId>,
    pub(crate) at_ms: u64,
    /// The event that tells of it.
    pub(crate) seq: u64,
}

/// As a state is kept.
pub(crate) fn status_name(status: ApprovalStatus) -> &'static str {
    match status {
        ApprovalStatus::Pending => "pending",
        ApprovalStatus::Accepted => "accepted",
        ApprovalStatus::Declined => "declined",
        ApprovalStatus::Expired => "expired",
        ApprovalStatus::Cancelled => "cancelled",
    }
}

fn status_of(name: &str) -> Result<ApprovalStatus, StoreError> {
    Ok(match name {
        "pending" => ApprovalStatus::Pending,
        "accepted" => ApprovalStatus::Accepted,
        "declined" => ApprovalStatus::Declined,
        "expired" => ApprovalStatus::Expired,
        "cancelled" => ApprovalStatus::Cancelled,
        other => return Err(StoreError::Damaged(format!("the state {other}"))),
    })
}

/// Keeps questions as they are now. The transaction holds the thread.
pub(super) async fn save(
    tx: &mut Transaction<'_, Any>,
    log: LogId,
    asked: &[(&ApprovalId, &Approval)],
) -> Result<(), StoreError> {
    let sql = format!(
        "INSERT INTO approvals (log_id, {COLUMNS}) VALUES {} \
         ON CONFLICT (log_id, approval_id) DO UPDATE SET status = excluded.status, decided_by = excluded.decided_by, \
         decided_at_ms = excluded.decided_at_ms, decision_seq = excluded.decision_seq, settled = excluded.settled, \
         applied_seq = excluded.applied_seq WHERE approvals.applied_seq < excluded.applied_seq",
        rows::values("$1", 2, 12, asked.len())
    );
    let mut query = sqlx::query(AssertSqlSafe(sql)).bind(log.0);
    for (id, it) in asked {
        query = query
            .bind(id.as_str())
            .bind(it.turn_id.as_str())
            .bind(int(it.first_seq))
            .bind(it.payload.as_str())
            .bind(it.payload_hash.as_str())
            .bind(status_name(it.status))
            .bind(int(it.expires_at_ms))
            .bind(it.decided_by.as_ref().map(UserId::as_str))
            .bind(it.decided_at_ms.map(int))
            .bind(it.decision_seq.map(int))
            .bind(i64::from(it.settled))
            .bind(int(it.applied_seq));
    }
    query.execute(&mut **tx).await?;
    Ok(())
}

/// The newest questions, oldest first.
pub(super) async fn newest(
    tx: &mut Transaction<'_, Any>,
    log: LogId,
    most: i64,
) -> Result<Vec<ApprovalRow>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM approvals WHERE log_id = $1 ORDER BY first_seq DESC LIMIT $2");
    let mut found: Vec<ApprovalRow> = sqlx::query_as(AssertSqlSafe(sql))
        .bind(log.0)
        .bind(most)
        .fetch_all(&mut **tx)
        .await?;
    found.reverse();
    Ok(found)
}

/// Answers a question that still waits. The transaction holds the thread. False when it no longer waits.
pub(crate) async fn decide(
    tx: &mut Transaction<'_, Any>,
    log: LogId,
    id: &ApprovalId,
    verdict: Verdict<'_>,
) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "UPDATE approvals SET status = $3, decided_by = $4, decided_at_ms = $5, decision_seq = $6, applied_seq = $6 \
         WHERE log_id = $1 AND approval_id = $2 AND status = 'pending'",
    )
    .bind(log.0)
    .bind(id.as_str())
    .bind(status_name(verdict.status))
    .bind(verdict.by.map(UserId::as_str))
    .bind(int(verdict.at_ms))
    .bind(int(verdict.seq))
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// One question of a held thread.
pub(crate) async fn find(
    tx: &mut Transaction<'_, Any>,
    log: LogId,
    id: &ApprovalId,
) -> Result<Option<ApprovalRow>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM approvals WHERE log_id = $1 AND approval_id = $2");
    Ok(sqlx::query_as(AssertSqlSafe(sql))
        .bind(log.0)
        .bind(id.as_str())
        .fetch_optional(&mut **tx)
        .await?)
}

impl Within<'_> {
    /// Questions in the order in which they were asked: those after the place `after`, of one state or of all. Whether one may
    /// see the thread was asked before.
    pub(crate) async fn approvals(
        &self,
        thread: &ThreadId,
        log: LogId,
        status: Option<ApprovalStatus>,
        after: u64,
        limit: usize,
    ) -> Result<Listed<SharedApproval>, StoreError> {
        let limit = limit.clamp(1, PAGE);
        let sql = format!(
            "SELECT {COLUMNS} FROM approvals WHERE log_id = $1 AND first_seq > $2 AND ($3 = '' OR status = $3) \
             ORDER BY first_seq LIMIT $4"
        );
        let mut found: Vec<ApprovalRow> = sqlx::query_as(AssertSqlSafe(sql))
            .bind(log.0)
            .bind(int(after))
            .bind(status.map_or("", status_name))
            .bind(int(limit as u64 + 1))
            .fetch_all(self.store.read())
            .await?;
        let more = found.len() > limit;
        found.truncate(limit);
        Ok(Listed {
            next: found.last().filter(|_| more).map(|it| it.first_seq.to_string()),
            items: found
                .into_iter()
                .map(|it| it.shared(thread))
                .collect::<Result<_, _>>()?,
        })
    }
}

impl Store {
    /// Questions whose time has run out, in any thread.
    pub(crate) async fn overdue_approvals(
        &self,
        now_ms: u64,
        most: usize,
    ) -> Result<Vec<(LogId, ApprovalId)>, StoreError> {
        let found: Vec<(i64, String)> = sqlx::query_as(
            "SELECT a.log_id, a.approval_id FROM approvals a JOIN threads t ON t.log_id = a.log_id \
             WHERE a.status = 'pending' AND a.expires_at_ms <= $1 AND t.deleted_at_ms IS NULL ORDER BY a.expires_at_ms LIMIT $2",
        )
        .bind(int(now_ms))
        .bind(int(most as u64))
        .fetch_all(self.read())
        .await?;
        Ok(found
            .into_iter()
            .map(|(log, id)| (LogId(log), ApprovalId(id)))
            .collect())
    }
}
