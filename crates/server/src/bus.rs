//! Wakes readers, here and on other nodes. A hint only says where to look: whoever hears it reads the database, so a lost
//! hint costs time and a forged one costs a query.

use std::sync::Arc;

use tokio::sync::{broadcast, watch};

mod here;
mod hint;
mod outbox;
mod redis;

use self::here::Here;
pub use self::hint::Hint;
pub use self::redis::{Link, LinkError};

/// How the bus is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// There is one node.
    Here,
    /// Redis carries hints between nodes.
    Connected,
    /// Redis cannot be reached; nodes look for themselves.
    Away,
}

impl Health {
    /// In one word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Here => "here",
            Self::Connected => "connected",
            Self::Away => "away",
        }
    }
}

/// The way for hints.
#[derive(Debug, Clone)]
pub struct Bus {
    here: Here,
    health: watch::Receiver<Health>,
    /// Other nodes may write to the same database without telling this one.
    strangers: bool,
    link: Option<Arc<Link>>,
    is_silent: bool,
}

impl Bus {
    /// Within this process only. With `strangers`, other nodes may use the same database.
    #[must_use]
    pub fn in_process(strangers: bool) -> Self {
        Self {
            here: Here::default(),
            // The sender is gone, so it stays like this.
            health: watch::channel(Health::Here).1,
            strangers,
            link: None,
            is_silent: false,
        }
    }

    /// With other nodes through Redis. It need not be there: until it is, nodes look for themselves.
    pub fn redis(url: &str, prefix: &str) -> Result<Self, LinkError> {
        let here = Here::default();
        let link = Link::open(url, prefix, here.clone())?;
        Ok(Self {
            here,
            health: link.health(),
            strangers: false,
            link: Some(Arc::new(link)),
            is_silent: false,
        })
    }

    /// It still hears, and says nothing.
    #[must_use]
    pub fn silent(self) -> Self {
        Self {
            is_silent: true,
            ..self
        }
    }

    /// Tells everybody, this node included. Never waits and never fails: what is lost is found by looking.
    pub fn publish(&self, hint: Hint) {
        if self.is_silent {
            return;
        }
        if let Some(link) = &self.link {
            link.send(hint.clone());
        }
        self.here.tell(hint);
    }

    /// Tells this node only.
    pub fn publish_here(&self, hint: Hint) {
        self.here.tell(hint);
    }

    /// Tells the other nodes only.
    pub fn tell_others(&self, hint: Hint) {
        if let Some(link) = self.link.as_ref().filter(|_| !self.is_silent) {
            link.send(hint);
        }
    }

    /// How it is.
    #[must_use]
    pub fn health(&self) -> Health {
        *self.health.borrow()
    }

    /// How it is from now on.
    #[must_use]
    pub fn healths(&self) -> watch::Receiver<Health> {
        self.health.clone()
    }

    /// Whether what other nodes do is not heard at the moment, so that one has to look.
    #[must_use]
    pub fn is_deaf(&self) -> bool {
        self.strangers || self.health() == Health::Away
    }

    /// The way to other nodes, where there is one.
    #[must_use]
    pub fn link(&self) -> Option<&Link> {
        self.link.as_deref()
    }

    /// All hints from now on, but for those that only open documents need. Whoever lags must look at everything they follow.
    #[must_use]
    pub fn subscribe(&self) -> broadcast::Receiver<Hint> {
        self.here.rest()
    }

    /// As [`Bus::subscribe`], of what concerns open documents, and nothing else.
    #[must_use]
    pub fn subscribe_documents(&self) -> broadcast::Receiver<Hint> {
        self.here.documents()
    }
}
