//! Hints that wait to be sent: bounded, and one for each thing, the newest.

use std::collections::{HashMap, VecDeque};

use super::hint::{About, Hint};

#[cfg(test)]
mod tests;

/// More things than this wait only when Redis hangs; then nodes look for themselves.
const MOST: usize = 4096;

/// In the order in which things were first named.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    order: VecDeque<About>,
    newest: HashMap<About, Hint>,
    /// Something was dropped.
    pub(super) lost: bool,
}

impl Outbox {
    /// Puts one in. Never grows beyond its bound: then the oldest goes.
    pub(super) fn push(&mut self, hint: Hint) {
        let about = hint.about();
        if self.newest.insert(about.clone(), hint).is_some() {
            return;
        }
        self.order.push_back(about);
        if self.order.len() > MOST
            && let Some(oldest) = self.order.pop_front()
        {
            self.newest.remove(&oldest);
            self.lost = true;
        }
    }

    /// Takes up to `most` out.
    pub(super) fn take(&mut self, most: usize) -> Vec<Hint> {
        let mut taken = Vec::new();
        while taken.len() < most {
            let Some(about) = self.order.pop_front() else { break };
            taken.extend(self.newest.remove(&about));
        }
        taken
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}
