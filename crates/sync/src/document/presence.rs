//! Who else is in a document, and what oneself says there. It needs no clock: the server is heard every 20 seconds, and what is
//! due with time is done then.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use serde::de::IgnoredAny;

use crate::frame::{Awareness, FrameError, awareness, put_awareness};

#[cfg(test)]
mod tests;

/// Clients of one message, and those that are remembered.
const CLIENTS: usize = 8_192;
/// What is remembered of one, in bytes.
const STATE_BYTES: usize = 32 << 10;
/// Who said nothing for so many beats of the server is gone. Others speak at every beat, or more often.
const BEATS: u64 = 3;

/// Who is there: what each client says of itself, as JSON, by its number.
pub type People = BTreeMap<u64, Arc<str>>;

#[derive(Debug)]
pub(super) struct Presence {
    client: u64,
    clock: u32,
    state: Option<Arc<str>>,
    others: BTreeMap<u64, Other>,
    beat: u64,
}

#[derive(Debug)]
struct Other {
    clock: u32,
    /// None when gone: kept for its clock until the line breaks.
    state: Option<Arc<str>>,
    heard_at: u64,
}

/// What came of a message.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Heard {
    /// Somebody came, went or moved.
    pub(super) changed: bool,
    /// What to say, and the payload of it.
    pub(super) say: Option<Bytes>,
}

impl Presence {
    pub(super) fn new(client: u64) -> Self {
        Self {
            client,
            clock: 0,
            state: None,
            others: BTreeMap::new(),
            beat: 0,
        }
    }

    /// What to say of oneself from now on; nothing when one leaves.
    pub(super) fn set(&mut self, state: Option<Arc<str>>) -> Option<Bytes> {
        if state.is_none() && self.state.is_none() {
            return None;
        }
        self.state = state;
        Some(self.renewed())
    }

    /// What a new line, or somebody who asks, is told.
    pub(super) fn greeting(&mut self) -> Option<Bytes> {
        self.state.is_some().then(|| self.renewed())
    }

    /// Others take what is newer, so it is said anew each time.
    fn renewed(&mut self) -> Bytes {
        self.clock = self.clock.saturating_add(1);
        let own = Awareness {
            client: self.client,
            clock: self.clock,
            state: self.state.as_deref().unwrap_or("null"),
        };
        put_awareness(std::iter::once(own))
    }

    /// What the server says. A message about nobody is its beat.
    pub(super) fn hear(&mut self, payload: &[u8]) -> Result<Heard, FrameError> {
        let said = awareness(payload, CLIENTS)?;
        if said.is_empty() {
            return Ok(self.beat());
        }
        let mut heard = Heard::default();
        for it in said {
            if it.client == self.client {
                // An older socket of ours, or somebody else: what we say now has to be newer.
                if it.clock >= self.clock && self.state.is_some() {
                    self.clock = it.clock;
                    heard.say = Some(self.renewed());
                }
            } else {
                heard.changed |= self.note(&it);
            }
        }
        Ok(heard)
    }

    fn note(&mut self, it: &Awareness<'_>) -> bool {
        let is_gone = it.state == "null";
        let known = self.others.get(&it.client);
        let is_newer = match known {
            Some(known) => it.clock > known.clock || (it.clock == known.clock && is_gone && known.state.is_some()),
            None => !is_gone && self.others.len() < CLIENTS,
        };
        let is_fit = it.state.len() <= STATE_BYTES && serde_json::from_str::<IgnoredAny>(it.state).is_ok();
        if !is_newer || !is_fit {
            return false;
        }
        let state: Option<Arc<str>> = (!is_gone).then(|| it.state.into());
        let changed = known.is_none_or(|known| known.state != state);
        let other = Other {
            clock: it.clock,
            state,
            heard_at: self.beat,
        };
        self.others.insert(it.client, other);
        changed
    }

    /// Other clients forget whoever says nothing for 30 seconds, and so do we, a little later.
    fn beat(&mut self) -> Heard {
        self.beat += 1;
        let mut changed = false;
        for it in self.others.values_mut() {
            if it.state.is_some() && it.heard_at + BEATS <= self.beat {
                it.state = None;
                changed = true;
            }
        }
        Heard {
            changed,
            say: self.greeting(),
        }
    }

    /// The line broke: nobody is known to be there. Answers whether anybody was.
    pub(super) fn disconnect(&mut self) -> bool {
        let was = self.others.values().any(|it| it.state.is_some());
        self.others.clear();
        was
    }

    /// Who else is there.
    pub(super) fn people(&self) -> People {
        let there = self.others.iter();
        there
            .filter_map(|(client, it)| Some((*client, it.state.clone()?)))
            .collect()
    }
}
