//! Writing a shared thread: events are safe on this machine when [`Publisher::append`] answers, and on the server when the line
//! and the lease allow it, in order and once, whatever crashes in between.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use protocol::id::{DeviceId, ThreadId, UserId, WorkspaceId};
use protocol::workspace::log::{Acked, Batch, Lease, LeaseRelease, LeaseRequest, NewEvent};
use reqwest::Method;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use super::calls::Calls;
use super::follower::on_disk;
use crate::backoff::Backoff;
use crate::outbox::{Outbox, Stuck, Todo};
use crate::queue::{Queue, QueueError};
use crate::trouble::{Again, Trouble};

/// For how long the lease is asked for. It is renewed when a third of it has passed.
const LEASE_S: u64 = 60;
/// Orders that wait for the one before them.
const ORDERS: usize = 64;
/// How long to wait at least while another machine has the lease.
const HELD: Duration = Duration::from_secs(2);

/// What a thread is written as.
#[derive(Debug, Clone)]
pub struct Writing {
    /// Where.
    pub workspace: WorkspaceId,
    /// Which.
    pub thread: ThreadId,
    /// This machine.
    pub device: DeviceId,
    /// A name for this machine's events in the thread, the same after every start: the queue's numbers are its own.
    pub producer: String,
    /// The file of the queue.
    pub queue: PathBuf,
}

/// How it stands.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Standing {
    /// The lease's epoch, while this machine has it.
    pub epoch: Option<u64>,
    /// The number of the newest event that is queued.
    pub last: u64,
    /// The server has the events up to this one.
    pub acked: u64,
    /// Another machine has the lease.
    pub is_held: bool,
    /// Somebody has to do something.
    pub stuck: Option<Stuck>,
    /// What went wrong the last time, if it did.
    pub trouble: Option<String>,
}

impl Standing {
    /// Whether the server has everything.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.acked >= self.last
    }
}

/// What the task is told.
#[derive(Debug)]
enum Order {
    Append(Vec<NewEvent>, oneshot::Sender<Result<(), Trouble>>),
    /// Have the lease even with nothing to send; take it from another machine if need be.
    Hold {
        take: bool,
    },
    /// Give the lease back when everything is sent, perhaps for somebody.
    Release(Option<UserId>, oneshot::Sender<Result<(), Trouble>>),
    /// Try again what was refused.
    Unstick,
}

/// Writes one thread. Dropping it ends the sending; what is queued stays queued.
#[derive(Debug)]
pub struct Publisher {
    orders: mpsc::Sender<Order>,
    standing: watch::Receiver<Standing>,
    _task: JoinSet<()>,
}

impl Publisher {
    pub(super) async fn open(calls: Calls, writing: Writing) -> Result<Self, Trouble> {
        let path = writing.queue.clone();
        let queue = on_disk(move || Queue::open(&path)).await?;
        let outbox = Outbox::new(queue.is_anchored(), queue.forgotten(), queue.last());
        let (orders, told) = mpsc::channel(ORDERS);
        let begins = Standing {
            last: outbox.last(),
            acked: outbox.has(),
            ..Standing::default()
        };
        let (show, standing) = watch::channel(begins);
        let task = Task {
            calls: Arc::new(calls),
            writing: Arc::new(writing),
            queue: Some(queue),
            outbox,
            show,
            told,
            wants_lease: false,
            takes: false,
            release: None,
            lease_until: None,
            renew_at: None,
            pause_until: None,
            backoff: Backoff::default(),
            is_held: false,
            trouble: None,
        };
        let mut tasks = JoinSet::new();
        tasks.spawn(task.run());
        Ok(Self {
            orders,
            standing,
            _task: tasks,
        })
    }

    /// Adds events in their order, and answers when they are on this machine's disk. They are sent by themselves.
    ///
    /// # Errors
    /// One of them is unfit or the disk refuses: none of them was added.
    pub async fn append(&self, events: Vec<NewEvent>) -> Result<(), Trouble> {
        let (done, answer) = oneshot::channel();
        self.order(Order::Append(events, done)).await?;
        answer.await.unwrap_or(Err(Trouble::Ended))
    }

