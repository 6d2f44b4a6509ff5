//! Uploads under way.

use protocol::id::{ArtifactId, ThreadId, UploadId, UserId, WorkspaceId};
use sqlx::{Any, FromRow, Transaction};

use super::{Scope, Store, StoreError, Within, int, uint};

/// An upload as it is kept.
#[derive(Debug, Clone, FromRow)]
struct Row {
    id: String,
    artifact_id: Option<String>,
    thread_id: Option<String>,
    name: String,
    media_type: String,
    sha256: String,
    size: i64,
    received: i64,
    expires_at_ms: i64,
    became: Option<String>,
}

/// An upload under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    /// Which.
    pub id: UploadId,
    /// The artifact it is a new version of.
    pub artifact: Option<ArtifactId>,
    /// The thread it comes from.
    pub thread: Option<ThreadId>,
    /// The file's name, checked.
    pub name: String,
    /// One of the known ones.
    pub media_type: String,
    /// What its bytes must add up to, in hex.
    pub sha256: String,
    /// So many in all.
    pub size: u64,
    /// So many are there.
    pub received: u64,
    /// Until when it can be gone on with.
    pub expires_at_ms: u64,
    /// The artifact it became.
    pub became: Option<ArtifactId>,
}

impl From<Row> for Pending {
    fn from(row: Row) -> Self {
        Self {
            id: UploadId(row.id),
            artifact: row.artifact_id.map(ArtifactId),
            thread: row.thread_id.map(ThreadId),
            name: row.name,
            media_type: row.media_type,
            sha256: row.sha256,
            size: uint(row.size),
            received: uint(row.received),
            expires_at_ms: uint(row.expires_at_ms),
            became: row.became.map(ArtifactId),
        }
    }
}

