//! The one writer of a thread. Appending is a plain file write: nobody is waited for but the file system.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use protocol::context::Entry;
use protocol::{Event, EventKind, ItemId, Live, ThreadId};

use super::live::Feed;
use super::rollout;
use super::state::State;
use super::{Error, News};
use crate::blob;
use crate::clock::Clock;

/// One thread's writer. Clones are the same writer; the thread is closed when the last one goes.
#[derive(Clone)]
pub struct Log(Arc<Writer>);

pub(super) struct Writer {
    id: ThreadId,
    path: PathBuf,
    clock: Clock,
    feed: Arc<Feed>,
    news: Arc<News>,
    tail: Mutex<Tail>,
    state: Mutex<Arc<State>>,
}

/// Where the file ends, and who may write there.
struct Tail {
    file: File,
    /// Held as long as the writer lives.
    lock: Lock,
    len: u64,
    seq: u64,
    buffer: Vec<u8>,
    /// An append failed, and so did taking it back: what is after `len` is not ours to keep.
    torn: bool,
    /// The thread was deleted.
    gone: bool,
    /// The model's context, once it was asked for.
    context: Option<Vec<Entry>>,
}

impl Log {
    /// The thread's name.
    #[must_use]
    pub fn id(&self) -> &ThreadId {
        &self.0.id
    }

    /// Appends an event and gives back its `seq`. The file first, then the readers, then the index.
    ///
    /// # Errors
    /// When it cannot be written; then nothing of it was.
    pub fn append(&self, kind: EventKind) -> Result<u64, Error> {
        self.0.append(vec![kind])
    }

    /// Appends several events in one write and gives back the last one's `seq`.
    ///
    /// # Errors
    /// When they cannot be written; then none of them was.
    pub fn append_all(&self, kinds: Vec<EventKind>) -> Result<u64, Error> {
        self.0.append(kinds)
    }

    /// Passes on news that may be lost. Pieces of items that are not open are not passed on.
    pub fn live(&self, live: Live) {
        // Held to the end, so that no piece slips in behind its item's last event.
        let state = self.0.state();
        let open = match &live {
            Live::Text { item_id, .. } | Live::Output { item_id, .. } => {
                state.open_items.iter().rev().any(|(_, it)| &it.id == item_id)
            }
            Live::Retrying { .. } => true,
        };
        if open {
            self.0.feed.live(live);
        }
    }

    /// The thread as it stands.
    #[must_use]
    pub fn state(&self) -> Arc<State> {
        self.0.state().clone()
    }

    /// The model's context: read from the file when first asked for, then kept.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn context(&self) -> Result<Vec<Entry>, Error> {
        let mut tail = self.0.tail();
        if let Some(context) = &tail.context {
            return Ok(context.clone());
        }
        let mut context = Vec::new();
        let mut lines = rollout::Lines { seq: 0 };
        rollout::forwards(&tail.file, 0, tail.len, |_, line| {
            if rollout::prefix(line).is_some_and(|it| it.kind == "contextAppended")
                && let Some(event) = lines.next(line, &self.0.path)
                && let EventKind::ContextAppended { entries, .. } = event.kind
            {
                context.extend(entries);
            }
            ControlFlow::Continue(())
        })
        .map_err(|source| Error::io("read", &self.0.path, source))?;
        tail.context = Some(context.clone());
        Ok(context)
    }

    /// Waits until what was appended is on the disk.
    ///
    /// # Errors
    /// When the disk says no.
    pub fn sync(&self) -> Result<(), Error> {
        let tail = self.0.tail();
        let file = tail.file.try_clone();
        // A slow disk holds up whoever asked, not those who append meanwhile.
        drop(tail);
        file.and_then(|it| it.sync_data())
            .map_err(|source| Error::io("sync", &self.0.path, source))
    }

    /// Begins to keep the output of a command, beside the log.
    ///
    /// # Errors
    /// When the file cannot be made.
    pub fn blob(&self, item: &ItemId) -> Result<blob::Writer, Error> {
        let folder = outputs(&self.0.path);
        blob::Writer::create(&folder, item.as_str()).map_err(|source| Error::io("create an output in", &folder, source))
    }

    pub(super) fn open<F>(place: Place<F>) -> Result<Self, Error>
    where
        F: FnOnce(&File, u64) -> Result<State, Error>,
    {
        let Place {
            id,
            path,
            clock,
            feed,
            news,
            state,
        } = place;
        let at = path.clone();
        let fail = |what| {
            let at = at.as_path();
            move |source| Error::io(what, at, source)
        };
        let file = OpenOptions::new()
            .read(true)
            .append(true)
            .open(&path)
            .map_err(|source| {
                if source.kind() == io::ErrorKind::NotFound {
                    Error::NoSuchThread(id.clone())
                } else {
                    Error::io("open", &path, source)
                }
            })?;
        let lock = Lock::take(&file, &path)
            .map_err(fail("lock"))?
            .ok_or_else(|| Error::Busy(id.clone()))?;
        let len = mend(&file, &path).map_err(fail("repair the end of"))?;
        let state = state(&file, len)?;
        let seq = state.summary.head_seq;
        feed.reach(Some(len));
        Ok(Self(Arc::new(Writer {
            id,
            path,
            clock,
            feed,
            news,
            tail: Mutex::new(Tail {
                file,
                lock,
                len,
                seq,
                buffer: Vec::new(),
                torn: false,
                gone: false,
                context: None,
            }),
            state: Mutex::new(Arc::new(state)),
        })))
    }

    pub(super) fn downgrade(&self) -> std::sync::Weak<Writer> {
        Arc::downgrade(&self.0)
    }

    pub(super) fn upgrade(writer: &std::sync::Weak<Writer>) -> Option<Self> {
        writer.upgrade().map(Self)
    }

    /// Moves the thread away with `work`; after that nothing is appended any more.
    pub(super) fn end(&self, work: impl FnOnce() -> Result<(), Error>) -> Result<(), Error> {
        let mut tail = self.0.tail();
        work()?;
        tail.gone = true;
        tail.lock.release();
        drop(tail);
        self.0.feed.end();
        Ok(())
    }

    /// The thread as it stands, and the bytes of the rollout that say so.
    pub(super) fn snapshot(&self) -> (Arc<State>, u64) {
        let tail = self.0.tail();
        (self.state(), tail.len)
    }
}

