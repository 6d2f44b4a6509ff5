//! How a turn begins, goes on after a restart, and ends.

use std::sync::Arc;

use protocol::context::{Content, Entry, Role};
use protocol::thread::{Input, InterruptReason, ThreadSettings};
use protocol::{Code, EventKind, Failure, Item, ItemId, ItemKind, ItemStatus, TurnId};
use tokio::task::JoinError;
use tokio_util::sync::CancellationToken;

use super::{Actor, Ended, LogRecorder, Running};
use crate::context::{self, Facts};
use crate::sandbox::Policy;
use crate::tool::Cx;
use crate::turn::{self, Asker, Seams, Steer};
use crate::{artifact, attachment, files, instructions};

impl Actor {
    /// Begins a turn with a prompt. Fails before anything is written, so that the prompt stays in the composer.
    pub(super) async fn begin_turn(
        &mut self,
        item_id: ItemId,
        input: Input,
        schema: Option<serde_json::Value>,
    ) -> Result<TurnId, Failure> {
        let folder = files::check_folder(self.cwd());
        if let Some(failure) = folder.failure.filter(|_| !folder.usable) {
            return Err(failure);
        }
        let settings = self.log.state().summary.settings.clone();
        let turn_id = TurnId::new();
        let seams = self.seams(&turn_id, settings.clone(), schema).await?;
        let (message, entry) = self.take_input(item_id, input, false).await?;
        let mut entries = self.preamble(&seams)?;
        entries.push(entry);
        self.log.append_all(vec![
            EventKind::TurnStarted {
                turn_id: turn_id.clone(),
                settings,
            },
            EventKind::ItemCompleted {
                turn_id: turn_id.clone(),
                item: message,
            },
            EventKind::ContextAppended {
                turn_id: turn_id.clone(),
                entries,
            },
        ])?;
        self.spawn(turn_id.clone(), seams);
        Ok(turn_id)
    }

    fn spawn(&mut self, turn_id: TurnId, seams: Seams) {
        let stop = seams.cx.stop.clone();
        let steer = Arc::clone(&seams.steer);
        let running = Running {
            turn_id: turn_id.clone(),
            stop: stop.clone(),
            steer,
            reason: InterruptReason::Person,
        };
        self.running = Some(running);
        self.tasks.spawn(async move {
            let result = turn::run(&seams, &turn_id, &stop).await;
            let finished = seams.checkpoints.finish(&seams.cx.thread_id, &turn_id).await;
            let (changes, note) = match finished {
                Ok(it) => (it.changes, it.note),
                Err(error) => (Vec::new(), Some(error.into())),
            };
            Ended { result, changes, note }
        });
    }

    async fn seams(
        &self,
        turn_id: &TurnId,
        settings: ThreadSettings,
        output_schema: Option<serde_json::Value>,
    ) -> Result<Seams, Failure> {
        let shared = &self.shared;
        let effective = shared.config().for_folder(self.cwd())?;
        let provider = shared.provider(&settings.provider).await?;
        let policy = Policy {
            mode: settings.sandbox,
            cwd: self.cwd.clone(),
            writable_roots: effective.writable_roots.value.clone(),
            network: effective.network.value,
        };
        let environment = effective.shell_environment.apply(shared.config().env());
        let recorder = LogRecorder {
            log: self.log.clone(),
            turn_id: turn_id.clone(),
            clock: shared.clock.clone(),
        };
        let cx = Cx {
            thread_id: self.id.clone(),
            turn_id: turn_id.clone(),
            cwd: self.cwd.clone(),
            policy,
            home: shared.home.clone(),
            clock: shared.clock.clone(),
            recorder: Arc::new(recorder),
            stop: CancellationToken::new(),
        };
        let asker = Asker {
            rules: shared.rules.clone(),
            pending: self.pending.clone(),
            policy: settings.approval,
            attended: shared.attended,
        };
        Ok(Seams {
            log: self.log.clone(),
            provider,
            tools: shared.tools(&self.processes, environment),
            asker,
            cx,
            settings,
            output_schema,
            steer: Arc::new(Steer::new()),
            checkpoints: shared.checkpoints.clone(),
            clock: shared.clock.clone(),
        })
    }

    /// What the model is told before this turn's prompt.
    fn preamble(&self, seams: &Seams) -> Result<Vec<Entry>, Failure> {
        let effective = self.shared.config().for_folder(self.cwd())?;
        let documents = instructions::discover(&self.shared.home, self.cwd(), effective.project_doc_max_bytes);
        let now = jiff::Timestamp::from_millisecond(i64::try_from(self.shared.clock.now_ms()).unwrap_or_default())
            .unwrap_or_default()
            .to_zoned(jiff::tz::TimeZone::system());
        let facts = Facts {
            policy: &seams.cx.policy,
            approval: seams.settings.approval,
            documents: &documents,
            shell: context::shell_name(&self.shared.shell),
            date: &now.strftime("%Y-%m-%d").to_string(),
            timezone: now.time_zone().iana_name().unwrap_or("UTC"),
        };
        Ok(context::preamble(&self.log.context()?, &facts))
    }

