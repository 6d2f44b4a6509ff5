//! What a reader of a thread has and lacks. Knows no disk and no network: it is given pages as they come, twice, late or with
//! holes, and says what is new.

use protocol::workspace::log::{PageStatus, SharedEvent, Snapshot};

#[cfg(test)]
mod tests;

/// What a reader is told, in order.
#[derive(Debug, Clone, PartialEq)]
pub enum Told {
    /// The next event.
    Event(SharedEvent),
    /// Older events are no longer kept one by one: this is their sum, in place of all that was told before.
    Rebased(Snapshot),
    /// The server was restored from a backup and has less than was told: forget everything, it is told again from the start.
    Reset,
}

/// A part of a thread, over HTTP or the live socket.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// How it relates to the place that was asked for.
    pub status: PageStatus,
    /// The state to begin with, when rebased.
    pub snapshot: Option<Snapshot>,
    /// In order.
    pub events: Vec<SharedEvent>,
    /// The newest event there is.
    pub head_seq: u64,
}

/// How a page went in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fit {
    /// What follows can be read on.
    Whole,
    /// Something before it is missing, or everything has to be read again: ask anew, from [`Inbox::cursor`] on.
    AskAgain,
}

/// Where a reader is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Inbox {
    cursor: u64,
    head: u64,
}

impl Inbox {
    /// A reader who was told everything up to an event.
    #[must_use]
    pub fn new(cursor: u64) -> Self {
        Self { cursor, head: cursor }
    }

    /// The last event that was told; 0 for none.
    #[must_use]
    pub fn cursor(&self) -> u64 {
        self.cursor
    }

    /// The newest event that is known to be there.
    #[must_use]
    pub fn head(&self) -> u64 {
        self.head
    }

    /// Takes a page, and hands over what is new in it.
    pub fn page(&mut self, page: Page, mut tell: impl FnMut(Told)) -> Fit {
        match page.status {
            PageStatus::Ahead => {
                *self = Self::default();
                tell(Told::Reset);
                return Fit::AskAgain;
            }
            PageStatus::Rebased => match page.snapshot {
                // One that comes late, or twice, has nothing new.
                Some(snapshot) if snapshot.snapshot_seq > self.cursor => {
                    self.cursor = snapshot.snapshot_seq;
                    tell(Told::Rebased(snapshot));
                }
                Some(_) => {}
                None => return Fit::AskAgain,
            },
            PageStatus::Ok => {}
        }
        self.head = self.head.max(page.head_seq).max(self.cursor);
        for event in page.events {
            if event.seq <= self.cursor {
                continue;
            }
            if event.seq != self.cursor + 1 {
                return Fit::AskAgain;
            }
            self.cursor = event.seq;
            self.head = self.head.max(event.seq);
            tell(Told::Event(event));
        }
        Fit::Whole
    }

    /// The server says where the thread ends. True if something was missed.
    pub fn head_is(&mut self, head_seq: u64) -> bool {
        self.head = self.head.max(head_seq);
        self.head > self.cursor
    }
}
