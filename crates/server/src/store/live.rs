//! What readers look at to find out whether they have to look closer: where logs end, who may see them, what changed.

use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hasher as _};

use protocol::id::{ThreadId, UserId};
use sqlx::AssertSqlSafe;

use super::{Store, StoreError, Within, int, uint};

/// Threads that are compared, the newest ones.
const THREADS: u64 = 1000;

/// A thread, as far as its readers' right to it goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Face {
    /// Its newest event.
    pub head_seq: u64,
    /// The only one who may see it, when it is private.
    pub private_to: Option<UserId>,
}

/// What of a workspace may have changed: numbers that only mean something compared with earlier ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pulse {
    /// The newest line of activity.
    pub activity: u64,
    /// Who may do what.
    pub members: u64,
    /// Its threads.
    pub threads: u64,
}

type FaceRow = (String, i64, String, String);

impl Within<'_> {
    /// A thread's end, and whose it is. None when it is gone.
    pub async fn face(&self, thread: &ThreadId) -> Result<Option<Face>, StoreError> {
        let row: Option<FaceRow> = sqlx::query_as(
            "SELECT id, head_seq, visibility, owner FROM threads \
             WHERE workspace_id = $1 AND id = $2 AND deleted_at_ms IS NULL",
        )
        .bind(self.workspace.as_str())
        .bind(thread.as_str())
        .fetch_optional(self.store.read())
        .await?;
        Ok(row.map(|it| face(it).1))
    }

    /// The same for several.
    pub async fn faces(&self, threads: &[ThreadId]) -> Result<HashMap<ThreadId, Face>, StoreError> {
        let places: Vec<String> = (0..threads.len()).map(|it| format!("${}", it + 2)).collect();
        let sql = format!(
            "SELECT id, head_seq, visibility, owner FROM threads \
             WHERE workspace_id = $1 AND id IN ({}) AND deleted_at_ms IS NULL",
            places.join(", ")
        );
        // Nothing but numbers was put into the text.
        let mut query = sqlx::query_as(AssertSqlSafe(sql)).bind(self.workspace.as_str());
        for thread in threads {
            query = query.bind(thread.as_str());
        }
        let rows: Vec<FaceRow> = query.fetch_all(self.store.read()).await?;
        Ok(rows.into_iter().map(face).collect())
    }

    /// The newest threads that exist for this person, with when they last changed.
    pub async fn thread_times(&self, user: &UserId) -> Result<BTreeMap<ThreadId, u64>, StoreError> {
        let rows: Vec<(String, i64)> = sqlx::query_as(
            "SELECT id, updated_at_ms FROM threads WHERE workspace_id = $1 AND deleted_at_ms IS NULL \
             AND (visibility = 'workspace' OR owner = $2) ORDER BY created_at_ms DESC, id DESC LIMIT $3",
        )
        .bind(self.workspace.as_str())
        .bind(user.as_str())
        .bind(int(THREADS))
        .fetch_all(self.store.read())
        .await?;
        Ok(rows.into_iter().map(|(id, at)| (ThreadId(id), uint(at))).collect())
    }

    /// What changes when something in the workspace does.
    pub async fn pulse(&self) -> Result<Pulse, StoreError> {
        let workspace: Option<(i64, Option<i64>, Option<i64>)> =
            sqlx::query_as("SELECT activity_seq, archived_at_ms, deleted_at_ms FROM workspaces WHERE id = $1")
                .bind(self.workspace.as_str())
                .fetch_optional(self.store.read())
                .await?;
        let members: Vec<(String, String, String)> = sqlx::query_as(
            "SELECT user_id, role, '' FROM memberships WHERE workspace_id = $1 \
             UNION ALL SELECT id, role, value FROM bindings WHERE workspace_id = $1 ORDER BY 1",
        )
        .bind(self.workspace.as_str())
        .fetch_all(self.store.read())
        .await?;
        let threads: (i64, i64, i64) = sqlx::query_as(
            "SELECT COUNT(*), CAST(COALESCE(MAX(updated_at_ms), 0) AS BIGINT), \
             CAST(COALESCE(SUM(CASE WHEN visibility = 'private' THEN 1 ELSE 0 END), 0) AS BIGINT) \
             FROM threads WHERE workspace_id = $1 AND deleted_at_ms IS NULL",
        )
        .bind(self.workspace.as_str())
        .fetch_one(self.store.read())
        .await?;
        let state = workspace.map(|(_, archived, deleted)| (archived, deleted));
        Ok(Pulse {
            activity: workspace.map_or(0, |(seq, _, _)| uint(seq)),
            members: digest(&(state, members)),
            threads: digest(&threads),
        })
    }
}

impl Store {
    /// A secret that all nodes on this database share, made when it is first asked for.
    pub async fn node_key(&self, name: &str) -> Result<Vec<u8>, StoreError> {
        let fresh: [u8; 32] = rand::random();
        let fresh: String = fresh.iter().map(|it| format!("{it:02x}")).collect();
        sqlx::query("INSERT INTO node_keys (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING")
            .bind(name)
            .bind(fresh)
            .execute(self.write())
            .await?;
        let (value,): (String,) = sqlx::query_as("SELECT value FROM node_keys WHERE name = $1")
            .bind(name)
            .fetch_one(self.write())
            .await?;
        Ok(value.into_bytes())
    }
}

fn face((id, head, visibility, owner): FaceRow) -> (ThreadId, Face) {
    let face = Face {
        head_seq: uint(head),
        private_to: (visibility != "workspace").then_some(UserId(owner)),
    };
    (ThreadId(id), face)
}

fn digest(value: &impl std::hash::Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}
