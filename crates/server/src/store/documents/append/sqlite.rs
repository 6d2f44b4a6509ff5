//! Adding updates in the embedded database, over a connection of their own that is used from one thread at a time. The one for
//! all else hands each line of an answer from thread to thread, and for these many small transactions that is most of the work.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::{Connection, OpenFlags, OptionalExtension as _, TransactionBehavior, params};

use super::{Added, Addition, NewUpdate};
use crate::store::{StoreError, int, uint};

/// The embedded database, for adding updates.
#[derive(Debug)]
pub(in crate::store) struct Embedded {
    file: PathBuf,
    /// Opened when it is needed, and again after anything went wrong.
    connection: Mutex<Option<Connection>>,
}

impl Embedded {
    pub(in crate::store) fn new(file: PathBuf) -> Self {
        Self {
            file,
            connection: Mutex::default(),
        }
    }

    pub(in crate::store) fn close(&self) {
        drop(self.connection.lock().unwrap_or_else(PoisonError::into_inner).take());
    }

    fn append(&self, work: &[Work], now_ms: i64) -> rusqlite::Result<Vec<Option<Added>>> {
        let mut kept = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        let mut connection = match kept.take() {
            Some(connection) => connection,
            None => open(&self.file)?,
        };
        let added = append_all(&mut connection, work, now_ms)?;
        *kept = Some(connection);
        Ok(added)
    }
}

/// An [`Addition`] that can go to another thread.
#[derive(Debug)]
struct Work {
    workspace: String,
    document: String,
    epoch: u64,
    updates: Vec<NewUpdate>,
}

pub(super) async fn append(
    embedded: &Arc<Embedded>,
    additions: &[Addition<'_>],
    now_ms: u64,
) -> Result<Vec<Option<Added>>, StoreError> {
    let work: Vec<Work> = additions
        .iter()
        .map(|it| Work {
            workspace: it.scope.workspace().0.clone(),
            document: it.document.to_owned(),
            epoch: it.epoch,
            updates: it.updates.iter().map(|it| (*it).clone()).collect(),
        })
        .collect();
    let embedded = embedded.clone();
    let added = tokio::task::spawn_blocking(move || embedded.append(&work, int(now_ms)));
    match added.await {
        Ok(added) => Ok(added?),
        // The runtime ends, or it panicked: then it stopped before the commit.
        Err(error) => Err(StoreError::Interrupted(error)),
    }
}

fn open(file: &std::path::Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(file, flags)?;
    connection.execute_batch("PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA busy_timeout = 5000;")?;
    Ok(connection)
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
