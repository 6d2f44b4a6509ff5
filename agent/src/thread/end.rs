//! How a turn ends: what it left open is closed, what it made is shown, and its end is written down, later if need be.

use std::time::Duration;

use protocol::change::FileChange;
use protocol::context::{Entry, Role};
use protocol::thread::InterruptReason;
use protocol::{Code, EventKind, Failure, Item, ItemId, ItemKind, ItemStatus, Live, TurnId};
use tokio::task::JoinError;

use super::{Actor, Ended};
use crate::turn;
use crate::{artifact, context, log};

/// How long after a failed write the end of a turn is written again.
pub(super) const AGAIN: Duration = Duration::from_secs(2);

/// A turn that is over, and its end is to be written down.
#[derive(Debug, Clone)]
pub(super) struct Closing {
    pub(super) turn_id: TurnId,
    pub(super) how: How,
    pub(super) changes: Vec<FileChange>,
    /// What the person should know besides.
    pub(super) notes: Vec<Failure>,
    /// What the turn could not write down itself.
    pub(super) unsaid: Vec<EventKind>,
    /// Why it could not be written down so far.
    pub(super) refused: Option<Failure>,
    /// How often that was tried.
    pub(super) tries: u32,
}

/// How a turn ended.
#[derive(Debug, Clone)]
pub(super) enum How {
    Completed,
    Interrupted(InterruptReason),
    Failed(Failure),
}

impl Actor {
    pub(super) async fn turn_ended(&mut self, ended: Result<Ended, JoinError>) {
        let Some(running) = self.running.take() else { return };
        running.steer.close();
        let turn_id = running.turn_id;
        let ended = match ended {
            Ok(it) => it,
            Err(panic) => self.panicked(&turn_id, &panic).await,
        };
        let how = match ended.result {
            Ok(()) => How::Completed,
            Err(turn::Error::Interrupted) => How::Interrupted(running.reason),
            Err(turn::Error::Failed(failure)) => How::Failed(failure),
            Err(turn::Error::Log(error)) => How::Failed(error.into()),
        };
        self.close(Closing {
            turn_id,
            how,
            changes: ended.changes,
            notes: ended.note.into_iter().chain(self.shared.untold()).collect(),
            unsaid: running.unsaid.take(),
            refused: None,
            tries: 0,
        })
        .await;
    }

    /// A mistake of ours ends one turn. Its commands have nobody left who waits for them.
    async fn panicked(&self, turn_id: &TurnId, panic: &JoinError) -> Ended {
        tracing::error!(%panic, "a turn panicked");
        self.processes.stop().await;
        let failure = Failure::new(Code::Internal, "zspark made a mistake and this turn had to end.")
            .hint("Nothing else is affected. Send the message again, and please report this.")
            .details(panic.to_string());
        self.ended(turn_id, Err(failure.into())).await
    }

    /// A turn that is over, with what it did to files.
    pub(super) async fn ended(&self, turn_id: &TurnId, result: Result<(), turn::Error>) -> Ended {
        Ended::with(result, self.shared.checkpoints.finish(&self.id, turn_id).await)
    }

    /// Writes the end of a turn down. Where that fails, the disk being full, it is tried again until it succeeds.
    pub(super) async fn close(&mut self, mut closing: Closing) {
        if let How::Interrupted(_) = closing.how {
            self.processes.stop().await;
        }
        match self.write_end(&closing).await {
            Ok(()) => {}
            Err(error @ log::Error::NoSuchThread(_)) => {
                tracing::info!(%error, "a turn ended after its thread was deleted");
                return;
            }
            Err(error) => {
                tracing::error!(%error, "the end of a turn could not be written, and is tried again");
                closing.tries += 1;
                let failure = Failure::from(error);
                self.log.live(Live::Retrying {
                    turn_id: closing.turn_id.clone(),
                    attempt: closing.tries,
                    max: closing.tries,
                    failure: failure.clone(),
                    wait_ms: u64::try_from(AGAIN.as_millis()).unwrap_or_default(),
                });
                closing.refused = Some(failure);
                self.unwritten = Some(closing);
                return;
            }
        }
        if let Err(error) = self.log.sync() {
            tracing::error!(%error, "the log could not be flushed");
        }
        if let How::Completed = closing.how
            && !self.closing
        {
            self.next_in_queue().await;
        }
    }

    /// Tries again to write down the end of a turn that could not be written.
    pub(super) async fn close_again(&mut self) {
        if let Some(closing) = self.unwritten.take() {
            self.close(closing).await;
        }
    }

