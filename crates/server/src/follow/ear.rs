//! What one socket must look at. Marks, not messages: the same thing is marked once however often it happens.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use protocol::id::{ThreadId, UserId, WorkspaceId};
use tokio::sync::Notify;

/// More changed threads than this are found by comparing the whole list.
const THREADS: usize = 256;

/// One socket's marks.
#[derive(Debug)]
pub struct Ear {
    user: UserId,
    marks: Mutex<Marks>,
    wake: Notify,
}

/// What to look at.
#[derive(Debug, Default)]
pub struct Marks {
    /// Threads that have more events.
    pub events: HashSet<ThreadId>,
    /// Threads that are new, changed or gone.
    pub threads: HashSet<(WorkspaceId, ThreadId)>,
    /// Workspaces in which any thread may have changed.
    pub all_threads: HashSet<WorkspaceId>,
    /// Workspaces in which this person's place may have changed.
    pub members: HashSet<WorkspaceId>,
    /// Workspaces with new activity.
    pub activity: HashSet<WorkspaceId>,
    /// Workspaces where others are present.
    pub presence: HashSet<WorkspaceId>,
}

impl Marks {
    /// Adds others.
    pub fn add(&mut self, other: Self) {
        self.events.extend(other.events);
        self.threads.extend(other.threads);
        self.all_threads.extend(other.all_threads);
        self.members.extend(other.members);
        self.activity.extend(other.activity);
        self.presence.extend(other.presence);
    }

    /// Nothing is marked.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
            && self.threads.is_empty()
            && self.all_threads.is_empty()
            && self.members.is_empty()
            && self.activity.is_empty()
            && self.presence.is_empty()
    }
}

impl Ear {
    /// For a person's socket.
    #[must_use]
    pub fn new(user: UserId) -> Self {
        Self {
            user,
            marks: Mutex::default(),
            wake: Notify::new(),
        }
    }

    /// Whose.
    #[must_use]
    pub fn user(&self) -> &UserId {
        &self.user
    }

    /// Returns when there may be marks.
    pub async fn woken(&self) {
        self.wake.notified().await;
    }

    /// Takes all marks.
    #[must_use]
    pub fn take(&self) -> Marks {
        // A panic elsewhere leaves nothing half-done in them.
        std::mem::take(&mut *self.marks.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A thread has more events.
    pub fn events(&self, thread: &ThreadId) {
        self.mark(|it| it.events.insert(thread.clone()));
    }

    /// A thread is new, changed or gone.
    pub fn thread(&self, workspace: &WorkspaceId, thread: &ThreadId) {
        self.mark(|it| {
            if it.threads.len() >= THREADS {
                it.all_threads.insert(workspace.clone())
            } else {
                it.threads.insert((workspace.clone(), thread.clone()))
            }
        });
    }

    /// Any thread may have changed.
    pub fn all_threads(&self, workspace: &WorkspaceId) {
        self.mark(|it| it.all_threads.insert(workspace.clone()));
    }

    /// This person's place may have changed.
    pub fn members(&self, workspace: &WorkspaceId) {
        self.mark(|it| it.members.insert(workspace.clone()));
    }

    /// There is new activity.
    pub fn activity(&self, workspace: &WorkspaceId) {
        self.mark(|it| it.activity.insert(workspace.clone()));
    }

    /// Others are present.
    pub fn presence(&self, workspace: &WorkspaceId) {
        self.mark(|it| it.presence.insert(workspace.clone()));
    }

    fn mark(&self, mark: impl FnOnce(&mut Marks) -> bool) {
        let new = mark(&mut self.marks.lock().unwrap_or_else(PoisonError::into_inner));
        if new {
            self.wake.notify_one();
        }
    }
}
