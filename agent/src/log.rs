//! The log: what happened in each thread, appended first and announced second.
//!
//! One rollout file a thread is the truth ([`rollout`]). It has one [writer](Log), any number of [readers](Reader),
//! and is projected into an index for lists and searches, which can be thrown away at any time.

mod error;

mod rollout;

mod state;

mod live;

mod files;

mod page;

mod search;

mod index;

mod fork;

mod writer;

mod reader;

mod lookup;

use std::collections::HashMap;
use std::fs::File;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use protocol::{EventKind, ThreadId, TurnId};
use tokio::sync::broadcast;

pub use error::Error;
pub use reader::Reader;
pub use state::State;
pub use writer::Log;

use crate::clock::Clock;
use crate::home::Home;
use files::{make, move_all, open};
use index::{Index, Known};
use live::Feed;

/// What the log does.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// All threads of one home.
#[derive(Clone)]
pub struct Logs(Arc<Inner>);

struct Inner {
    home: Home,
    clock: Clock,
    news: Arc<News>,
    threads: Mutex<HashMap<ThreadId, InUse>>,
    /// Held while a thread is opened, made, moved or copied, so that it gets one writer.
    opening: tokio::sync::Mutex<()>,
}

/// A thread that somebody here reads or writes.
#[derive(Default)]
struct InUse {
    feed: Weak<Feed>,
    writer: Weak<writer::Writer>,
}

/// Whom a writer tells.
struct News {
    changes: broadcast::Sender<ThreadId>,
    index: Index,
}

impl News {
    fn grown(&self, id: &ThreadId) {
        self.index.grown(id);
    }

    fn changed(&self, id: &ThreadId) {
        // Nobody listening is fine.
        let _ = self.changes.send(id.clone());
    }
}

impl Logs {
    /// The threads of `home`. Reads nothing yet.
    #[must_use]
    pub fn open(home: &Home, clock: Clock) -> Self {
        let (changes, _) = broadcast::channel(1024);
        let index = Index::new(home.index(), home.threads(), clock.clone());
        Self(Arc::new(Inner {
            home: home.clone(),
            clock,
            news: Arc::new(News { changes, index }),
            threads: Mutex::default(),
            opening: tokio::sync::Mutex::default(),
        }))
    }

    /// Makes a thread from its first event, which must be `ThreadStarted`.
    ///
    /// # Errors
    /// When the id is taken or is no UUIDv7, or the file cannot be written.
    pub async fn create(&self, started: EventKind) -> Result<Log> {
        let EventKind::ThreadStarted { thread_id, .. } = &started else {
            return Err(Error::NotAStart);
        };
        let id = thread_id.clone();
        let path = self.path(&id)?;
        self.0.news.index.start();
        let _opening = self.0.opening.lock().await;
        let place = self.place(&id, path.clone(), {
            let id = id.clone();
            move |_: &File, _| Ok(State::new(id))
        });
        let log = tokio::task::spawn_blocking(move || {
            make(&path, &place.id)?;
            let log = Log::open(place)?;
            if let Err(error) = log.append(started) {
                // An empty file is no thread.
                let _ = std::fs::remove_file(&path);
                return Err(error);
            }
            Ok(log)
        })
        .await??;
        self.know(&id, &log);
        self.0.news.changed(&id);
        Ok(log)
    }

    /// The one writer of a thread: the same for all who ask in this process.
    ///
    /// # Errors
    /// When there is no such thread, or another process writes it.
    pub async fn write(&self, id: &ThreadId) -> Result<Log> {
        self.0.news.index.start();
        let _opening = self.0.opening.lock().await;
        self.write_opening(id).await
    }

    async fn write_opening(&self, id: &ThreadId) -> Result<Log> {
        if let Some(log) = self.writer(id) {
            return Ok(log);
        }
        let path = self.path(id)?;
        self.feed(id).closed().await;
        let place = self.place(id, path.clone(), {
            let id = id.clone();
            let known = self.known(&id, &path).await;
            move |file: &File, len| {
                page::fold_on(file, &path, len, known.unwrap_or_else(|| Known::nothing(id)))
                    .map_err(|source| Error::io("read", &path, source))
            }
        });
        let log = tokio::task::spawn_blocking(move || Log::open(place)).await??;
        self.know(id, &log);
        Ok(log)
    }

