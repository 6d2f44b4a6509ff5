//! Shared threads. A private one is there for its owner alone.

use protocol::id::{DeviceId, ThreadId, UserId, WorkspaceId};
use protocol::workspace::log::{Lease, SharedThread, ThreadActivity, Visibility};
use protocol::workspace::people::{Listed, Role};
use sqlx::{Any, Transaction};

use super::{Store, StoreError, Within, int, uint};

/// At most so many threads in one page.
pub const PAGE: usize = 200;

/// The number of a thread's log on this server: what its events, turns and items are kept under. Only a look at the thread,
/// within its workspace and for a person who may see it, gives it out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct LogId(pub(crate) i64);

/// What a thread is made of.
#[derive(Debug, Clone)]
pub(crate) struct NewThread<'a> {
    pub(crate) id: &'a ThreadId,
    pub(crate) owner: &'a UserId,
    pub(crate) title: &'a str,
    pub(crate) model: Option<&'a str>,
    pub(crate) visibility: Visibility,
    pub(crate) approvers: Option<Role>,
}

/// A thread as its row has it.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(crate) struct Row {
    pub(super) workspace_id: String,
    pub(super) id: String,
    pub(super) log_id: i64,
    pub(super) owner: String,
    pub(super) title: String,
    pub(super) model: Option<String>,
    pub(super) visibility: String,
    pub(super) approvers: Option<String>,
    pub(super) turn_status: String,
    pub(super) waiting: i64,
    pub(super) head_seq: i64,
    pub(super) floor_seq: i64,
    pub(super) lease_producer: Option<String>,
    pub(super) lease_device: Option<String>,
    pub(super) lease_user: Option<String>,
    pub(super) lease_epoch: i64,
    pub(super) lease_until_ms: i64,
    pub(super) hand_to: Option<String>,
    pub(super) hand_until_ms: i64,
    pub(super) last_producer_seq: i64,
    pub(super) created_at_ms: i64,
    pub(super) updated_at_ms: i64,
}

/// All columns of [`Row`], of the threads `t` that the rest picks.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT t.workspace_id, t.id, t.log_id, t.owner, t.title, t.model, t.visibility, t.approvers, t.turn_status, \
             (SELECT COUNT(*) FROM approvals a WHERE a.log_id = t.log_id AND a.status = 'pending') AS waiting, \
             t.head_seq, t.floor_seq, t.lease_producer, t.lease_device, t.lease_user, t.lease_epoch, t.lease_until_ms, \
             t.hand_to, t.hand_until_ms, COALESCE(p.last_seq, 0) AS last_producer_seq, t.created_at_ms, t.updated_at_ms \
             FROM threads t LEFT JOIN producers p ON p.log_id = t.log_id AND p.producer_id = t.lease_producer ",
            $rest
        )
    };
}

impl Row {
    pub(crate) fn log(&self) -> LogId {
        LogId(self.log_id)
    }

    pub(crate) fn is_owned_by(&self, user: &UserId) -> bool {
        self.owner == user.0
    }

    /// As everybody reads it.
    pub(crate) fn thread(&self) -> Result<SharedThread, StoreError> {
        let lease = match (&self.lease_producer, &self.lease_device, &self.lease_user) {
            (Some(producer), Some(device), Some(user)) => Some(Lease {
                producer_id: producer.clone(),
                device_id: DeviceId(device.clone()),
                user_id: UserId(user.clone()),
                epoch: uint(self.lease_epoch),
                until_ms: uint(self.lease_until_ms),
                next_producer_seq: uint(self.last_producer_seq) + 1,
            }),
            _ => None,
        };
        let activity = match (self.waiting > 0, self.turn_status.as_str()) {
            (true, _) => ThreadActivity::AwaitingApproval,
            (false, "running") => ThreadActivity::Running,
            (false, "failed") => ThreadActivity::Failed,
            (false, _) => ThreadActivity::Idle,
        };
        let role = |name: &String| Role::from_name(name).ok_or_else(|| StoreError::Damaged(format!("the role {name}")));
        Ok(SharedThread {
            id: ThreadId(self.id.clone()),
            workspace_id: WorkspaceId(self.workspace_id.clone()),
            owner: UserId(self.owner.clone()),
            title: self.title.clone(),
            model: self.model.clone(),
            visibility: match self.visibility.as_str() {
                "workspace" => Visibility::Workspace,
                _ => Visibility::Private,
            },
            activity,
            head_seq: uint(self.head_seq),
            floor_seq: uint(self.floor_seq),
            lease,
            approvers: self.approvers.as_ref().map(role).transpose()?,
            created_at_ms: uint(self.created_at_ms),
            updated_at_ms: uint(self.updated_at_ms),
        })
    }
}

