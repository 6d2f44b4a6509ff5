//! A replica of one document that people write together: edited with or without a network, and brought together with all
//! others whenever there is one. Here without a network and without a disk: frames go in and come out, and what has to be
//! kept is said as [`Fact`]s.
//!
//! An edit is numbered and pends until the server says that it is on its disk. What is sent again after a break is found by
//! comparing state vectors, so nothing is ever sent from memory alone; the numbers only say what still pends.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use yrs::{Transaction, TransactionMut};

use crate::frame::{Frame, FrameError, MAX_SAFE};

pub mod shared;

mod socket;

mod pen;

pub mod journal;

mod presence;

mod replica;

#[cfg(test)]
mod tests;

pub use presence::People;
use presence::Presence;
use replica::{Replica, Taken, merged};

/// Edits that pend are put together into one message up to so many bytes.
const TOGETHER: usize = 256 << 10;

/// Messages with edits that the server has not answered yet. The next edits wait, and are put together in the meantime.
const ON_THE_WAY: usize = 16;

/// One edit that was made here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// Counts the edits of this replica, from 1.
    pub number: u64,
    /// What it changes.
    pub update: Bytes,
}

/// What has to be on the disk, in this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    /// This replica is of this life of the document.
    Epoch(u64),
    /// An edit was made here.
    Edit(Edit),
    /// An update came from elsewhere. It can be had again, if nothing that follows it is kept without it.
    Heard(Bytes),
    /// The server has the edits up to this one. Can be found out again.
    Stored(u64),
}

/// All that has to be on the disk, at once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kept {
    /// Which life of the document this is, once that is known.
    pub epoch: Option<u64>,
    /// The server has the edits up to this one.
    pub stored: u64,
    /// The others.
    pub pending: Vec<Edit>,
    /// The document: updates that make it up, pending ones not necessarily among them.
    pub updates: Vec<Bytes>,
}

