//! The embedded database by another way, for what documents need often or much of: over connections and in threads of their own.
//! The ones for all else hand each line of an answer from thread to thread, which for many small transactions is most of the work,
//! and copy what is large once for each hand.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError, mpsc};
use std::thread::JoinHandle;

use rusqlite::{Connection, OpenFlags};
use tokio::sync::oneshot;

use crate::store::StoreError;

#[cfg(test)]
mod tests;

/// The embedded database. Who writes does not wait for those who read.
#[derive(Debug)]
pub(in crate::store) struct Embedded {
    writes: Lane,
    reads: Lane,
}

/// A connection that is used from a thread of its own. Both are made when they are needed.
#[derive(Debug)]
struct Lane {
    name: &'static str,
    file: PathBuf,
    open: fn(&Path) -> rusqlite::Result<Connection>,
    thread: Mutex<Option<Thread>>,
}

#[derive(Debug)]
struct Thread {
    /// It ends with this.
    jobs: mpsc::Sender<Job>,
    handle: JoinHandle<()>,
}

type Job = Box<dyn FnOnce(&mut Option<Connection>) + Send>;

impl Embedded {
    pub(in crate::store) fn new(file: &Path) -> Self {
        let lane = |name, open| Lane {
            name,
            file: file.to_owned(),
            open,
            thread: Mutex::default(),
        };
        Self {
            writes: lane("documents", open_to_write),
            reads: lane("documents-read", open_to_read),
        }
    }

    /// Has something written. What goes wrong ends the connection, and with it whatever was begun.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.writes.have_done(work).await
    }

    /// Has something read.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.reads.have_done(work).await
    }

    /// Waits for what is being done, and closes the database.
    pub(in crate::store) fn close(&self) {
        self.reads.close();
        self.writes.close();
    }
}

impl Lane {
    async fn have_done<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (reply, done) = oneshot::channel();
        let (open, file) = (self.open, self.file.clone());
        self.ask(Box::new(move |kept| {
            let done = kept.take().map_or_else(|| open(&file), Ok).and_then(|mut connection| {
                let done = work(&mut connection)?;
                *kept = Some(connection);
                Ok(done)
            });
            // Whoever asked may have gone.
            let _ = reply.send(done);
        }))?;
        Ok(done.await.map_err(|_| StoreError::Interrupted)??)
    }

    fn ask(&self, job: Job) -> Result<(), StoreError> {
        let mut thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        let running = match thread.take() {
            Some(running) if !running.handle.is_finished() => running,
            _ => start(self.name).map_err(StoreError::Thread)?,
        };
        let asked = running.jobs.send(job);
        *thread = Some(running);
        asked.map_err(|_| StoreError::Interrupted)
    }

    fn close(&self) {
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(Thread { jobs, handle }) = thread {
            drop(jobs);
            // If it panicked, whoever waited for it was told.
            let _ = handle.join();
        }
    }
}

fn start(name: &str) -> std::io::Result<Thread> {
    let (jobs, waiting) = mpsc::channel::<Job>();
    let handle = std::thread::Builder::new().name(name.to_owned()).spawn(move || {
        let mut kept = None;
        for job in waiting {
            job(&mut kept);
        }
    })?;
    Ok(Thread { jobs, handle })
}

fn open_to_write(file: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(file, flags)?;
    connection.execute_batch("PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA busy_timeout = 5000;")?;
    Ok(connection)
}

fn open_to_read(file: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(file, flags)?;
    // What it reads, it reads once: 512 KiB are enough to remember.
    connection.execute_batch("PRAGMA busy_timeout = 5000; PRAGMA cache_size = -512;")?;
    Ok(connection)
}
