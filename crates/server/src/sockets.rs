//! How many websockets there are, of whom and from where, within limits; and that all of them end with the node.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use protocol::id::UserId;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// All websockets of a node, live ones and documents.
#[derive(Debug)]
pub struct Sockets {
    pending: Counts<IpAddr>,
    people: Counts<UserId>,
    tasks: TaskTracker,
    stop: CancellationToken,
}

/// Counts that know their limit.
#[derive(Debug)]
struct Counts<K> {
    most: usize,
    now: Arc<Mutex<HashMap<K, usize>>>,
}

/// One of those counted, until it is dropped.
#[derive(Debug)]
pub struct Counted<K: Eq + Hash> {
    key: K,
    now: Arc<Mutex<HashMap<K, usize>>>,
}

impl Sockets {
    /// With limits for one address before it said who it is, and for one person.
    #[must_use]
    pub fn new(pending: usize, people: usize) -> Self {
        Self {
            pending: Counts::new(pending),
            people: Counts::new(people),
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
        }
    }

    /// Somebody at this address opens one and has yet to say who they are. None when there are too many of them.
    #[must_use]
    pub fn knock(&self, address: IpAddr) -> Option<Counted<IpAddr>> {
        self.pending.add(address)
    }

    /// This person has one. None when they have too many.
    #[must_use]
    pub fn sit(&self, user: &UserId) -> Option<Counted<UserId>> {
        self.people.add(user.clone())
    }

    /// What each socket's future is wrapped in, so that [`Sockets::end`] waits for it.
    pub fn track<F: Future>(&self, socket: F) -> impl Future<Output = F::Output> + use<F> {
        self.tasks.track_future(socket)
    }

    /// Cancelled when the node stops: say so (1012) and go.
    #[must_use]
    pub fn stopping(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Tells all sockets to end.
    pub fn hang_up(&self) {
        self.stop.cancel();
    }

    /// Tells all sockets to end and waits for them.
    pub async fn end(&self) {
        self.hang_up();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

impl<K: Eq + Hash + Clone> Counts<K> {
    fn new(most: usize) -> Self {
        Self {
            most,
            now: Arc::default(),
        }
    }

    fn add(&self, key: K) -> Option<Counted<K>> {
        let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        let count = now.get(&key).copied().unwrap_or_default();
        if count >= self.most {
            return None;
        }
        now.insert(key.clone(), count + 1);
        drop(now);
        Some(Counted {
            key,
            now: self.now.clone(),
        })
    }
}

impl<K: Eq + Hash> Drop for Counted<K> {
    fn drop(&mut self) {
        let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = now.get_mut(&self.key) {
            *count -= 1;
            if *count == 0 {
                now.remove(&self.key);
            }
        }
    }
}

#[cfg(test)]
mod tests;
