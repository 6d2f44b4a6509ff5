//! What every handler can reach.

use std::sync::Arc;

use crate::artifact::storage::Storage;
use crate::auth::Identity;
use crate::bus::Bus;
use crate::clock::Clock;
use crate::config::Config;
use crate::document::Documents;
use crate::follow::Follow;
use crate::metrics::Metrics;
use crate::presence::Presence;
use crate::rate::Rates;
use crate::sockets::Sockets;
use crate::store::Store;

/// Shared by all requests of one node; cheap to clone.
#[derive(Debug, Clone)]
pub struct App(Arc<Parts>);

/// The parts, each with one owner: this.
#[derive(Debug)]
pub struct Parts {
    /// What the server was told.
    pub config: Config,
    /// Time.
    pub clock: Clock,
    /// The truth.
    pub store: Store,
    /// Wakes readers.
    pub bus: Bus,
    /// Knows people.
    pub identity: Identity,
    /// Keeps the bytes of artifacts.
    pub storage: Storage,
    /// Counts.
    pub metrics: Metrics,
    /// The documents that are open here.
    pub documents: Documents,
    /// How often somebody may do something.
    pub rates: Rates,
    /// All websockets.
    pub sockets: Sockets,
    /// What live sockets follow.
    pub follow: Arc<Follow>,
    /// Who is there.
    pub presence: Presence,
}

impl App {
    /// Puts the parts together.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }
}

impl std::ops::Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}
