//! Shared files: which there are, in which versions, and how much room they take.

use protocol::id::{ArtifactId, ThreadId, UserId};
use protocol::workspace::artifact::SharedArtifact;
use sqlx::{Any, FromRow, Transaction};

use super::{StoreError, Within, int, uint};

/// A version of an artifact, with the artifact it is of.
#[derive(Debug, FromRow)]
struct Row {
    id: String,
    thread_id: Option<String>,
    name: String,
    media_type: String,
    version: i64,
    size: i64,
    sha256: String,
    created_by: String,
    created_at_ms: i64,
}

impl From<Row> for SharedArtifact {
    fn from(row: Row) -> Self {
        Self {
            id: ArtifactId(row.id),
            thread_id: row.thread_id.map(ThreadId),
            name: row.name,
            media_type: row.media_type,
            version: uint(row.version),
            size: uint(row.size),
            sha256: row.sha256,
            created_by: UserId(row.created_by),
            created_at_ms: uint(row.created_at_ms),
        }
    }
}

/// What a person may see: what belongs to no thread, to a shared one, or to their own. `$1` is the workspace, `$2` the person.
const VISIBLE: &str = "SELECT a.id, a.thread_id, a.name, v.media_type, v.version, v.size, v.sha256, v.created_by, v.created_at_ms \
     FROM artifacts a JOIN artifact_versions v ON v.artifact_id = a.id LEFT JOIN threads t ON t.workspace_id = a.workspace_id AND t.id = a.thread_id \
     WHERE a.workspace_id = $1 AND a.deleted_at_ms IS NULL \
     AND (a.thread_id IS NULL OR (t.deleted_at_ms IS NULL AND (t.visibility = 'workspace' OR t.owner = $2)))";

/// What a finished upload becomes.
#[derive(Debug, Clone)]
pub struct NewVersion<'a> {
    /// Of which artifact; a new one unless it is there already.
    pub artifact: &'a ArtifactId,
    /// The thread a new one comes from.
    pub thread: Option<&'a ThreadId>,
    /// Its name.
    pub name: &'a str,
    /// One of the known ones.
    pub media_type: &'a str,
    /// Of its bytes, in hex.
    pub sha256: &'a str,
    /// Where its bytes are in the storage, unless the workspace has the same ones already.
    pub place: &'a str,
    /// In bytes.
    pub size: u64,
    /// Who.
    pub by: &'a UserId,
    /// When.
    pub at_ms: u64,
}

