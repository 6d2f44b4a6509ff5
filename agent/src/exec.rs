//! Runs the processes of one thread: starts them, keeps their output, takes input, and leaves none behind.

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use protocol::item::OutputRef;
use protocol::{ItemId, ItemKind, ItemStatus};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::blob;
use crate::sandbox::Spawn;
use crate::tool::Recorder;

mod child;
mod kill;
mod pump;
mod window;

pub use window::{Shown, Window};

/// The variable by which the processes of a command are found again, wherever they hide.
pub const MARK: &str = "ZSPARK_PROCESS";

/// How many processes of a thread may run at once: a model that forgets what it started must not fill the machine.
const MOST: usize = 32;

/// Where the whole output of one command goes.
pub trait Sink: Send {
    /// Takes the next bytes.
    ///
    /// # Errors
    /// When they cannot be kept; the command goes on.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Ends it and says what was kept.
    fn finish(self: Box<Self>) -> OutputRef;
}

impl Sink for blob::Writer {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        Self::append(self, bytes)
    }

    fn finish(self: Box<Self>) -> OutputRef {
        Self::finish(*self)
    }
}

/// Opens the place for a command's output.
pub type Outputs = Arc<dyn Fn(&ItemId) -> io::Result<Box<dyn Sink>> + Send + Sync>;

/// Why a process could not be started or reached.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It could not be started.
    #[error("cannot start {program}: {source}")]
    Start {
        /// What.
        program: String,
        /// Why.
        source: io::Error,
    },
    /// The terminal could not be made.
    #[error("cannot open a terminal: {0}")]
    Terminal(String),
    /// No such process.
    #[error("unknown process id {0}")]
    Unknown(u32),
    /// It takes no input.
    #[error("the input of this process is closed; start it with tty=true to type into it")]
    InputClosed,
    /// Too many run already.
    #[error("{MOST} processes of this thread are running already; end one of them first")]
    TooMany,
}

/// A process to start.
pub struct Start {
    /// What.
    pub spawn: Spawn,
    /// In a terminal.
    pub tty: bool,
    /// The item that shows it.
    pub item: ItemId,
    /// The item's content as it begins: an [`ItemKind::Command`].
    pub kind: ItemKind,
    /// It may be that the sandbox refuses something.
    pub confined: bool,
    /// Where live output and the end are reported to.
    pub recorder: Arc<dyn Recorder>,
    /// Kills it.
    pub stop: CancellationToken,
}

/// The processes of one thread. Dropping kills them all.
pub struct Processes {
    outputs: Outputs,
    running: Mutex<BTreeMap<u32, Arc<Process>>>,
    next: AtomicU32,
    tasks: Mutex<JoinSet<()>>,
    starter: child::Starter,
    /// Begins the mark of each process.
    mark: String,
    /// Some process had nobody to end its descendants.
    loose: AtomicBool,
}

/// One process, as its callers see it.
pub struct Process {
    /// The number by which the model reaches it.
    pub id: u32,
    /// The item that shows it.
    pub item: ItemId,
    state: Mutex<State>,
    ended: watch::Receiver<bool>,
    input: Option<mpsc::Sender<Vec<u8>>>,
    kill: CancellationToken,
    target: kill::Target,
}

struct State {
    /// What the model has not read yet.
    unread: Window,
    /// The item as it stands.
    kind: ItemKind,
    /// Nobody waits for the end any more, so the pump reports it.
    detached: bool,
    interrupted: bool,
}

/// How a process is, and what it wrote since somebody last looked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// What it wrote, cut to what fits.
    pub shown: Shown,
    /// The item as it stands; complete when the process ended.
    pub kind: ItemKind,
    /// How it ended; `None` while it runs.
    pub ended: Option<ItemStatus>,
    /// How long the caller waited.
    pub waited: Duration,
}

impl Processes {
    /// None yet. `outputs` keeps what they write.
    #[must_use]
    pub fn new(outputs: Outputs) -> Arc<Self> {
        Arc::new(Self {
            outputs,
            running: Mutex::default(),
            next: AtomicU32::new(1),
            tasks: Mutex::default(),
            starter: child::Starter::default(),
            mark: uuid::Uuid::now_v7().to_string(),
            loose: AtomicBool::new(false),
        })
    }

    /// Starts one.
    ///
    /// # Errors
    /// When it cannot be started.
    pub async fn start(&self, mut start: Start) -> Result<Arc<Process>, Error> {
        self.make_room()?;
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let mark = format!("{}.{id}.", self.mark);
        start.spawn.env.insert(MARK.to_owned(), mark.clone());
        let supervised = start.spawn.supervised;
        self.loose.fetch_or(!supervised, Ordering::Relaxed);
        let mut child = self.starter.start(&start.spawn, start.tty).await?;
        let target = kill::Target {
            pid: child.pid,
            supervised,
            mark,
        };
        let sink =
            (self.outputs)(&start.item).inspect_err(|error| tracing::warn!(%error, "a command's output is not kept"));
        let (ended_tx, ended) = watch::channel(false);
        let process = Arc::new(Process {
            id,
            item: start.item,
            state: Mutex::new(State {
                unread: Window::new(window::MOST),
                kind: start.kind,
                detached: false,
                interrupted: false,
            }),
            ended,
            input: child.input.take(),
            kill: start.stop.child_token(),
            target: target.clone(),
        });
        lock(&self.running).insert(id, Arc::clone(&process));
        let pump = pump::Pump {
            process: Arc::clone(&process),
            child,
            target,
            sink: sink.ok(),
            recorder: start.recorder,
            confined: start.confined,
            ended: ended_tx,
        };
        let mut tasks = lock(&self.tasks);
        while tasks.try_join_next().is_some() {}
        tasks.spawn(pump.run());
        drop(tasks);
        Ok(process)
    }

