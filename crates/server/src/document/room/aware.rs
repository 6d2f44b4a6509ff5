//! Who is in a document and where, as a room passes it on: gathered. Carets move with every letter, and stock clients send back
//! all awareness they hear, so each message of it comes back from everybody.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use sync::frame::{Awareness, Frame};
use tokio::time::Instant;

use super::{Close, Room};
use crate::bus::Hint;
use crate::document::presence::{self, PresenceError, Speaker};

#[cfg(test)]
mod tests;

/// Between one time and the next. Nobody sees a caret that moves ten times a second lag behind, and text does not wait for it.
const RHYTHM: Duration = Duration::from_millis(100);

/// What comes after a rest waits so long for an update to go with, in one write. In a rhythm it waits longer: whoever moves their
/// caret again and again is writing.
const ALONG: Duration = Duration::from_millis(10);
const ALONG_IN_RHYTHM: Duration = Duration::from_millis(50);

/// What was not passed on yet.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    /// Clients, and whether other nodes have to hear of them from here.
    changed: BTreeMap<u64, bool>,
    /// The next update takes it along from then on.
    ripe: Option<Instant>,
    /// It goes alone then.
    pub(super) due: Option<Instant>,
    shown: Option<Instant>,
}

impl Gathered {
    fn add(&mut self, clients: Vec<u64>, from_here: bool) {
        if clients.is_empty() {
            return;
        }
        for client in clients {
            let tell = self.changed.entry(client).or_default();
            *tell = *tell || from_here;
        }
        if self.due.is_none() {
            let now = Instant::now();
            let (ripe, due) = self
                .shown
                .map_or((now, now), |it| (it + RHYTHM, it + RHYTHM + ALONG_IN_RHYTHM));
            self.ripe = Some(ripe.max(now));
            self.due = Some(due.max(now + ALONG));
        }
    }

    pub(super) fn is_ripe(&self) -> bool {
        self.ripe.is_some_and(|it| it <= Instant::now())
    }

    fn take(&mut self) -> BTreeMap<u64, bool> {
        let shown = Some(Instant::now());
        std::mem::replace(
            self,
            Self {
                shown,
                ..Self::default()
            },
        )
        .changed
    }
}

impl Room {
    pub(super) fn presence_said(&mut self, socket: u64, payload: &[u8]) {
        let Some(peer) = self.peers.get(&socket) else { return };
        let who = Speaker {
            socket,
            user: &peer.user,
            name: &peer.verified.name,
        };
        match self.presence.say(who, payload) {
            Ok(heard) => {
                if !heard.is_empty() {
                    peer.outbox.has_said();
                }
                self.gather(heard, true);
            }
            Err(PresenceError::Invalid) => peer.outbox.close(Close::INVALID),
            Err(PresenceError::TooLarge) => peer.outbox.close(Close::TOO_LARGE),
        }
    }

    pub(super) fn elsewhere(&mut self, client: u64, clock: u32, state: &str) {
        let said = sync::frame::put_awareness(std::iter::once(Awareness { client, clock, state }));
        let heard = self.presence.elsewhere(&said, self.ground().clock.now_ms());
        self.gather(heard, false);
    }

    pub(super) fn gather(&mut self, clients: Vec<u64>, from_here: bool) {
        self.awareness.add(clients, from_here);
    }

    /// Here and at other nodes. Nobody hears of themselves.
    pub(super) fn show_awareness(&mut self) {
        let changed = self.awareness.take();
        if changed.is_empty() {
            return;
        }
        self.unwritten = true;
        let ground = self.ground();
        if ground.bus.link().is_some() {
            let own = changed.iter().filter(|(_, from_here)| **from_here);
            for it in self.presence.states(own.map(|(client, _)| client)) {
                ground.bus.tell_others(Hint::Awareness {
                    workspace: self.key.0.clone(),
                    document: self.key.1.clone(),
                    client: it.client,
                    clock: it.clock,
                    state: it.state.to_owned(),
                });
            }
        }
        let owners = self.presence.owners(changed.keys());
        let all = self.news(changed.keys());
        for (socket, peer) in &self.peers {
            let news = if owners.contains(socket) {
                let others = changed.keys().filter(|it| self.presence.owner(**it) != Some(*socket));
                self.news(others)
            } else {
                all.clone()
            };
            if let Some(news) = news
                && !peer.outbox.push(news)
            {
                ground.counts.slow.inc();
            }
        }
    }

    fn news<'a>(&'a self, clients: impl IntoIterator<Item = &'a u64>) -> Option<Bytes> {
        presence::payload(self.presence.states(clients)).map(|it| Frame::Awareness(it).encode())
    }
}
