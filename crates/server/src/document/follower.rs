//! Reads what other nodes wrote, for all rooms at once: another node's commit is of many documents, and so is the question.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use tokio::sync::Notify;

use super::room::{Input, Way};
use super::{Documents, Key};
use crate::store::Chain;
use crate::store::documents::Known;

/// What is to be looked at.
#[derive(Debug, Default)]
pub(super) struct Follower {
    wanted: Mutex<BTreeMap<Key, u64>>,
    wake: Notify,
}

impl Follower {
    /// A document has so many updates.
    pub(super) fn want(&self, key: Key, head: u64) {
        let mut wanted = self.wanted.lock().unwrap_or_else(PoisonError::into_inner);
        let most = wanted.entry(key).or_default();
        *most = head.max(*most);
        drop(wanted);
        self.wake.notify_one();
    }

    fn take(&self) -> BTreeMap<Key, u64> {
        std::mem::take(&mut *self.wanted.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Documents {
    /// Until the node stops. What comes while the database answers is asked for together.
    pub(super) async fn follow(self) {
        loop {
            tokio::select! {
                () = self.0.stop.cancelled() => return,
                () = self.0.follower.wake.notified() => {}
            }
            let (mut known, mut rooms) = (Vec::new(), Vec::new());
            for (key, head, way) in self.behind() {
                match way.mark.position() {
                    Some(seq) => {
                        known.push(Known { key, seq });
                        rooms.push((way, head));
                    }
                    // It is being opened, and looks for itself.
                    None => drop(way.send(Input::Look(head))),
                }
            }
            if known.is_empty() {
                continue;
            }
            match self.0.ground.store.documents_after(&known).await {
                Ok(later) => {
                    for ((way, head), later) in rooms.into_iter().zip(later) {
                        way.send(match later {
                            Some(later) => Input::Later(head, Box::new(later)),
                            None => Input::Look(head),
                        });
                    }
                }
                // The next hint, or the next look, asks again.
                Err(error) => tracing::warn!(error = %Chain(&error), "what other nodes wrote cannot be read"),
            }
        }
    }

    /// Open documents that have not everything that is wanted.
    fn behind(&self) -> Vec<(Key, u64, Way)> {
        let wanted = self.0.follower.take();
        let open = self.open();
        let ways = wanted.into_iter().filter_map(|(key, head)| {
            let way = open.rooms.get(&key)?;
            let is_behind = way.mark.position().is_none_or(|it| it < head);
            is_behind.then(|| (key, head, way.clone()))
        });
        ways.collect()
    }
}
