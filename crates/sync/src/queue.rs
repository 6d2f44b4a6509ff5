//! The events of one thread that this machine made and the server may not have yet: numbered, on the disk, in order.
//!
//! What [`Queue::push`] has answered is sent sooner or later, whatever crashes in between. What the server has is forgotten.

use std::collections::VecDeque;
use std::path::Path;

use protocol::workspace::log::{BATCH_BYTES, BATCH_EVENTS, NewEvent, PAYLOAD_BYTES};
use serde::{Deserialize, Serialize};

use crate::journal::{Journal, JournalError};

#[cfg(test)]
mod tests;

/// The file is written anew when the server has everything in it, or has so many bytes of it.
const FORGET_BYTES: u64 = 4 * 1024 * 1024;
/// An empty queue leaves a file of so many bytes alone.
const SMALL_BYTES: u64 = 64 * 1024;

/// Why an event cannot be queued. Nothing of what came with it was queued then.
#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    /// The file cannot be used.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The server would refuse it, now and for ever.
    #[error("the event {event} cannot be shared: {why}")]
    Unfit {
        /// Its name.
        event: String,
        /// Why.
        why: &'static str,
    },
    /// The file holds what no version of this program wrote.
    #[error("the queue holds an entry that cannot be read: {0}")]
    Unreadable(String),
}

/// One entry of the file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Entry {
    /// The number before the first event that follows: those up to it are forgotten.
    After(u64),
    /// The number before the first event of all, those before this entry included: the server said it.
    Anchor(u64),
    /// The next event.
    Event(NewEvent),
}

/// A queue on the disk.
#[derive(Debug)]
pub struct Queue {
    journal: Journal,
    /// Where the events begin in the file; the first one has the number `forgotten + 1`.
    places: VecDeque<u64>,
    forgotten: u64,
    is_anchored: bool,
}

impl Queue {
    /// Opens a queue, or makes an empty one.
    ///
    /// # Errors
    /// The file cannot be used, or is open elsewhere.
    pub fn open(path: &Path) -> Result<Self, QueueError> {
        let (mut places, mut forgotten, mut is_anchored, mut unreadable) = (VecDeque::new(), 0, false, None);
        let journal = Journal::open(path, |at, bytes| match serde_json::from_slice(&bytes) {
            Ok(Entry::After(number)) => {
                (forgotten, is_anchored) = (number, true);
                places.clear();
            }
            Ok(Entry::Anchor(number)) => (forgotten, is_anchored) = (number, true),
            Ok(Entry::Event(_)) => places.push_back(at),
            Err(error) => unreadable = Some(format!("byte {at}: {error}")),
        })?;
        match unreadable {
            Some(which) => Err(QueueError::Unreadable(which)),
            None => Ok(Self {
                journal,
                places,
                forgotten,
                is_anchored,
            }),
        }
    }

    /// Adds events in their order, and answers the number of the last one when all are on the disk. Numbers given before
    /// [`Queue::anchor`] are moved by it.
    ///
    /// # Errors
    /// One of them is unfit, or the disk refuses. None of them was added then.
    pub fn push(&mut self, events: &[NewEvent]) -> Result<u64, QueueError> {
        let mut records = Vec::with_capacity(events.len());
        for event in events {
            fits(event)?;
            records.push(write(&Entry::Event(event.clone()))?);
        }
        self.places.extend(self.journal.append(&records)?);
        Ok(self.last())
    }

    /// The number of the newest event; 0 when there never was one.
    #[must_use]
    pub fn last(&self) -> u64 {
        self.forgotten + self.places.len() as u64
    }

    /// Events up to this number are forgotten.
    #[must_use]
    pub fn forgotten(&self) -> u64 {
        self.forgotten
    }

    /// The events from a number on that go into one batch: as many as fit.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn batch(&mut self, from: u64) -> Result<Vec<NewEvent>, QueueError> {
        let skip = usize::try_from(from.saturating_sub(self.forgotten + 1)).unwrap_or(usize::MAX);
        let (mut events, mut bytes) = (Vec::new(), 0);
        for at in self.places.iter().skip(skip).take(BATCH_EVENTS) {
            let record = self.journal.read(*at)?;
            let Ok(Entry::Event(event)) = serde_json::from_slice(&record) else {
                return Err(QueueError::Unreadable(format!("byte {at}")));
            };
            bytes += event.payload.to_string().len();
            if bytes > BATCH_BYTES && !events.is_empty() {
                break;
            }
            events.push(event);
        }
        Ok(events)
    }

    /// Forgets the events up to a number, which the server has.
    ///
    /// # Errors
    /// The disk refuses. Then they are there again after the next start, which does no harm.
    pub fn forget(&mut self, to: u64) -> Result<(), QueueError> {
        let count = usize::try_from(to.saturating_sub(self.forgotten)).unwrap_or(usize::MAX);
        let count = count.min(self.places.len());
        self.places.drain(..count);
        self.forgotten += count as u64;
        let gone = self.places.front().copied().unwrap_or(self.journal.length());
        // Without an anchor nothing was ever acknowledged, so nothing is forgotten either.
        if gone >= FORGET_BYTES || (self.places.is_empty() && gone > SMALL_BYTES) {
            self.rewrite()?;
        }
        Ok(())
    }

    /// Whether the numbers are those that the server counts with.
    #[must_use]
    pub fn is_anchored(&self) -> bool {
        self.is_anchored
    }

    /// The server says that it has this producer's events up to a number: these come after it. Only the first time counts.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn anchor(&mut self, number: u64) -> Result<(), QueueError> {
        if !self.is_anchored {
            self.journal.append(&[write(&Entry::Anchor(number))?])?;
            (self.forgotten, self.is_anchored) = (number, true);
        }
        Ok(())
    }

    /// Writes the file anew, with what is still needed.
    fn rewrite(&mut self) -> Result<(), QueueError> {
        let mut records = vec![write(&Entry::After(self.forgotten))?];
        for at in &self.places {
            records.push(self.journal.read(*at)?);
        }
        let places = self.journal.replace(&records)?;
        self.places = places.into_iter().skip(1).collect();
        Ok(())
    }
}

fn write(entry: &Entry) -> Result<Vec<u8>, QueueError> {
    serde_json::to_vec(entry).map_err(|it| QueueError::Unreadable(it.to_string()))
}

/// Whether the server takes an event, as far as that can be known here: one that it never takes would stop all after it.
fn fits(event: &NewEvent) -> Result<(), QueueError> {
    let unfit = |why| {
        Err(QueueError::Unfit {
            event: event.event_id.clone(),
            why,
        })
    };
    let name = event.event_id.as_bytes();
    let is_name =
        (1..=128).contains(&name.len()) && name.iter().all(|it| it.is_ascii_alphanumeric() || b"_.:-".contains(it));
    if !is_name || name.starts_with(b"server") {
        return unfit("a name has 1 to 128 letters, digits, `_`, `.`, `:` and `-`, and does not begin with `server`");
    }
    if i64::try_from(event.at_ms).is_err() {
        return unfit("it happened at no time that there is");
    }
    match event.payload.get("type").and_then(serde_json::Value::as_str) {
        None => return unfit("it has no type"),
        Some("contextAppended") => return unfit("what only the model reads is not shared"),
        Some(kind) if kind.starts_with(protocol::workspace::log::SERVER_EVENT_PREFIX) => {
            return unfit("only the server says such things");
        }
        Some(_) => {}
    }
    if event.payload.to_string().len() > PAYLOAD_BYTES {
        return unfit("it is too large: share what it holds as an artifact");
    }
    Ok(())
}