impl Within<'_> {
    /// The newest versions that this person may see, newest first, from before a cursor (an artifact's id) on.
    pub async fn artifacts(
        &self,
        user: &UserId,
        thread: Option<&ThreadId>,
        before: Option<&ArtifactId>,
        limit: u64,
    ) -> Result<Vec<SharedArtifact>, StoreError> {
        let rows: Vec<Row> = sqlx::query_as(sqlx::AssertSqlSafe(format!(
            "{VISIBLE} AND v.version = a.version AND ($3 = '' OR a.thread_id = $3) AND ($4 = '' OR a.id < $4) \
             ORDER BY a.id DESC LIMIT $5"
        )))
        .bind(self.workspace.as_str())
        .bind(user.as_str())
        .bind(thread.map_or("", ThreadId::as_str))
        .bind(before.map_or("", ArtifactId::as_str))
        .bind(int(limit))
        .fetch_all(self.store.read())
        .await?;
        Ok(rows.into_iter().map(Into::into).collect())
    }

    /// One artifact in all its versions, newest first; none when this person may not see it.
    pub async fn artifact_versions(&self, user: &UserId, id: &ArtifactId) -> Result<Vec<SharedArtifact>, StoreError> {
        let rows: Vec<Row> = sqlx::query_as(sqlx::AssertSqlSafe(format!(
            "{VISIBLE} AND a.id = $3 ORDER BY v.version DESC LIMIT 1000"
        )))
        .bind(self.workspace.as_str())
        .bind(user.as_str())
        .bind(id.as_str())
        .fetch_all(self.store.read())
        .await?;
        Ok(rows.into_iter().map(Into::into).collect())
    }

    /// Adds a version, and the artifact if it is new. Answers the version's number, and whether `place` is needed; nothing
    /// when the artifact is deleted.
    pub async fn add_version(
        &self,
        transaction: &mut Transaction<'_, Any>,
        new: &NewVersion<'_>,
    ) -> Result<Option<(u64, bool)>, StoreError> {
        let added: Option<(i64,)> = sqlx::query_as(
            "INSERT INTO artifacts (id, workspace_id, thread_id, name, version) VALUES ($1, $2, $3, $4, 1) \
             ON CONFLICT (id) DO UPDATE SET version = artifacts.version + 1, name = excluded.name \
             WHERE artifacts.workspace_id = $2 AND artifacts.deleted_at_ms IS NULL RETURNING version",
        )
        .bind(new.artifact.as_str())
        .bind(self.workspace.as_str())
        .bind(new.thread.map(ThreadId::as_str))
        .bind(new.name)
        .fetch_optional(&mut **transaction)
        .await?;
        let Some((version,)) = added else {
            return Ok(None);
        };
        sqlx::query(
            "INSERT INTO artifact_versions (artifact_id, version, sha256, size, media_type, created_by, created_at_ms) \
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(new.artifact.as_str())
        .bind(version)
        .bind(new.sha256)
        .bind(int(new.size))
        .bind(new.media_type)
        .bind(new.by.as_str())
        .bind(int(new.at_ms))
        .execute(&mut **transaction)
        .await?;
        let (refs,): (i64,) = sqlx::query_as(
            "INSERT INTO blobs (workspace_id, sha256, place, size, refs) VALUES ($1, $2, $3, $4, 1) \
             ON CONFLICT (workspace_id, sha256) DO UPDATE SET refs = blobs.refs + 1 RETURNING refs",
        )
        .bind(self.workspace.as_str())
        .bind(new.sha256)
        .bind(new.place)
        .bind(int(new.size))
        .fetch_one(&mut **transaction)
        .await?;
        Ok(Some((uint(version), refs == 1)))
    }

    /// Takes an artifact away with all its versions. Answers the places that nobody needs any more, to be deleted from the
    /// storage after the commit.
    pub async fn delete_artifact(
        &self,
        transaction: &mut Transaction<'_, Any>,
        id: &ArtifactId,
        now_ms: u64,
    ) -> Result<Vec<String>, StoreError> {
        let gone = sqlx::query(
            "UPDATE artifacts SET deleted_at_ms = $3 WHERE workspace_id = $1 AND id = $2 AND deleted_at_ms IS NULL",
        )
        .bind(self.workspace.as_str())
        .bind(id.as_str())
        .bind(int(now_ms))
        .execute(&mut **transaction)
        .await?;
        if gone.rows_affected() == 0 {
            return Ok(Vec::new());
        }
        let versions: Vec<(String, i64)> = sqlx::query_as(
            "SELECT sha256, COUNT(*) FROM artifact_versions WHERE artifact_id = $1 GROUP BY sha256 ORDER BY sha256",
        )
        .bind(id.as_str())
        .fetch_all(&mut **transaction)
        .await?;
        let mut unneeded = Vec::new();
        for (sha256, count) in versions {
            let (refs, size, place): (i64, i64, String) = sqlx::query_as(
                "UPDATE blobs SET refs = refs - $3 WHERE workspace_id = $1 AND sha256 = $2 RETURNING refs, size, place",
            )
            .bind(self.workspace.as_str())
            .bind(&sha256)
            .bind(count)
            .fetch_one(&mut **transaction)
            .await?;
            if refs > 0 {
                continue;
            }
            sqlx::query("DELETE FROM blobs WHERE workspace_id = $1 AND sha256 = $2")
                .bind(self.workspace.as_str())
                .bind(&sha256)
                .execute(&mut **transaction)
                .await?;
            self.change_room(transaction, -size, 0).await?;
            unneeded.push(place);
        }
        Ok(unneeded)
    }

    /// Where a blob is in the storage.
    pub async fn blob_place(&self, sha256: &str) -> Result<Option<String>, StoreError> {
        let row: Option<(String,)> = sqlx::query_as("SELECT place FROM blobs WHERE workspace_id = $1 AND sha256 = $2")
            .bind(self.workspace.as_str())
            .bind(sha256)
            .fetch_optional(self.store.read())
            .await?;
        Ok(row.map(|(place,)| place))
    }

    /// Reserves room for an upload. False when there is not enough.
    pub async fn reserve_room(
        &self,
        transaction: &mut Transaction<'_, Any>,
        size: u64,
        limit: u64,
    ) -> Result<bool, StoreError> {
        sqlx::query("INSERT INTO room (workspace_id, used, reserved) VALUES ($1, 0, 0) ON CONFLICT DO NOTHING")
            .bind(self.workspace.as_str())
            .execute(&mut **transaction)
            .await?;
        let reserved = sqlx::query(
            "UPDATE room SET reserved = reserved + $2 WHERE workspace_id = $1 AND used + reserved + $2 <= $3",
        )
        .bind(self.workspace.as_str())
        .bind(int(size))
        .bind(int(limit))
        .execute(&mut **transaction)
        .await?;
        Ok(reserved.rows_affected() == 1)
    }

    /// Moves room between what is used and what is reserved.
    pub async fn change_room(
        &self,
        transaction: &mut Transaction<'_, Any>,
        used: i64,
        reserved: i64,
    ) -> Result<(), StoreError> {
        sqlx::query("UPDATE room SET used = used + $2, reserved = reserved + $3 WHERE workspace_id = $1")
            .bind(self.workspace.as_str())
            .bind(used)
            .bind(reserved)
            .execute(&mut **transaction)
            .await?;
        Ok(())
    }

    /// How much room is used and reserved, in bytes.
    pub async fn room(&self) -> Result<u64, StoreError> {
        let row: Option<(i64,)> = sqlx::query_as("SELECT used + reserved FROM room WHERE workspace_id = $1")
            .bind(self.workspace.as_str())
            .fetch_optional(self.store.read())
            .await?;
        Ok(row.map_or(0, |(bytes,)| uint(bytes)))
    }
}
