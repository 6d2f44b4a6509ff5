//! How a room follows what others decide: updates of other nodes, roles that change, a replica that has to be read again.

use std::collections::BTreeMap;

use bytes::Bytes;
use protocol::id::UserId;
use protocol::workspace::people::Role;
use sync::frame::Frame;

use super::{Close, End, Room};
use crate::document::journal::Written;
use crate::document::replica::{Applied, Replica};
use crate::store::Chain;
use crate::store::documents::Later;

impl Room {
    /// Takes in what other nodes have written, if there is anything up to `head`.
    pub(super) async fn look(&mut self, head: u64) -> Result<(), End> {
        self.hear_journal(head).await?;
        while head > self.position {
            self.write_out();
            let store = self.ground().store.clone();
            let later = match store
                .within(&self.scope)
                .document_after(&self.key.1, self.position)
                .await
            {
                Ok(Some(later)) => later,
                Ok(None) => return Err(End(Close::NOT_FOUND)),
                Err(error) => {
                    tracing::warn!(error = %Chain(&error), "what other nodes wrote cannot be read");
                    // The next hint, or the next look, asks again.
                    return Ok(());
                }
            };
            let before = self.position;
            self.take_in(later).await?;
            if self.position == before {
                break;
            }
        }
        Ok(())
    }

    /// As [`Room::look`], with what was read for several rooms at once.
    pub(super) async fn read(&mut self, head: u64, later: Later) -> Result<(), End> {
        self.hear_journal(head).await?;
        self.take_in(later).await?;
        self.look(head).await
    }

    /// The journal answers before it gives hints: what is ours among it is known by then.
    async fn hear_journal(&mut self, head: u64) -> Result<(), End> {
        while head > self.position
            && let Ok(written) = self.written.try_recv()
        {
            Box::pin(self.wrote(written)).await?;
        }
        Ok(())
    }

    async fn take_in(&mut self, later: Later) -> Result<(), End> {
        if later.head.epoch != self.epoch {
            return Err(End(Close::EPOCH));
        }
        if let Some(state) = later.state {
            self.follow(state, true).await?;
            self.position = self.position.max(later.head.snapshot);
            self.folded = self.folded.max(later.head.snapshot);
        }
        for (seq, update) in later.updates {
            if seq > self.position && !self.own.contains(&seq) {
                self.unfolded += update.len();
                self.follow(update, false).await?;
            }
            self.position = self.position.max(seq);
        }
        self.advance();
        Ok(())
    }

    async fn follow(&mut self, update: Bytes, trim: bool) -> Result<(), End> {
        match self.apply(update, trim).await {
            Ok(Applied::Nothing) => Ok(()),
            Ok(Applied::Change(change)) => {
                self.pass_on(&Frame::Update(change).encode(), None);
                Ok(())
            }
            // It was taken by a node once; that this one cannot is a defect, and nobody may go on as if it were not there.
            Err(error) => {
                tracing::error!(%error, "an update on the disk cannot be taken in");
                Err(End(Close::UNAVAILABLE))
            }
        }
    }

    /// Reads the document again, after what is on its way is on the disk.
    pub(super) async fn read_again(&mut self) -> Result<(), End> {
        self.write_down().await;
        while !self.in_flight.is_empty() {
            let Some(written) = self.written.recv().await else {
                return Err(End(Close::UNAVAILABLE));
            };
            let flight = self.in_flight.pop_front().unwrap_or_default();
            match written {
                Written::Kept { .. } => self.acknowledge(flight),
                Written::Over => return Err(End(Close::EPOCH)),
                Written::Failed => return Err(End(Close::UNAVAILABLE)),
            }
        }
        let store = self.ground().store.clone();
        match store.within(&self.scope).load_document(&self.key.1).await {
            Ok(Some(stored)) if stored.head.epoch == self.epoch => {
                self.position = stored.head.seq;
                self.folded = stored.head.snapshot;
                self.own.clear();
                self.whole = None;
                self.replica = Some(Replica::of(stored));
                Ok(())
            }
            Ok(_) => Err(End(Close::EPOCH)),
            Err(error) => {
                tracing::error!(error = %Chain(&error), "a document cannot be read again");
                Err(End(Close::UNAVAILABLE))
            }
        }
    }

    /// Looks up again what people may do.
    pub(super) async fn recheck(&mut self, user: Option<&UserId>) {
        let mut asked: BTreeMap<UserId, Option<bool>> = BTreeMap::new();
        let store = self.ground().store.clone();
        for peer in self.peers.values() {
            if asked.contains_key(&peer.user) || user.is_some_and(|it| *it != peer.user) {
                continue;
            }
            match store.membership(&self.key.0, &peer.user, &peer.verified).await {
                Ok(place) => {
                    let writes = place.map(|it| it.role >= Role::Member && !it.archived);
                    asked.insert(peer.user.clone(), writes);
                }
                // Who cannot be looked up may not go on as if nothing had happened: they come back and are asked again.
                Err(error) => {
                    tracing::warn!(error = %Chain(&error), "a role cannot be looked up");
                    peer.outbox.close(Close::UNAVAILABLE);
                }
            }
        }
        let question = self.own_step1();
        for peer in self.peers.values_mut() {
            match asked.get(&peer.user) {
                None => {}
                Some(None) => peer.outbox.close(Close::FORBIDDEN),
                Some(Some(writes)) => {
                    if *writes && !peer.writes {
                        peer.outbox.answer([question.clone()]);
                    }
                    peer.writes = *writes;
                }
            }
        }
    }
}