    async fn write_end(&self, closing: &Closing) -> Result<(), log::Error> {
        let turn_id = closing.turn_id.clone();
        let mut kinds = closing.unsaid.clone();
        for failure in closing.notes.iter().cloned() {
            kinds.push(self.completed(&turn_id, ItemKind::Error { failure }));
        }
        let known = self.log.state().artifacts.clone();
        for artifact in artifact::found(&closing.changes, &known, &self.shared.blobs).await {
            kinds.push(self.completed(&turn_id, ItemKind::Artifact { artifact }));
        }
        kinds.extend(self.left_open(closing));
        kinds.extend(self.unanswered(closing)?);
        kinds.push(match closing.how.clone() {
            How::Completed => EventKind::TurnCompleted { turn_id },
            How::Interrupted(reason) => EventKind::TurnInterrupted { turn_id, reason },
            How::Failed(failure) => EventKind::TurnFailed { turn_id, failure },
        });
        self.log.append_all(kinds)?;
        Ok(())
    }

    pub(super) fn completed(&self, turn_id: &TurnId, kind: ItemKind) -> EventKind {
        let now = self.shared.clock.now_ms();
        let item = Item {
            id: ItemId::new(),
            status: ItemStatus::Completed,
            started_ms: now,
            ended_ms: Some(now),
            kind,
        };
        EventKind::ItemCompleted {
            turn_id: turn_id.clone(),
            item,
        }
    }

    /// Answers the calls that got no answer, so that they are never taken for calls to be run; tells the model why.
    fn unanswered(&self, closing: &Closing) -> Result<Option<EventKind>, log::Error> {
        let mut context = self.log.context()?;
        for kind in &closing.unsaid {
            if let EventKind::ContextAppended { entries, .. } = kind {
                context.extend(entries.iter().cloned());
            }
        }
        let mut entries: Vec<Entry> = context::unanswered(&context)
            .into_iter()
            .map(|(call_id, freeform)| context::aborted(call_id, freeform))
            .collect();
        let why = match closing.how {
            How::Completed | How::Failed(_) => None,
            How::Interrupted(InterruptReason::Person) => {
                Some("The person stopped the turn. Its commands were ended; what they had done stays.")
            }
            How::Interrupted(InterruptReason::Crash) => Some(
                "The program ended in the middle of the turn. Commands that ran may have done a part of their work.",
            ),
            How::Interrupted(InterruptReason::Shutdown) => {
                Some("The program was closed in the middle of the turn. Its commands were ended.")
            }
        };
        if let Some(why) = why {
            let note = format!("<turn_aborted>\n{why}\n</turn_aborted>");
            entries.push(Entry::text(Role::Developer, note));
        }
        let turn_id = closing.turn_id.clone();
        Ok((!entries.is_empty()).then_some(EventKind::ContextAppended { turn_id, entries }))
    }

    /// Ends what the turn left open: questions as no longer needed, items as interrupted. A command that goes on in the
    /// background goes on.
    fn left_open(&self, closing: &Closing) -> Vec<EventKind> {
        let turn_id = &closing.turn_id;
        let state = self.log.state();
        let ends_unsaid = |id: &ItemId| {
            let ends = |it: &EventKind| matches!(it, EventKind::ItemCompleted { item, .. } if item.id == *id);
            closing.unsaid.iter().any(ends)
        };
        let questions = state.approvals.iter().filter(|it| it.turn_id == *turn_id);
        let questions = questions.map(|it| EventKind::ApprovalResolved {
            approval_id: it.id.clone(),
            decision: protocol::approval::Decision::Decline {
                note: None,
                interrupt: true,
            },
            by: protocol::approval::DecidedBy::Nobody,
        });
        let background = match closing.how {
            How::Completed | How::Failed(_) => self.processes.background(),
            How::Interrupted(_) => Vec::new(),
        };
        let items = state.open_items.iter();
        let items = items
            .filter(|(id, item)| id == turn_id && !background.contains(&item.id) && !ends_unsaid(&item.id))
            .map(|(id, item)| self.cut_off(id, item));
        questions.chain(items).collect()
    }

    /// The end of an item that will never end by itself.
    pub(super) fn cut_off(&self, turn_id: &TurnId, item: &Item) -> EventKind {
        EventKind::ItemCompleted {
            turn_id: turn_id.clone(),
            item: Item {
                status: ItemStatus::Interrupted,
                ended_ms: Some(self.shared.clock.now_ms()),
                ..item.clone()
            },
        }
    }
}