/// Why a document did not do it.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    /// The bytes are no update, or one that would do harm. The document is as it was.
    #[error("the update is refused")]
    Refused(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A message of the server cannot be read.
    #[error("a message of the server makes no sense")]
    Frame(#[from] FrameError),
    /// A message of the server cannot come here.
    #[error("the server said {0}")]
    Order(&'static str),
    /// Too much waits for updates that did not come. What waited was let go, and comes again on a new line.
    #[error("too much waits for earlier updates")]
    Behind,
    /// The document was deleted and made anew. This replica is of the earlier one and is not brought together with it.
    #[error("the document was made anew")]
    Renewed,
    /// It panicked within. It has to be read again from the disk; what pends can still be read.
    #[error("the document broke")]
    Broken,
}

/// What came of a message.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Heard {
    /// What to answer.
    pub say: Vec<Frame>,
    /// What is new in the document.
    pub change: Option<Bytes>,
    /// Somebody came, went or moved.
    pub people: bool,
}

/// A replica of one document.
#[derive(Debug)]
pub struct Document {
    replica: Replica,
    presence: Presence,
    epoch: Option<u64>,
    /// Numbers of the newest edit, and of the newest one that the server has.
    last: u64,
    stored: u64,
    pending: VecDeque<Edit>,
    facts: Vec<Fact>,
    line: Option<Line>,
}

/// What was said since a line came up.
#[derive(Debug, Default)]
struct Line {
    has_greeted: bool,
    /// The server told what it has, so it may be told what it lacks.
    takes: bool,
    is_synced: bool,
    denied: Option<String>,
    /// Messages with updates so far, as the server counts them.
    said: u64,
    /// Once it has so many, it has the edits up to this one.
    marks: VecDeque<(u64, u64)>,
    /// Edits up to this one were said.
    up_to: u64,
}

impl Document {
    /// As it was kept, or an empty one. `client` is a random number, another one each time: two that write
    /// under the same one spoil a document. Of it the 53 bits are taken that JavaScript can count.
    ///
    /// # Errors
    /// What was kept is no document.
    pub fn new(client: u64, kept: Kept) -> Result<Self, DocumentError> {
        let client = client & MAX_SAFE;
        let mut replica = Replica::new(client);
        for update in kept.updates.iter().chain(kept.pending.iter().map(|it| &it.update)) {
            match replica.take(update, false) {
                // What waits in vain was heard from elsewhere and comes again from there.
                Ok(_) | Err(DocumentError::Behind) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(Self {
            replica,
            presence: Presence::new(client),
            epoch: kept.epoch,
            last: kept.pending.last().map_or(0, |it| it.number).max(kept.stored),
            stored: kept.stored,
            pending: kept.pending.into(),
            facts: Vec::new(),
            line: None,
        })
    }

    /// Changes it. Offsets in texts count as JavaScript does, in UTF-16.
    ///
    /// # Errors
    /// It is broken, or breaks because `change` panics.
    pub fn edit<T>(&mut self, change: impl FnOnce(&mut TransactionMut<'_>) -> T) -> Result<T, DocumentError> {
        let (answer, update) = self.replica.edit(change)?;
        if let Some(update) = update {
            self.edited(update);
        }
        Ok(answer)
    }

    /// Takes in an edit that was made on this machine by another replica, such as a page's. Answers whether it changed
    /// anything.
    ///
    /// # Errors
    /// The bytes are refused.
    pub fn add(&mut self, update: &Bytes) -> Result<bool, DocumentError> {
        let new = match self.replica.take(update, true)? {
            Taken::Nothing => return Ok(false),
            Taken::Change(new) | Taken::Waits(new) => new,
        };
        self.edited(new);
        Ok(true)
    }

    fn edited(&mut self, update: Bytes) {
        self.last += 1;
        let edit = Edit {
            number: self.last,
            update,
        };
        self.facts.push(Fact::Edit(edit.clone()));
        self.pending.push_back(edit);
    }

    /// Looks at it.
    ///
    /// # Errors
    /// It is broken.
    pub fn read<T>(&mut self, look: impl FnOnce(&Transaction<'_>) -> T) -> Result<T, DocumentError> {
        self.replica.read(look)
    }

    /// What somebody lacks who has seen `vector`.
    ///
    /// # Errors
    /// That is no state vector.
    pub fn missing(&mut self, vector: &Bytes) -> Result<Bytes, DocumentError> {
        self.replica.missing(vector)
    }

    /// Edits that the server does not have, as far as is known.
    pub fn pending(&self) -> impl Iterator<Item = &Edit> {
        self.pending.iter()
    }

    /// The number of the newest edit.
    #[must_use]
    pub fn last(&self) -> u64 {
        self.last
    }

    /// The server has the edits up to this one.
    #[must_use]
    pub fn stored(&self) -> u64 {
        self.stored
    }

    /// Which life of the document this is, once that is known.
    #[must_use]
    pub fn epoch(&self) -> Option<u64> {
        self.epoch
    }

    /// Who else is there.
    #[must_use]
    pub fn people(&self) -> People {
        self.presence.people()
    }

    /// Everything that the server had when the line came up is here.
    #[must_use]
    pub fn is_synced(&self) -> bool {
        self.line.as_ref().is_some_and(|it| it.is_synced)
    }

    /// Why nothing may be written now, if that is so: edits pend until it is no longer.
    #[must_use]
    pub fn denied(&self) -> Option<&str> {
        self.line.as_ref()?.denied.as_deref()
    }

    /// What has to be kept since the last time this was asked. It has to be on the disk before what comes of it is said.
    #[must_use]
    pub fn facts(&mut self) -> Vec<Fact> {
        std::mem::take(&mut self.facts)
    }

    /// All that has to be kept, in place of all facts so far.
    ///
    /// # Errors
    /// It is broken.
    pub fn kept(&mut self) -> Result<Kept, DocumentError> {
        Ok(Kept {
            epoch: self.epoch,
            stored: self.stored,
            pending: self.pending.iter().cloned().collect(),
            updates: vec![self.replica.whole()?],
        })
    }

    /// A line came up: what to say first.
    ///
    /// # Errors
    /// It is broken.
    pub fn connect(&mut self) -> Result<Vec<Frame>, DocumentError> {
        self.disconnect();
        let mut say = vec![Frame::Step1(self.replica.vector()?)];
        say.extend(self.presence.greeting().map(Frame::Awareness));
        self.line = Some(Line::default());
        Ok(say)
    }

    /// The line broke. Answers whether anybody was there.
    pub fn disconnect(&mut self) -> bool {
        self.line = None;
        self.presence.disconnect()
    }

    /// What to say of oneself from now on, as JSON; none when one leaves. Answers what to say now.
    pub fn be_present(&mut self, state: Option<Arc<str>>) -> Option<Frame> {
        let said = self.presence.set(state)?;
        self.line.is_some().then_some(Frame::Awareness(said))
    }

    /// Edits to say now. Ask again until there is nothing.
    ///
    /// # Errors
    /// It is broken.
    pub fn due(&mut self) -> Result<Option<Frame>, DocumentError> {
        let is_open = |it: &&mut Line| it.takes && it.up_to < self.last && it.marks.len() < ON_THE_WAY;
        let Some(line) = self.line.as_mut().filter(is_open) else {
            return Ok(None);
        };
        let mut updates = Vec::new();
        let (mut bytes, mut up_to) = (0, line.up_to);
        for edit in self.pending.iter().filter(|it| it.number > line.up_to) {
            bytes += edit.update.len();
            if bytes > TOGETHER && !updates.is_empty() {
                break;
            }
            updates.push(edit.update.clone());
            up_to = edit.number;
        }
        if updates.is_empty() {
            return Ok(None);
        }
        let update = merged(&updates)?;
        line.says(up_to);
        Ok(Some(Frame::Update(update)))
    }

    /// What the server says.
    ///
    /// # Errors
    /// What it says cannot be, or the document was made anew: this line is over.
    pub fn hear(&mut self, frame: Frame) -> Result<Heard, DocumentError> {
        let Some(line) = &mut self.line else {
            return Err(DocumentError::Order("something on a line that is not up"));
        };
        let mut heard = Heard::default();
        match frame {
            Frame::Hello { epoch } => self.greeted(epoch)?,
            // Without knowing which life of the document this is, nothing may be brought together.
            _ if !line.has_greeted => return Err(DocumentError::Order("something before its greeting")),
            Frame::Step1(vector) => {
                let lacks = self.replica.missing(&vector)?;
                line.takes = true;
                line.denied = None;
                line.says(self.last);
                heard.say.push(Frame::Step2(lacks));
            }
            Frame::Step2(update) => {
                if !line.takes && line.denied.is_none() {
                    line.denied = Some("read-only".to_owned());
                }
                line.is_synced = true;
                heard = self.taken(&update, true)?;
            }
            Frame::Update(update) => heard = self.taken(&update, false)?,
            Frame::Stored { count } => self.has_stored(count)?,
            Frame::Denied(reason) => {
                // Nothing that was said counts until the server asks again.
                line.takes = false;
                line.marks.clear();
                line.denied = Some(reason);
            }
            Frame::Awareness(payload) => {
                let said = self.presence.hear(&payload)?;
                heard.people = said.changed;
                heard.say.extend(said.say.map(Frame::Awareness));
            }
            Frame::QueryAwareness => heard.say.extend(self.presence.greeting().map(Frame::Awareness)),
        }
        Ok(heard)
    }

    fn greeted(&mut self, epoch: u64) -> Result<(), DocumentError> {
        match self.epoch {
            Some(known) if known != epoch => return Err(DocumentError::Renewed),
            Some(_) => {}
            None => {
                self.epoch = Some(epoch);
                self.facts.push(Fact::Epoch(epoch));
            }
        }
        if let Some(line) = &mut self.line {
            line.has_greeted = true;
        }
        Ok(())
    }

    fn taken(&mut self, update: &Bytes, trim: bool) -> Result<Heard, DocumentError> {
        let mut heard = Heard::default();
        match self.replica.take(update, trim)? {
            Taken::Nothing => {}
            Taken::Change(change) => {
                self.facts.push(Fact::Heard(change.clone()));
                heard.change = Some(change);
            }
            Taken::Waits(update) => {
                self.facts.push(Fact::Heard(update));
                // What it waits for was said to others, or nobody here would have built on it.
                heard.say.push(Frame::Step1(self.replica.vector()?));
            }
        }
        Ok(heard)
    }

    fn has_stored(&mut self, count: u64) -> Result<(), DocumentError> {
        let Some(line) = &mut self.line else { return Ok(()) };
        if count > line.said {
            return Err(DocumentError::Order("that it has more than it was told"));
        }
        let before = self.stored;
        while let Some((_, up_to)) = line.marks.front().copied().filter(|(said, _)| *said <= count) {
            line.marks.pop_front();
            self.stored = self.stored.max(up_to);
        }
        if self.stored > before {
            while self.pending.front().is_some_and(|it| it.number <= self.stored) {
                self.pending.pop_front();
            }
            self.facts.push(Fact::Stored(self.stored));
        }
        Ok(())
    }
}

impl Line {
    /// A message with all edits up to this one goes out.
    fn says(&mut self, up_to: u64) {
        self.said += 1;
        self.up_to = self.up_to.max(up_to);
        self.marks.push_back((self.said, up_to));
    }
}
