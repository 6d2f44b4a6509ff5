//! The audit log: one chain of lines for the whole server, each with the hash of the one before it, so that a changed, a
//! missing and an added line all show.

use protocol::id::WorkspaceId;
use protocol::workspace::people::AuditLine;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use sqlx::{Any, Transaction};

use super::{Store, StoreError, Within, int, uint};

/// At most so many lines in one page.
pub const PAGE: usize = 500;

/// What is written down.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditEntry {
    /// When.
    pub at_ms: u64,
    /// `cloud/tid/oid`, or `server`.
    pub actor: String,
    /// From which address.
    pub address: String,
    /// Whose owners may read it; nobody's for what concerns the whole server.
    pub workspace: Option<WorkspaceId>,
    /// What, such as `member.role_changed`.
    pub action: &'static str,
    /// To what.
    pub object: String,
    /// `ok` or `refused`.
    pub outcome: &'static str,
    /// Facts without content or secrets.
    pub detail: Value,
}

/// What a walk along the chain found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Chain {
    /// All of it is as it was written.
    Whole {
        /// So many lines.
        lines: u64,
        /// The newest one's number.
        head: u64,
        /// Its hash: kept elsewhere, it proves later that nothing before it was rewritten.
        hash: String,
    },
    /// A line is not what was written, or not there.
    Broken {
        /// The first one that does not fit.
        at: u64,
    },
}

#[derive(sqlx::FromRow)]
struct Row {
    id: i64,
    at_ms: i64,
    actor: String,
    address: String,
    workspace_id: Option<String>,
    action: String,
    object: String,
    outcome: String,
    detail: String,
    prev_hash: String,
    hash: String,
}

impl Row {
    /// SHA-256, in hex, of the hash before, a line feed, and the line as a JSON array.
    fn expected_hash(&self) -> String {
        let line = json!([
            self.id,
            self.at_ms,
            self.actor,
            self.address,
            self.workspace_id,
            self.action,
            self.object,
            self.outcome,
            self.detail
        ]);
        let mut hash = Sha256::new();
        hash.update(&self.prev_hash);
        hash.update("\n");
        hash.update(line.to_string());
        format!("{:x}", hash.finalize())
    }

    fn line(self) -> Result<AuditLine, StoreError> {
        Ok(AuditLine {
            id: uint(self.id),
            at_ms: uint(self.at_ms),
            actor: self.actor,
            address: self.address,
            action: self.action,
            object: self.object,
            outcome: self.outcome,
            detail: serde_json::from_str(&self.detail)
                .map_err(|_| StoreError::Damaged(format!("the audit line {}", self.id)))?,
            prev_hash: self.prev_hash,
            hash: self.hash,
        })
    }
}

