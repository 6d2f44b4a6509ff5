//! Documents that people write together: one room for each that somebody has open, one journal that writes all of them down.
//! What a room shows is what the database has, plus what is on its way there.
//!
//! Start reading at [`room`]: its loop is the whole life of an open document.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use protocol::id::{UserId, WorkspaceId};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::bus::{Bus, Health, Hint};
use crate::clock::Clock;
use crate::config::{Config, Limits};
use crate::metrics::Metrics;
use crate::store::{Chain, Scope, Store};

mod bucket;
mod echo;
mod follower;
mod journal;
mod outbox;
mod presence;
mod replica;
mod room;
mod socket;
mod wire;

use self::follower::Follower;
use self::journal::Journal;
pub(crate) use self::outbox::Close;
pub(crate) use self::replica::{ReplicaError, way_back};
use self::room::{Input, Room, Way};
pub(crate) use self::socket::Guest;

/// Which document: a workspace and an id in it.
pub(crate) type Key = (WorkspaceId, String);

/// Whether this can be a document's id.
#[must_use]
pub(crate) fn is_id(id: &str) -> bool {
    (1..=128).contains(&id.len())
        && id
            .bytes()
            .all(|it| it.is_ascii_alphanumeric() || it == b'_' || it == b'-')
}

/// How often to look what other nodes did while they cannot be heard.
const LOOK: Duration = Duration::from_secs(1);

/// What all rooms stand on.
#[derive(Debug, Clone)]
struct Ground {
    store: Store,
    bus: Bus,
    clock: Clock,
    limits: Limits,
    skew_ms: u64,
    counts: Counts,
    journal: Journal,
}

/// What is counted here, out of the node's metrics.
#[derive(Debug, Clone)]
struct Counts {
    open: Gauge,
    sockets: Gauge,
    updates: Counter,
    slow: Counter,
}

impl Counts {
    /// One more room, for as long as this is kept: a room may end in the middle of anything.
    fn room(&self) -> OpenRoom {
        self.open.inc();
        OpenRoom(self.open.clone())
    }
}

#[derive(Debug)]
struct OpenRoom(Gauge);

impl Drop for OpenRoom {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// The documents that are open on this node. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Documents(Arc<House>);

#[derive(Debug)]
struct House {
    ground: Ground,
    open: Mutex<Open>,
    /// Rooms and sockets, which end first.
    rooms: TaskTracker,
    sockets: TaskTracker,
    /// The journal and whoever listens to the bus.
    rest: TaskTracker,
    stop: CancellationToken,
    last: AtomicU64,
    /// Between looks at all open documents in any case: a hint may be lost.
    heartbeat: Duration,
    /// The first document was opened: there is something to look at.
    used: Notify,
    /// How often anybody's place anywhere may have changed.
    rechecks: AtomicU64,
    follower: Follower,
}

#[derive(Debug, Default)]
struct Open {
    rooms: HashMap<Key, Way>,
    /// Sockets of each person.
    sockets: HashMap<UserId, usize>,
    /// The node stops: nobody comes in any more.
    closed: bool,
}

impl Documents {
    /// With nothing open.
    #[must_use]
    pub fn start(store: Store, bus: Bus, clock: Clock, metrics: &Metrics, config: &Config) -> Self {
        let rest = TaskTracker::new();
        let stop = CancellationToken::new();
        let journal = Journal::start(&rest, &stop, store.clone(), bus.clone(), clock.clone());
        let hints = bus.subscribe_documents();
        let documents = Self(Arc::new(House {
            ground: Ground {
                store,
                bus,
                clock,
                limits: config.limits.clone(),
                skew_ms: config.auth.clock_skew_s.saturating_mul(1000),
                counts: Counts {
                    open: metrics.documents.clone(),
                    sockets: metrics.document_sockets.clone(),
                    updates: metrics.updates.clone(),
                    slow: metrics.slow_sockets.clone(),
                },
                journal,
            },
            open: Mutex::default(),
            rooms: TaskTracker::new(),
            sockets: TaskTracker::new(),
            rest: rest.clone(),
            stop: stop.clone(),
            last: AtomicU64::new(0),
            heartbeat: config.rhythm.heartbeat,
            used: Notify::new(),
            rechecks: AtomicU64::new(0),
            follower: Follower::default(),
        }));
        rest.spawn(documents.clone().listen(hints));
        rest.spawn(documents.clone().follow());
        documents
    }