    /// Makes what the person gave into an item and an entry. Attached files are copied here, so this may take a while.
    pub(super) async fn take_input(&self, id: ItemId, input: Input, steer: bool) -> Result<(Item, Entry), Failure> {
        let taken = attachment::take(&self.shared.home, &self.id, self.cwd(), &input.attachments).await?;
        let mut content = vec![Content::Text {
            text: input.text.clone(),
        }];
        let mut attachments = Vec::with_capacity(taken.len());
        for (attachment, parts) in taken {
            attachments.push(attachment);
            content.extend(parts);
        }
        let now = self.shared.clock.now_ms();
        let kind = ItemKind::UserMessage {
            text: input.text,
            attachments,
            steer,
        };
        let item = Item {
            id,
            status: ItemStatus::Completed,
            started_ms: now,
            ended_ms: Some(now),
            kind,
        };
        Ok((
            item,
            Entry::Message {
                role: Role::User,
                content,
                id: None,
            },
        ))
    }

    pub(super) async fn turn_ended(&mut self, ended: Result<Ended, JoinError>) {
        let Some(running) = self.running.take() else { return };
        running.steer.close();
        let turn_id = running.turn_id;
        let ended = ended.unwrap_or_else(|panic| {
            tracing::error!(%panic, "a turn panicked");
            let failure = Failure::new(Code::Internal, "zspark made a mistake and this turn had to end.")
                .hint("Nothing else is affected. Send the message again, and please report this.")
                .details(panic.to_string());
            Ended {
                result: Err(failure.into()),
                changes: Vec::new(),
                note: None,
            }
        });
        let completed = ended.result.is_ok();
        if let Err(error) = self.close_turn(&turn_id, running.reason, ended).await {
            tracing::error!(%error, "the end of a turn could not be kept");
            return;
        }
        if completed && !self.closing {
            self.next_in_queue().await;
        }
    }

