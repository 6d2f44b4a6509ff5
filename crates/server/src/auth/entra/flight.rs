//! One at a time: whoever wants what is being fetched already waits for that.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use futures::FutureExt as _;
use futures::future::{BoxFuture, Shared};

/// What is under way, by name.
pub(super) struct Flights<T: Clone> {
    under_way: Mutex<BTreeMap<String, Shared<BoxFuture<'static, T>>>>,
}

impl<T: Clone> Default for Flights<T> {
    fn default() -> Self {
        Self {
            under_way: Mutex::default(),
        }
    }
}

impl<T: Clone> std::fmt::Debug for Flights<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Flights").finish_non_exhaustive()
    }
}

impl<T: Clone + Send + Sync + 'static> Flights<T> {
    /// Whether somebody is on the way for it.
    pub(super) fn is_under_way(&self, name: &str) -> bool {
        self.lock().get(name).is_some_and(|it| it.peek().is_none())
    }

    /// What `start` makes, or what somebody else is waiting for already. If that one goes away, the next one goes on.
    pub(super) async fn join(&self, name: &str, start: impl FnOnce() -> BoxFuture<'static, T>) -> T {
        let flight = {
            let mut under_way = self.lock();
            match under_way.get(name) {
                Some(flight) if flight.peek().is_none() => flight.clone(),
                Some(_) | None => {
                    let flight = start().shared();
                    under_way.insert(name.to_owned(), flight.clone());
                    flight
                }
            }
        };
        let value = flight.await;
        let mut under_way = self.lock();
        if under_way.get(name).is_some_and(|it| it.peek().is_some()) {
            under_way.remove(name);
        }
        value
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Shared<BoxFuture<'static, T>>>> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