    /// Forgets the oldest process that has ended unseen, when there are too many.
    fn make_room(&self) -> Result<(), Error> {
        let mut running = lock(&self.running);
        if running.len() < MOST {
            return Ok(());
        }
        let ended = running
            .values()
            .find(|it| it.has_ended())
            .map(|it| it.id)
            .ok_or(Error::TooMany)?;
        running.remove(&ended);
        Ok(())
    }

    /// Its end was seen, so its number means nothing any more.
    pub fn forget(&self, id: u32) {
        lock(&self.running).remove(&id);
    }

    /// The running process of this number.
    ///
    /// # Errors
    /// When none has it, or it has ended and was looked at.
    pub fn get(&self, id: u32) -> Result<Arc<Process>, Error> {
        lock(&self.running).get(&id).cloned().ok_or(Error::Unknown(id))
    }

    /// None runs.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        lock(&self.running).values().all(|it| it.has_ended())
    }

    /// Waits until those that run now have ended.
    pub async fn ended(&self) {
        let all: Vec<_> = lock(&self.running).values().cloned().collect();
        for process in all {
            process.wait().await;
        }
    }

    /// The items of those that run on after their call was answered. Their ends are reported, or just have been.
    #[must_use]
    pub fn background(&self) -> Vec<ItemId> {
        let running = lock(&self.running);
        let detached = running.values().filter(|it| lock(&it.state).detached);
        detached.map(|it| it.item.clone()).collect()
    }

    /// Kills all of them and waits until they are gone.
    pub async fn stop(&self) {
        let all: Vec<_> = lock(&self.running).values().cloned().collect();
        for process in &all {
            process.kill();
        }
        for process in &all {
            process.wait().await;
        }
        // Each reports its end last.
        let mut tasks = std::mem::take(&mut *lock(&self.tasks));
        while tasks.join_next().await.is_some() {}
        if self.loose.load(Ordering::Relaxed) {
            kill::marked(&self.mark);
        }
    }
}

impl Drop for Processes {
    fn drop(&mut self) {
        // The tasks end with the set, so they can no longer do it themselves.
        for process in lock(&self.running).values().filter(|it| !it.has_ended()) {
            kill::now(&process.target);
        }
        if self.loose.load(Ordering::Relaxed) {
            kill::marked(&self.mark);
        }
    }
}

impl Process {
    /// Waits until it ends, or for `patience`, or until `stop`; then says how it is. The output is handed out once.
    pub async fn look(&self, patience: Duration, limit: usize, stop: &CancellationToken) -> Look {
        let began = Instant::now();
        tokio::select! {
            () = self.wait() => {}
            () = stop.cancelled() => { self.kill(); self.wait().await; }
            () = tokio::time::sleep(patience) => {}
        }
        let mut state = lock(&self.state);
        let ended = self.has_ended().then(|| status(&state));
        Look {
            shown: state.unread.take(limit),
            kind: state.kind.clone(),
            ended,
            waited: began.elapsed(),
        }
    }

    /// From now on its end is reported to the recorder, unless it has come: then says how.
    /// `before` is called with the item while that is being settled, so that its news comes before the end.
    pub fn detach(&self, before: impl FnOnce(&ItemKind)) -> Option<(ItemKind, ItemStatus)> {
        let mut state = lock(&self.state);
        if self.has_ended() {
            return Some((state.kind.clone(), status(&state)));
        }
        if let ItemKind::Command { process, .. } = &mut state.kind {
            *process = Some(self.id);
        }
        before(&state.kind);
        state.detached = true;
        None
    }

    /// Types into it.
    ///
    /// # Errors
    /// When it takes no input.
    pub async fn write(&self, bytes: Vec<u8>) -> Result<(), Error> {
        let input = self.input.as_ref().ok_or(Error::InputClosed)?;
        input.send(bytes).await.map_err(|_| Error::InputClosed)
    }

    /// Ends it and all it started. Returns at once.
    pub fn kill(&self) {
        self.kill.cancel();
    }

    fn has_ended(&self) -> bool {
        *self.ended.borrow()
    }

    /// Waits for its end.
    pub async fn wait(&self) {
        let mut ended = self.ended.clone();
        // An error means that the pump is gone, which is an end too.
        let _ = ended.wait_for(|it| *it).await;
    }
}

fn status(state: &State) -> ItemStatus {
    if state.interrupted {
        return ItemStatus::Interrupted;
    }
    if matches!(&state.kind, ItemKind::Command { exit_code: Some(0), .. }) {
        ItemStatus::Completed
    } else {
        ItemStatus::Failed
    }
}

/// A panic elsewhere does not make the map of processes less true.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
