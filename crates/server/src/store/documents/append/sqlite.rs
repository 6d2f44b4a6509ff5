//! Adding updates in the embedded database, over a connection and in a thread of their own. The connection for all else hands each
//! line of an answer from thread to thread, and for these many small transactions that is most of the work.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError, mpsc};
use std::thread::JoinHandle;

use rusqlite::{Connection, OpenFlags, OptionalExtension as _, TransactionBehavior, params};
use tokio::sync::oneshot;

use super::{Added, Addition, NewUpdate};
use crate::store::{StoreError, int, uint};

/// The embedded database, for adding updates.
#[derive(Debug)]
pub(in crate::store) struct Embedded {
    file: PathBuf,
    /// Started when it is needed.
    thread: Mutex<Option<Thread>>,
}

#[derive(Debug)]
struct Thread {
    /// It ends with this.
    jobs: mpsc::Sender<Job>,
    handle: JoinHandle<()>,
}

#[derive(Debug)]
struct Job {
    work: Vec<Work>,
    now_ms: i64,
    reply: oneshot::Sender<rusqlite::Result<Vec<Option<Added>>>>,
}

/// An [`Addition`] that can go to another thread.
#[derive(Debug)]
struct Work {
    workspace: String,
    document: String,
    epoch: u64,
    updates: Vec<NewUpdate>,
}

impl Embedded {
    pub(in crate::store) fn new(file: PathBuf) -> Self {
        Self {
            file,
            thread: Mutex::default(),
        }
    }

    pub(super) async fn append(
        &self,
        additions: &[Addition<'_>],
        now_ms: u64,
    ) -> Result<Vec<Option<Added>>, StoreError> {
        let work = additions.iter().map(|it| Work {
            workspace: it.scope.workspace().0.clone(),
            document: it.document.to_owned(),
            epoch: it.epoch,
            updates: it.updates.iter().map(|it| (*it).clone()).collect(),
        });
        let (reply, added) = oneshot::channel();
        self.ask(Job {
            work: work.collect(),
            now_ms: int(now_ms),
            reply,
        })?;
        Ok(added.await.map_err(|_| StoreError::Interrupted)??)
    }

    fn ask(&self, job: Job) -> Result<(), StoreError> {
        let mut thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        let running = match thread.take() {
            Some(running) if !running.handle.is_finished() => running,
            _ => start(self.file.clone()).map_err(StoreError::Thread)?,
        };
        let asked = running.jobs.send(job);
        *thread = Some(running);
        asked.map_err(|_| StoreError::Interrupted)
    }

    /// Waits for what is being written, and closes the database.
    pub(in crate::store) fn close(&self) {
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(Thread { jobs, handle }) = thread {
            drop(jobs);
            // If it panicked, whoever waited for it was told.
            let _ = handle.join();
        }
    }
}

fn start(file: PathBuf) -> std::io::Result<Thread> {
    let (jobs, waiting) = mpsc::channel();
    let handle = std::thread::Builder::new()
        .name("documents".to_owned())
        .spawn(move || work_off(&file, &waiting))?;
    Ok(Thread { jobs, handle })
}

fn work_off(file: &Path, jobs: &mpsc::Receiver<Job>) {
    // Opened when it is needed, and again after anything went wrong.
    let mut kept = None;
    for Job { work, now_ms, reply } in jobs {
        let added = kept.take().map_or_else(|| open(file), Ok).and_then(|mut connection| {
            let added = append_all(&mut connection, &work, now_ms)?;
            kept = Some(connection);
            Ok(added)
        });
        // Whoever asked may have gone.
        let _ = reply.send(added);
    }
}

fn open(file: &Path) -> rusqlite::Result<Connection> {
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
