//! The actor that owns one thread: a mailbox of requests, at most one turn, and the log that only it writes to.
//!
//! What a request does is in [`inbox`], how a turn begins in [`course`], how it ends in [`end`].

mod course;
mod end;
mod inbox;
mod shared;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use protocol::approval::Decision;
use protocol::change::TurnChange;
use protocol::request::{TurnRedo, TurnStarted, TurnUndo};
use protocol::thread::{Input, InterruptReason, ThreadSettingsPatch, ThreadSummary};
use protocol::{ApprovalId, Code, EventKind, Failure, ItemId, ItemKind, ItemStatus, Live, ThreadId, TurnId};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::checkpoint::{self, Finished};
use crate::exec::Processes;
use crate::log::Log;
use crate::tool::Recorder;
use crate::turn::{self, Pending, Steer, Unsaid};

use end::{AGAIN, Closing};
pub(crate) use shared::{Parts, Shared};

/// Where an answer goes.
pub(crate) type Reply<T> = oneshot::Sender<Result<T, Failure>>;

/// What a thread can be asked.
pub(crate) enum Message {
    /// Give it a prompt.
    Start(Input, Option<serde_json::Value>, Reply<TurnStarted>),
    /// Give input to the running turn.
    Steer(Input, Reply<()>),
    /// Stop the running turn.
    Interrupt(Reply<()>),
    /// Answer a question.
    Decide(ApprovalId, Decision, Reply<()>),
    /// Take a waiting prompt back.
    Unqueue(ItemId, Reply<()>),
    /// Write down a fact that needs nothing else: a title, a pin.
    Note(EventKind, Reply<()>),
    /// Change what it runs with.
    Settings(ThreadSettingsPatch, Reply<ThreadSummary>),
    /// Take changes back.
    Undo(TurnUndo, Reply<Vec<TurnChange>>),
    /// Make them again.
    Redo(TurnRedo, Reply<Vec<TurnChange>>),
    /// The program ends.
    Shutdown(oneshot::Sender<()>),
    /// Take it up, which puts right what a crash left.
    Look(Reply<()>),
    /// A new rule may cover questions that wait.
    Widened,
}

/// All threads that are taken up in this process.
#[derive(Default)]
pub(crate) struct Threads {
    mailboxes: Mutex<BTreeMap<ThreadId, mpsc::UnboundedSender<Message>>>,
    /// Threads being taken up wait for each other, so that none is taken up twice.
    opening: tokio::sync::Mutex<Actors>,
}

/// The tasks of all threads.
#[derive(Default)]
pub(crate) struct Actors {
    tasks: JoinSet<()>,
    /// The program ends: no thread is taken up any more.
    closed: bool,
}

impl Threads {
    /// Puts a message into a thread's mailbox, taking the thread up first where that is needed.
    pub(crate) async fn send(&self, shared: &Arc<Shared>, id: &ThreadId, message: Message) -> Result<(), Failure> {
        let Some(message) = self.post(id, message) else {
            return Ok(());
        };
        let mut actors = self.opening.lock().await;
        let Some(message) = self.post(id, message) else {
            return Ok(());
        };
        if actors.closed {
            return Err(Failure::new(Code::Conflict, "zspark is closing."));
        }
        while actors.tasks.try_join_next().is_some() {}
        let log = shared.logs.write(id).await?;
        let (sender, mailbox) = mpsc::unbounded_channel();
        let actor = Actor::new(Arc::clone(shared), log);
        actors.tasks.spawn(actor.run(mailbox));
        let sent = sender.send(message);
        self.mailboxes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(id.clone(), sender);
        sent.map_err(|_| Failure::new(Code::Internal, "the thread ended as it began"))
    }

    /// Puts a message into the mailbox of a thread that is taken up; gives it back where it is not.
    fn post(&self, id: &ThreadId, message: Message) -> Option<Message> {
        let mut mailboxes = self.mailboxes.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(mailbox) = mailboxes.get(id) else {
            return Some(message);
        };
        let returned = mailbox.send(message).err()?;
        mailboxes.remove(id);
        Some(returned.0)
    }

    /// True while the thread is taken up here.
    pub(crate) fn has(&self, id: &ThreadId) -> bool {
        self.mailboxes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .contains_key(id)
    }

    /// Tells every thread that a rule was added.
    pub(crate) fn widened(&self) {
        for mailbox in self.mailboxes.lock().unwrap_or_else(PoisonError::into_inner).values() {
            // A thread that has just ended has no questions.
            let _ = mailbox.send(Message::Widened);
        }
    }

    /// Ends all threads and waits for them.
    pub(crate) async fn shutdown(&self) {
        self.opening.lock().await.closed = true;
        let mailboxes = std::mem::take(&mut *self.mailboxes.lock().unwrap_or_else(PoisonError::into_inner));
        let mut ended = Vec::new();
        for mailbox in mailboxes.into_values() {
            let (done, wait) = oneshot::channel();
            if mailbox.send(Message::Shutdown(done)).is_ok() {
                ended.push(wait);
            }
        }
        for wait in ended {
            // An error means that the thread is gone already.
            let _ = wait.await;
        }
    }