    /// Makes thread `id` share the beginning of another one: all of it, or what came before a turn.
    /// Whatever is still open in it is closed in the copy.
    ///
    /// # Errors
    /// When there is no such thread or turn, or the copy cannot be written.
    pub async fn fork(&self, from: &ThreadId, before_turn: Option<&TurnId>, id: ThreadId) -> Result<Log> {
        let _opening = self.0.opening.lock().await;
        let fork = fork::Fork {
            from: from.clone(),
            source: self.path(from)?,
            len: self.writer(from).map(|it| it.snapshot().1),
            before_turn: before_turn.cloned(),
            id: id.clone(),
            target: self.path(&id)?,
            now_ms: self.0.clock.now_ms(),
        };
        tokio::task::spawn_blocking(move || fork.write()).await??;
        let log = self.write_opening(&id).await?;
        self.0.news.grown(&id);
        self.0.news.changed(&id);
        Ok(log)
    }

    /// Moves a thread to the bin. Its writer, if open here, appends nothing any more; its readers end.
    ///
    /// # Errors
    /// When there is no such thread, another process writes it, or it cannot be moved.
    pub async fn delete(&self, id: &ThreadId) -> Result<()> {
        let _opening = self.0.opening.lock().await;
        let (path, bin) = (self.path(id)?, self.bin(id)?);
        let (id_, log) = (id.clone(), self.writer(id));
        tokio::task::spawn_blocking(move || match log {
            Some(log) => log.end(|| move_all(&id_, &path, &bin)),
            None => {
                let file = open(&id_, &path)?;
                let _lock = writer::Lock::take(&file, &path)
                    .map_err(|source| Error::io("lock", &path, source))?
                    .ok_or_else(|| Error::Busy(id_.clone()))?;
                move_all(&id_, &path, &bin)
            }
        })
        .await??;
        if let Some(known) = self.threads().remove(id)
            && let Some(feed) = known.feed.upgrade()
        {
            feed.end();
        }
        self.0.news.grown(id);
        self.0.news.changed(id);
        Ok(())
    }

    /// Brings a thread back from the bin.
    ///
    /// # Errors
    /// When it is not there, or a thread of its name exists.
    pub async fn restore(&self, id: &ThreadId) -> Result<()> {
        let _opening = self.0.opening.lock().await;
        let (path, bin) = (self.path(id)?, self.bin(id)?);
        let id_ = id.clone();
        tokio::task::spawn_blocking(move || {
            if path.exists() {
                return Err(Error::Exists(id_));
            }
            move_all(&id_, &bin, &path)
        })
        .await??;
        self.0.news.grown(id);
        self.0.news.changed(id);
        Ok(())
    }

    /// Follows a thread from the event after `after` on.
    #[must_use]
    pub fn follow(&self, id: &ThreadId, after: u64) -> Reader {
        Reader::new(self.feed(id), self.path(id).ok(), after)
    }

    /// Names of threads whose summary changed, from now on.
    #[must_use]
    pub fn changes(&self) -> broadcast::Receiver<ThreadId> {
        self.0.news.changes.subscribe()
    }

    /// The file of one command's output.
    ///
    /// # Errors
    /// When the thread's name is none.
    pub fn output(&self, id: &ThreadId, blob: &str) -> Result<PathBuf> {
        let folder = writer::outputs(&self.path(id)?);
        crate::blob::output_path(&folder, blob).ok_or_else(|| Error::NoSuchThread(id.clone()))
    }

    fn path(&self, id: &ThreadId) -> Result<PathBuf> {
        rollout::path(&self.0.home.threads(), id).ok_or_else(|| Error::NoSuchThread(id.clone()))
    }

    fn bin(&self, id: &ThreadId) -> Result<PathBuf> {
        rollout::path(&self.0.home.bin(), id).ok_or_else(|| Error::NoSuchThread(id.clone()))
    }

    fn place<F>(&self, id: &ThreadId, path: PathBuf, state: F) -> writer::Place<F> {
        writer::Place {
            id: id.clone(),
            path,
            clock: self.0.clock.clone(),
            feed: self.feed(id),
            news: self.0.news.clone(),
            state,
        }
    }

    fn threads(&self) -> std::sync::MutexGuard<'_, HashMap<ThreadId, InUse>> {
        self.0.threads.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn feed(&self, id: &ThreadId) -> Arc<Feed> {
        let mut threads = self.threads();
        // Threads that nobody reads or writes any more are forgotten here, where new ones come.
        threads.retain(|_, it| it.feed.strong_count() > 0);
        let known = threads.entry(id.clone()).or_default();
        known.feed.upgrade().unwrap_or_else(|| {
            let feed = Arc::new(Feed::new());
            known.feed = Arc::downgrade(&feed);
            feed
        })
    }

    fn writer(&self, id: &ThreadId) -> Option<Log> {
        Log::upgrade(&self.threads().get(id)?.writer)
    }

    fn know(&self, id: &ThreadId, log: &Log) {
        self.threads().entry(id.clone()).or_default().writer = log.downgrade();
    }
}
