//! One open document: takes what its sockets say, in order, into the replica; passes it on; has it written down; tells whoever
//! wants to know that it was. One task owns all of it, and ends when the last socket is gone and everything is written.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use bytes::Bytes;
use protocol::id::UserId;
use sync::frame::{Frame, NOTHING_NEW};
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use super::journal::{Entry, Written};
use super::outbox::{Close, Outbox};
use super::presence::Presence;
use super::replica::{Applied, Replica, ReplicaError};
use super::{Documents, Ground, Key};
use crate::auth::Verified;
use crate::store::documents::{Fold, Later, NewUpdate};
use crate::store::{Chain, Scope, StoreError};

mod aware;
mod follow;
mod say;
mod way;

use self::aware::Gathered;

pub(super) use way::{Mark, Way};

/// Inputs of one round.
const ROUND: usize = 256;

/// A room with more sockets leaves their writes to the sockets' tasks, which may be on other threads.
const AT_ONCE: usize = 64;

/// Anything larger is not done between two breaths.
const LARGE_UPDATE: usize = 16 << 10;
const LARGE_DOCUMENT: usize = 1 << 20;

/// A snapshot is made after so many updates, or so many bytes of them; of a large document later, because it is written whole.
const FOLD_UPDATES: u64 = 200;
const FOLD_BYTES: usize = 256 << 10;

/// And after fewer when the last one leaves.
const FOLD_AT_REST: u64 = 20;

/// What a room is told.
#[derive(Debug)]
pub(super) enum Input {
    /// Somebody comes.
    Join(Box<Joining>),
    /// A socket's message, whole and read.
    Said {
        socket: u64,
        frame: Frame,
        raw: Bytes,
        permit: OwnedSemaphorePermit,
    },
    /// A socket is gone.
    Left(u64),
    /// The document has so many updates.
    Look(u64),
    /// The same, and some of them.
    Later(u64, Box<Later>),
    /// Somebody's place in the workspace changed, or everybody's.
    Recheck(Option<UserId>),
    /// What a client at another node says of itself.
    Elsewhere { client: u64, clock: u32, state: String },
    /// All of it, please.
    Whole(oneshot::Sender<Result<(u64, Bytes), Close>>),
    /// An edit of the server's own.
    Edit {
        user: UserId,
        update: Bytes,
        reply: oneshot::Sender<Result<(), Close>>,
    },
    /// The node ends.
    Stop,
}

/// Somebody who comes.
#[derive(Debug)]
pub(super) struct Joining {
    pub(super) socket: u64,
    pub(super) user: UserId,
    pub(super) verified: Arc<Verified>,
    /// May write.
    pub(super) writes: bool,
    /// Wants to know what is on the disk.
    pub(super) acks: bool,
    /// Knows this life of the document.
    pub(super) epoch: Option<u64>,
    /// [`Documents::rechecks`] before their place was looked up.
    pub(super) rechecks: u64,
    pub(super) outbox: Arc<Outbox>,
    /// Told once the room has taken or refused it.
    pub(super) reply: oneshot::Sender<()>,
}

#[derive(Debug)]
struct Peer {
    user: UserId,
    verified: Arc<Verified>,
    writes: bool,
    acks: bool,
    outbox: Arc<Outbox>,
    /// Messages with updates so far.
    taken: u64,
}

impl Drop for Peer {
    /// A room that was dropped, or broke, said nothing to anybody.
    fn drop(&mut self) {
        self.outbox.close(Close::RESTART);
    }
}

/// What has been given to the journal and waits for its answer.
#[derive(Debug, Default)]
struct Flight {
    /// Whom to tell, and up to which of their messages.
    acks: BTreeMap<u64, u64>,
    edits: Vec<oneshot::Sender<Result<(), Close>>>,
}

/// Why a room ends.
#[derive(Debug, Clone, Copy)]
struct End(Close);

