//! Requests about threads and turns: most of them are put into a thread's mailbox.

use protocol::change::TurnChange;
use protocol::request::{
    ApprovalDecide, Done, QueueRemove, ThreadArchive, ThreadDelete, ThreadFork, ThreadPin, ThreadRead, ThreadRename,
    ThreadRestore, ThreadSettingsSet, ThreadStart, TurnChanges, TurnInterrupt, TurnRedo, TurnStart, TurnStarted,
    TurnSteer, TurnUndo,
};
use protocol::thread::{Input, Page, ThreadSummary};
use protocol::{Code, EventKind, Failure, ThreadId};
use std::path::Path;
use tokio::sync::oneshot;

use super::Engine;
use crate::thread::{Message, Reply};
use crate::{attachment, files};

impl Engine {
    async fn tell<T>(&self, id: &ThreadId, message: impl FnOnce(Reply<T>) -> Message) -> Result<T, Failure> {
        let (reply, answer) = oneshot::channel();
        self.shared.threads.send(&self.shared, id, message(reply)).await?;
        answer.await.unwrap_or_else(|_| {
            Err(Failure::new(Code::Internal, "The thread ended before it answered.").hint("Try again."))
        })
    }

    async fn note(&self, id: &ThreadId, kind: EventKind) -> Result<Done, Failure> {
        self.tell(id, |reply| Message::Note(kind, reply)).await?;
        Ok(Done {})
    }

    pub(super) async fn thread_start(&self, params: ThreadStart) -> Result<ThreadSummary, Failure> {
        let state = files::check_folder(Path::new(&params.cwd));
        if let Some(failure) = state.failure.filter(|_| !state.usable) {
            return Err(failure);
        }
        let config = self.shared.config();
        let settings = config.for_folder(Path::new(&params.cwd))?.thread(&params.settings)?;
        if let Err(error) = config.remember_folder(&params.cwd) {
            tracing::warn!(%error, "the folder could not be remembered");
        }
        let started = EventKind::ThreadStarted {
            thread_id: ThreadId::new(),
            cwd: params.cwd,
            settings,
            forked_from: None,
            version: env!("CARGO_PKG_VERSION").to_owned(),
        };
        let log = self.shared.logs.create(started).await?;
        Ok(log.state().summary.clone())
    }

    pub(super) async fn thread_read(&self, params: ThreadRead) -> Result<Page, Failure> {
        let ThreadRead {
            thread_id,
            before,
            reach,
        } = params;
        let page = self.shared.logs.page(&thread_id, before, reach).await?;
        if self.shared.threads.has(&thread_id) || !self.shared.logs.is_unfinished(&thread_id).await? {
            return Ok(page);
        }
        // A turn or a command was open when the program last ended: taking the thread up puts that right.
        let (reply, taken_up) = oneshot::channel();
        match self
            .shared
            .threads
            .send(&self.shared, &thread_id, Message::Look(reply))
            .await
        {
            Ok(()) => {
                let _ = taken_up.await;
                Ok(self.shared.logs.page(&thread_id, before, reach).await?)
            }
            // Another process has it: there the turn really runs. And what cannot be written can still be read.
            Err(failure) => {
                tracing::info!(%failure, "a thread is shown without being taken up");
                Ok(page)
            }
        }
    }

    pub(super) async fn thread_fork(&self, params: ThreadFork) -> Result<ThreadSummary, Failure> {
        let log = self
            .shared
            .logs
            .fork(&params.thread_id, params.before_turn.as_ref(), ThreadId::new())
            .await?;
        Ok(log.state().summary.clone())
    }

    pub(super) async fn thread_rename(&self, params: ThreadRename) -> Result<Done, Failure> {
        let title = params.title.split_whitespace().collect::<Vec<_>>().join(" ");
        self.note(&params.thread_id, EventKind::ThreadRenamed { title }).await
    }

    pub(super) async fn thread_pin(&self, params: ThreadPin) -> Result<Done, Failure> {
        self.note(&params.thread_id, EventKind::ThreadPinned { pinned: params.pinned })
            .await
    }