    /// Waits until the server has everything that was added before.
    ///
    /// # Errors
    /// It is stuck: somebody has to do something first.
    pub async fn settled(&self) -> Result<(), Stuck> {
        let mut standing = self.standing.clone();
        let seen = standing.wait_for(|it| it.is_settled() || it.stuck.is_some()).await;
        match seen {
            Ok(standing) if standing.is_settled() => Ok(()),
            Ok(standing) => standing.stuck.clone().map_or(Ok(()), Err),
            Err(_) => Ok(()),
        }
    }

    /// Gets the lease, even with nothing to send, and keeps it until it is released. Answers its epoch.
    ///
    /// # Errors
    /// The lease is not for this person, or the client has ended. While another machine has it this waits, unless `take`.
    pub async fn hold(&self, take: bool) -> Result<u64, Trouble> {
        self.order(Order::Hold { take }).await?;
        let mut standing = self.standing.clone();
        let seen = standing.wait_for(|it| it.epoch.is_some() || it.stuck.is_some()).await;
        let standing = seen.map_err(|_| Trouble::Ended)?;
        match (standing.epoch, &standing.stuck) {
            (Some(epoch), _) => Ok(epoch),
            (None, Some(Stuck::Refused(problem))) => Err(Trouble::Refused(problem.clone())),
            (None, _) => Err(Trouble::Ended),
        }
    }

    /// Sends what is queued and gives the lease back, so that another machine need not wait for its end.
    ///
    /// # Errors
    /// The server cannot be reached or refuses. The lease ends by itself then.
    pub async fn release(&self, to: Option<UserId>) -> Result<(), Trouble> {
        let (done, answer) = oneshot::channel();
        self.order(Order::Release(to, done)).await?;
        answer.await.unwrap_or(Err(Trouble::Ended))
    }

    /// Tries again what was refused for good, after somebody did something about it.
    ///
    /// # Errors
    /// The client has ended.
    pub async fn unstick(&self) -> Result<(), Trouble> {
        self.order(Order::Unstick).await
    }

    /// How it stands, now and whenever that changes.
    #[must_use]
    pub fn standing(&self) -> watch::Receiver<Standing> {
        self.standing.clone()
    }

    async fn order(&self, order: Order) -> Result<(), Trouble> {
        self.orders.send(order).await.map_err(|_| Trouble::Ended)
    }
}

/// What a request answered.
enum Answer {
    Lease(Result<Lease, Trouble>),
    Batch(Result<Acked, Trouble>),
    Released(Result<(), Trouble>),
}

/// Somebody who waits for the lease to be given back.
type Release = (Option<UserId>, oneshot::Sender<Result<(), Trouble>>);

struct Task {
    calls: Arc<Calls>,
    writing: Arc<Writing>,
    /// Absent only while it is being written.
    queue: Option<Queue>,
    outbox: Outbox,
    show: watch::Sender<Standing>,
    told: mpsc::Receiver<Order>,
    wants_lease: bool,
    takes: bool,
    release: Option<Release>,
    /// By this machine's own clock, from before the request was sent: never later than by the server's.
    lease_until: Option<Instant>,
    renew_at: Option<Instant>,
    pause_until: Option<Instant>,
    backoff: Backoff,
    is_held: bool,
    trouble: Option<String>,
}

impl Task {
    async fn run(mut self) {
        let mut request: Option<BoxFuture<'static, Answer>> = None;
        loop {
            if request.is_none() {
                request = match self.begin().await {
                    Ok(request) => request,
                    Err(trouble) => {
                        // The disk refuses. Nothing can be sent that cannot be read.
                        self.wait_after(&trouble);
                        None
                    }
                };
            }
            self.tell();
            let alarm = self.alarm(request.is_some());
            tokio::select! {
                order = self.told.recv() => match order {
                    Some(order) => self.obey(order).await,
                    None => return,
                },
                answer = async { match &mut request { Some(it) => it.await, None => std::future::pending().await } } => {
                    request = None;
                    self.hear(answer).await;
                }
                () = async { match alarm { Some(at) => sleep_until(at).await, None => std::future::pending().await } } => self.strike(),
            }
        }
    }

