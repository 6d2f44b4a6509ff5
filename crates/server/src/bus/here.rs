//! Listeners of this node. Documents that people write in have hints by the hundred each second: whoever does not need them
//! is not woken by them.

use tokio::sync::broadcast::{self, Receiver, Sender};

use super::hint::Hint;

/// So many hints may wait for a listener.
const MOST: usize = 4096;

/// The way to all listeners of this node.
#[derive(Debug, Clone)]
pub(super) struct Here {
    documents: Sender<Hint>,
    rest: Sender<Hint>,
}

impl Default for Here {
    fn default() -> Self {
        Self {
            documents: broadcast::channel(MOST).0,
            rest: broadcast::channel(MOST).0,
        }
    }
}

impl Here {
    /// Tells whom it concerns.
    pub(super) fn tell(&self, hint: Hint) {
        // Errors mean that nobody listens.
        match hint {
            Hint::Document { .. } | Hint::Awareness { .. } => drop(self.documents.send(hint)),
            Hint::Membership { .. } | Hint::Missed => {
                let _ = self.documents.send(hint.clone());
                let _ = self.rest.send(hint);
            }
            Hint::Events { .. } | Hint::Thread { .. } | Hint::Activity { .. } | Hint::Presence { .. } => {
                drop(self.rest.send(hint));
            }
        }
    }

    /// What open documents need.
    pub(super) fn documents(&self) -> Receiver<Hint> {
        self.documents.subscribe()
    }

    /// What all others need.
    pub(super) fn rest(&self) -> Receiver<Hint> {
        self.rest.subscribe()
    }
}
