//! How a turn begins, goes on after a restart, and ends.

use std::sync::Arc;

use protocol::context::{Content, Entry, Role};
use protocol::thread::{Input, InterruptReason, ThreadSettings};
use protocol::{EventKind, Failure, Item, ItemId, ItemKind, ItemStatus, TurnId};
use tokio_util::sync::CancellationToken;

use super::{Actor, Ended, LogRecorder, Running};
use crate::context::{self, Facts};
use crate::sandbox::{Policy, Temporary};
use crate::tool::Cx;
use crate::turn::{self, Asker, Seams, Steer, Tools};
use crate::{attachment, files, instructions};

/// What a turn begins with.
pub(super) struct Prompt {
    pub(super) item_id: ItemId,
    pub(super) input: Input,
    /// The answer must have this shape.
    pub(super) schema: Option<serde_json::Value>,
    /// It waited in the queue until now.
    pub(super) queued: bool,
}

impl Actor {
    /// Begins a turn with a prompt. Fails before anything is written, so that the prompt stays in the composer.
    pub(super) async fn begin_turn(&mut self, prompt: Prompt) -> Result<TurnId, Failure> {
        let Prompt {
            item_id,
            input,
            schema,
            queued,
        } = prompt;
        let folder = files::check_folder(self.cwd());
        if let Some(failure) = folder.failure.filter(|_| !folder.usable) {
            return Err(failure);
        }
        let settings = self.log.state().summary.settings.clone();
        let turn_id = TurnId::new();
        let seams = self.seams(&turn_id, settings.clone(), schema.clone()).await?;
        let (message, entry) = self.take_input(item_id.clone(), input, false).await?;
        let mut entries = self.preamble(&seams)?;
        entries.push(entry);
        // Taken out of the queue in the same write, so that it is never in neither place.
        let dequeued = queued.then_some(EventKind::InputDequeued { id: item_id });
        let mut kinds = Vec::from_iter(dequeued);
        kinds.extend([
            EventKind::TurnStarted {
                turn_id: turn_id.clone(),
                settings,
                output_schema: schema,
            },
            EventKind::ItemCompleted {
                turn_id: turn_id.clone(),
                item: message,
            },
            EventKind::ContextAppended {
                turn_id: turn_id.clone(),
                entries,
            },
        ]);
        self.log.append_all(kinds)?;
        self.spawn(turn_id.clone(), seams);
        Ok(turn_id)
    }

    fn spawn(&mut self, turn_id: TurnId, seams: Seams) {
        let stop = seams.cx.stop.clone();
        let steer = Arc::clone(&seams.steer);
        let unsaid = Arc::clone(&seams.unsaid);
        let running = Running {
            turn_id: turn_id.clone(),
            stop: stop.clone(),
            steer,
            unsaid,
            reason: InterruptReason::Person,
        };
        self.running = Some(running);
        self.tasks.spawn(async move {
            let result = turn::run(&seams, &turn_id, &stop).await;
            // Nobody reads what is said to it from here on, so that must wait for the next turn.
            seams.steer.close();
            Ended::with(result, seams.checkpoints.finish(&seams.cx.thread_id, &turn_id).await)
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
            temporary: Temporary {
                slash_tmp: effective.slash_tmp,
                tmpdir: effective.tmpdir,
            },
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
            tools: Tools::new(shared.tools(&self.processes, environment)),
            asker,
            cx,
            settings,
            output_schema,
            steer: Arc::new(Steer::new()),
            unsaid: Arc::default(),
            checkpoints: shared.checkpoints.clone(),
            clock: shared.clock.clone(),
        })
    }

    /// What the model is told before this turn's prompt.
    fn preamble(&self, seams: &Seams) -> Result<Vec<Entry>, Failure> {
        let effective = self.shared.config().for_folder(self.cwd())?;
        let documents = instructions::discover(
            &self.shared.home,
            self.cwd(),
            effective.project_doc_max_bytes,
            &effective.project_doc_fallback_filenames,
        );
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

    /// Takes the next waiting prompt, if there is one. A prompt that cannot begin stays in the queue, and its thread says why.
    pub(super) async fn next_in_queue(&mut self) {
        let Some(next) = self.log.state().queue.first().cloned() else {
            return;
        };
        let begun = self
            .begin_turn(Prompt {
                item_id: next.id,
                input: next.input,
                schema: next.output_schema,
                queued: true,
            })
            .await;
        if let Err(failure) = begun {
            let turn_id = TurnId::new();
            let kinds = vec![
                EventKind::TurnStarted {
                    turn_id: turn_id.clone(),
                    settings: self.log.state().summary.settings.clone(),
                    output_schema: None,
                },
                EventKind::TurnFailed { turn_id, failure },
            ];
            if let Err(error) = self.log.append_all(kinds) {
                tracing::error!(%error, "why a waiting prompt did not begin could not be kept");
            }
        }
    }

    /// Puts right what a crash left: a turn that waits for an answer goes on waiting, any other is ended. Commands that
    /// ran in the background run no more.
    pub(super) async fn recover(&mut self) {
        let state = self.log.state();
        let open_turn = state.open_turn.clone();
        let left = state.open_items.iter().filter(|(id, _)| Some(id) != open_turn.as_ref());
        let left: Vec<EventKind> = left.map(|(id, item)| self.cut_off(id, item)).collect();
        if !left.is_empty()
            && let Err(error) = self.log.append_all(left)
        {
            tracing::error!(%error, "items left open could not be closed");
        }
        let Some(turn_id) = open_turn else { return };
        let mut result = Err(turn::Error::Interrupted);
        if state.approvals.iter().any(|it| it.turn_id == turn_id) {
            match self.go_on_waiting(&turn_id).await {
                Ok(()) => return,
                Err(failure) => result = Err(failure.into()),
            }
        }
        let ended = self.ended(&turn_id, result).await;
        self.running = Some(Running::over(turn_id, InterruptReason::Crash));
        self.turn_ended(Ok(ended)).await;
    }

    /// Takes a parked turn up again: calls that ran are answered as aborted, those that ask ask on.
    async fn go_on_waiting(&mut self, turn_id: &TurnId) -> Result<(), Failure> {
        let state = self.log.state();
        let (settings, schema) = (state.summary.settings.clone(), state.open_schema.clone());
        let seams = self.seams(turn_id, settings, schema).await?;
        let waits = |call_id: &str| state.approvals.iter().any(|it| it.call_id == call_id);
        let waiting_items: Vec<&ItemId> = state.approvals.iter().map(|it| &it.item_id).collect();
        let cut_off = state
            .open_items
            .iter()
            .filter(|(id, item)| id == turn_id && !waiting_items.contains(&&item.id));
        let mut kinds: Vec<EventKind> = cut_off.map(|(id, item)| self.cut_off(id, item)).collect();
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
        if !kinds.is_empty() {
            self.log.append_all(kinds)?;
        }
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
                // Waited for, so that it writes nothing more.
                self.tasks.shutdown().await;
                self.running = None;
            }
        }
        self.close_again().await;
        self.processes.stop().await;
        if let Err(error) = self.log.sync() {
            tracing::error!(%error, "the log could not be flushed");
        }
    }
}
