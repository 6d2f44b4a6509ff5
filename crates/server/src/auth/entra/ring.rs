//! A tenant's keys over time: which are known, since when, and when it is time to ask again. Pure: time comes in, and what
//! to do goes out.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::keys::{Key, Keys};

/// A name that nobody knows makes us ask at most so often: Microsoft's figure.
const ASK_AGAIN_MS: u64 = 5 * 60_000;
/// While there are no keys at all, so often.
const FIRST_AGAIN_MS: u64 = 5_000;
/// A key that is no longer in the document is believed for so long.
const OUTLIVES_MS: u64 = 24 * 3_600_000;
/// So many unknown names are remembered; a flood of them needs no memory.
const UNKNOWN_MOST: usize = 256;

/// The keys of one tenant.
#[derive(Debug, Default)]
pub(super) struct Ring {
    held: BTreeMap<String, Held>,
    /// How many documents were taken.
    documents: u64,
    /// When an unknown name last made us ask.
    asked_ms: Option<u64>,
    /// When we last asked without having any keys.
    began_ms: Option<u64>,
    /// Names that were not in the document, and until when we believe that.
    unknown: BTreeMap<String, u64>,
}

#[derive(Debug)]
struct Held {
    key: Arc<Key>,
    seen_ms: u64,
    /// The number of the newest document that has it.
    document: u64,
}

/// What is known about a name.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// This key has it.
    Key(Arc<Key>),
    /// Ask the authority, then look again.
    Ask,
    /// No key has it.
    Unknown,
    /// There are no keys, and it is too early to ask again.
    NoKeys,
}

impl Ring {
    /// Looks up a name. `under_way`: somebody asks already, which costs nothing to wait for.
    pub(super) fn look(&mut self, kid: &str, now_ms: u64, under_way: bool) -> Look {
        if let Some(key) = self.key(kid, now_ms) {
            return Look::Key(key);
        }
        if self.documents == 0 {
            if !under_way && self.began_ms.is_some_and(|it| now_ms < it + FIRST_AGAIN_MS) {
                return Look::NoKeys;
            }
            self.began_ms = Some(now_ms);
            return Look::Ask;
        }
        if self.unknown.get(kid).is_some_and(|until| now_ms < *until) {
            return Look::Unknown;
        }
        if under_way {
            return Look::Ask;
        }
        if self.asked_ms.is_some_and(|it| now_ms < it + ASK_AGAIN_MS) {
            return Look::Unknown;
        }
        self.asked_ms = Some(now_ms);
        Look::Ask
    }

    /// Looks up a name after the authority was asked.
    pub(super) fn look_again(&mut self, kid: &str, now_ms: u64) -> Look {
        if let Some(key) = self.key(kid, now_ms) {
            return Look::Key(key);
        }
        if self.documents == 0 {
            return Look::NoKeys;
        }
        self.unknown.retain(|_, until| now_ms < *until);
        if self.unknown.len() < UNKNOWN_MOST {
            self.unknown.insert(kid.to_owned(), now_ms + ASK_AGAIN_MS);
        }
        Look::Unknown
    }

    /// Takes a new document.
    pub(super) fn take(&mut self, keys: Keys, now_ms: u64) {
        self.documents += 1;
        self.held
            .retain(|kid, it| keys.contains_key(kid) || now_ms <= it.seen_ms + OUTLIVES_MS);
        for (kid, key) in keys {
            self.unknown.remove(&kid);
            let held = Held {
                key,
                seen_ms: now_ms,
                document: self.documents,
            };
            self.held.insert(kid, held);
        }
    }

    /// A key of the newest document for as long as there is no newer one; one of an older document for a day.
    fn key(&self, kid: &str, now_ms: u64) -> Option<Arc<Key>> {
        let held = self.held.get(kid)?;
        let is_good = held.document == self.documents || now_ms <= held.seen_ms + OUTLIVES_MS;
        is_good.then(|| held.key.clone())
    }
}

#[cfg(test)]
mod tests;
