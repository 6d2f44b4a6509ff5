//! What sockets say to a room, and what it says back.

use bytes::Bytes;
use protocol::id::UserId;
use sync::frame::{Frame, NOTHING_SEEN};
use sync::scan;

use super::{AT_ONCE, Close, End, Flight, Joining, LARGE_UPDATE, Peer, Room, frames};
use crate::document::replica::{Applied, Replica, ReplicaError};
use crate::store::documents::NewUpdate;

impl Room {
    pub(super) async fn join(&mut self, joining: Joining) {
        // Whoever comes is told even when they are refused: by their outbox.
        let _ = joining.reply.send(());
        if joining.epoch.is_some_and(|it| it != self.epoch) {
            joining.outbox.close(Close::EPOCH);
            return;
        }
        let peer = Peer {
            user: joining.user,
            verified: joining.verified,
            writes: joining.writes,
            acks: joining.acks,
            outbox: joining.outbox,
            taken: 0,
        };
        let mut greeting = Vec::new();
        if peer.acks {
            greeting.push(Frame::Hello { epoch: self.epoch }.encode());
        }
        // Who may only read is not asked for what they have.
        if peer.writes {
            greeting.push(self.own_step1());
        }
        if let Some(here) = self.presence.everybody(self.ground().clock.now_ms()) {
            greeting.push(Frame::Awareness(here).encode());
        }
        peer.outbox.answer(greeting);
        let user = peer.user.clone();
        self.peers.insert(joining.socket, peer);
        if joining.rechecks != self.documents.rechecks() {
            self.recheck(Some(&user)).await;
        }
    }

    pub(super) fn own_step1(&mut self) -> Bytes {
        let vector = self.replica.as_mut().map(Replica::vector);
        Frame::Step1(vector.unwrap_or(Bytes::from_static(NOTHING_SEEN))).encode()
    }

    pub(super) fn left(&mut self, socket: u64) {
        if self.peers.remove(&socket).is_some() {
            let gone = self.presence.leave(socket);
            self.gather(gone, true);
            if self.peers.is_empty() {
                // The room may end now.
                self.show_awareness();
            }
        }
    }

    pub(super) async fn said(&mut self, socket: u64, frame: Frame, raw: Bytes) -> Result<(), End> {
        // Whoever is closed is no longer heard: what they sent since then, they will send again if they may.
        if self.peers.get(&socket).is_none_or(|it| it.outbox.closed().is_some()) {
            return Ok(());
        }
        match frame {
            Frame::Step1(vector) => self.answer(socket, vector).await,
            Frame::Step2(update) => self.update(socket, update, None).await,
            Frame::Update(update) => self.update(socket, update, Some(raw)).await,
            Frame::Awareness(payload) => {
                self.presence_said(socket, &payload);
                Ok(())
            }
            Frame::QueryAwareness => {
                let here = self.presence.everybody(self.ground().clock.now_ms());
                if let (Some(peer), Some(here)) = (self.peers.get(&socket), here) {
                    peer.outbox.has_said();
                    peer.outbox.answer([Frame::Awareness(here).encode()]);
                }
                Ok(())
            }
            // These are ours to say.
            Frame::Denied(_) | Frame::Hello { .. } | Frame::Stored { .. } => Ok(()),
        }
    }

    async fn answer(&mut self, socket: u64, vector: Bytes) -> Result<(), End> {
        let nothing = *vector == *NOTHING_SEEN;
        let pieces = match self.whole.clone() {
            Some(whole) if nothing => Ok(whole),
            _ => {
                let made = self
                    .work(false, move |replica| replica.missing(&vector))
                    .await
                    .map(frames);
                if let Ok(made) = &made
                    && nothing
                {
                    self.whole = Some(made.clone());
                }
                made
            }
        };
        match pieces {
            Ok(pieces) => {
                if let Some(peer) = self.peers.get(&socket) {
                    peer.outbox.answer(pieces);
                }
                Ok(())
            }
            Err(error) => self.failed(socket, error).await,
        }
    }