    async fn close_turn(
        &mut self,
        turn_id: &TurnId,
        reason: InterruptReason,
        ended: Ended,
    ) -> Result<(), crate::log::Error> {
        let mut kinds = Vec::new();
        if let Some(failure) = ended.note {
            kinds.push(self.completed(turn_id, ItemKind::Error { failure }));
        }
        let known = self.log.state().artifacts.clone();
        for artifact in artifact::found(&ended.changes, &known, &self.shared.blobs).await {
            kinds.push(self.completed(turn_id, ItemKind::Artifact { artifact }));
        }
        match ended.result {
            Ok(()) => kinds.push(EventKind::TurnCompleted {
                turn_id: turn_id.clone(),
            }),
            Err(turn::Error::Interrupted) => {
                self.processes.stop().await;
                kinds.extend(self.interrupted(turn_id, reason));
            }
            Err(turn::Error::Failed(failure)) => {
                kinds.extend(self.left_open(turn_id));
                kinds.push(EventKind::TurnFailed {
                    turn_id: turn_id.clone(),
                    failure,
                });
            }
            Err(turn::Error::Log(error)) => {
                kinds.extend(self.left_open(turn_id));
                kinds.push(EventKind::TurnFailed {
                    turn_id: turn_id.clone(),
                    failure: error.into(),
                });
            }
        }
        self.log.append_all(kinds)?;
        self.log.sync()
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

    /// The facts that end a stopped turn: its items, its questions, a word to the model.
    fn interrupted(&self, turn_id: &TurnId, reason: InterruptReason) -> Vec<EventKind> {
        let mut kinds = self.left_open(turn_id);
        let why = match reason {
            InterruptReason::Person => {
                "The person stopped the turn. Its commands were ended; what they had done stays."
            }
            InterruptReason::Crash => {
                "The program ended in the middle of the turn. Commands that ran may have done a part of their work."
            }
            InterruptReason::Shutdown => "The program was closed in the middle of the turn. Its commands were ended.",
        };
        let note = format!("<turn_aborted>\n{why}\n</turn_aborted>");
        let entries = context::unanswered(&self.log.context().unwrap_or_default())
            .into_iter()
            .map(|(call_id, freeform)| context::aborted(call_id, freeform))
            .chain([Entry::text(Role::Developer, note)])
            .collect();
        kinds.push(EventKind::ContextAppended {
            turn_id: turn_id.clone(),
            entries,
        });
        kinds.push(EventKind::TurnInterrupted {
            turn_id: turn_id.clone(),
            reason,
        });
        kinds
    }

    /// Ends what the turn left open: items as interrupted, questions as no longer needed.
    fn left_open(&self, turn_id: &TurnId) -> Vec<EventKind> {
        let state = self.log.state();
        let now = self.shared.clock.now_ms();
        let questions =
            state
                .approvals
                .iter()
                .filter(|it| it.turn_id == *turn_id)
                .map(|it| EventKind::ApprovalResolved {
                    approval_id: it.id.clone(),
                    decision: protocol::approval::Decision::Decline {
                        note: None,
                        interrupt: true,
                    },
                    by: protocol::approval::DecidedBy::Nobody,
                });
        let items = state
            .open_items
            .iter()
            .filter(|(id, _)| id == turn_id)
            .map(|(id, item)| EventKind::ItemCompleted {
                turn_id: id.clone(),
                item: Item {
                    status: ItemStatus::Interrupted,
                    ended_ms: Some(now),
                    ..item.clone()
                },
            });
        questions.chain(items).collect()
    }

    /// Takes the next waiting prompt, if there is one. A prompt that cannot begin stays in the queue, and its thread says why.
    pub(super) async fn next_in_queue(&mut self) {
        let Some(next) = self.log.state().queue.first().cloned() else {
            return;
        };
        if let Err(error) = self.log.append(EventKind::InputDequeued { id: next.id.clone() }) {
            tracing::error!(%error, "a waiting prompt could not be taken up");
            return;
        }
        if let Err(failure) = self.begin_turn(next.id.clone(), next.input.clone(), None).await {
            let turn_id = TurnId::new();
            let kinds = vec![
                EventKind::InputQueued { queued: next },
                EventKind::TurnStarted {
                    turn_id: turn_id.clone(),
                    settings: self.log.state().summary.settings.clone(),
                },
                EventKind::TurnFailed { turn_id, failure },
            ];
            if let Err(error) = self.log.append_all(kinds) {
                tracing::error!(%error, "why a waiting prompt did not begin could not be kept");
            }
        }
    }

    /// Puts right what a crash left: a turn that waits for an answer goes on waiting, any other is ended.
    pub(super) async fn recover(&mut self) {
        let state = self.log.state();
        let Some(turn_id) = state.open_turn.clone() else {
            let left: Vec<EventKind> = state.open_items.iter().flat_map(|(id, _)| self.left_open(id)).collect();
            if !left.is_empty()
                && let Err(error) = self.log.append_all(left)
            {
                tracing::error!(%error, "items left open could not be closed");
            }
            return;
        };
        if state.approvals.iter().any(|it| it.turn_id == turn_id) {
            match self.go_on_waiting(&turn_id).await {
                Ok(()) => return,
                Err(failure) => tracing::warn!(%failure, "a turn that waited for an answer cannot go on"),
            }
        }
        let finished = self.shared.checkpoints.finish(&self.id, &turn_id).await;
        let changes = finished.map(|it| it.changes).unwrap_or_default();
        let ended = Ended {
            result: Err(turn::Error::Interrupted),
            changes,
            note: None,
        };
        if let Err(error) = self.close_turn(&turn_id, InterruptReason::Crash, ended).await {
            tracing::error!(%error, "a turn left open by a crash could not be closed");
        }
    }

    /// Takes a parked turn up again: calls that ran are answered as aborted, those that ask ask on.
    async fn go_on_waiting(&mut self, turn_id: &TurnId) -> Result<(), Failure> {
        let state = self.log.state();
        let seams = self.seams(turn_id, state.summary.settings.clone(), None).await?;
        let waits = |call_id: &str| state.approvals.iter().any(|it| it.call_id == call_id);
        let waiting_items: Vec<&ItemId> = state.approvals.iter().map(|it| &it.item_id).collect();
        let now = self.shared.clock.now_ms();
        let mut kinds: Vec<EventKind> = state
            .open_items
            .iter()
            .filter(|(_, item)| !waiting_items.contains(&&item.id))
            .map(|(id, item)| EventKind::ItemCompleted {
                turn_id: id.clone(),
                item: Item {
                    status: ItemStatus::Interrupted,
                    ended_ms: Some(now),
                    ..item.clone()
                },
            })
            .collect();
        let entries: Vec<Entry> = context::unanswered(&self.log.context()?)
            .into_iter()
            .filter(|(call_id, _)| !waits(call_id))
            .map(|(call_id, freeform)| context::aborted(call_id, freeform))
            .collect();
        if !entries.is_empty() {
            kinds.push(EventKind::ContextAppended {
                turn_id: turn_id.clone(),
                entries,
            });
        }
        self.log.append_all(kinds)?;
        self.pending.park(&state.approvals);
        self.spawn(turn_id.clone(), seams);
        Ok(())
    }

    /// The program ends: a running turn is stopped and says so; one that waits for an answer is parked as it is.
    pub(super) async fn shut_down(&mut self) {
        self.closing = true;
        if let Some(running) = &mut self.running {
            if self.log.state().approvals.is_empty() {
                running.reason = InterruptReason::Shutdown;
                running.stop.cancel();
                if let Some(ended) = self.tasks.join_next().await {
                    self.turn_ended(ended).await;
                }
            } else {
                self.tasks.abort_all();
                self.running = None;
            }
        }
        self.processes.stop().await;
        if let Err(error) = self.log.sync() {
            tracing::error!(%error, "the log could not be flushed");
        }
    }
}