    pub(super) async fn thread_archive(&self, params: ThreadArchive) -> Result<Done, Failure> {
        self.note(
            &params.thread_id,
            EventKind::ThreadArchived {
                archived: params.archived,
            },
        )
        .await
    }

    pub(super) async fn thread_delete(&self, params: ThreadDelete) -> Result<Done, Failure> {
        let _held = self.shared.threads.end(&params.thread_id).await;
        self.shared.logs.delete(&params.thread_id).await?;
        Ok(Done {})
    }

    pub(super) async fn thread_restore(&self, params: ThreadRestore) -> Result<ThreadSummary, Failure> {
        self.shared.logs.restore(&params.thread_id).await?;
        Ok(self.shared.logs.summary(&params.thread_id).await?)
    }

    pub(super) async fn thread_settings(&self, params: ThreadSettingsSet) -> Result<ThreadSummary, Failure> {
        if let Some(id) = &params.settings.provider
            && self.shared.config().provider(id).is_none()
        {
            return Err(Failure::new(Code::NoProvider, format!("There is no provider `{id}`.")));
        }
        self.tell(&params.thread_id, |reply| Message::Settings(params.settings, reply))
            .await
    }

    pub(super) async fn turn_start(&self, params: TurnStart) -> Result<TurnStarted, Failure> {
        something(&params.input)?;
        let input = self.keep_attachments(&params.thread_id, params.input).await?;
        self.tell(&params.thread_id, |reply| {
            Message::Start(input, params.output_schema, reply)
        })
        .await
    }

    pub(super) async fn turn_steer(&self, params: TurnSteer) -> Result<Done, Failure> {
        something(&params.input)?;
        let input = self.keep_attachments(&params.thread_id, params.input).await?;
        self.tell(&params.thread_id, |reply| Message::Steer(input, reply))
            .await?;
        Ok(Done {})
    }

    /// What may take long is done here, in the request, before the thread hears of it.
    async fn keep_attachments(&self, thread: &ThreadId, mut input: Input) -> Result<Input, Failure> {
        if !input.attachments.is_empty() {
            let cwd = self.shared.logs.summary(thread).await?.cwd;
            input.attachments = attachment::keep(&self.shared.home, thread, Path::new(&cwd), input.attachments).await?;
        }
        Ok(input)
    }

    pub(super) async fn turn_interrupt(&self, params: TurnInterrupt) -> Result<Done, Failure> {
        self.tell(&params.thread_id, Message::Interrupt).await?;
        Ok(Done {})
    }

    pub(super) async fn turn_changes(&self, params: TurnChanges) -> Result<Vec<TurnChange>, Failure> {
        Ok(self
            .shared
            .checkpoints
            .changes(&params.thread_id, params.turn_id.as_ref())
            .await?)
    }

    pub(super) async fn turn_undo(&self, params: TurnUndo) -> Result<Vec<TurnChange>, Failure> {
        let id = params.thread_id.clone();
        self.tell(&id, |reply| Message::Undo(params, reply)).await
    }

    pub(super) async fn turn_redo(&self, params: TurnRedo) -> Result<Vec<TurnChange>, Failure> {
        let id = params.thread_id.clone();
        self.tell(&id, |reply| Message::Redo(params, reply)).await
    }

    pub(super) async fn queue_remove(&self, params: QueueRemove) -> Result<Done, Failure> {
        self.tell(&params.thread_id, |reply| Message::Unqueue(params.id, reply))
            .await?;
        Ok(Done {})
    }

    pub(super) async fn approval_decide(&self, params: ApprovalDecide) -> Result<Done, Failure> {
        let ApprovalDecide {
            thread_id,
            approval_id,
            decision,
        } = params;
        self.tell(&thread_id, |reply| Message::Decide(approval_id, decision, reply))
            .await?;
        Ok(Done {})
    }
}

/// An empty prompt is a slip.
fn something(input: &Input) -> Result<(), Failure> {
    if input.text.trim().is_empty() && input.attachments.is_empty() {
        return Err(Failure::new(Code::InvalidRequest, "There is nothing to send.").hint("Type a message first."));
    }
    Ok(())
}