    /// Writes everything down, tells everybody that it will go on soon, and ends.
    pub async fn stop(&self) {
        let ways: Vec<Way> = {
            let mut open = self.open();
            open.closed = true;
            open.rooms.values().cloned().collect()
        };
        for way in ways {
            way.send(Input::Stop);
        }
        self.0.rooms.close();
        self.0.rooms.wait().await;
        self.0.sockets.close();
        // Sockets whose other side does not read are left behind.
        let _ = tokio::time::timeout(Duration::from_secs(3), self.0.sockets.wait()).await;
        self.0.stop.cancel();
        self.0.rest.close();
        self.0.rest.wait().await;
    }

    /// Ends at once, whatever is on its way: the node is dropped.
    pub fn hang_up(&self) {
        self.open().closed = true;
        self.0.stop.cancel();
    }

    /// All of a document as it is now, what is not yet on the disk included, and its epoch.
    pub(crate) async fn whole(&self, scope: &Scope, document: &str) -> Result<(u64, Bytes), Close> {
        self.ask(scope, document, Input::Whole).await
    }

    /// Puts an edit of the server's own into a document, on behalf of somebody, and waits until it is on the disk.
    pub(crate) async fn edit(&self, scope: &Scope, document: &str, user: &UserId, update: Bytes) -> Result<(), Close> {
        let make = |reply| Input::Edit {
            user: user.clone(),
            update: update.clone(),
            reply,
        };
        self.ask(scope, document, make).await
    }

    /// Asks a room, which is opened for it if it is not open.
    async fn ask<T>(
        &self,
        scope: &Scope,
        document: &str,
        make: impl Fn(oneshot::Sender<Result<T, Close>>) -> Input,
    ) -> Result<T, Close> {
        // A room that ends right now does not answer; the next one will.
        for _ in 0..10 {
            let way = self.way(scope, document)?;
            let (reply, answer) = oneshot::channel();
            way.send(make(reply));
            if let Ok(answer) = answer.await {
                return answer;
            }
        }
        Err(Close::UNAVAILABLE)
    }

    /// The way into a room, which is opened if it is not open.
    fn way(&self, scope: &Scope, document: &str) -> Result<Way, Close> {
        let key = (scope.workspace().clone(), document.to_owned());
        let mut open = self.open();
        if open.closed {
            return Err(Close::RESTART);
        }
        // A room that panicked did not take itself out of the list.
        if let Some(way) = open.rooms.get(&key).filter(|it| it.is_open()) {
            return Ok(way.clone());
        }
        let (way, inbox) = Way::new(self.next());
        open.rooms.insert(key.clone(), way.clone());
        if open.rooms.len() == 1 {
            self.0.used.notify_one();
        }
        let room = Room::run(self.clone(), key, way.mark.clone(), scope.clone(), inbox);
        self.0.rooms.spawn(self.0.stop.clone().run_until_cancelled_owned(room));
        Ok(way)
    }

    /// Takes a room out of the list, if nobody is on the way into it. For the room itself.
    fn closes(&self, key: &Key, number: u64, inbox: &mut mpsc::UnboundedReceiver<Input>, whatever_waits: bool) -> bool {
        let mut open = self.open();
        if !whatever_waits && !inbox.is_empty() {
            return false;
        }
        if open.rooms.get(key).is_some_and(|it| it.mark.number == number) {
            open.rooms.remove(key);
        }
        inbox.close();
        true
    }

