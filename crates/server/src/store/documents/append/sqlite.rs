//! Adding updates in the embedded database.

use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior, params};

use super::{Added, Addition, NewUpdate};
use crate::store::documents::embedded::Embedded;
use crate::store::{StoreError, int, uint};

/// An [`Addition`] that can go to another thread.
#[derive(Debug)]
struct Work {
    workspace: String,
    document: String,
    epoch: u64,
    updates: Vec<NewUpdate>,
}

pub(super) async fn append(
    embedded: &Embedded,
    additions: &[Addition<'_>],
    now_ms: u64,
) -> Result<Vec<Option<Added>>, StoreError> {
    let work = additions.iter().map(|it| Work {
        workspace: it.scope.workspace().0.clone(),
        document: it.document.to_owned(),
        epoch: it.epoch,
        updates: it.updates.iter().map(|it| (*it).clone()).collect(),
    });
    let work: Vec<Work> = work.collect();
    embedded
        .write(move |connection| append_all(connection, &work, int(now_ms)))
        .await
}

fn append_all(connection: &mut Connection, work: &[Work], now_ms: i64) -> rusqlite::Result<Vec<Option<Added>>> {
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut added = Vec::with_capacity(work.len());
    {
        let mut standing = tx.prepare_cached(
            "SELECT head_seq, snapshot_seq, is_marked FROM docs_now \
             WHERE workspace_id = ?1 AND id = ?2 AND epoch = ?3 AND deleted_at_ms IS NULL",
        )?;
        let mut insert = tx.prepare_cached(
            "INSERT INTO doc_updates (workspace_id, doc_id, seq, user_id, created_at_ms, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?;
        let mut mark =
            tx.prepare_cached("UPDATE docs SET head_seq = ?3, updated_at_ms = ?4 WHERE workspace_id = ?1 AND id = ?2")?;
        for Work {
            workspace,
            document,
            epoch,
            updates,
        } in work
        {
            let found: Option<(i64, i64, bool)> = standing
                .query_row(params![workspace, document, int(*epoch)], |row| row.try_into())
                .optional()?;
            let Some((mut last, snapshot, is_marked)) = found else {
                added.push(None);
                continue;
            };
            for NewUpdate { user, body } in updates {
                last += 1;
                insert.execute(params![workspace, document, last, user.as_str(), now_ms, &**body])?;
            }
            if !is_marked {
                mark.execute(params![workspace, document, last, now_ms])?;
            }
            added.push(Some(Added {
                last: uint(last),
                snapshot: uint(snapshot),
            }));
        }
    }
    tx.commit()?;
    Ok(added)
}