    async fn update(&mut self, socket: u64, update: Bytes, raw: Option<Bytes>) -> Result<(), End> {
        let Some(peer) = self.peers.get_mut(&socket) else {
            return Ok(());
        };
        peer.taken += 1;
        let (taken, user) = (peer.taken, peer.user.clone());
        if !peer.writes {
            // An answer to a state vector lists everything that was ever deleted, even when there is nothing new in it.
            let harmless = match scan::update(&update) {
                Ok(contents) => contents.pieces == 0 && (raw.is_none() || contents.is_empty()),
                Err(_) => false,
            };
            if !harmless {
                peer.outbox.answer([Frame::Denied("read-only".to_owned()).encode()]);
            }
            return Ok(());
        }
        match self.change(&user, &update, raw.is_none()).await {
            Ok(applied) => {
                self.flight.acks.insert(socket, taken);
                if let Applied::Change(change) = applied {
                    self.ground().counts.updates.inc();
                    let frame = match raw {
                        // It goes on as it came.
                        Some(raw) if change == update => raw,
                        _ => Frame::Update(change).encode(),
                    };
                    self.pass_on(&frame, Some(socket));
                }
                Ok(())
            }
            Err(error) => self.failed(socket, error).await,
        }
    }

    /// Takes an update into the replica, and puts what is new of it among what is to be written.
    pub(super) async fn change(&mut self, user: &UserId, update: &Bytes, trim: bool) -> Result<Applied, ReplicaError> {
        let limit = self.ground().limits.document_bytes;
        let size = |room: &Self| room.replica.as_ref().map_or(0, Replica::size);
        if size(self) + update.len() > limit {
            // The size is what was written; what it comes to may be less.
            self.work(false, Replica::fold).await?;
            if size(self) + update.len() > limit {
                return Err(ReplicaError::TooLarge);
            }
        }
        let applied = self.apply(update.clone(), trim).await?;
        if let Applied::Change(change) = &applied {
            self.unfolded += change.len();
            self.fresh.push(NewUpdate {
                user: user.clone(),
                body: change.clone(),
            });
        }
        Ok(applied)
    }

    pub(super) async fn apply(&mut self, update: Bytes, trim: bool) -> Result<Applied, ReplicaError> {
        let large = update.len() > LARGE_UPDATE;
        let applied = self.work(large, move |replica| replica.apply(&update, trim)).await?;
        if applied != Applied::Nothing {
            self.whole = None;
        }
        Ok(applied)
    }

    pub(super) fn pass_on(&mut self, frame: &Bytes, from: Option<u64>) {
        if self.awareness.is_ripe() {
            self.show_awareness();
        }
        self.unwritten = true;
        for (socket, peer) in &self.peers {
            if Some(*socket) != from && !peer.outbox.push(frame.clone()) {
                self.ground().counts.slow.inc();
            }
        }
    }

    /// Has what is new for sockets on its way before anything is waited for.
    pub(super) fn write_out(&mut self) {
        if std::mem::take(&mut self.unwritten) {
            let at_once = self.peers.len() <= AT_ONCE;
            self.peers.values().for_each(|it| it.outbox.write_out(at_once));
        }
    }

    pub(super) fn acknowledge(&mut self, flight: Flight) {
        for (socket, count) in flight.acks {
            if let Some(peer) = self.peers.get(&socket)
                && peer.acks
            {
                peer.outbox.push(Frame::Stored { count }.encode());
                self.unwritten = true;
            }
        }
        for edit in flight.edits {
            let _ = edit.send(Ok(()));
        }
    }

    async fn failed(&mut self, socket: u64, error: ReplicaError) -> Result<(), End> {
        let close = match &error {
            ReplicaError::Refused(_) | ReplicaError::Broken => Close::INVALID,
            ReplicaError::TooLarge => Close::TOO_LARGE,
            ReplicaError::Pending => Close::RESYNC,
        };
        tracing::warn!(%error, code = close.0, "a document socket is closed");
        if let Some(peer) = self.peers.get(&socket) {
            peer.outbox.close(close);
        }
        match error {
            // The others go on with what is on the disk.
            ReplicaError::Broken => self.read_again().await,
            ReplicaError::Pending => {
                self.whole = None;
                let question = self.own_step1();
                self.peers.values().filter(|it| it.writes).for_each(|it| {
                    it.outbox.answer([question.clone()]);
                });
                Ok(())
            }
            ReplicaError::Refused(_) | ReplicaError::TooLarge => Ok(()),
        }
    }
}
