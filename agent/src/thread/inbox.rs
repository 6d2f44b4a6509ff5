//! What each request does to a thread.

use protocol::approval::{DecidedBy, Decision};
use protocol::change::TurnChange;
use protocol::context::{Entry, Role};
use protocol::request::{TurnRedo, TurnStarted, TurnUndo};
use protocol::thread::{Input, InterruptReason, QueuedInput, ThreadSettingsPatch, ThreadSummary};
use protocol::{ApprovalId, Code, EventKind, Failure, ItemId, TurnId};

use super::course::Prompt;
use super::{Actor, Message};
use crate::turn::Claim;

impl Actor {
    pub(super) async fn handle(&mut self, message: Message) {
        // A surface that no longer waits for its answer has gone away; that is its right.
        match message {
            Message::Start(input, schema, reply) => {
                let _ = reply.send(self.start(input, schema).await);
            }
            Message::Steer(input, reply) => {
                let _ = reply.send(self.steer(input).await);
            }
            Message::Interrupt(reply) => {
                let _ = reply.send(self.interrupt());
            }
            Message::Decide(id, decision, reply) => {
                let _ = reply.send(self.decide(id, decision).await);
            }
            Message::Unqueue(id, reply) => {
                let _ = reply.send(self.unqueue(id));
            }
            Message::Note(kind, reply) => {
                let _ = reply.send(self.append(kind));
            }
            Message::Settings(patch, reply) => {
                let _ = reply.send(self.settings(patch));
            }
            Message::Undo(undo, reply) => {
                let _ = reply.send(self.undo(undo).await);
            }
            Message::Redo(redo, reply) => {
                let _ = reply.send(self.redo(redo).await);
            }
            Message::Look(reply) => {
                let _ = reply.send(Ok(()));
            }
            Message::Widened => self.pending.widen(),
            Message::Shutdown(_) => {}
        }
    }

    pub(super) fn append(&self, kind: EventKind) -> Result<(), Failure> {
        self.log.append(kind)?;
        Ok(())
    }

    async fn start(&mut self, input: Input, schema: Option<serde_json::Value>) -> Result<TurnStarted, Failure> {
        // Written down first: two turns at once would be open otherwise.
        self.close_again().await;
        if let Some(refused) = self.unwritten.as_ref().and_then(|it| it.refused.clone()) {
            return Err(refused);
        }
        if self.running.is_none() && self.log.state().queue.is_empty() {
            let item_id = ItemId::new();
            let turn_id = self
                .begin_turn(Prompt {
                    item_id: item_id.clone(),
                    input,
                    schema,
                    queued: false,
                })
                .await?;
            return Ok(TurnStarted {
                turn_id: Some(turn_id),
                item_id,
            });
        }
        let queued = QueuedInput {
            id: ItemId::new(),
            input,
            output_schema: schema,
        };
        let item_id = queued.id.clone();
        self.append(EventKind::InputQueued { queued })?;
        if self.running.is_none() {
            // The queue stood still after a stop; order is kept, so its head goes first.
            self.next_in_queue().await;
        }
        Ok(TurnStarted { turn_id: None, item_id })
    }

    async fn steer(&mut self, input: Input) -> Result<(), Failure> {
        let Some(running) = &self.running else {
            return self.start(input, None).await.map(|_| ());
        };
        let (turn_id, steer) = (running.turn_id.clone(), running.steer.clone());
        let (message, entry) = self.take_input(ItemId::new(), input.clone(), true).await?;
        let taken = steer.add(|| {
            let entries = vec![entry];
            self.log.append_all(vec![
                EventKind::ItemCompleted {
                    turn_id: turn_id.clone(),
                    item: message,
                },
                EventKind::ContextAppended { turn_id, entries },
            ])?;
            Ok(())
        })?;
        if taken {
            return Ok(());
        }
        // The turn said its last word in this very moment: the input becomes the next turn.
        let queued = QueuedInput {
            id: ItemId::new(),
            input,
            output_schema: None,
        };
        self.append(EventKind::InputQueued { queued })
    }

    fn interrupt(&mut self) -> Result<(), Failure> {
        if let Some(running) = &mut self.running {
            running.reason = InterruptReason::Person;
            running.stop.cancel();
        }
        Ok(())
    }

