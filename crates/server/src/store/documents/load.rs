//! Reading all of a document: a snapshot, and the updates after it.

use bytes::Bytes;
use rusqlite::{Connection, OptionalExtension as _, params};

use super::{Head, PAGE, Row, Stored};
use crate::store::{StoreError, Within, int, uint};

/// What was found.
enum Loaded {
    Nothing,
    Whole(Stored),
    /// Updates are missing.
    Holes,
}

impl Within<'_> {
    /// All of a document. `None` when there is none.
    pub async fn load_document(&self, document: &str) -> Result<Option<Stored>, StoreError> {
        let loaded = match &self.store.embedded {
            Some(embedded) => {
                let (workspace, document) = (self.workspace.0.clone(), document.to_owned());
                embedded
                    .read(move |connection| at_once(connection, &workspace, &document))
                    .await?
            }
            None => self.piece_by_piece(document).await?,
        };
        match loaded {
            Loaded::Nothing => Ok(None),
            Loaded::Whole(stored) => Ok(Some(stored)),
            Loaded::Holes => Err(StoreError::Damaged(format!(
                "updates of the document {document} are missing"
            ))),
        }
    }

    async fn piece_by_piece(&self, document: &str) -> Result<Loaded, StoreError> {
        // Between two reads another node may fold updates into a new snapshot. That shows as a hole; then it is read again.
        for _ in 0..10 {
            let Some(head) = self.document_head(document).await? else {
                return Ok(Loaded::Nothing);
            };
            let (from, snapshot) = match self.snapshot(document).await? {
                Some((seq, vector, state)) => (seq, Some((vector, state))),
                // A document's second life begins where the first one ended.
                None if head.seq >= head.snapshot => (head.snapshot, None),
                None => continue,
            };
            let mut tail = Vec::new();
            let mut next = from + 1;
            loop {
                let page = self.rows_after(document, next - 1).await?;
                let Some((last, _)) = page.last() else { break };
                let (last, first) = (*last, page.first().map(|it| it.0));
                if first != Some(next) || last + 1 - next != page.len() as u64 {
                    break;
                }
                tail.extend(page.into_iter().map(|(_, body)| body));
                next = last + 1;
            }
            if next > head.seq {
                let head = Head {
                    seq: next - 1,
                    snapshot: from,
                    ..head
                };
                return Ok(Loaded::Whole(Stored { head, snapshot, tail }));
            }
        }
        Ok(Loaded::Holes)
    }

    async fn snapshot(&self, document: &str) -> Result<Option<(u64, Bytes, Bytes)>, StoreError> {
        let row: Option<(i64, Vec<u8>, Vec<u8>)> =
            sqlx::query_as("SELECT seq, vector, state FROM doc_snapshots WHERE workspace_id = $1 AND doc_id = $2")
                .bind(self.workspace.as_str())
                .bind(document)
                .fetch_optional(self.store.read())
                .await?;
        Ok(row.map(|(seq, vector, state)| (uint(seq), vector.into(), state.into())))
    }

    async fn rows_after(&self, document: &str, seq: u64) -> Result<Vec<(u64, Bytes)>, StoreError> {
        let rows: Vec<(i64, Vec<u8>)> = sqlx::query_as(
            "SELECT seq, body FROM doc_updates WHERE workspace_id = $1 AND doc_id = $2 AND seq > $3 ORDER BY seq LIMIT $4",
        )
        .bind(self.workspace.as_str())
        .bind(document)
        .bind(int(seq))
        .bind(PAGE)
        .fetch_all(self.store.read())
        .await?;
        Ok(rows.into_iter().map(|(seq, body)| (uint(seq), body.into())).collect())
    }
}

/// In the embedded database, as of one moment.
fn at_once(connection: &mut Connection, workspace: &str, document: &str) -> rusqlite::Result<Loaded> {
    let tx = connection.transaction()?;
    let head: Option<Row> = tx
        .prepare_cached(
            "SELECT epoch, head_seq, snapshot_seq FROM docs_now WHERE workspace_id = ?1 AND id = ?2 AND deleted_at_ms IS NULL",
        )?
        .query_row(params![workspace, document], |row| row.try_into())
        .optional()?;
    let Some(head) = head.map(Head::of) else {
        return Ok(Loaded::Nothing);
    };
    let found: Option<(i64, Vec<u8>, Vec<u8>)> = tx
        .prepare_cached("SELECT seq, vector, state FROM doc_snapshots WHERE workspace_id = ?1 AND doc_id = ?2")?
        .query_row(params![workspace, document], |row| row.try_into())
        .optional()?;
    let (from, snapshot) = match found {
        Some((seq, vector, state)) => (uint(seq), Some((vector.into(), state.into()))),
        // A document's second life begins where the first one ended.
        None => (head.snapshot, None),
    };
    let mut updates = tx.prepare_cached(
        "SELECT seq, body FROM doc_updates WHERE workspace_id = ?1 AND doc_id = ?2 AND seq > ?3 ORDER BY seq",
    )?;
    let mut rows = updates.query(params![workspace, document, int(from)])?;
    let (mut tail, mut last) = (Vec::new(), from);
    while let Some(row) = rows.next()? {
        let (seq, body): (i64, Vec<u8>) = row.try_into()?;
        if uint(seq) != last + 1 {
            return Ok(Loaded::Holes);
        }
        last += 1;
        tail.push(body.into());
    }
    if last < head.seq {
        return Ok(Loaded::Holes);
    }
    let head = Head {
        seq: last,
        snapshot: from,
        ..head
    };
    Ok(Loaded::Whole(Stored { head, snapshot, tail }))
}