#[derive(Debug)]
pub(super) struct Room {
    documents: Documents,
    key: Key,
    mark: Mark,
    scope: Scope,
    epoch: u64,
    /// Gone only while a worker thread has it.
    replica: Option<Replica>,
    /// All of it as frames, for whoever has nothing, until it changes.
    whole: Option<Vec<Bytes>>,
    /// All updates up to here are in the replica.
    position: u64,
    /// Own updates on the disk beyond the position.
    own: BTreeSet<u64>,
    /// Up to where the snapshot goes, and about how many bytes came after it.
    folded: u64,
    unfolded: usize,
    folds: JoinSet<Result<Option<u64>, StoreError>>,
    peers: HashMap<u64, Peer>,
    /// Something was put into outboxes since the last [`Room::write_out`].
    unwritten: bool,
    presence: Presence,
    awareness: Gathered,
    /// Of this round: what goes to the journal, and whom to tell.
    fresh: Vec<NewUpdate>,
    flight: Flight,
    in_flight: VecDeque<Flight>,
    written: mpsc::UnboundedReceiver<Written>,
    reply: mpsc::UnboundedSender<Written>,
}

impl Room {
    /// The life of a room.
    pub(super) async fn run(
        documents: Documents,
        key: Key,
        mark: Mark,
        scope: Scope,
        mut inbox: mpsc::UnboundedReceiver<Input>,
    ) {
        let _open = documents.0.ground.counts.room();
        let number = mark.number;
        match Self::load(documents.clone(), key.clone(), mark, scope).await {
            Ok(mut room) => {
                let end = loop {
                    match room.live(&mut inbox).await {
                        Err(end) => {
                            documents.closes(&key, number, &mut inbox, true);
                            break Some(end);
                        }
                        Ok(()) if documents.closes(&key, number, &mut inbox, false) => break None,
                        Ok(()) => {}
                    }
                };
                if let Some(End(close)) = end {
                    room.finish(close).await;
                    refuse(&mut inbox, close).await;
                }
            }
            Err(End(close)) => {
                documents.closes(&key, number, &mut inbox, true);
                refuse(&mut inbox, close).await;
            }
        }
    }

    /// A document that cannot be read is not shown, and least of all as an empty one.
    async fn load(documents: Documents, key: Key, mark: Mark, scope: Scope) -> Result<Self, End> {
        let stored = match documents.0.ground.store.within(&scope).load_document(&key.1).await {
            Ok(Some(stored)) => stored,
            Ok(None) => return Err(End(Close::NOT_FOUND)),
            Err(error) => {
                tracing::error!(error = %Chain(&error), "a document cannot be read");
                return Err(End(Close::UNAVAILABLE));
            }
        };
        mark.is_at(stored.head.seq);
        let (reply, written) = mpsc::unbounded_channel();
        Ok(Self {
            documents,
            key,
            mark,
            scope,
            epoch: stored.head.epoch,
            position: stored.head.seq,
            folded: stored.head.snapshot,
            unfolded: stored.tail.iter().map(Bytes::len).sum(),
            replica: Some(Replica::of(stored)),
            whole: None,
            own: BTreeSet::new(),
            folds: JoinSet::new(),
            peers: HashMap::new(),
            unwritten: false,
            presence: Presence::default(),
            awareness: Gathered::default(),
            fresh: Vec::new(),
            flight: Flight::default(),
            in_flight: VecDeque::new(),
            written,
            reply,
        })
    }

    fn ground(&self) -> &Ground {
        &self.documents.0.ground
    }

    /// Works until there is nobody left and nothing to do.
    async fn live(&mut self, inbox: &mut mpsc::UnboundedReceiver<Input>) -> Result<(), End> {
        let mut inputs = Vec::with_capacity(16);
        loop {
            self.write_out();
            tokio::select! {
                biased;
                Some(written) = self.written.recv() => self.wrote(written).await?,
                Some(folded) = self.folds.join_next() => self.folded(folded),
                () = reached(self.awareness.due) => self.show_awareness(),
                count = inbox.recv_many(&mut inputs, ROUND) => {
                    if count == 0 {
                        return Ok(());
                    }
                    for input in inputs.drain(..) {
                        self.take(input).await?;
                    }
                    self.write_down().await;
                }
            }
            self.mark.is_at(self.position);
            let rests = self.peers.is_empty() && inbox.is_empty() && self.in_flight.is_empty() && self.folds.is_empty();
            if rests && !self.folds_before_rest().await {
                return Ok(());
            }
        }
    }