impl Within<'_> {
    /// Begins an upload for a person. False when they have `limit` under way in this workspace already.
    pub async fn begin_upload(
        &self,
        transaction: &mut Transaction<'_, Any>,
        user: &UserId,
        new: &Pending,
        limit: usize,
    ) -> Result<bool, StoreError> {
        let (open,): (i64,) =
            sqlx::query_as("SELECT COUNT(*) FROM uploads WHERE workspace_id = $1 AND user_id = $2 AND became IS NULL")
                .bind(self.workspace.as_str())
                .bind(user.as_str())
                .fetch_one(&mut **transaction)
                .await?;
        if usize::try_from(open).is_ok_and(|it| it >= limit) {
            return Ok(false);
        }
        sqlx::query(
            "INSERT INTO uploads (id, workspace_id, user_id, artifact_id, thread_id, name, media_type, sha256, size, \
             received, expires_at_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, $10)",
        )
        .bind(new.id.as_str())
        .bind(self.workspace.as_str())
        .bind(user.as_str())
        .bind(new.artifact.as_ref().map(ArtifactId::as_str))
        .bind(new.thread.as_ref().map(ThreadId::as_str))
        .bind(&new.name)
        .bind(&new.media_type)
        .bind(&new.sha256)
        .bind(int(new.size))
        .bind(int(new.expires_at_ms))
        .execute(&mut **transaction)
        .await?;
        Ok(true)
    }

    /// An upload of this person.
    pub async fn upload(&self, user: &UserId, id: &UploadId) -> Result<Option<Pending>, StoreError> {
        let row: Option<Row> = sqlx::query_as(
            "SELECT id, artifact_id, thread_id, name, media_type, sha256, size, received, expires_at_ms, became \
             FROM uploads WHERE workspace_id = $1 AND user_id = $2 AND id = $3",
        )
        .bind(self.workspace.as_str())
        .bind(user.as_str())
        .bind(id.as_str())
        .fetch_optional(self.store.read())
        .await?;
        Ok(row.map(Into::into))
    }

    /// Adds a part that is in the storage. False when another one came first; then the part is of no use.
    pub async fn add_part(&self, id: &UploadId, start: u64, size: u64, place: &str) -> Result<bool, StoreError> {
        let mut transaction = self.store.begin().await?;
        // An upload of a deleted workspace takes nothing more, so its deletion finds all there is.
        self.hold_open(&mut transaction).await?;
        let moved = sqlx::query(
            "UPDATE uploads SET received = received + $4 WHERE workspace_id = $1 AND id = $2 AND received = $3 AND became IS NULL",
        )
        .bind(self.workspace.as_str())
        .bind(id.as_str())
        .bind(int(start))
        .bind(int(size))
        .execute(&mut *transaction)
        .await?;
        if moved.rows_affected() == 0 {
            return Ok(false);
        }
        sqlx::query("INSERT INTO upload_parts (upload_id, start, size, place) VALUES ($1, $2, $3, $4)")
            .bind(id.as_str())
            .bind(int(start))
            .bind(int(size))
            .bind(place)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// Where its parts are, in order.
    pub async fn parts(&self, id: &UploadId) -> Result<Vec<String>, StoreError> {
        let rows: Vec<(String,)> = sqlx::query_as(
            "SELECT p.place FROM upload_parts p JOIN uploads u ON u.id = p.upload_id \
             WHERE u.workspace_id = $1 AND u.id = $2 ORDER BY p.start",
        )
        .bind(self.workspace.as_str())
        .bind(id.as_str())
        .fetch_all(self.store.read())
        .await?;
        Ok(rows.into_iter().map(|(place,)| place).collect())
    }

    /// Says what it became. False when somebody else was first.
    pub async fn end_upload(
        &self,
        transaction: &mut Transaction<'_, Any>,
        id: &UploadId,
        became: &ArtifactId,
    ) -> Result<bool, StoreError> {
        let ended =
            sqlx::query("UPDATE uploads SET became = $3 WHERE workspace_id = $1 AND id = $2 AND became IS NULL")
                .bind(self.workspace.as_str())
                .bind(id.as_str())
                .bind(became.as_str())
                .execute(&mut **transaction)
                .await?;
        sqlx::query("DELETE FROM upload_parts WHERE upload_id = $1")
            .bind(id.as_str())
            .execute(&mut **transaction)
            .await?;
        Ok(ended.rows_affected() == 1)
    }

    /// Gives an upload up, with the room it had reserved. Answers the places that nobody needs any more, to be deleted from
    /// the storage after the commit.
    pub async fn drop_upload(
        &self,
        transaction: &mut Transaction<'_, Any>,
        id: &UploadId,
    ) -> Result<Vec<String>, StoreError> {
        // Held first: a part that is the whole file may become a blob at this moment, and then it is none of the upload's.
        sqlx::query("UPDATE uploads SET received = received WHERE workspace_id = $1 AND id = $2")
            .bind(self.workspace.as_str())
            .bind(id.as_str())
            .execute(&mut **transaction)
            .await?;
        let parts: Vec<(String,)> = sqlx::query_as(
            "DELETE FROM upload_parts WHERE upload_id IN (SELECT id FROM uploads WHERE workspace_id = $1 AND id = $2) \
             RETURNING place",
        )
        .bind(self.workspace.as_str())
        .bind(id.as_str())
        .fetch_all(&mut **transaction)
        .await?;
        let gone: Option<(i64, Option<String>)> =
            sqlx::query_as("DELETE FROM uploads WHERE workspace_id = $1 AND id = $2 RETURNING size, became")
                .bind(self.workspace.as_str())
                .bind(id.as_str())
                .fetch_optional(&mut **transaction)
                .await?;
        if let Some((size, None)) = gone {
            self.change_room(transaction, 0, -size).await?;
        }
        Ok(parts.into_iter().map(|(place,)| place).collect())
    }
}

impl Store {
    /// Uploads whose time is over, finished ones included.
    pub async fn old_uploads(&self, now_ms: u64) -> Result<Vec<(Scope, UploadId)>, StoreError> {
        let rows: Vec<(String, String)> = sqlx::query_as(
            "SELECT workspace_id, id FROM uploads WHERE expires_at_ms < $1 ORDER BY expires_at_ms LIMIT 100",
        )
        .bind(int(now_ms))
        .fetch_all(self.read())
        .await?;
        Ok(rows
            .into_iter()
            .map(|(workspace, id)| (Scope::of(WorkspaceId(workspace)), UploadId(id)))
            .collect())
    }
}