    /// The next request, if one is due.
    async fn begin(&mut self) -> Result<Option<BoxFuture<'static, Answer>>, Trouble> {
        let now = Instant::now();
        if self.pause_until.is_some_and(|it| it > now) {
            return Ok(None);
        }
        self.pause_until = None;
        if self.outbox.epoch().is_some() && self.renew_at.is_some_and(|it| it <= now) && self.is_needed() {
            return Ok(Some(self.ask_lease(now)));
        }
        match self.outbox.todo() {
            Todo::Lease => Ok(Some(self.ask_lease(now))),
            Todo::Send { base, epoch } => {
                let events = self.with_queue(move |queue| queue.batch(base)).await;
                let events = match events {
                    Ok(events) => events,
                    Err(trouble) => {
                        self.outbox.no_answer();
                        return Err(trouble);
                    }
                };
                let batch = Batch {
                    producer_id: self.writing.producer.clone(),
                    lease_epoch: epoch,
                    base,
                    events,
                };
                let (calls, writing) = (self.calls.clone(), self.writing.clone());
                Ok(Some(Box::pin(async move {
                    let path = super::calls::thread_path(&writing.workspace, &writing.thread, "/events");
                    Answer::Batch(match path {
                        Ok(path) => calls.door().ask(Method::POST, &path, Some(&batch)).await,
                        Err(trouble) => Err(trouble),
                    })
                })))
            }
            Todo::Nothing if self.wants_lease && self.outbox.epoch().is_none() => Ok(Some(self.ask_lease(now))),
            Todo::Nothing | Todo::Stuck(_) => Ok(self.begin_release()),
            Todo::Wait(_) | Todo::Held => Ok(None),
        }
    }

    fn ask_lease(&mut self, now: Instant) -> BoxFuture<'static, Answer> {
        // Set from before the request: the server's own begins later, and no two clocks are compared.
        self.lease_until = Some(now + Duration::from_secs(LEASE_S));
        self.renew_at = Some(now + Duration::from_secs(LEASE_S) / 3);
        let asks = LeaseRequest {
            producer_id: self.writing.producer.clone(),
            device_id: self.writing.device.clone(),
            ttl_s: Some(LEASE_S),
            take: self.takes,
        };
        let (calls, writing) = (self.calls.clone(), self.writing.clone());
        Box::pin(async move { Answer::Lease(calls.lease(&writing.workspace, &writing.thread, &asks).await) })
    }

    fn begin_release(&mut self) -> Option<BoxFuture<'static, Answer>> {
        let (to, _) = self.release.as_ref()?;
        let Some(epoch) = self.outbox.epoch() else {
            self.released(Ok(()));
            return None;
        };
        let gives = LeaseRelease {
            producer_id: self.writing.producer.clone(),
            epoch,
            hand_to: to.clone(),
        };
        let (calls, writing) = (self.calls.clone(), self.writing.clone());
        Some(Box::pin(async move {
            Answer::Released(calls.release(&writing.workspace, &writing.thread, &gives).await)
        }))
    }

    fn released(&mut self, done: Result<(), Trouble>) {
        if let Some((_, waiting)) = self.release.take() {
            let _ = waiting.send(done);
        }
    }

    async fn obey(&mut self, order: Order) {
        match order {
            Order::Append(events, done) => {
                let added = self.with_queue(move |queue| queue.push(&events)).await;
                if let Ok(last) = added {
                    self.outbox.queued(last);
                }
                // Shown before it is answered, so that who asks next sees it.
                self.tell();
                // Whoever asked and left does not hear it; the events are kept.
                let _ = done.send(added.map(drop));
            }
            Order::Hold { take } => {
                self.wants_lease = true;
                self.takes = take;
                self.pause_until = None;
            }
            Order::Release(to, done) => {
                self.wants_lease = false;
                self.takes = false;
                self.released(Err(Trouble::Ended));
                self.release = Some((to, done));
            }
            Order::Unstick => {
                self.outbox.unstick();
                self.pause_until = None;
                self.trouble = None;
            }
        }
    }

    async fn hear(&mut self, answer: Answer) {
        match answer {
            Answer::Lease(Ok(lease)) => {
                self.fine();
                self.is_held = false;
                if let Some(number) = self.outbox.leased(&lease)
                    && let Err(trouble) = self.with_queue(move |queue| queue.anchor(number)).await
                {
                    // Nothing was sent yet: it begins again with the numbers that the queue has.
                    if let Some(queue) = &self.queue {
                        self.outbox = Outbox::new(queue.is_anchored(), queue.forgotten(), queue.last());
                    }
                    self.wait_after(&trouble);
                }
            }
            Answer::Lease(Err(Trouble::Refused(problem))) => {
                self.lease_until = None;
                let todo = self.outbox.not_leased(&problem);
                self.is_held = todo == Todo::Held;
                self.refused(todo, problem.message);
            }
            Answer::Batch(Ok(acked)) => {
                self.fine();
                self.outbox.acked(acked);
                let has = self.outbox.has();
                match self.with_queue(move |queue| queue.forget(has)).await {
                    Ok(()) => self.outbox.forgot(has),
                    Err(trouble) => self.wait_after(&trouble),
                }
            }
            Answer::Batch(Err(Trouble::Refused(problem))) => {
                let todo = self.outbox.not_acked(&problem);
                if matches!(todo, Todo::Lease | Todo::Send { .. }) {
                    // What is to do now is asked for again in the next round.
                    self.outbox.no_answer();
                }
                self.refused(todo, problem.message);
            }
            Answer::Lease(Err(trouble)) | Answer::Batch(Err(trouble)) => {
                self.outbox.no_answer();
                self.wait_after(&trouble);
            }
            Answer::Released(done) => {
                match &done {
                    Ok(()) => self.fine(),
                    Err(trouble) => self.trouble = Some(trouble.to_string()),
                }
                // Given back or not, nothing is sent under it any more: it ends by itself.
                self.end_lease();
                self.released(done);
            }
        }
    }

    fn refused(&mut self, todo: Todo, message: String) {
        self.trouble = Some(message);
        let wait = match todo {
            Todo::Wait(least) => self.backoff.next(least, rand::random()),
            Todo::Held => self.backoff.next(Some(HELD), rand::random()),
            Todo::Stuck(_) => {
                self.wants_lease = false;
                return;
            }
            Todo::Nothing | Todo::Lease | Todo::Send { .. } => self.backoff.next(None, rand::random()),
        };
        self.pause_until = Some(Instant::now() + wait);
    }

    fn wait_after(&mut self, trouble: &Trouble) {
        tracing::debug!(error = %trouble, "a thread cannot be sent now");
        self.trouble = Some(trouble.to_string());
        let least = match trouble.again() {
            Again::Later(least) => least,
            // Disks have room again, answers make sense again after an update: slowly.
            Again::Never => Some(Duration::from_secs(10)),
        };
        self.pause_until = Some(Instant::now() + self.backoff.next(least, rand::random()));
    }

    fn fine(&mut self) {
        self.backoff.reset();
        self.trouble = None;
    }

    /// Whether the lease is of use now.
    fn is_needed(&self) -> bool {
        self.wants_lease || !self.outbox.is_settled()
    }

    fn alarm(&self, is_asking: bool) -> Option<Instant> {
        if is_asking {
            return None;
        }
        let renew = self
            .renew_at
            .filter(|_| self.outbox.epoch().is_some() && self.is_needed());
        let ends = self.lease_until.filter(|_| self.outbox.epoch().is_some());
        let pause = self.pause_until.filter(|_| self.is_needed() || self.release.is_some());
        // While it waits, nothing else is tried.
        pause.or_else(|| [renew, ends].into_iter().flatten().min())
    }

    fn strike(&mut self) {
        let now = Instant::now();
        if self.lease_until.is_some_and(|it| it <= now) {
            self.end_lease();
        }
        if self.pause_until.is_some_and(|it| it <= now) {
            self.pause_until = None;
        }
    }

    fn end_lease(&mut self) {
        self.outbox.lease_ended();
        (self.lease_until, self.renew_at) = (None, None);
    }

    fn tell(&self) {
        let standing = Standing {
            epoch: self.outbox.epoch(),
            last: self.outbox.last(),
            acked: self.outbox.has(),
            is_held: self.is_held,
            stuck: self.outbox.stuck().cloned(),
            trouble: self.trouble.clone(),
        };
        self.show.send_if_modified(|old| {
            let is_new = *old != standing;
            *old = standing;
            is_new
        });
    }

    /// Reads or writes the queue where nobody waits for it.
    async fn with_queue<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&mut Queue) -> Result<T, QueueError> + Send + 'static,
    ) -> Result<T, Trouble> {
        let Some(mut queue) = self.queue.take() else {
            return Err(Trouble::Ended);
        };
        let (queue, done) = on_disk(move || {
            let done = work(&mut queue);
            Ok::<_, Trouble>((queue, done))
        })
        .await?;
        self.queue = Some(queue);
        Ok(done?)
    }
}