/// What a writer is opened with.
pub(super) struct Place<F> {
    pub(super) id: ThreadId,
    pub(super) path: PathBuf,
    pub(super) clock: Clock,
    pub(super) feed: Arc<Feed>,
    pub(super) news: Arc<News>,
    /// Reads the thread as it stands.
    pub(super) state: F,
}

impl Writer {
    fn append(&self, kinds: Vec<EventKind>) -> Result<u64, Error> {
        let at_ms = self.clock.now_ms();
        let stamp = |kind| Event { seq: 0, at_ms, kind };
        self.write(kinds.into_iter().map(stamp).collect())
    }

    fn write(&self, mut events: Vec<Event>) -> Result<u64, Error> {
        let mut tail = self.tail();
        let tail = &mut *tail;
        if tail.gone {
            return Err(Error::NoSuchThread(self.id.clone()));
        }
        let mut buffer = std::mem::take(&mut tail.buffer);
        buffer.clear();
        for (seq, event) in (tail.seq + 1..).zip(&mut events) {
            event.seq = seq;
            serde_json::to_writer(&mut buffer, event).map_err(Error::Encode)?;
            buffer.push(b'\n');
        }
        let written = tail.write(&buffer);
        // A rare huge event must not stay in memory for the thread's life.
        if buffer.capacity() <= 64 * 1024 {
            tail.buffer = buffer;
        }
        written.map_err(|source| Error::io("append to", &self.path, source))?;
        tail.seq += events.len() as u64;

        let visible = self.apply(&events);
        for event in &events {
            self.feed.settle(&event.kind);
        }
        self.feed.reach(Some(tail.len));
        if let Some(context) = &mut tail.context {
            for event in events {
                if let EventKind::ContextAppended { entries, .. } = event.kind {
                    context.extend(entries);
                }
            }
        }
        self.news.grown(&self.id);
        if visible {
            self.news.changed(&self.id);
        }
        Ok(tail.seq)
    }

    /// Folds events in; true when a list shows the thread differently now.
    fn apply(&self, events: &[Event]) -> bool {
        let mut state = self.state();
        let state = Arc::make_mut(&mut state);
        let before = state.summary.clone();
        for event in events {
            state.apply(event);
        }
        let same = protocol::thread::ThreadSummary {
            head_seq: state.summary.head_seq,
            updated_ms: state.summary.updated_ms,
            ..before
        };
        state.summary != same
    }

    fn tail(&self) -> MutexGuard<'_, Tail> {
        self.tail.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn state(&self) -> MutexGuard<'_, Arc<State>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // Whoever waits to open the thread again is woken once nobody holds its lock.
        self.tail().lock.release();
        self.feed.reach(None);
        self.news.changed(&self.id);
    }
}

impl Tail {
    /// Writes all of `bytes` or nothing.
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.torn {
            self.file.set_len(self.len)?;
            self.torn = false;
        }
        if let Err(error) = self.file.write_all(bytes) {
            self.torn = self.file.set_len(self.len).is_err();
            return Err(error);
        }
        self.len += bytes.len() as u64;
        Ok(())
    }
}

/// Keeps other processes from writing. Released when dropped.
pub(super) struct Lock(File);

impl Lock {
    /// `None` when somebody else has it.
    pub(super) fn take(rollout: &File, path: &Path) -> io::Result<Option<Self>> {
        // A lock on Windows keeps others from reading too, so it must be on a file that nobody reads.
        let file = if cfg!(windows) {
            File::create(path.with_extension("lock"))?
        } else {
            rollout.try_clone()?
        };
        match file.try_lock() {
            Ok(()) => Ok(Some(Self(file))),
            Err(std::fs::TryLockError::WouldBlock) => Ok(None),
            Err(std::fs::TryLockError::Error(error)) => Err(error),
        }
    }

    fn release(&self) {
        if let Err(error) = self.0.unlock() {
            tracing::warn!(%error, "a thread's lock was not released");
        }
    }
}

/// Makes the file end with a whole line and gives back its length. What a crash left half-written is kept aside.
fn mend(file: &File, path: &Path) -> io::Result<u64> {
    let len = file.metadata()?.len();
    let whole = rollout::whole_lines(file, len)?;
    if whole == len {
        return Ok(len);
    }
    let mut torn = vec![0; usize::try_from(len - whole).map_err(io::Error::other)?];
    let read = rollout::read_at(file, &mut torn, whole)?;
    torn.truncate(read);
    if matches!(rollout::parse(&torn), rollout::Line::Event(_)) {
        // Only the newline is missing.
        let mut end: &File = file;
        end.write_all(b"\n")?;
        return Ok(len + 1);
    }
    let aside = path.with_extension("torn");
    tracing::warn!(path = %path.display(), bytes = torn.len(), aside = %aside.display(), "a half-written line was cut off");
    torn.push(b'\n');
    OpenOptions::new()
        .create(true)
        .append(true)
        .open(&aside)?
        .write_all(&torn)?;
    file.set_len(whole)?;
    Ok(whole)
}

/// Where the outputs of a thread's commands are.
pub(super) fn outputs(rollout: &Path) -> PathBuf {
    rollout.with_extension("")
}