    async fn take(&mut self, input: Input) -> Result<(), End> {
        if !matches!(input, Input::Said { .. }) {
            // It may take longer.
            self.write_out();
        }
        match input {
            Input::Join(joining) => self.join(*joining).await,
            Input::Said {
                socket,
                frame,
                raw,
                permit,
            } => {
                let said = self.said(socket, frame, raw).await;
                drop(permit);
                return said;
            }
            Input::Left(socket) => self.left(socket),
            Input::Look(head) => return self.look(head).await,
            Input::Later(head, later) => return self.read(head, *later).await,
            Input::Recheck(user) => self.recheck(user.as_ref()).await,
            Input::Elsewhere { client, clock, state } => self.elsewhere(client, clock, &state),
            Input::Whole(reply) => {
                let epoch = self.epoch;
                let whole = self.work(false, Replica::whole).await;
                // Whoever asked may have gone.
                let _ = reply.send(whole.map(|it| (epoch, it)).map_err(|_| Close::UNAVAILABLE));
            }
            Input::Edit { user, update, reply } => match self.change(&user, &update, false).await {
                Ok(Applied::Change(change)) => {
                    self.pass_on(&Frame::Update(change).encode(), None);
                    self.flight.edits.push(reply);
                }
                Ok(Applied::Nothing) => {
                    let _ = reply.send(Ok(()));
                }
                Err(_) => {
                    let _ = reply.send(Err(Close::INVALID));
                }
            },
            Input::Stop => return Err(End(Close::RESTART)),
        }
        Ok(())
    }

    /// Gives what is new to the journal.
    async fn write_down(&mut self) {
        self.write_out();
        let flight = std::mem::take(&mut self.flight);
        if !self.fresh.is_empty() {
            self.in_flight.push_back(flight);
            let entry = Entry {
                key: self.key.clone(),
                scope: self.scope.clone(),
                epoch: self.epoch,
                updates: std::mem::take(&mut self.fresh),
                reply: self.reply.clone(),
            };
            self.documents.0.ground.journal.put(entry).await;
        } else if let Some(last) = self.in_flight.back_mut() {
            // What was nothing new may repeat what is still on its way.
            last.acks.extend(flight.acks);
            last.edits.extend(flight.edits);
        } else {
            self.acknowledge(flight);
        }
    }

    async fn wrote(&mut self, written: Written) -> Result<(), End> {
        let flight = self.in_flight.pop_front().unwrap_or_default();
        match written {
            Written::Kept { first, last, snapshot } => {
                self.acknowledge(flight);
                self.own.extend(first..=last);
                self.advance();
                self.folded = self.folded.max(snapshot);
                if !self.own.is_empty() {
                    self.look(last).await?;
                }
                self.fold_if_due().await;
                Ok(())
            }
            Written::Over => Err(End(Close::EPOCH)),
            Written::Failed => Err(End(Close::UNAVAILABLE)),
        }
    }

    /// Goes over own updates that come next.
    fn advance(&mut self) {
        self.own = self.own.split_off(&(self.position + 1));
        while self.own.first() == Some(&(self.position + 1)) {
            self.own.pop_first();
            self.position += 1;
        }
    }

    async fn fold_if_due(&mut self) {
        let size = self.replica.as_ref().map_or(0, Replica::size);
        let updates = FOLD_UPDATES.max(size as u64 / 4096);
        let due = self.position.saturating_sub(self.folded) >= updates || self.unfolded >= FOLD_BYTES.max(size / 2);
        if !due || !self.folds.is_empty() || self.position == self.folded {
            return;
        }
        self.fold().await;
    }