    /// Ends one thread and waits for it. As long as what comes back is held, no thread is taken up.
    pub(crate) async fn end(&self, id: &ThreadId) -> tokio::sync::MutexGuard<'_, Actors> {
        let held = self.opening.lock().await;
        let mailbox = self.mailboxes.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
        let (done, wait) = oneshot::channel();
        if mailbox.is_some_and(|it| it.send(Message::Shutdown(done)).is_ok()) {
            // An error means that the thread is gone already.
            let _ = wait.await;
        }
        held
    }

    /// Forgets a thread if nobody wrote to it meanwhile.
    fn put_down(&self, id: &ThreadId, mailbox: &mpsc::UnboundedReceiver<Message>) -> bool {
        let mut mailboxes = self.mailboxes.lock().unwrap_or_else(PoisonError::into_inner);
        let unread = !mailbox.is_empty();
        if !unread {
            mailboxes.remove(id);
        }
        !unread
    }
}

/// The turn that runs.
struct Running {
    turn_id: TurnId,
    stop: CancellationToken,
    steer: Arc<Steer>,
    unsaid: Arc<Unsaid>,
    reason: InterruptReason,
}

impl Running {
    /// A turn that ran in a process that died.
    fn over(turn_id: TurnId, reason: InterruptReason) -> Self {
        Self {
            turn_id,
            stop: CancellationToken::new(),
            steer: Arc::new(Steer::new()),
            unsaid: Arc::default(),
            reason,
        }
    }
}

/// How a turn's task ended.
struct Ended {
    result: Result<(), turn::Error>,
    changes: Vec<protocol::change::FileChange>,
    note: Option<Failure>,
}

impl Ended {
    fn with(result: Result<(), turn::Error>, finished: Result<Finished, checkpoint::Error>) -> Self {
        let (changes, note) = match finished {
            Ok(it) => (it.changes, it.note),
            Err(error) => (Vec::new(), Some(error.into())),
        };
        Self { result, changes, note }
    }
}

struct Actor {
    shared: Arc<Shared>,
    log: Log,
    id: ThreadId,
    cwd: PathBuf,
    processes: Arc<Processes>,
    pending: Pending,
    running: Option<Running>,
    tasks: JoinSet<Ended>,
    /// A turn whose end could not be written down.
    unwritten: Option<Closing>,
    /// The program ends: nothing new begins.
    closing: bool,
}

impl Actor {
    fn new(shared: Arc<Shared>, log: Log) -> Self {
        let summary = log.state().summary.clone();
        Self {
            processes: Processes::new(shared::outputs(&log)),
            pending: Pending::new(),
            running: None,
            tasks: JoinSet::new(),
            unwritten: None,
            closing: false,
            id: summary.id,
            cwd: PathBuf::from(summary.cwd),
            shared,
            log,
        }
    }

    async fn run(mut self, mut mailbox: mpsc::UnboundedReceiver<Message>) {
        self.recover().await;
        loop {
            let at_rest = self.running.is_none() && self.unwritten.is_none();
            let idle = at_rest && self.processes.is_idle();
            let (processes, rest) = (Arc::clone(&self.processes), self.shared.rest);
            tokio::select! {
                biased;
                Some(ended) = self.tasks.join_next() => self.turn_ended(ended).await,
                message = mailbox.recv() => match message {
                    Some(Message::Shutdown(done)) => {
                        self.shut_down().await;
                        let _ = done.send(());
                        return;
                    }
                    Some(message) => self.handle(message).await,
                    None => return self.shut_down().await,
                },
                () = tokio::time::sleep(AGAIN), if self.unwritten.is_some() => self.close_again().await,
                // The last command in the background has ended: from then on nothing happens here.
                () = processes.ended(), if at_rest && !idle => {}
                () = tokio::time::sleep(rest), if idle => {
                    if self.shared.threads.put_down(&self.id, &mailbox) {
                        return;
                    }
                }
            }
        }
    }

    fn cwd(&self) -> &Path {
        &self.cwd
    }
}

/// Lets tools write to the thread's log.
struct LogRecorder {
    log: Log,
    turn_id: TurnId,
    clock: crate::clock::Clock,
}

impl LogRecorder {
    fn item(&self, id: &ItemId, kind: ItemKind, status: ItemStatus) -> Option<(TurnId, protocol::Item)> {
        let state = self.log.state();
        let (turn_id, open) = state.open_items.iter().find(|(_, item)| item.id == *id)?;
        Some((
            turn_id.clone(),
            protocol::Item {
                kind,
                status,
                ..open.clone()
            },
        ))
    }
}

impl Recorder for LogRecorder {
    fn update(&self, item: &ItemId, kind: ItemKind) {
        let Some((turn_id, item)) = self.item(item, kind, ItemStatus::InProgress) else {
            return;
        };
        if let Err(error) = self.log.append(EventKind::ItemUpdated { turn_id, item }) {
            tracing::error!(%error, turn = %self.turn_id, "an item's change could not be kept");
        }
    }

    fn live(&self, live: Live) {
        self.log.live(live);
    }

    fn complete_later(&self, item: &ItemId, kind: ItemKind, status: ItemStatus) {
        let Some((turn_id, mut item)) = self.item(item, kind, status) else {
            return;
        };
        item.ended_ms = Some(self.clock.now_ms());
        if let Err(error) = self.log.append(EventKind::ItemCompleted { turn_id, item }) {
            tracing::error!(%error, turn = %self.turn_id, "an item's end could not be kept");
        }
    }
}