impl Store {
    /// Writes a line in the transaction of what it tells about: if it cannot be written, that does not happen either.
    ///
    /// Call it last. From here to the commit no other line can be written, which keeps the chain gapless and in order.
    pub async fn audit(&self, tx: &mut Transaction<'_, Any>, entry: &AuditEntry) -> Result<(), StoreError> {
        let (id, prev_hash): (i64, String) =
            sqlx::query_as("UPDATE audit_ends SET head_id = head_id + 1 WHERE one = 1 RETURNING head_id, head_hash")
                .fetch_one(&mut **tx)
                .await?;
        let mut row = Row {
            id,
            at_ms: int(entry.at_ms),
            actor: entry.actor.clone(),
            address: entry.address.clone(),
            workspace_id: entry.workspace.as_ref().map(|it| it.0.clone()),
            action: entry.action.to_owned(),
            object: entry.object.clone(),
            outcome: entry.outcome.to_owned(),
            detail: entry.detail.to_string(),
            prev_hash,
            hash: String::new(),
        };
        row.hash = row.expected_hash();
        sqlx::query(
            "INSERT INTO audit (id, at_ms, actor, address, workspace_id, action, object, outcome, detail, prev_hash, hash) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        )
        .bind(row.id)
        .bind(row.at_ms)
        .bind(&row.actor)
        .bind(&row.address)
        .bind(&row.workspace_id)
        .bind(&row.action)
        .bind(&row.object)
        .bind(&row.outcome)
        .bind(&row.detail)
        .bind(&row.prev_hash)
        .bind(&row.hash)
        .execute(&mut **tx)
        .await?;
        sqlx::query("UPDATE audit_ends SET head_hash = $1 WHERE one = 1")
            .bind(&row.hash)
            .execute(&mut **tx)
            .await?;
        Ok(())
    }

    /// Writes a line about what changes nothing else, such as a refused token.
    pub async fn audit_alone(&self, entry: &AuditEntry) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        self.audit(&mut tx, entry).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Walks along the whole chain.
    pub async fn verify_audit(&self) -> Result<Chain, StoreError> {
        // The ends first: lines that are written meanwhile are beyond the head and not looked at.
        let (head, head_hash, floor, floor_hash): (i64, String, i64, String) =
            sqlx::query_as("SELECT head_id, head_hash, floor_id, floor_hash FROM audit_ends WHERE one = 1")
                .fetch_one(self.read())
                .await?;
        let (mut last, mut hash) = (floor, floor_hash);
        while last < head {
            let rows: Vec<Row> =
                sqlx::query_as("SELECT * FROM audit WHERE id > $1 AND id <= $2 ORDER BY id LIMIT 1000")
                    .bind(last)
                    .bind(head)
                    .fetch_all(self.read())
                    .await?;
            if rows.is_empty() {
                break;
            }
            for row in rows {
                if row.id != last + 1 || row.prev_hash != hash || row.hash != row.expected_hash() {
                    return Ok(Chain::Broken { at: uint(last + 1) });
                }
                (last, hash) = (row.id, row.hash);
            }
        }
        if last != head || hash != head_hash {
            return Ok(Chain::Broken {
                at: uint(last.min(head) + 1),
            });
        }
        Ok(Chain::Whole {
            lines: uint(head - floor),
            head: uint(head),
            hash,
        })
    }

    /// Forgets lines from before `before_ms`, at most `most` of them, and answers how many. The hash of the last one is
    /// kept, so that what follows it can still be verified.
    pub async fn prune_audit(&self, before_ms: u64, most: usize) -> Result<u64, StoreError> {
        let mut tx = self.begin().await?;
        let (floor, head): (i64, i64) =
            sqlx::query_as("UPDATE audit_ends SET floor_id = floor_id WHERE one = 1 RETURNING floor_id, head_id")
                .fetch_one(&mut *tx)
                .await?;
        // Times may go back a little between nodes, ids do not: stop at the first line that is to be kept.
        let (kept,): (Option<i64>,) = sqlx::query_as("SELECT MIN(id) FROM audit WHERE at_ms >= $1")
            .bind(int(before_ms))
            .fetch_one(&mut *tx)
            .await?;
        let last = kept.map_or(head, |it| it - 1).min(floor + int(most as u64));
        if last <= floor {
            return Ok(0);
        }
        let (hash,): (String,) = sqlx::query_as("SELECT hash FROM audit WHERE id = $1")
            .bind(last)
            .fetch_one(&mut *tx)
            .await?;
        sqlx::query("DELETE FROM audit WHERE id <= $1")
            .bind(last)
            .execute(&mut *tx)
            .await?;
        sqlx::query("UPDATE audit_ends SET floor_id = $1, floor_hash = $2 WHERE one = 1")
            .bind(last)
            .bind(hash)
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok(uint(last - floor))
    }
}

impl Within<'_> {
    /// This workspace's lines after `after`, oldest first: at most [`PAGE`].
    pub async fn audit_after(&self, after: u64, limit: usize) -> Result<Vec<AuditLine>, StoreError> {
        let rows: Vec<Row> =
            sqlx::query_as("SELECT * FROM audit WHERE workspace_id = $1 AND id > $2 ORDER BY id LIMIT $3")
                .bind(self.workspace.as_str())
                .bind(int(after))
                .bind(int(limit.min(PAGE) as u64))
                .fetch_all(self.store.read())
                .await?;
        rows.into_iter().map(Row::line).collect()
    }
}
