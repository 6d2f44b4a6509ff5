//! What the sockets of this node follow. Hints come in, and each socket that is concerned gets a mark: what to look at
//! when it can next take something. Nothing is queued for a socket, so a slow one costs no memory.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use protocol::id::{ThreadId, UserId, WorkspaceId};
use tokio::sync::Notify;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::bus::{Bus, Hint};
use crate::config::Rhythm;
use crate::store::Store;

mod ear;
mod feed;
mod look;

pub use ear::{Ear, Marks};
pub use feed::{Chunk, Feed, Next};
pub(crate) use feed::{PAGE_BYTES, PAGE_EVENTS, frame};

/// Everything that is followed on this node, and the tasks that look after it. Dropping it ends them.
#[derive(Debug)]
pub struct Follow {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    store: Store,
    bus: Bus,
    rhythm: Rhythm,
    followed: Mutex<Followed>,
    /// Something was missed: look at everything, soon.
    missed: Notify,
    tasks: TaskTracker,
    stop: CancellationToken,
}

#[derive(Debug, Default)]
struct Followed {
    feeds: HashMap<(WorkspaceId, ThreadId), Arc<Feed>>,
    /// Sockets that follow anything in a workspace.
    ears: HashMap<WorkspaceId, Vec<Weak<Ear>>>,
}

impl Follow {
    /// Begins to listen.
    #[must_use]
    pub fn start(store: Store, bus: Bus, rhythm: Rhythm) -> Self {
        let shared = Arc::new(Shared {
            store,
            bus,
            rhythm,
            followed: Mutex::default(),
            missed: Notify::new(),
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
        });
        // Subscribed before anything can be published.
        let hints = shared.bus.subscribe();
        shared.tasks.spawn(listen(shared.clone(), hints));
        shared.tasks.spawn(look::run(shared.clone()));
        Self { shared }
    }

    /// The sockets that follow something in this workspace are told to look at who is there.
    pub fn mark_presence(&self, workspace: &WorkspaceId) {
        self.shared.mark(workspace, |it| it.presence(workspace));
    }

    /// Whether any socket here follows something in this workspace.
    #[must_use]
    pub fn is_followed(&self, workspace: &WorkspaceId) -> bool {
        self.shared.followed().ears.contains_key(workspace)
    }

    /// A socket follows something in a workspace from now on.
    pub fn enter(&self, ear: &Arc<Ear>, workspace: &WorkspaceId) {
        let mut followed = self.shared.followed();
        let ears = followed.ears.entry(workspace.clone()).or_default();
        if !ears.iter().any(|it| is(it, ear)) {
            ears.push(Arc::downgrade(ear));
        }
    }

    /// It no longer does.
    pub fn leave(&self, ear: &Arc<Ear>, workspace: &WorkspaceId) {
        let mut followed = self.shared.followed();
        if let Some(ears) = followed.ears.get_mut(workspace) {
            ears.retain(|it| !is(it, ear) && it.strong_count() > 0);
            if ears.is_empty() {
                followed.ears.remove(workspace);
            }
        }
    }

    /// A socket follows a thread, whose newest event is at least `head`. One reader reads it for all sockets of this node.
    #[must_use]
    pub fn join(&self, ear: &Arc<Ear>, workspace: &WorkspaceId, thread: &ThreadId, head: u64) -> Arc<Feed> {
        let mut followed = self.shared.followed();
        let key = (workspace.clone(), thread.clone());
        let feed = followed.feeds.entry(key).or_insert_with(|| {
            let feed = Arc::new(Feed::new(
                workspace.clone(),
                thread.clone(),
                head,
                self.shared.stop.child_token(),
            ));
            self.shared
                .tasks
                .spawn(feed::run(feed.clone(), self.shared.store.clone()));
            feed
        });
        feed.add(ear);
        feed.reach(head);
        feed.clone()
    }

    /// It no longer does. The last one ends the reader.
    pub fn part(&self, ear: &Arc<Ear>, feed: &Arc<Feed>) {
        let mut followed = self.shared.followed();
        if feed.remove(ear) {
            feed.end();
            followed.feeds.remove(&feed.key());
        }
    }

    /// How many threads are read for the sockets of this node.
    #[must_use]
    pub fn feeds(&self) -> usize {
        self.shared.followed().feeds.len()
    }

    /// Ends the tasks and waits for them.
    pub async fn stop(&self) {
        self.shared.stop.cancel();
        self.shared.tasks.close();
        self.shared.tasks.wait().await;
    }
}

impl Drop for Follow {
    fn drop(&mut self) {
        self.shared.stop.cancel();
    }
}

impl Shared {
    fn followed(&self) -> MutexGuard<'_, Followed> {
        // A panic elsewhere leaves nothing half-done in it.
        self.followed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn mark(&self, workspace: &WorkspaceId, mark: impl Fn(&Ear)) {
        let followed = self.followed();
        for ear in followed
            .ears
            .get(workspace)
            .into_iter()
            .flatten()
            .filter_map(Weak::upgrade)
        {
            mark(&ear);
        }
    }

    fn feed(&self, workspace: &WorkspaceId, thread: &ThreadId) -> Option<Arc<Feed>> {
        let key = (workspace.clone(), thread.clone());
        self.followed().feeds.get(&key).cloned()
    }

    fn hear(&self, hint: Hint) {
        match hint {
            Hint::Events {
                workspace,
                thread,
                head_seq,
            } => {
                if let Some(feed) = self.feed(&workspace, &thread) {
                    feed.reach(head_seq);
                }
            }
            Hint::Thread { workspace, thread } => self.mark(&workspace, |it| it.thread(&workspace, &thread)),
            Hint::Activity { workspace, .. } => self.mark(&workspace, |it| it.activity(&workspace)),
            Hint::Membership { workspace, user } => {
                let concerned = |ear: &Ear| user.as_ref().is_none_or(|it: &UserId| *it == *ear.user());
                self.mark(&workspace, |it| {
                    if concerned(it) {
                        it.members(&workspace);
                    }
                });
            }
            // Those who keep documents and presence listen themselves.
            Hint::Document { .. } | Hint::Awareness { .. } | Hint::Presence { .. } => {}
            Hint::Missed => self.missed.notify_one(),
        }
    }
}

async fn listen(shared: Arc<Shared>, mut hints: tokio::sync::broadcast::Receiver<Hint>) {
    loop {
        let heard = tokio::select! {
            () = shared.stop.cancelled() => return,
            heard = hints.recv() => heard,
        };
        match heard {
            Ok(hint) => shared.hear(hint),
            Err(RecvError::Lagged(_)) => shared.missed.notify_one(),
            Err(RecvError::Closed) => return,
        }
    }
}

fn is(weak: &Weak<Ear>, ear: &Arc<Ear>) -> bool {
    std::ptr::eq(weak.as_ptr(), Arc::as_ptr(ear))
}
