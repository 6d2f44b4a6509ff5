//! What came after what a node has of documents.

use bytes::Bytes;
use protocol::id::WorkspaceId;
use sqlx::AssertSqlSafe;

use super::{Head, PAGE};
use crate::store::{Store, StoreError, Within, int, uint};

#[cfg(test)]
mod tests;

/// What a reader who is at some `seq` needs.
#[derive(Debug, Clone)]
pub struct Later {
    /// How far it is.
    pub head: Head,
    /// A whole state, when the updates right after the reader's are no longer there one by one.
    pub state: Option<Bytes>,
    /// Updates: the first one's number, and their bodies.
    pub updates: Vec<(u64, Bytes)>,
}

/// A document that a node has up to some update.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// Where, and which.
    pub key: (WorkspaceId, String),
    /// Up to which update.
    pub seq: u64,
}

/// A document's row with one of its updates, if there is one.
type LaterRow = (i64, i64, i64, Option<i64>, Option<Vec<u8>>);
/// The same, and which document of the question.
type OneOfRow = (i64, i64, i64, i64, Option<i64>, Option<Vec<u8>>);

/// Documents of one question.
const DOCUMENTS: usize = 32;

impl Store {
    /// What came after what is known of documents that somebody may see, for many at once: a node that follows others asks for
    /// every commit of theirs. `None` where it is not this simple, and [`Within::document_after`] has to say.
    pub async fn documents_after(&self, known: &[Known]) -> Result<Vec<Option<Later>>, StoreError> {
        let mut later = vec![None; known.len()];
        for (first, some) in (0..).step_by(DOCUMENTS).zip(known.chunks(DOCUMENTS)) {
            let parts: Vec<String> = (0..some.len()).map(part).collect();
            let sql = format!("{} ORDER BY 1, 5 LIMIT {PAGE}", parts.join(" UNION ALL "));
            // The text is made of numbers only.
            let mut query = sqlx::query_as::<_, OneOfRow>(AssertSqlSafe(sql));
            for Known { key, seq } in some {
                query = query.bind(key.0.as_str()).bind(&key.1).bind(int(*seq));
            }
            for (index, epoch, head, snapshot, seq, body) in query.fetch_all(self.read()).await? {
                let place = usize::try_from(index).ok().and_then(|it| later.get_mut(first + it));
                let Some(place) = place else { continue };
                let it = place.get_or_insert_with(|| Later {
                    head: Head::of((epoch, head, snapshot)),
                    state: None,
                    updates: Vec::new(),
                });
                it.updates.extend(seq.map(uint).zip(body.map(Bytes::from)));
            }
        }
        for (later, Known { seq, .. }) in later.iter_mut().zip(known) {
            let is_next = |it: &mut Later| it.updates.first().is_some_and(|(first, _)| *first == seq + 1);
            later.take_if(|it| !is_next(it));
        }
        Ok(later)
    }
}

/// The question for one of several documents.
fn part(index: usize) -> String {
    let from = 3 * index;
    format!(
        "SELECT {index}, d.epoch, d.head_seq, d.snapshot_seq, u.seq, u.body FROM docs_now d LEFT JOIN doc_updates u \
         ON u.workspace_id = d.workspace_id AND u.doc_id = d.id AND u.seq > ${} \
         WHERE d.workspace_id = ${} AND d.id = ${} AND d.deleted_at_ms IS NULL",
        from + 3,
        from + 1,
        from + 2
    )
}

impl Within<'_> {
    /// What came after `seq`. `None` when the document was deleted. What cannot be had one by one comes as a whole state.
    pub async fn document_after(&self, document: &str, seq: u64) -> Result<Option<Later>, StoreError> {
        // In one question: a node that follows another asks it for every commit of the other.
        let rows: Vec<LaterRow> = sqlx::query_as(
            "SELECT d.epoch, d.head_seq, d.snapshot_seq, u.seq, u.body FROM docs_now d LEFT JOIN doc_updates u \
             ON u.workspace_id = d.workspace_id AND u.doc_id = d.id AND u.seq > $3 \
             WHERE d.workspace_id = $1 AND d.id = $2 AND d.deleted_at_ms IS NULL ORDER BY u.seq LIMIT $4",
        )
        .bind(self.workspace.as_str())
        .bind(document)
        .bind(int(seq))
        .bind(PAGE)
        .fetch_all(self.store.read())
        .await?;
        let Some((epoch, head, snapshot, ..)) = rows.first() else {
            return Ok(None);
        };
        let head = Head::of((*epoch, *head, *snapshot));
        let updates: Vec<(u64, Bytes)> = rows
            .into_iter()
            .filter_map(|(.., seq, body)| Some((uint(seq?), body?.into())))
            .collect();
        if head.seq <= seq || updates.first().is_some_and(|(first, _)| *first == seq + 1) {
            return Ok(Some(Later {
                head,
                state: None,
                updates,
            }));
        }
        let Some(stored) = self.load_document(document).await? else {
            return Ok(None);
        };
        let first = stored.head.seq + 1 - stored.tail.len() as u64;
        Ok(Some(Later {
            head: stored.head,
            state: stored.snapshot.map(|(_, state)| state),
            updates: (first..).zip(stored.tail).collect(),
        }))
    }
}
