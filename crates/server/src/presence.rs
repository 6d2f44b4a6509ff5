//! Who is there: in memory for the sockets of this node, in Redis for a short while for the others. Never in the database.
//! The name is always the server's, and what other nodes say is signed with a key that only the database gives.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::extract::ws::Utf8Bytes;
use protocol::id::{DeviceId, ThreadId, WorkspaceId};
use protocol::workspace::live::{Present, ServerFrame};
use serde_json::Value;
use tokio::sync::Notify;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::bus::{Bus, Hint};
use crate::clock::Clock;
use crate::config::Rhythm;
use crate::follow::Follow;
use crate::store::{Chain, Scope, Store, StoreError};

mod wire;

use wire::Signed;

/// What somebody says about themselves, at most, in bytes.
pub const STATE_BYTES: usize = 4 * 1024;
/// Changes within this time are told together.
const TOGETHER: Duration = Duration::from_millis(50);
/// People of one workspace that are shown.
const PEOPLE: usize = 1000;
/// Texts in one state that are looked at as the names of threads.
const WORDS: usize = 64;

/// Who is there, of all workspaces. Dropping it ends its task.
#[derive(Debug)]
pub struct Presence {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    store: Store,
    bus: Bus,
    clock: Clock,
    rhythm: Rhythm,
    key: Vec<u8>,
    rooms: Mutex<HashMap<WorkspaceId, Room>>,
    changed: Mutex<HashSet<WorkspaceId>>,
    wake: Notify,
    tasks: TaskTracker,
    stop: CancellationToken,
}

#[derive(Debug, Default)]
struct Room {
    /// Those at this node, each with the socket that said so.
    here: BTreeMap<DeviceId, (u64, Present)>,
    /// What was told last.
    frame: Option<Utf8Bytes>,
}

impl Presence {
    /// Begins to listen.
    pub async fn start(
        store: Store,
        bus: Bus,
        clock: Clock,
        rhythm: Rhythm,
        follow: Arc<Follow>,
    ) -> Result<Self, StoreError> {
        let key = store.node_key("presence").await?;
        let hints = bus.subscribe();
        let shared = Arc::new(Shared {
            store,
            bus,
            clock,
            rhythm,
            key,
            rooms: Mutex::default(),
            changed: Mutex::default(),
            wake: Notify::new(),
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
        });
        shared.tasks.spawn(listen(shared.clone(), hints));
        shared.tasks.spawn(tell(shared.clone(), follow));
        Ok(Self { shared })
    }

    /// A socket says what its person does. False when the workspace is full.
    #[must_use]
    pub fn set(&self, workspace: &WorkspaceId, socket: u64, present: Present) -> bool {
        {
            let mut rooms = self.shared.rooms();
            let room = rooms.entry(workspace.clone()).or_default();
            let known = room.here.get(&present.device_id);
            // A device's id is no secret: nobody moves somebody else.
            if known.is_some_and(|(_, it)| it.user_id != present.user_id)
                || (known.is_none() && room.here.len() >= PEOPLE)
            {
                return false;
            }
            room.here.insert(present.device_id.clone(), (socket, present));
        }
        self.shared.bus.publish_here(Hint::Presence {
            workspace: workspace.clone(),
        });
        true
    }

    /// A socket's person left, if it was this socket that said they were there.
    pub fn clear(&self, workspace: &WorkspaceId, socket: u64, device: &DeviceId) {
        {
            let mut rooms = self.shared.rooms();
            let Some(room) = rooms.get_mut(workspace) else { return };
            if room.here.get(device).is_none_or(|(it, _)| *it != socket) {
                return;
            }
            room.here.remove(device);
        }
        self.shared.bus.publish_here(Hint::Presence {
            workspace: workspace.clone(),
        });
    }

    /// What was told last about a workspace. None: it is found out, and those who follow are told then.
    #[must_use]
    pub fn frame(&self, workspace: &WorkspaceId) -> Option<Utf8Bytes> {
        let frame = self.shared.rooms().get(workspace).and_then(|it| it.frame.clone());
        if frame.is_none() {
            self.shared.change(workspace.clone());
        }
        frame
    }

    /// Everybody who is there.
    pub async fn people(&self, workspace: &WorkspaceId) -> Result<Vec<Present>, StoreError> {
        self.shared.people(workspace).await
    }

    /// Ends the task and waits for it.
    pub async fn stop(&self) {
        self.shared.stop.cancel();
        self.shared.tasks.close();
        self.shared.tasks.wait().await;
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        self.shared.stop.cancel();
    }
}