    /// One more socket of this person, unless they have too many.
    fn comes(&self, user: &UserId) -> bool {
        let mut open = self.open();
        let count = open.sockets.entry(user.clone()).or_default();
        if *count >= self.0.ground.limits.sockets {
            return false;
        }
        *count += 1;
        true
    }

    fn goes(&self, user: &UserId) {
        let mut open = self.open();
        if let Some(count) = open.sockets.get_mut(user) {
            *count -= 1;
            if *count == 0 {
                open.sockets.remove(user);
            }
        }
    }

    /// To be asked before somebody's place is looked up: if it is another number when they come in, it has to be looked up
    /// again, because what changed in between was told to a room that did not know them yet.
    pub(crate) fn rechecks(&self) -> u64 {
        self.0.rechecks.load(Ordering::Acquire)
    }

    fn next(&self) -> u64 {
        self.0.last.fetch_add(1, Ordering::Relaxed) + 1
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.0.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells rooms what the bus says about them.
    async fn listen(self, mut hints: tokio::sync::broadcast::Receiver<Hint>) {
        let bus = &self.0.ground.bus;
        let mut healths = bus.healths();
        // Nobody changes how a lone node is.
        let mut may_change = true;
        let mut looked = Instant::now();
        loop {
            let pause = if bus.is_deaf() { LOOK } else { self.0.heartbeat };
            let is_used = !self.open().rooms.is_empty();
            tokio::select! {
                () = self.0.stop.cancelled() => return,
                hint = hints.recv() => match hint {
                    Ok(hint) => self.heard(hint),
                    Err(RecvError::Lagged(_)) => self.heard(Hint::Missed),
                    Err(RecvError::Closed) => return,
                },
                changed = healths.changed(), if may_change => may_change = changed.is_ok(),
                () = self.0.used.notified() => {}
                () = sleep_until(looked + pause), if is_used => {
                    self.look().await;
                    looked = Instant::now();
                }
            }
        }
    }

    fn heard(&self, hint: Hint) {
        match hint {
            Hint::Document {
                workspace,
                document,
                head_seq,
            } => self.0.follower.want((workspace, document), head_seq),
            Hint::Awareness {
                workspace,
                document,
                client,
                clock,
                state,
            } => {
                let way = self.open().rooms.get(&(workspace, document)).cloned();
                if let Some(way) = way {
                    way.send(Input::Elsewhere { client, clock, state });
                }
            }
            Hint::Membership { workspace, user } => {
                self.0.rechecks.fetch_add(1, Ordering::AcqRel);
                for (key, way) in &self.open().rooms {
                    if key.0 == workspace {
                        way.send(Input::Recheck(user.clone()));
                    }
                }
            }
            Hint::Missed => {
                self.0.rechecks.fetch_add(1, Ordering::AcqRel);
                for way in self.open().rooms.values() {
                    way.send(Input::Look(u64::MAX));
                    way.send(Input::Recheck(None));
                }
            }
            Hint::Events { .. } | Hint::Thread { .. } | Hint::Activity { .. } | Hint::Presence { .. } => {}
        }
    }

    /// What others did, as the database has it.
    async fn look(&self) {
        let ground = &self.0.ground;
        let keys: Vec<Key> = self.open().rooms.keys().cloned().collect();
        match ground.store.document_heads(&keys).await {
            Ok(heads) => {
                for (workspace, document, head_seq) in heads {
                    self.heard(Hint::Document {
                        workspace,
                        document,
                        head_seq,
                    });
                }
            }
            Err(error) => tracing::warn!(error = %Chain(&error), "cannot look for what other nodes wrote"),
        }
        if ground.bus.health() == Health::Away {
            self.0.rechecks.fetch_add(1, Ordering::AcqRel);
            for way in self.open().rooms.values() {
                way.send(Input::Recheck(None));
            }
        }
    }
}