    /// Whoever opens it next is quicker with a snapshot. Answers whether one is being made.
    async fn folds_before_rest(&mut self) -> bool {
        if self.position.saturating_sub(self.folded) < FOLD_AT_REST {
            return false;
        }
        self.fold().await;
        // Once is enough, whatever becomes of it.
        self.folded = self.position;
        !self.folds.is_empty()
    }

    async fn fold(&mut self) {
        let Ok((vector, state)) = self.work(false, Replica::fold).await else {
            return;
        };
        let fold = Fold {
            epoch: self.epoch,
            seq: self.position,
            vector,
            state,
        };
        self.unfolded = 0;
        let (store, scope, document) = (self.ground().store.clone(), self.scope.clone(), self.key.1.clone());
        self.folds.spawn(async move {
            let done = store.within(&scope).fold_document(&document, &fold).await?;
            Ok(done.then_some(fold.seq))
        });
    }

    fn folded(&mut self, folded: Result<Result<Option<u64>, StoreError>, tokio::task::JoinError>) {
        match folded {
            Ok(Ok(Some(seq))) => self.folded = self.folded.max(seq),
            // Another node did it.
            Ok(Ok(None)) => {}
            Ok(Err(error)) => tracing::warn!(error = %Chain(&error), "a snapshot could not be written"),
            Err(error) => tracing::error!(%error, "a snapshot could not be written"),
        }
    }

    /// Works with the replica, on a worker thread if that may take long: much is to be done, or the document is large.
    async fn work<T: Send + 'static>(
        &mut self,
        much: bool,
        work: impl FnOnce(&mut Replica) -> Result<T, ReplicaError> + Send + 'static,
    ) -> Result<T, ReplicaError> {
        let mut replica = self.replica.take().ok_or(ReplicaError::Broken)?;
        if !much && replica.size() < LARGE_DOCUMENT {
            let done = work(&mut replica);
            self.replica = Some(replica);
            return done;
        }
        self.write_out();
        let worked = tokio::task::spawn_blocking(move || {
            let done = work(&mut replica);
            (replica, done)
        });
        let (replica, done) = worked.await.map_err(|_| ReplicaError::Broken)?;
        self.replica = Some(replica);
        done
    }

    /// Closes everybody and waits for what is on its way to the disk.
    async fn finish(&mut self, close: Close) {
        if !matches!(close, Close::UNAVAILABLE | Close::EPOCH) {
            self.write_down().await;
        }
        while !self.in_flight.is_empty() {
            let Some(written) = self.written.recv().await else {
                break;
            };
            let flight = self.in_flight.pop_front().unwrap_or_default();
            if matches!(written, Written::Kept { .. }) {
                self.acknowledge(flight);
            }
        }
        self.write_out();
        while self.folds.join_next().await.is_some() {}
        for peer in self.peers.values() {
            peer.outbox.close(close);
        }
    }
}

/// Never, if there is no such moment.
async fn reached(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => std::future::pending().await,
    }
}

/// Turns away whoever was on the way in.
async fn refuse(inbox: &mut mpsc::UnboundedReceiver<Input>, close: Close) {
    while let Some(input) = inbox.recv().await {
        match input {
            Input::Join(joining) => {
                joining.outbox.close(close);
                let _ = joining.reply.send(());
            }
            Input::Whole(reply) => drop(reply.send(Err(close))),
            Input::Edit { reply, .. } => drop(reply.send(Err(close))),
            Input::Said { .. }
            | Input::Left(_)
            | Input::Look(_)
            | Input::Later(..)
            | Input::Recheck(_)
            | Input::Elsewhere { .. }
            | Input::Stop => {}
        }
    }
}

/// The pieces as messages that may be sent one after the other: the last one is what a client takes for the end.
fn frames(mut pieces: Vec<Bytes>) -> Vec<Bytes> {
    if pieces.len() == 1 {
        return pieces.drain(..).map(|it| Frame::Step2(it).encode()).collect();
    }
    let end = Frame::Step2(Bytes::from_static(NOTHING_NEW)).encode();
    let mut frames: Vec<Bytes> = pieces.into_iter().map(|it| Frame::Update(it).encode()).collect();
    frames.push(end);
    frames
}
