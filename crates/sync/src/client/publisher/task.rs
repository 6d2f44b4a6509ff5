//! The sending itself: one request at a time, orders in between, a lease that is kept as long as it is of use.

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use protocol::id::UserId;
use protocol::workspace::log::{Acked, Batch, Lease, LeaseRelease, LeaseRequest};
use reqwest::Method;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, sleep_until};

use super::{Order, Standing, Writing};
use crate::backoff::Backoff;
use crate::client::calls::{Calls, thread_path};
use crate::client::follower::on_disk;
use crate::outbox::{Outbox, Todo};
use crate::queue::{Queue, QueueError};
use crate::trouble::{Again, Trouble};

/// For how long the lease is asked for. It is renewed when a third of it has passed.
const LEASE_S: u64 = 60;
/// How long to wait at least while another machine has the lease.
const HELD: Duration = Duration::from_secs(2);

/// What a request answered.
enum Answer {
    Lease(Result<Lease, Trouble>),
    Batch(Result<Acked, Trouble>),
    Released(Result<(), Trouble>),
}

/// Somebody who waits for the lease to be given back.
type Release = (Option<UserId>, oneshot::Sender<Result<(), Trouble>>);

/// Sends one thread.
pub(super) struct Task {
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
    /// Of a queue, and its outbox.
    pub(super) fn new(
        calls: Calls,
        writing: Writing,
        queue: Queue,
        outbox: Outbox,
        (show, told): (watch::Sender<Standing>, mpsc::Receiver<Order>),
    ) -> Self {
        Self {
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
        }
    }

    /// Until nobody orders any more.
    pub(super) async fn run(mut self) {
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
                    let path = thread_path(&writing.workspace, &writing.thread, "/events");
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
                // Taken once: two machines that both want it must not take it from each other for ever.
                self.takes = false;
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
                let had_it = self.outbox.epoch().is_some();
                let todo = self.outbox.not_leased(&problem);
                self.is_held = todo == Todo::Held;
                self.wants_lease &= !had_it;
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
                // It moved to another machine. What is queued here still waits for its turn.
                self.wants_lease &= self.outbox.epoch().is_some();
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
