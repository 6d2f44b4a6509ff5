//! What a thread's events add up to: turns, items and questions. Pure: what is there is handed in, what changed is read off.
//!
//! Every entry knows the last event that is in it, and takes in an event only once, so folding a part again changes nothing.
//! Items are not folded: the log has all that was said of them, and they only remember where.

use std::collections::BTreeMap;

use protocol::id::{ApprovalId, TurnId, UserId};
use protocol::workspace::log::ApprovalStatus;

mod fact;
mod item;

pub use fact::{Fact, Misread, is_name};
pub use item::{Change, Whole, changes, take_piece};

/// A turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn {
    /// The event that first told of it.
    pub first_seq: u64,
    /// `running`, `completed`, `interrupted` or `failed`.
    pub status: String,
    /// When it began, by the producer's clock.
    pub started_at_ms: u64,
    /// When it ended, by the producer's clock.
    pub ended_at_ms: Option<u64>,
    /// The last event that is in it.
    pub applied_seq: u64,
}

/// A question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    /// Its turn.
    pub turn_id: TurnId,
    /// The event that asked.
    pub first_seq: u64,
    /// What is asked, as JSON text.
    pub payload: String,
    /// SHA-256 of that text, in hex.
    pub payload_hash: String,
    /// Its state.
    pub status: ApprovalStatus,
    /// Until when it can be answered, by the server's clock.
    pub expires_at_ms: u64,
    /// Who answered first.
    pub decided_by: Option<UserId>,
    /// When.
    pub decided_at_ms: Option<u64>,
    /// The event of the first answer.
    pub decision_seq: Option<u64>,
    /// The machine has said what became of it: nothing changes any more.
    pub settled: bool,
    /// The last event that is in it.
    pub applied_seq: u64,
}

/// Who appends, when, by the server's clock, and for how long questions wait.
#[derive(Debug, Clone, Copy)]
pub struct Taken<'a> {
    /// Whose machine it is.
    pub user: &'a UserId,
    /// The server's clock.
    pub now_ms: u64,
    /// For how long a question waits.
    pub approval_ttl_ms: u64,
}

/// The turns and questions that a batch is about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fold {
    /// The turns.
    pub turns: BTreeMap<TurnId, Turn>,
    /// The questions.
    pub approvals: BTreeMap<ApprovalId, Approval>,
}

impl Fold {
    /// Takes in the next event.
    pub fn apply(&mut self, seq: u64, at_ms: u64, taken: Taken<'_>, fact: &Fact) {
        match fact {
            Fact::TurnStarted { turn_id, .. } => self.turn(seq, at_ms, turn_id, "running", None),
            Fact::TurnEnded { turn_id, status } => {
                self.turn(seq, at_ms, turn_id, status, Some(at_ms));
                let waiting = self.approvals.values_mut().filter(|it| {
                    it.turn_id == *turn_id && it.status == ApprovalStatus::Pending && it.applied_seq < seq
                });
                for approval in waiting {
                    approval.status = ApprovalStatus::Cancelled;
                    approval.applied_seq = seq;
                }
            }
            Fact::Asked {
                approval_id,
                turn_id,
                payload,
                payload_hash,
            } => {
                // Asked again it stays as it is: an answer that was given is not taken back by a repetition.
                self.approvals.entry(approval_id.clone()).or_insert_with(|| Approval {
                    turn_id: turn_id.clone(),
                    first_seq: seq,
                    payload: payload.clone(),
                    payload_hash: payload_hash.clone(),
                    status: ApprovalStatus::Pending,
                    expires_at_ms: taken.now_ms.saturating_add(taken.approval_ttl_ms),
                    decided_by: None,
                    decided_at_ms: None,
                    decision_seq: None,
                    settled: false,
                    applied_seq: seq,
                });
            }
            Fact::Resolved {
                approval_id,
                status,
                by_person,
            } => self.resolve(seq, taken, approval_id, *status, *by_person),
            Fact::Item { .. } | Fact::Piece { .. } | Fact::Renamed { .. } | Fact::Model { .. } | Fact::Other => {}
        }
    }

    fn turn(&mut self, seq: u64, at_ms: u64, id: &TurnId, status: &str, ended_at_ms: Option<u64>) {
        let turn = self.turns.entry(id.clone()).or_insert_with(|| Turn {
            first_seq: seq,
            status: String::new(),
            started_at_ms: at_ms,
            ended_at_ms: None,
            applied_seq: 0,
        });
        if turn.applied_seq < seq {
            status.clone_into(&mut turn.status);
            turn.ended_at_ms = ended_at_ms;
            turn.applied_seq = seq;
        }
    }

    /// The machine says what became of a question. That stands, and so does who answered it first.
    fn resolve(&mut self, seq: u64, taken: Taken<'_>, id: &ApprovalId, status: ApprovalStatus, by_person: bool) {
        let Some(approval) = self.approvals.get_mut(id) else {
            return;
        };
        if approval.settled || approval.applied_seq >= seq {
            return;
        }
        approval.status = status;
        approval.settled = true;
        approval.applied_seq = seq;
        if approval.decision_seq.is_none() {
            approval.decided_by = by_person.then(|| taken.user.clone());
            approval.decided_at_ms = Some(taken.now_ms);
            approval.decision_seq = Some(seq);
        }
    }
}
