//! One followed thread: one reader reads each page once for all sockets of this node, and all of them send the same bytes.
//! What was read last stays in a small ring; whoever is further behind reads pages of their own.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use axum::extract::ws::Utf8Bytes;
use protocol::id::{ThreadId, UserId, WorkspaceId};
use protocol::workspace::live::ServerFrame;
use protocol::workspace::log::{EventPage, PageStatus, TURN_REMOVED};
use tokio::sync::Notify;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::ear::Ear;
use crate::store::{Chain, Scope, Store, StoreError};

#[cfg(test)]
mod tests;

/// Events in one page, and in one frame.
pub(crate) const PAGE_EVENTS: u64 = 256;
/// Bytes of payload in one page.
pub(crate) const PAGE_BYTES: usize = 512 * 1024;
/// What the ring holds at most, beside the newest chunk.
const RING: (u64, usize) = (512, 1024 * 1024);
/// After the database refused.
const PAUSE: Duration = Duration::from_millis(500);

/// Some events, ready to be sent.
#[derive(Debug, Clone)]
pub struct Chunk {
    /// The first event.
    pub first: u64,
    /// The last one.
    pub last: u64,
    /// The frame.
    pub frame: Utf8Bytes,
    /// The only one who may see it, when the thread was private as it was read.
    pub private_to: Option<UserId>,
}

/// What a reader at some place gets next.
#[derive(Debug, Clone)]
pub enum Next {
    /// Nothing: it has everything.
    Nothing,
    /// This.
    Chunk(Chunk),
    /// Up to so many events from the database, after which it may go on with chunks.
    Page(u64),
}

/// One followed thread.
#[derive(Debug)]
pub struct Feed {
    workspace: WorkspaceId,
    thread: ThreadId,
    state: Mutex<State>,
    wake: Notify,
    stop: CancellationToken,
}

#[derive(Debug)]
struct State {
    /// The last event that was read.
    position: u64,
    /// The last one that is said to be there.
    head: u64,
    ring: VecDeque<Chunk>,
    ears: Vec<Weak<Ear>>,
    private_to: Option<UserId>,
}

impl Feed {
    pub(super) fn new(workspace: WorkspaceId, thread: ThreadId, head: u64, stop: CancellationToken) -> Self {
        Self {
            workspace,
            thread,
            state: Mutex::new(State {
                position: head,
                head,
                ring: VecDeque::new(),
                ears: Vec::new(),
                private_to: None,
            }),
            wake: Notify::new(),
            stop,
        }
    }

    pub(super) fn key(&self) -> (WorkspaceId, ThreadId) {
        (self.workspace.clone(), self.thread.clone())
    }

    pub(super) fn add(&self, ear: &Arc<Ear>) {
        self.state().ears.push(Arc::downgrade(ear));
    }

    /// Whether that was the last one.
    pub(super) fn remove(&self, ear: &Arc<Ear>) -> bool {
        let mut state = self.state();
        state.ears.retain(|it| !super::is(it, ear) && it.strong_count() > 0);
        state.ears.is_empty()
    }

    pub(super) fn end(&self) {
        self.stop.cancel();
    }

    /// There are events up to here, it is said. A hint may be forged: then the reader looks, and finds nothing.
    pub fn reach(&self, head: u64) {
        let mut state = self.state();
        if head > state.position {
            state.head = state.head.max(head);
            self.wake.notify_one();
        }
    }

    /// What the database says, on a look at everything.
    pub(super) fn seen(&self, head: u64, private_to: Option<&UserId>) {
        let changed = self.state().private_to.as_ref() != private_to;
        if changed {
            self.mark(|it| it.thread(&self.workspace, &self.thread));
        }
        self.reach(head);
    }

    /// It is not there any more.
    pub(super) fn gone(&self) {
        self.mark(|it| it.thread(&self.workspace, &self.thread));
    }

    /// The newest event that is known to be there.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.state().position
    }

    /// What a reader who has everything up to `after` gets next.
    #[must_use]
    pub fn next(&self, after: u64) -> Next {
        self.state().next(after)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A panic elsewhere leaves nothing half-done in it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn mark(&self, mark: impl Fn(&Ear)) {
        for ear in self.state().ears.iter().filter_map(Weak::upgrade) {
            mark(&ear);
        }
    }
}