    async fn decide(&mut self, id: ApprovalId, decision: Decision) -> Result<(), Failure> {
        let over = || Failure::new(Code::Conflict, "This question is already answered.");
        if !self.log.state().approvals.iter().any(|it| it.id == id) {
            return Err(over());
        }
        if let Decision::Always { rule } = &decision {
            self.shared.rules.save(None, rule.clone(), "person").await?;
        }
        let claim = self.pending.claim(&id);
        if let Claim::Over = claim {
            return Err(over());
        }
        let resolved = EventKind::ApprovalResolved {
            approval_id: id.clone(),
            decision: decision.clone(),
            by: DecidedBy::Person,
        };
        // Where this fails the call is let go unanswered, and its turn ends.
        self.append(resolved)?;
        let widens = match &decision {
            Decision::Thread | Decision::Always { .. } => true,
            Decision::Once | Decision::Decline { .. } => false,
        };
        let kept = self.log.sync();
        match claim {
            // A turn that ended in this moment has no use for it.
            Claim::Waits(sender) => drop(sender.send(decision)),
            Claim::NotYet | Claim::Over => self.pending.answer_early(&id, decision),
        }
        if widens {
            self.shared.threads.widened();
        }
        Ok(kept?)
    }

    fn unqueue(&mut self, id: ItemId) -> Result<(), Failure> {
        if !self.log.state().queue.iter().any(|it| it.id == id) {
            return Err(Failure::new(Code::NotFound, "This prompt no longer waits."));
        }
        self.append(EventKind::InputDequeued { id })
    }

    fn settings(&mut self, patch: ThreadSettingsPatch) -> Result<ThreadSummary, Failure> {
        let now = self.log.state().summary.settings.clone();
        let chosen = ThreadSettingsPatch {
            provider: patch.provider.or(Some(now.provider)),
            model: patch.model.or(Some(now.model)),
            effort: patch.effort.or(now.effort),
            sandbox: patch.sandbox.or(Some(now.sandbox)),
            approval: patch.approval.or(Some(now.approval)),
        };
        let settings = self.shared.config().for_folder(self.cwd())?.thread(&chosen)?;
        if settings != self.log.state().summary.settings {
            self.append(EventKind::SettingsChanged { settings })?;
        }
        Ok(self.log.state().summary.clone())
    }

    async fn undo(&mut self, undo: TurnUndo) -> Result<Vec<TurnChange>, Failure> {
        self.refuse_while_running()?;
        let paths = undo.paths.map(|it| it.into_iter().map(Into::into).collect());
        let done = self
            .shared
            .checkpoints
            .undo(
                &self.id,
                &undo.turn_id,
                paths,
                undo.hunk.map(|it| it as usize),
                undo.force,
            )
            .await?;
        self.reverted(undo.turn_id, &done.paths, false)?;
        Ok(done.changes)
    }

    async fn redo(&mut self, redo: TurnRedo) -> Result<Vec<TurnChange>, Failure> {
        self.refuse_while_running()?;
        let paths = redo.paths.map(|it| it.into_iter().map(Into::into).collect());
        let done = self.shared.checkpoints.redo(&self.id, &redo.turn_id, paths).await?;
        self.reverted(redo.turn_id, &done.paths, true)?;
        Ok(done.changes)
    }

    fn refuse_while_running(&self) -> Result<(), Failure> {
        match self.running {
            None => Ok(()),
            Some(_) => Err(
                Failure::new(Code::Conflict, "The agent is working on these files right now.")
                    .hint("Stop the turn or wait for its end, then undo."),
            ),
        }
    }

    /// Writes down that files went back or forth, for people and for the model.
    fn reverted(&self, turn_id: TurnId, paths: &[std::path::PathBuf], redo: bool) -> Result<(), Failure> {
        if paths.is_empty() {
            return Ok(());
        }
        let paths: Vec<String> = paths.iter().map(|it| it.display().to_string()).collect();
        let what = if redo {
            "made again changes of yours that were taken back"
        } else {
            "took back changes of yours"
        };
        let note = format!(
            "<changes_reverted>\nThe person {what}: {}\n</changes_reverted>",
            paths.join(", ")
        );
        self.log.append_all(vec![
            EventKind::ChangesReverted {
                turn_id: turn_id.clone(),
                paths,
                redo,
            },
            EventKind::ContextAppended {
                turn_id,
                entries: vec![Entry::text(Role::Developer, note)],
            },
        ])?;
        Ok(())
    }
}
