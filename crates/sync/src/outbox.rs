//! What to send next of a thread that this machine writes. Knows no clock, no disk and no network: it is told what happened
//! and says what to do, so that every order of answers, losses and repeats can be tried.

use std::time::Duration;

use protocol::workspace::log::{Acked, Lease};
use protocol::workspace::problem::{Problem, ProblemCode};

use crate::trouble::{Again, again};

#[cfg(test)]
mod tests;

/// What to do now.
#[derive(Debug, Clone, PartialEq)]
pub enum Todo {
    /// Nothing: everything is sent, or an answer is on its way.
    Nothing,
    /// Ask for the lease.
    Lease,
    /// Send a batch that begins with this number, under this epoch.
    Send {
        /// The number of the first event.
        base: u64,
        /// The lease's.
        epoch: u64,
    },
    /// Try again after a while; the server may have said after how long at least.
    Wait(Option<Duration>),
    /// Another machine has the lease. Ask again when it may have ended, or when the log says that it moved.
    Held,
    /// Somebody has to do something first. Everything stays queued.
    Stuck(Stuck),
}

/// Why nothing can be sent until somebody did something.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Stuck {
    /// The server refuses, and will again.
    #[error("the server refuses these events")]
    Refused(#[source] Problem),
    /// The server has more events of this producer than were ever made here: another machine uses its name.
    #[error("the server has events of this producer up to {has}, and this machine made only {made}")]
    Foreign {
        /// The last one there.
        has: u64,
        /// The last one here.
        made: u64,
    },
    /// The server was restored from a backup: it has fewer events than it had acknowledged, and they are forgotten here.
    #[error("the server lost the events {from} to {to}, which it had acknowledged")]
    Restored {
        /// The first one that is missing there.
        from: u64,
        /// The last one that is forgotten here.
        to: u64,
    },
}

/// The state of sending.
#[derive(Debug, Default)]
pub struct Outbox {
    /// The lease's epoch while this machine has it.
    epoch: Option<u64>,
    /// The numbers are the server's.
    is_anchored: bool,
    /// Events up to this one are forgotten here.
    forgotten: u64,
    /// The server has the events up to this one.
    acked: u64,
    /// The newest one.
    last: u64,
    /// The lease or a batch is asked for.
    waits: bool,
    stuck: Option<Stuck>,
}

impl Outbox {
    /// As a queue is when it is opened.
    #[must_use]
    pub fn new(is_anchored: bool, forgotten: u64, last: u64) -> Self {
        Self {
            is_anchored,
            forgotten,
            acked: forgotten,
            last,
            ..Self::default()
        }
    }

    /// Events up to this number are in the queue.
    pub fn queued(&mut self, last: u64) {
        self.last = self.last.max(last);
    }

    /// What to do. After [`Todo::Lease`] and [`Todo::Send`] it says nothing until the answer is there.
    pub fn todo(&mut self) -> Todo {
        if let Some(stuck) = &self.stuck {
            return Todo::Stuck(stuck.clone());
        }
        if self.waits || self.acked >= self.last {
            return Todo::Nothing;
        }
        self.waits = true;
        match self.epoch {
            None => Todo::Lease,
            Some(epoch) => Todo::Send {
                base: self.acked + 1,
                epoch,
            },
        }
    }

    /// The lease was given, for the first time or for longer. It says which number the server expects. When the queue has no
    /// anchor yet, the answer is the one to give it before anything is sent.
    pub fn leased(&mut self, lease: &Lease) -> Option<u64> {
        self.waits = false;
        self.epoch = Some(lease.epoch);
        let has = lease.next_producer_seq.saturating_sub(1);
        if self.is_anchored {
            self.server_has(has);
            return None;
        }
        self.is_anchored = true;
        self.last += has;
        (self.forgotten, self.acked) = (has, has);
        Some(has)
    }

    /// The lease was not given.
    pub fn not_leased(&mut self, problem: &Problem) -> Todo {
        self.waits = false;
        self.epoch = None;
        if problem.code == ProblemCode::Conflict {
            Todo::Held
        } else {
            self.refused(problem)
        }
    }

    /// The lease has run out or was given back.
    pub fn lease_ended(&mut self) {
        self.epoch = None;
    }

    /// A batch is on the server's disk.
    pub fn acked(&mut self, acked: Acked) {
        self.waits = false;
        self.acked = self.acked.max(acked.acked);
    }

    /// A batch was refused.
    pub fn not_acked(&mut self, problem: &Problem) -> Todo {
        self.waits = false;
        let expected = problem.facts.get("expected").and_then(serde_json::Value::as_u64);
        match (problem.code, expected) {
            (ProblemCode::Fenced, _) => {
                self.epoch = None;
                self.todo()
            }
            (ProblemCode::Gap, Some(expected)) => {
                self.server_has(expected.saturating_sub(1));
                self.todo()
            }
            (_, _) => self.refused(problem),
        }
    }

    /// No answer came: it may have arrived or not, and is sent again.
    pub fn no_answer(&mut self) {
        self.waits = false;
    }

    /// Somebody did something about what it was stuck on.
    pub fn unstick(&mut self) {
        self.stuck = None;
    }

    /// The server has the events up to this one; they may be forgotten.
    #[must_use]
    pub fn has(&self) -> u64 {
        self.acked
    }

    /// The number of the newest event.
    #[must_use]
    pub fn last(&self) -> u64 {
        self.last
    }

    /// What somebody has to do something about.
    #[must_use]
    pub fn stuck(&self) -> Option<&Stuck> {
        self.stuck.as_ref()
    }

    /// Whether the server has everything.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.acked >= self.last
    }

    /// The epoch of the lease, while this machine has it.
    #[must_use]
    pub fn epoch(&self) -> Option<u64> {
        self.epoch
    }

    /// The caller has forgotten the events up to this one.
    pub fn forgot(&mut self, to: u64) {
        self.forgotten = self.forgotten.max(to);
    }

    /// What the server has, in its own words: less than before if it was restored from a backup.
    fn server_has(&mut self, has: u64) {
        if has < self.forgotten {
            self.stuck = Some(Stuck::Restored {
                from: has + 1,
                to: self.forgotten,
            });
        } else if has > self.last {
            self.stuck = Some(Stuck::Foreign { has, made: self.last });
        } else {
            self.acked = has;
        }
    }

    fn refused(&mut self, problem: &Problem) -> Todo {
        match again(problem) {
            Again::Later(after) => Todo::Wait(after),
            Again::Never => {
                let stuck = Stuck::Refused(problem.clone());
                self.stuck = Some(stuck.clone());
                Todo::Stuck(stuck)
            }
        }
    }
}
