//! Looking at everything that is followed: every second while hints of other nodes may be lost, and at every heartbeat
//! anyway, because any hint may be lost.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;
use std::time::Duration;

use protocol::id::{ThreadId, WorkspaceId};
use tokio::time::{Instant, sleep_until};

use super::{Feed, Shared};
use crate::store::live::Pulse;
use crate::store::{Chain, Scope, StoreError};

/// Threads of one question.
const THREADS: usize = 100;
/// Looks do not follow each other faster than this, however many hints say that something was missed.
const REST: Duration = Duration::from_millis(200);

pub(super) async fn run(shared: Arc<Shared>) {
    let mut healths = shared.bus.healths();
    let mut pulses = HashMap::new();
    let mut looked = Instant::now();
    loop {
        let pause = if shared.bus.is_deaf() {
            shared.rhythm.poll
        } else {
            shared.rhythm.heartbeat
        };
        tokio::select! {
            () = shared.stop.cancelled() => return,
            () = sleep_until(looked + pause) => {}
            () = shared.missed.notified() => {}
            // An error means that it never changes again.
            Ok(()) = healths.changed() => {}
        }
        tokio::select! {
            () = shared.stop.cancelled() => return,
            () = sleep_until(looked + REST) => {}
        }
        looked = Instant::now();
        tokio::select! {
            () = shared.stop.cancelled() => return,
            looked = look(&shared, &mut pulses) => if let Err(error) = looked {
                tracing::warn!(error = %Chain(&error), "cannot look for what other nodes did");
            }
        }
    }
}

async fn look(shared: &Shared, pulses: &mut HashMap<WorkspaceId, Pulse>) -> Result<(), StoreError> {
    let (workspaces, feeds) = {
        let followed = shared.followed();
        let workspaces: Vec<WorkspaceId> = followed.ears.keys().cloned().collect();
        let feeds: Vec<Arc<Feed>> = followed.feeds.values().cloned().collect();
        (workspaces, feeds)
    };
    pulses.retain(|it, _| workspaces.contains(it));
    for workspace in &workspaces {
        let now = shared.store.within(&Scope::of(workspace.clone())).pulse().await?;
        match pulses.entry(workspace.clone()) {
            // What was followed before the first look may have missed anything.
            Entry::Vacant(entry) => {
                entry.insert(now);
                shared.mark(workspace, |it| {
                    it.members(workspace);
                    it.activity(workspace);
                    it.all_threads(workspace);
                });
            }
            Entry::Occupied(mut entry) => {
                let before = entry.insert(now);
                let now = entry.get();
                shared.mark(workspace, |it| {
                    if before.members != now.members {
                        it.members(workspace);
                    }
                    if before.activity != now.activity {
                        it.activity(workspace);
                    }
                    if before.threads != now.threads {
                        it.all_threads(workspace);
                    }
                });
            }
        }
    }
    let mut by_workspace: HashMap<WorkspaceId, HashMap<ThreadId, Arc<Feed>>> = HashMap::new();
    for feed in feeds {
        let (workspace, thread) = feed.key();
        by_workspace.entry(workspace).or_default().insert(thread, feed);
    }
    for (workspace, feeds) in by_workspace {
        let within_scope = Scope::of(workspace);
        let within = shared.store.within(&within_scope);
        let threads: Vec<ThreadId> = feeds.keys().cloned().collect();
        for some in threads.chunks(THREADS) {
            let mut faces = within.faces(some).await?;
            for thread in some {
                let Some(feed) = feeds.get(thread) else { continue };
                match faces.remove(thread) {
                    Some(face) => feed.seen(face.head_seq, face.private_to.as_ref()),
                    None => feed.gone(),
                }
            }
        }
    }
    Ok(())
}
