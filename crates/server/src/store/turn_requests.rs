//! What teammates ask the machine of a thread to do.

use protocol::id::{ArtifactId, ThreadId, TurnId, TurnRequestId, UserId};
use protocol::workspace::log::{TurnRequest, TurnRequestStatus};
use protocol::workspace::people::Listed;
use sqlx::{Any, AssertSqlSafe, Transaction};

use super::threads::LogId;
use super::{StoreError, Within, int, uint};

/// At most so many requests in one page.
pub const PAGE: usize = 200;
/// At most so many requests of a thread wait.
pub(crate) const WAITING: i64 = 100;

const COLUMNS: &str = "id, requested_by, input, artifacts, status, turn_id, first_seq, created_at_ms";

type Row = (String, String, String, String, String, Option<String>, i64, i64);

/// As a state is kept.
pub(crate) fn status_name(status: TurnRequestStatus) -> &'static str {
    match status {
        TurnRequestStatus::Queued => "queued",
        TurnRequestStatus::Taken => "taken",
        TurnRequestStatus::Started => "started",
        TurnRequestStatus::Cancelled => "cancelled",
    }
}

fn request(
    thread: &ThreadId,
    (id, by, input, artifacts, status, turn, _, created): Row,
) -> Result<TurnRequest, StoreError> {
    let artifacts: Vec<ArtifactId> =
        serde_json::from_str(&artifacts).map_err(|_| StoreError::Damaged(format!("the turn request {id}")))?;
    let status = match status.as_str() {
        "queued" => TurnRequestStatus::Queued,
        "taken" => TurnRequestStatus::Taken,
        "started" => TurnRequestStatus::Started,
        "cancelled" => TurnRequestStatus::Cancelled,
        other => return Err(StoreError::Damaged(format!("the state {other}"))),
    };
    Ok(TurnRequest {
        id: TurnRequestId(id),
        thread_id: thread.clone(),
        requested_by: UserId(by),
        input,
        artifacts,
        status,
        turn_id: turn.map(TurnId),
        created_at_ms: uint(created),
    })
}

/// The request that this person made with this key in a held thread.
pub(crate) async fn by_key(
    tx: &mut Transaction<'_, Any>,
    thread: &ThreadId,
    log: LogId,
    user: &UserId,
    key: &str,
) -> Result<Option<TurnRequest>, StoreError> {
    let sql =
        format!("SELECT {COLUMNS} FROM turn_requests WHERE log_id = $1 AND requested_by = $2 AND idempotency_key = $3");
    let row: Option<Row> = sqlx::query_as(AssertSqlSafe(sql))
        .bind(log.0)
        .bind(user.as_str())
        .bind(key)
        .fetch_optional(&mut **tx)
        .await?;
    row.map(|it| request(thread, it)).transpose()
}

/// One request of a held thread.
pub(crate) async fn find(
    tx: &mut Transaction<'_, Any>,
    thread: &ThreadId,
    log: LogId,
    id: &TurnRequestId,
) -> Result<Option<TurnRequest>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM turn_requests WHERE log_id = $1 AND id = $2");
    let row: Option<Row> = sqlx::query_as(AssertSqlSafe(sql))
        .bind(log.0)
        .bind(id.as_str())
        .fetch_optional(&mut **tx)
        .await?;
    row.map(|it| request(thread, it)).transpose()
}

/// How many requests of a held thread wait or are taken up.
pub(crate) async fn waiting(tx: &mut Transaction<'_, Any>, log: LogId) -> Result<i64, StoreError> {
    let (count,): (i64,) =
        sqlx::query_as("SELECT COUNT(*) FROM turn_requests WHERE log_id = $1 AND status IN ('queued', 'taken')")
            .bind(log.0)
            .fetch_one(&mut **tx)
            .await?;
    Ok(count)
}

/// Keeps a new request, which event `seq` tells of.
pub(crate) async fn insert(
    tx: &mut Transaction<'_, Any>,
    log: LogId,
    key: &str,
    seq: u64,
    new: &TurnRequest,
) -> Result<(), StoreError> {
    let artifacts = serde_json::to_string(&new.artifacts).map_err(|error| StoreError::Damaged(error.to_string()))?;
    sqlx::query(
        "INSERT INTO turn_requests (log_id, id, requested_by, idempotency_key, input, artifacts, status, first_seq, created_at_ms) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(log.0)
    .bind(new.id.as_str())
    .bind(new.requested_by.as_str())
    .bind(key)
    .bind(new.input.as_str())
    .bind(artifacts)
    .bind(status_name(new.status))
    .bind(int(seq))
    .bind(int(new.created_at_ms))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Moves a request from one state to the next. False when it was not in the first.
pub(crate) async fn change(
    tx: &mut Transaction<'_, Any>,
    log: LogId,
    id: &TurnRequestId,
    from: TurnRequestStatus,
    to: TurnRequestStatus,
    turn: Option<&TurnId>,
) -> Result<bool, StoreError> {
    let done =
        sqlx::query("UPDATE turn_requests SET status = $4, turn_id = $5 WHERE log_id = $1 AND id = $2 AND status = $3")
            .bind(log.0)
            .bind(id.as_str())
            .bind(status_name(from))
            .bind(status_name(to))
            .bind(turn.map(TurnId::as_str))
            .execute(&mut **tx)
            .await?;
    Ok(done.rows_affected() == 1)
}

impl Within<'_> {
    /// Requests in the order in which they were made: those after the place `after`, in one state or in all. Whether one may
    /// see the thread was asked before.
    pub(crate) async fn turn_requests(
        &self,
        thread: &ThreadId,
        log: LogId,
        status: Option<TurnRequestStatus>,
        after: u64,
        limit: usize,
    ) -> Result<Listed<TurnRequest>, StoreError> {
        let limit = limit.clamp(1, PAGE);
        let sql = format!(
            "SELECT {COLUMNS} FROM turn_requests WHERE log_id = $1 AND first_seq > $2 AND ($3 = '' OR status = $3) \
             ORDER BY first_seq LIMIT $4"
        );
        let mut found: Vec<Row> = sqlx::query_as(AssertSqlSafe(sql))
            .bind(log.0)
            .bind(int(after))
            .bind(status.map_or("", status_name))
            .bind(int(limit as u64 + 1))
            .fetch_all(self.store.read())
            .await?;
        let more = found.len() > limit;
        found.truncate(limit);
        Ok(Listed {
            next: found.last().filter(|_| more).map(|it| it.6.to_string()),
            items: found
                .into_iter()
                .map(|it| request(thread, it))
                .collect::<Result<_, _>>()?,
        })
    }
}