impl Shared {
    fn rooms(&self) -> MutexGuard<'_, HashMap<WorkspaceId, Room>> {
        // A panic elsewhere leaves nothing half-done in it.
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, workspace: WorkspaceId) {
        let mut changed = self.changed.lock().unwrap_or_else(PoisonError::into_inner);
        changed.insert(workspace);
        self.wake.notify_one();
    }

    fn here(&self, workspace: &WorkspaceId) -> BTreeMap<DeviceId, Present> {
        let rooms = self.rooms();
        let here = rooms.get(workspace).into_iter().flat_map(|it| it.here.values());
        here.map(|(_, it)| (it.device_id.clone(), it.clone())).collect()
    }

    async fn people(&self, workspace: &WorkspaceId) -> Result<Vec<Present>, StoreError> {
        let mut people = self.here(workspace);
        if let Some(link) = self.bus.link() {
            let far = wire::read(link, workspace, &self.key, self.clock.now_ms(), self.rhythm.presence).await;
            for present in far.into_iter().take(PEOPLE) {
                people.entry(present.device_id.clone()).or_insert(present);
            }
        }
        let mut people: Vec<Present> = people.into_values().collect();
        self.hide(workspace, &mut people).await?;
        Ok(people)
    }

    /// Takes away what somebody says about a private thread: it does not exist for others.
    async fn hide(&self, workspace: &WorkspaceId, people: &mut [Present]) -> Result<(), StoreError> {
        let words: HashSet<ThreadId> = people.iter().flat_map(|it| words(&it.state)).collect();
        if words.is_empty() {
            return Ok(());
        }
        let words: Vec<ThreadId> = words.into_iter().collect();
        let scope = Scope::of(workspace.clone());
        let mut private = HashSet::new();
        for some in words.chunks(100) {
            let faces = self.store.within(&scope).faces(some).await?;
            private.extend(
                faces
                    .into_iter()
                    .filter(|(_, it)| it.private_to.is_some())
                    .map(|(id, _)| id),
            );
        }
        for present in people {
            if words_of(&present.state, &private) {
                present.state = Value::Object(serde_json::Map::new());
            }
        }
        Ok(())
    }

    /// Tells Redis who is at this node.
    async fn renew(&self, workspaces: &[WorkspaceId]) {
        let Some(link) = self.bus.link() else { return };
        for workspace in workspaces {
            let now_ms = self.clock.now_ms();
            let signed: Vec<Signed> = self
                .here(workspace)
                .into_values()
                .filter_map(|it| Signed::new(workspace, it, now_ms, &self.key))
                .collect();
            wire::write(link, workspace, &signed, now_ms, self.rhythm.presence).await;
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
            Ok(Hint::Presence { workspace }) => shared.change(workspace),
            // A thread may have become private that somebody says they look at.
            Ok(Hint::Thread { workspace, .. }) => {
                if shared.rooms().contains_key(&workspace) {
                    shared.change(workspace);
                }
            }
            Ok(Hint::Missed) | Err(RecvError::Lagged(_)) => {
                let all: Vec<WorkspaceId> = shared.rooms().keys().cloned().collect();
                all.into_iter().for_each(|it| shared.change(it));
            }
            Ok(
                Hint::Events { .. }
                | Hint::Activity { .. }
                | Hint::Membership { .. }
                | Hint::Document { .. }
                | Hint::Awareness { .. },
            ) => {}
            Err(RecvError::Closed) => return,
        }
    }
}

/// Finds out who is there, once for all sockets of this node, and tells them when that changed.
async fn tell(shared: Arc<Shared>, follow: Arc<Follow>) {
    let beat = shared.rhythm.presence / 3;
    let mut next = Instant::now() + beat;
    let mut told: HashMap<WorkspaceId, Vec<DeviceId>> = HashMap::new();
    loop {
        tokio::select! {
            () = shared.stop.cancelled() => return,
            () = sleep_until(next) => {
                next = Instant::now() + beat;
                let all: Vec<WorkspaceId> = shared.rooms().keys().cloned().collect();
                shared.renew(&all).await;
                // Others may have gone without a word.
                all.into_iter().for_each(|it| shared.change(it));
            }
            () = shared.wake.notified() => {}
        }
        sleep(TOGETHER).await;
        let changed = std::mem::take(&mut *shared.changed.lock().unwrap_or_else(PoisonError::into_inner));
        for workspace in changed {
            let here: Vec<DeviceId> = shared.here(&workspace).into_keys().collect();
            let before = told.insert(workspace.clone(), here.clone()).unwrap_or_default();
            if let Some(link) = shared.bus.link() {
                let left: Vec<DeviceId> = before.into_iter().filter(|it| !here.contains(it)).collect();
                wire::remove(link, &workspace, &left).await;
            }
            shared.renew(std::slice::from_ref(&workspace)).await;
            let followed = follow.is_followed(&workspace);
            if here.is_empty() && !followed {
                told.remove(&workspace);
                shared.rooms().remove(&workspace);
            }
            let frame = match shared.people(&workspace).await {
                Ok(people) => serde_json::to_string(&ServerFrame::Presence {
                    workspace_id: workspace.clone(),
                    people,
                }),
                Err(error) => {
                    tracing::warn!(error = %Chain(&error), "cannot find out who is there");
                    continue;
                }
            };
            let Ok(frame) = frame.map(Utf8Bytes::from) else {
                continue;
            };
            let news = {
                let mut rooms = shared.rooms();
                if followed {
                    let room = rooms.entry(workspace.clone()).or_default();
                    room.frame.replace(frame.clone()) != Some(frame)
                } else {
                    // Not kept up to date while nobody follows.
                    rooms
                        .get_mut(&workspace)
                        .is_some_and(|it| it.frame.take() != Some(frame))
                }
            };
            if news {
                follow.mark_presence(&workspace);
                shared.bus.link().into_iter().for_each(|it| {
                    it.send(Hint::Presence {
                        workspace: workspace.clone(),
                    });
                });
            }
        }
    }
}

/// The texts in a state that may be threads' ids.
fn words(state: &Value) -> Vec<ThreadId> {
    let mut found = Vec::new();
    let mut left = vec![state];
    while let Some(value) = left.pop() {
        match value {
            Value::String(text) if (1..=128).contains(&text.len()) => found.push(ThreadId(text.clone())),
            Value::Array(values) => left.extend(values),
            Value::Object(values) => left.extend(values.values()),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    found.truncate(WORDS);
    found
}

fn words_of(state: &Value, private: &HashSet<ThreadId>) -> bool {
    words(state).iter().any(|it| private.contains(it))
}
