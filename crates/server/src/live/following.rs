//! What one client follows, and how far it has been told. Dropping it follows nothing.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::sync::Arc;

use protocol::id::{DeviceId, ThreadId, WorkspaceId};
use protocol::workspace::live::ServerFrame;

use crate::app::App;
use crate::follow::{Ear, Feed, Marks};

/// Threads of one client.
const SUBSCRIPTIONS: usize = 256;
/// Workspaces of one client.
const WORKSPACES: usize = 64;

/// One followed thread.
#[derive(Debug)]
pub(super) struct Subscription {
    pub(super) workspace: WorkspaceId,
    pub(super) feed: Arc<Feed>,
    /// The last event that the client was told.
    pub(super) told: u64,
}

/// One watched workspace.
#[derive(Debug)]
pub(super) struct Watch {
    /// The last line of activity that the client was told.
    pub(super) told: u64,
    /// Threads that exist for this person, the newest ones, with when they last changed.
    pub(super) threads: BTreeMap<ThreadId, u64>,
}

#[derive(Debug)]
pub(super) struct Following {
    app: App,
    ear: Arc<Ear>,
    socket: u64,
    /// Where anything is followed, after the person's place there was looked up.
    pub(super) places: HashSet<WorkspaceId>,
    pub(super) subscriptions: BTreeMap<ThreadId, Subscription>,
    pub(super) watches: HashMap<WorkspaceId, Watch>,
    pub(super) present: HashSet<WorkspaceId>,
    device: Option<DeviceId>,
    /// What must be looked at, and was not yet.
    pub(super) marks: Marks,
    /// Threads with events, in the order of their turns, so that a long one does not make the others wait.
    turns: VecDeque<ThreadId>,
}

impl Following {
    pub(super) fn new(app: App, ear: Arc<Ear>, socket: u64) -> Self {
        Self {
            app,
            ear,
            socket,
            places: HashSet::new(),
            subscriptions: BTreeMap::new(),
            watches: HashMap::new(),
            present: HashSet::new(),
            device: None,
            marks: Marks::default(),
            turns: VecDeque::new(),
        }
    }

    /// Whether there is room for one more of each.
    pub(super) fn is_full(&self, workspace: &WorkspaceId) -> bool {
        self.subscriptions.len() >= SUBSCRIPTIONS
            || (!self.places.contains(workspace) && self.places.len() >= WORKSPACES)
    }

    /// Listens to what happens there from now on.
    pub(super) fn enter(&mut self, workspace: &WorkspaceId) {
        self.app.follow.enter(&self.ear, workspace);
        self.places.insert(workspace.clone());
    }

    /// The thread whose turn it is to send events.
    pub(super) fn turn(&mut self) -> Option<ThreadId> {
        for thread in self.marks.events.drain() {
            if !self.turns.contains(&thread) {
                self.turns.push_back(thread);
            }
        }
        self.turns.pop_front()
    }

    /// Whether anything is due.
    pub(super) fn is_due(&self) -> bool {
        !self.turns.is_empty() || !self.marks.is_empty()
    }

    pub(super) fn subscribe(&mut self, workspace: WorkspaceId, thread: ThreadId, told: u64, head: u64) {
        let before = self.subscriptions.remove(&thread);
        if let Some(before) = &before {
            self.app.follow.part(&self.ear, &before.feed);
        }
        let feed = self.app.follow.join(&self.ear, &workspace, &thread, head);
        self.marks.events.insert(thread.clone());
        self.subscriptions
            .insert(thread, Subscription { workspace, feed, told });
        // Only now: the place may be the same.
        if let Some(before) = before {
            self.leave_if_idle(&before.workspace);
        }
    }

    pub(super) fn unsubscribe(&mut self, thread: &ThreadId) -> Option<WorkspaceId> {
        let subscription = self.subscriptions.remove(thread)?;
        self.app.follow.part(&self.ear, &subscription.feed);
        self.leave_if_idle(&subscription.workspace);
        Some(subscription.workspace)
    }

    pub(super) fn unwatch(&mut self, workspace: &WorkspaceId) {
        self.watches.remove(workspace);
        self.leave_if_idle(workspace);
    }

    pub(super) fn be_present(&mut self, workspace: &WorkspaceId, device: &DeviceId) {
        self.device = Some(device.clone());
        self.present.insert(workspace.clone());
    }

    pub(super) fn be_absent(&mut self, workspace: &WorkspaceId) {
        if self.present.remove(workspace)
            && let Some(device) = &self.device
        {
            self.app.presence.clear(workspace, self.socket, device);
        }
        self.leave_if_idle(workspace);
    }

    /// The person may see nothing there any more.
    pub(super) fn end(&mut self, workspace: &WorkspaceId) {
        let threads = self.subscriptions.iter().filter(|(_, it)| it.workspace == *workspace);
        let threads: Vec<ThreadId> = threads.map(|(id, _)| id.clone()).collect();
        for thread in threads {
            self.unsubscribe(&thread);
        }
        self.unwatch(workspace);
        self.be_absent(workspace);
    }

    /// Looks up again what the person may do.
    pub(super) fn recheck(&mut self) {
        self.marks.members.extend(self.places.iter().cloned());
    }

    /// Where the followed threads end.
    pub(super) fn heads(&self) -> Vec<ServerFrame> {
        let heads = self.subscriptions.iter().map(|(thread, it)| ServerFrame::Head {
            thread_id: thread.clone(),
            head_seq: it.feed.position(),
        });
        heads.collect()
    }

    /// Listens no more where nothing is followed.
    pub(super) fn leave_if_idle(&mut self, workspace: &WorkspaceId) {
        let busy = self.watches.contains_key(workspace)
            || self.present.contains(workspace)
            || self.subscriptions.values().any(|it| it.workspace == *workspace);
        if !busy && self.places.remove(workspace) {
            self.app.follow.leave(&self.ear, workspace);
        }
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        let places: Vec<WorkspaceId> = self.places.iter().cloned().collect();
        for workspace in places {
            self.end(&workspace);
        }
    }
}