/// As a visibility is kept.
pub(crate) fn visibility_name(visibility: Visibility) -> &'static str {
    match visibility {
        Visibility::Private => "private",
        Visibility::Workspace => "workspace",
    }
}

impl Within<'_> {
    /// A thread, if this person may see it.
    pub async fn thread(&self, id: &ThreadId, user: &UserId) -> Result<Option<SharedThread>, StoreError> {
        self.thread_row(id, user).await?.map(|it| it.thread()).transpose()
    }

    /// The same with what only the server knows.
    pub(crate) async fn thread_row(&self, id: &ThreadId, user: &UserId) -> Result<Option<Row>, StoreError> {
        Ok(sqlx::query_as(select!(
            "WHERE t.workspace_id = $1 AND t.id = $2 AND t.deleted_at_ms IS NULL AND (t.visibility = 'workspace' OR t.owner = $3)"
        ))
        .bind(self.workspace.as_str())
        .bind(id.as_str())
        .bind(user.as_str())
        .fetch_optional(self.store.read())
        .await?)
    }

    /// The threads that this person may see, the newest first, whose title has `search` in it. `before` is the `next` of
    /// the page before.
    pub async fn threads(
        &self,
        user: &UserId,
        search: Option<&str>,
        before: Option<(u64, &str)>,
        limit: usize,
    ) -> Result<Listed<SharedThread>, StoreError> {
        let limit = limit.clamp(1, PAGE);
        let (before_ms, before_id) = before.unwrap_or((u64::MAX, ""));
        let pattern = search.map_or_else(
            || "%".to_owned(),
            |it| {
                let escaped: String = it.to_lowercase().chars().fold(String::new(), |mut text, letter| {
                    if matches!(letter, '%' | '_' | '\\') {
                        text.push('\\');
                    }
                    text.push(letter);
                    text
                });
                format!("%{escaped}%")
            },
        );
        let mut rows: Vec<Row> = sqlx::query_as(select!(
            "WHERE t.workspace_id = $1 AND t.deleted_at_ms IS NULL AND (t.visibility = 'workspace' OR t.owner = $2) \
             AND (t.created_at_ms < $3 OR (t.created_at_ms = $3 AND t.id < $4)) AND LOWER(t.title) LIKE $5 ESCAPE '\\' \
             ORDER BY t.created_at_ms DESC, t.id DESC LIMIT $6"
        ))
        .bind(self.workspace.as_str())
        .bind(user.as_str())
        .bind(int(before_ms))
        .bind(before_id)
        .bind(pattern)
        .bind(int(limit as u64 + 1))
        .fetch_all(self.store.read())
        .await?;
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = rows.last().filter(|_| more);
        Ok(Listed {
            next: next.map(|it| format!("{}.{}", it.created_at_ms, it.id)),
            items: rows.iter().map(Row::thread).collect::<Result<_, _>>()?,
        })
    }

    /// Makes a thread, unless there is one with this id: then nothing changes.
    pub(crate) async fn create_thread(
        &self,
        tx: &mut Transaction<'_, Any>,
        now_ms: u64,
        new: &NewThread<'_>,
    ) -> Result<bool, StoreError> {
        let made = sqlx::query(
            "INSERT INTO threads (workspace_id, id, log_id, owner, title, model, visibility, approvers, turn_status, \
             head_seq, floor_seq, lease_epoch, lease_until_ms, hand_until_ms, created_at_ms, updated_at_ms) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'idle', 0, 0, 0, 0, 0, $9, $9) ON CONFLICT (workspace_id, id) DO NOTHING",
        )
        .bind(self.workspace.as_str())
        .bind(new.id.as_str())
        .bind(i64::from_ne_bytes(rand::random::<[u8; 8]>()) & i64::MAX)
        .bind(new.owner.as_str())
        .bind(new.title)
        .bind(new.model)
        .bind(visibility_name(new.visibility))
        .bind(new.approvers.map(Role::as_str))
        .bind(int(now_ms))
        .execute(&mut **tx)
        .await?;
        Ok(made.rows_affected() == 1)
    }

    /// A thread that nobody else changes until the transaction ends, if this person may see it.
    pub(crate) async fn hold_thread(
        &self,
        tx: &mut Transaction<'_, Any>,
        id: &ThreadId,
        user: &UserId,
    ) -> Result<Option<Row>, StoreError> {
        let held: Option<(i64,)> = sqlx::query_as(
            "UPDATE threads SET head_seq = head_seq WHERE workspace_id = $1 AND id = $2 AND deleted_at_ms IS NULL \
             AND (visibility = 'workspace' OR owner = $3) RETURNING log_id",
        )
        .bind(self.workspace.as_str())
        .bind(id.as_str())
        .bind(user.as_str())
        .fetch_optional(&mut **tx)
        .await?;
        match held {
            Some((log,)) => Ok(Some(held_row(tx, LogId(log)).await?)),
            None => Ok(None),
        }
    }

    /// Changes a held thread.
    pub(crate) async fn change_thread(
        &self,
        tx: &mut Transaction<'_, Any>,
        now_ms: u64,
        log: LogId,
        title: &str,
        visibility: Visibility,
        approvers: Option<Role>,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE threads SET title = $3, visibility = $4, approvers = $5, updated_at_ms = $6 \
             WHERE workspace_id = $1 AND log_id = $2",
        )
        .bind(self.workspace.as_str())
        .bind(log.0)
        .bind(title)
        .bind(visibility_name(visibility))
        .bind(approvers.map(Role::as_str))
        .bind(int(now_ms))
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// Takes a held thread away from everybody. Its rows go later, in pieces.
    pub(crate) async fn delete_thread(
        &self,
        tx: &mut Transaction<'_, Any>,
        now_ms: u64,
        log: LogId,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE threads SET deleted_at_ms = $3, lease_producer = NULL WHERE workspace_id = $1 AND log_id = $2",
        )
        .bind(self.workspace.as_str())
        .bind(log.0)
        .bind(int(now_ms))
        .execute(&mut **tx)
        .await?;
        Ok(())
    }
}

/// The row of a thread that the transaction holds.
pub(super) async fn held_row(tx: &mut Transaction<'_, Any>, log: LogId) -> Result<Row, StoreError> {
    Ok(sqlx::query_as(select!("WHERE t.log_id = $1"))
        .bind(log.0)
        .fetch_one(&mut **tx)
        .await?)
}

impl Store {
    /// Holds a thread for a job, unless it was deleted meanwhile.
    pub(crate) async fn hold_log(&self, tx: &mut Transaction<'_, Any>, log: LogId) -> Result<Option<Row>, StoreError> {
        let held = sqlx::query("UPDATE threads SET head_seq = head_seq WHERE log_id = $1 AND deleted_at_ms IS NULL")
            .bind(log.0)
            .execute(&mut **tx)
            .await?;
        if held.rows_affected() == 0 {
            return Ok(None);
        }
        Ok(Some(held_row(tx, log).await?))
    }
}
