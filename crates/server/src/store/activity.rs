//! The activity feed: what people do in a workspace, line by line, without holes.

use protocol::id::{UserId, WorkspaceId};
use protocol::workspace::people::Activity;
use serde_json::Value;
use sqlx::{Any, Transaction};

use super::{Store, StoreError, Within, int, uint};

/// At most so many lines in one page.
pub const PAGE: usize = 500;

type Row = (i64, i64, Option<String>, String, String, String, String);

impl Within<'_> {
    /// Adds a line and answers its number. It takes the workspace's row until the transaction ends, so lines have no holes
    /// and everybody sees them in order. Publish [`crate::bus::Hint::Activity`] after the commit.
    ///
    /// Nothing that happens to what is private makes a line, and nothing happens in a workspace that is deleted. Webhooks that
    /// ask for such lines have it from here.
    #[expect(
        clippy::too_many_arguments,
        reason = "a line has these parts, and each caller names them once"
    )]
    pub async fn record(
        &self,
        tx: &mut Transaction<'_, Any>,
        now_ms: u64,
        actor: Option<&UserId>,
        verb: &str,
        object_kind: &str,
        object_id: &str,
        data: Value,
    ) -> Result<u64, StoreError> {
        let taken: Option<(i64,)> = sqlx::query_as(
            "UPDATE workspaces SET activity_seq = activity_seq + 1 WHERE id = $1 AND deleted_at_ms IS NULL \
             RETURNING activity_seq",
        )
        .bind(self.workspace.as_str())
        .fetch_optional(&mut **tx)
        .await?;
        let (seq,) = taken.ok_or(StoreError::Gone)?;
        sqlx::query(
            "INSERT INTO activity (workspace_id, seq, at_ms, actor, verb, object_kind, object_id, data) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        )
        .bind(self.workspace.as_str())
        .bind(seq)
        .bind(int(now_ms))
        .bind(actor.map(UserId::as_str))
        .bind(verb)
        .bind(object_kind)
        .bind(object_id)
        .bind(data.to_string())
        .execute(&mut **tx)
        .await?;
        self.queue_deliveries(tx, now_ms, uint(seq), verb).await?;
        Ok(uint(seq))
    }

    /// Lines after `after` that this person may see, oldest first: at most [`PAGE`].
    pub async fn activity_after(&self, user: &UserId, after: u64, limit: usize) -> Result<Vec<Activity>, StoreError> {
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT seq, at_ms, actor, verb, object_kind, object_id, data FROM activity \
             WHERE workspace_id = $1 AND seq > $2 AND (only_for IS NULL OR only_for = $3) ORDER BY seq LIMIT $4",
        )
        .bind(self.workspace.as_str())
        .bind(int(after))
        .bind(user.as_str())
        .bind(int(limit.min(PAGE) as u64))
        .fetch_all(self.store.read())
        .await?;
        rows.into_iter().map(line).collect()
    }

    /// Shows the lines about a thing to one person only, or to everybody again: its visibility changed.
    pub async fn narrow_activity(
        &self,
        tx: &mut Transaction<'_, Any>,
        object_kind: &str,
        object_id: &str,
        only_for: Option<&UserId>,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE activity SET only_for = $4 WHERE workspace_id = $1 AND object_kind = $2 AND object_id = $3",
        )
        .bind(self.workspace.as_str())
        .bind(object_kind)
        .bind(object_id)
        .bind(only_for.map(UserId::as_str))
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// Takes the names and titles out of the lines about a thing that is deleted. The lines stay: their numbers have no holes.
    pub async fn blank_activity(
        &self,
        tx: &mut Transaction<'_, Any>,
        object_kind: &str,
        object_id: &str,
    ) -> Result<u64, StoreError> {
        let done = sqlx::query(
            "UPDATE activity SET data = '{}' WHERE workspace_id = $1 AND object_kind = $2 AND object_id = $3 AND data <> '{}'",
        )
        .bind(self.workspace.as_str())
        .bind(object_kind)
        .bind(object_id)
        .execute(&mut **tx)
        .await?;
        Ok(done.rows_affected())
    }
}

/// A line as everybody in the workspace sees it; none when not everybody may.
pub(super) async fn public_line(
    store: &Store,
    workspace: &WorkspaceId,
    seq: u64,
) -> Result<Option<Activity>, StoreError> {
    let row: Option<Row> = sqlx::query_as(
        "SELECT seq, at_ms, actor, verb, object_kind, object_id, data FROM activity \
         WHERE workspace_id = $1 AND seq = $2 AND only_for IS NULL",
    )
    .bind(workspace.as_str())
    .bind(int(seq))
    .fetch_optional(store.read())
    .await?;
    row.map(line).transpose()
}

fn line((seq, at, actor, verb, object_kind, object_id, data): Row) -> Result<Activity, StoreError> {
    Ok(Activity {
        seq: uint(seq),
        at_ms: uint(at),
        actor: actor.map(UserId),
        verb,
        object_kind,
        object_id,
        data: serde_json::from_str(&data).map_err(|_| StoreError::Damaged(format!("the activity line {seq}")))?,
    })
}