impl State {
    fn next(&self, after: u64) -> Next {
        if after >= self.position {
            return Next::Nothing;
        }
        let wanted = after + 1;
        match self.ring.iter().find(|it| it.last >= wanted) {
            Some(chunk) if chunk.first == wanted => Next::Chunk(chunk.clone()),
            // In its middle: a page up to its end, and with chunks from there.
            Some(chunk) if chunk.first < wanted => Next::Page((chunk.last - after).min(PAGE_EVENTS)),
            Some(chunk) => Next::Page((chunk.first - wanted).min(PAGE_EVENTS)),
            None => Next::Page((self.position - after).min(PAGE_EVENTS)),
        }
    }

    fn push(&mut self, chunk: Chunk) {
        self.position = chunk.last;
        self.ring.push_back(chunk);
        loop {
            let (events, bytes) = self.ring.iter().fold((0, 0), |(events, bytes), it| {
                (events + (it.last - it.first + 1), bytes + it.frame.len())
            });
            if self.ring.len() <= 1 || (events <= RING.0 && bytes <= RING.1) {
                return;
            }
            self.ring.pop_front();
        }
    }
}

/// The reader.
pub(super) async fn run(feed: Arc<Feed>, store: Store) {
    loop {
        tokio::select! {
            () = feed.stop.cancelled() => return,
            () = feed.wake.notified() => {}
        }
        loop {
            let read = tokio::select! {
                () = feed.stop.cancelled() => return,
                read = read(&feed, &store) => read,
            };
            match read {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => {
                    tracing::warn!(error = %Chain(&error), "a followed thread cannot be read");
                    tokio::select! {
                        () = feed.stop.cancelled() => return,
                        () = sleep(PAUSE) => {}
                    }
                }
            }
        }
    }
}

/// Reads one page. Whether there may be more.
async fn read(feed: &Feed, store: &Store) -> Result<bool, StoreError> {
    let position = feed.position();
    let scope = Scope::of(feed.workspace.clone());
    let within = store.within(&scope);
    let most = usize::try_from(PAGE_EVENTS).unwrap_or(usize::MAX);
    let page = within.events_after(&feed.thread, position, most, PAGE_BYTES).await?;
    // Asked after the page was read: whoever made the thread private did so before, or the page was still for everybody.
    let Some(face) = within.face(&feed.thread).await? else {
        feed.gone();
        return Ok(false);
    };
    let head = page.head_seq;
    if page.status != PageStatus::Ok {
        // The log was cut behind us, or restored from a backup. Everybody reads for themselves.
        let mut state = feed.state();
        state.ring.clear();
        state.position = page.next.min(head);
        state.head = head;
        drop(state);
        feed.mark(|it| it.events(&feed.thread));
        return Ok(page.next < head);
    }
    let Some(last) = page.events.last().map(|it| it.seq) else {
        return Ok(false);
    };
    // Of a turn that was deleted since, earlier chunks may still have the text.
    let forgets = page.events.iter().any(|it| is_removal(&it.payload));
    let chunk = Chunk {
        first: position + 1,
        last,
        frame: frame(&feed.thread, page)?,
        private_to: face.private_to.clone(),
    };
    {
        let mut state = feed.state();
        if forgets {
            state.ring.clear();
        }
        state.private_to = face.private_to;
        state.push(chunk);
    }
    feed.mark(|it| it.events(&feed.thread));
    Ok(last < head)
}

/// Whether the server says there that a turn is gone.
fn is_removal(payload: &serde_json::Value) -> bool {
    payload.get("type").and_then(serde_json::Value::as_str) == Some(TURN_REMOVED)
}

/// A page as it is sent.
pub(crate) fn frame(thread: &ThreadId, page: EventPage) -> Result<Utf8Bytes, StoreError> {
    let frame = ServerFrame::Events {
        thread_id: thread.clone(),
        status: page.status,
        snapshot: page.snapshot,
        events: page.events,
        next: page.next,
        head_seq: page.head_seq,
    };
    let text = serde_json::to_string(&frame).map_err(|it| StoreError::Damaged(it.to_string()))?;
    Ok(text.into())
}
