//! Readers: cursors over a thread's log that replay what they have not seen and then follow.
//!
//! A reader owns nothing but its place. A slow one, a reloaded page and a restarted client are the same case: each
//! reads on from the file. Nothing here ticks while nothing happens.

use std::fs::File;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use protocol::{Event, EventKind, Frame};
use tokio::sync::watch;
use tokio::time::Instant;

use super::live::{Feed, Head, Seen};
use super::rollout;

/// Bytes of one frame, unless a single event is larger.
const FRAME: usize = 8 * 1024;
/// Bytes of invisible events read in one go.
const STRIDE: usize = 1024 * 1024;
/// Between two frames while something streams.
const PACE: Duration = Duration::from_millis(25);

/// A cursor over one thread.
pub struct Reader {
    feed: Arc<Feed>,
    head: watch::Receiver<Head>,
    path: Option<PathBuf>,
    file: Option<Arc<File>>,
    place: Cursor,
    seen: Seen,
    /// Everything up to this head was given.
    done: Option<Head>,
    /// The next frame comes no sooner than this.
    pace: Option<Instant>,
}

#[derive(Debug, Clone, Copy)]
struct Cursor {
    seq: u64,
    /// Where the event after `seq` begins, once it was looked for.
    offset: Option<u64>,
}

impl Reader {
    pub(super) fn new(feed: Arc<Feed>, path: Option<PathBuf>, after: u64) -> Self {
        Self {
            head: feed.watch(),
            feed,
            path,
            file: None,
            place: Cursor {
                seq: after,
                offset: None,
            },
            seen: Seen::default(),
            done: None,
            pace: None,
        }
    }

    /// What comes next, once there is something; `None` when the thread is gone or cannot be read.
    /// Dropping the future loses nothing.
    pub async fn next(&mut self) -> Option<Frame> {
        loop {
            let mut head = *self.head.borrow_and_update();
            while self.done == Some(head) && !head.gone {
                self.head.changed().await.ok()?;
                head = *self.head.borrow_and_update();
            }
            if let Some(pace) = self.pace.filter(|it| *it > Instant::now() && !head.gone) {
                tokio::time::sleep_until(pace).await;
                self.pace = None;
                continue;
            }
            if head.gone {
                return None;
            }
            let chunk = match self.read(head).await {
                Ok(chunk) => chunk,
                Err(error) => {
                    tracing::warn!(path = ?self.path, %error, "a rollout cannot be followed");
                    return None;
                }
            };
            // From here on nothing waits, so a frame is either given and counted, or neither.
            if let Some(frame) = self.frame(head, chunk) {
                return Some(frame);
            }
        }
    }

    fn frame(&mut self, head: Head, chunk: Chunk) -> Option<Frame> {
        self.place = chunk.end;
        self.file = Some(chunk.file);
        for event in &chunk.events {
            if let EventKind::ItemAppended { item_id, at, text } = &event.kind {
                self.seen.appended(item_id, *at, text);
            }
        }
        let mut frame = Frame {
            events: chunk.events,
            next_seq: self.place.seq,
            ..Frame::default()
        };
        self.done = None;
        if chunk.complete {
            let budget = FRAME.saturating_sub(chunk.bytes).max(FRAME / 8);
            let read = self.place.offset.unwrap_or_default();
            if let Some((live, more)) = self.feed.collect(read, &mut self.seen, budget) {
                frame.live = live;
                if !more {
                    self.done = Some(head);
                    self.pace = Some(Instant::now() + PACE);
                }
            }
        }
        (!frame.events.is_empty() || !frame.live.is_empty()).then_some(frame)
    }

    async fn read(&self, head: Head) -> std::io::Result<Chunk> {
        if let (Some(file), Some(offset)) = (&self.file, self.place.offset)
            && head.len == Some(offset)
        {
            return Ok(Chunk::empty(file.clone(), self.place));
        }
        let Some(path) = self.path.clone() else {
            return Err(std::io::ErrorKind::NotFound.into());
        };
        let (file, place) = (self.file.clone(), self.place);
        let read = tokio::task::spawn_blocking(move || {
            let file = match file {
                Some(file) => file,
                None => Arc::new(File::open(&path)?),
            };
            read_on(file, &path, place, head.len)
        });
        read.await.map_err(std::io::Error::other)?
    }
}

/// Events from a place on, as many as fit a frame.
struct Chunk {
    file: Arc<File>,
    events: Vec<Event>,
    bytes: usize,
    end: Cursor,
    /// There was no more to read.
    complete: bool,
}

impl Chunk {
    fn empty(file: Arc<File>, end: Cursor) -> Self {
        Self {
            file,
            events: Vec::new(),
            bytes: 0,
            end,
            complete: true,
        }
    }
}

fn read_on(file: Arc<File>, path: &Path, place: Cursor, len: Option<u64>) -> std::io::Result<Chunk> {
    let len = match len {
        Some(len) => len,
        // Another process may be in the middle of a line.
        None => rollout::whole_lines(&file, file.metadata()?.len())?,
    };
    let offset = match place.offset {
        Some(offset) => offset,
        None => rollout::locate(&file, place.seq, len)?,
    };
    let mut lines = rollout::Lines { seq: place.seq };
    let mut events = Vec::new();
    let (mut bytes, mut passed) = (0, 0);
    let end = rollout::forwards(&file, offset, len, |_, line| {
        passed += line.len();
        match rollout::prefix(line) {
            Some(prefix) if prefix.kind == "contextAppended" => lines.pass(Some(prefix.seq)),
            Some(_) | None => {
                // A reader that was told of events which were never kept waits for the next ones.
                if let Some(event) = lines.next(line, path).filter(|it| it.seq > place.seq) {
                    bytes += line.len();
                    events.push(event);
                }
            }
        }
        if bytes >= FRAME || passed >= STRIDE {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    })?;
    let end_place = Cursor {
        seq: lines.seq,
        offset: Some(end),
    };
    Ok(Chunk {
        file,
        events,
        bytes,
        end: end_place,
        complete: end >= len,
    })
}
