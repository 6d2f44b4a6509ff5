//! The tasks that carry news to the page. Each belongs to a key that the page chose, and ends with it.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use agent::engine::Follower;
use protocol::host::HostEvent;
use protocol::{Frame, Topic};
use serde::{Deserialize, Serialize};
use tauri::ipc::Channel;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::{AbortHandle, JoinSet};

#[cfg(test)]
mod tests;

/// What a page may follow: a topic of the engine, or the window's own news.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub(crate) enum Followed {
    /// Answered by the engine.
    Engine(Topic),
    /// Answered by the window.
    Host(HostTopic),
}

/// `{"type": "host"}`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase")]
pub(crate) enum HostTopic {
    /// Drops, second starts, clicked notifications.
    Host,
}

/// One message to the page.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub(crate) enum Delivery {
    /// From the engine.
    Frame(Frame),
    /// From the window.
    News(HostEvent),
}

/// Owns every task of the window; they end with it.
#[derive(Default)]
pub(crate) struct Followers(Mutex<State>);

#[derive(Default)]
struct State {
    tasks: JoinSet<()>,
    by_key: HashMap<String, AbortHandle>,
    ended: HashSet<String>,
}

impl Followers {
    /// Runs `task` under `key`, instead of what ran under it before.
    pub(crate) fn begin(&self, key: String, task: impl Future<Output = ()> + Send + 'static) {
        let mut state = self.state();
        if state.ended.remove(&key) {
            return;
        }
        let handle = state.spawn(task);
        if let Some(before) = state.by_key.insert(key, handle) {
            before.abort();
        }
    }

    /// Ends what runs under `key`. Commands may overtake each other, so a key that does not run yet never will.
    pub(crate) fn end(&self, key: String) {
        let mut state = self.state();
        match state.by_key.remove(&key) {
            Some(task) => task.abort(),
            None => {
                state.ended.insert(key);
            }
        }
    }

    /// The page is gone or begins anew: nothing it followed can reach it any more.
    pub(crate) fn forget_page(&self) {
        let mut state = self.state();
        state.ended.clear();
        for (_, task) in state.by_key.drain() {
            task.abort();
        }
    }

    /// Runs a task of the window itself.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.state().spawn(task);
    }

    /// Ends them all.
    pub(crate) fn stop(&self) {
        let mut state = self.state();
        state.by_key.clear();
        state.tasks.abort_all();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn spawn(&mut self, task: impl Future<Output = ()> + Send + 'static) -> AbortHandle {
        while self.tasks.try_join_next().is_some() {}
        self.tasks.spawn_on(task, tauri::async_runtime::handle().inner())
    }
}

/// Carries frames until the engine has no more or the page takes none. Dropping the channel tells the page.
pub(crate) async fn frames(mut follower: Follower, channel: Channel<Delivery>) {
    while let Some(frame) = follower.next().await {
        if channel.send(Delivery::Frame(frame)).is_err() {
            break;
        }
    }
}

/// Carries the window's news.
pub(crate) async fn news(mut news: UnboundedReceiver<HostEvent>, channel: Channel<Delivery>) {
    while let Some(event) = news.recv().await {
        if channel.send(Delivery::News(event)).is_err() {
            break;
        }
    }
}
