//! The thin client: HTTP, one live socket, reconnecting. It holds what is followed and what is written; dropping it ends both.

use std::sync::Arc;

use protocol::id::{DeviceId, ThreadId, WorkspaceId};
use serde_json::Value;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::trouble::Trouble;

pub mod publisher;

pub mod watcher;

pub mod follower;

pub mod files;

mod live;

pub mod calls;

pub mod door;

use calls::Calls;
use door::Door;
use follower::{Claim, Followed, Follower, From};
use live::{Command, Key, Live};
use publisher::{Publisher, Writing};
use watcher::Watcher;

/// A client of one server, for one person.
#[derive(Debug)]
pub struct Client {
    calls: Calls,
    commands: mpsc::UnboundedSender<Command>,
    followed: Followed,
    _live: JoinSet<()>,
}

impl Client {
    /// Through a door, as a device: the name under which others see where one is. Nothing is sent before something is asked.
    #[must_use]
    pub fn new(door: Door, device: &DeviceId) -> Self {
        let door = Arc::new(door);
        let (commands, heard) = mpsc::unbounded_channel();
        let mut tasks = JoinSet::new();
        tasks.spawn(Live::new(door.clone(), device.clone(), heard).run());
        Self {
            calls: Calls::new(door),
            commands,
            followed: Followed::default(),
            _live: tasks,
        }
    }

    /// Everything that is asked once.
    #[must_use]
    pub fn calls(&self) -> &Calls {
        &self.calls
    }

    /// Reads a thread live. None when this client reads it already: hand on what is read.
    #[must_use]
    pub fn follow(&self, workspace: &WorkspaceId, thread: &ThreadId, from: From) -> Option<Follower> {
        let key = Key::Thread(workspace.clone(), thread.clone());
        let claim = Claim::new(key, &self.followed, self.commands.clone())?;
        Some(Follower::new(claim, from))
    }

    /// Watches a workspace; `after` is the last line of activity that was seen. None when this client does so already.
    #[must_use]
    pub fn watch(&self, workspace: &WorkspaceId, after: u64) -> Option<Watcher> {
        let key = Key::Workspace(workspace.clone());
        let claim = Claim::new(key, &self.followed, self.commands.clone())?;
        Some(Watcher::new(claim, after))
    }

    /// Says where one is in a workspace, for as long as this client lives; none to leave.
    ///
    /// # Errors
    /// The client has ended.
    pub fn be_present(&self, workspace: &WorkspaceId, state: Option<Value>) -> Result<(), Trouble> {
        let told = self.commands.send(Command::Present(workspace.clone(), state));
        told.map_err(|_| Trouble::Ended)
    }

    /// Writes a thread. What was queued before the program ended is sent.
    ///
    /// # Errors
    /// The queue cannot be opened.
    pub async fn publish(&self, writing: Writing) -> Result<Publisher, Trouble> {
        Publisher::open(self.calls.clone(), writing).await
    }
}
