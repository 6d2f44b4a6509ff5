//! The HTTP client all providers share, so that connections are kept alive between requests.
//!
//! There are three of them inside, each made when first needed: reading the system's trust store takes time that a plain
//! `http://` base URL should not pay at start, and a server on this machine is not asked for through a proxy.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use crate::capability::Feature;
use crate::error::{Class, Error};

/// A cheap handle to the shared client and to what was learned about providers while running.
#[derive(Clone)]
pub struct Http(Arc<Shared>);

struct Shared {
    user_agent: String,
    local: OnceLock<reqwest::Client>,
    plain: OnceLock<reqwest::Client>,
    secure: OnceLock<reqwest::Client>,
    refused: Mutex<HashMap<(String, String), HashSet<Feature>>>,
    windows: Mutex<HashMap<(String, String), u64>>,
}

impl Http {
    /// A client that calls itself `zspark/<version>`.
    #[must_use]
    pub fn new(version: &str) -> Self {
        Self(Arc::new(Shared {
            user_agent: format!("zspark/{version}"),
            local: OnceLock::new(),
            plain: OnceLock::new(),
            secure: OnceLock::new(),
            refused: Mutex::default(),
            windows: Mutex::default(),
        }))
    }

    /// The client for a URL.
    pub(crate) fn client(&self, url: &reqwest::Url, provider: &str) -> Result<reqwest::Client, Error> {
        let plain = url.scheme() == "http";
        let local = plain && is_loopback(url);
        let cell = match (local, plain) {
            (true, _) => &self.0.local,
            (false, true) => &self.0.plain,
            (false, false) => &self.0.secure,
        };
        if let Some(client) = cell.get() {
            return Ok(client.clone());
        }
        let mut builder = reqwest::Client::builder()
            .user_agent(&self.0.user_agent)
            .connect_timeout(Duration::from_secs(10))
            .pool_idle_timeout(Duration::from_secs(90))
            .tcp_nodelay(true)
            // A provider's endpoint does not move. Following a redirect would send the prompt somewhere else.
            .redirect(reqwest::redirect::Policy::none());
        if plain {
            builder = builder.tls_certs_only(std::iter::empty());
        }
        if local {
            builder = builder.no_proxy();
        }
        let client = builder
            .build()
            .map_err(|error| Error::new(Class::Client, provider).words(chain(&error)))?;
        Ok(cell.get_or_init(|| client).clone())
    }

    /// What the provider at `base_url` does not take for `model`, as far as was found out.
    pub(crate) fn refused(&self, base_url: &str, model: &str) -> HashSet<Feature> {
        let refused = self.0.refused.lock().unwrap_or_else(PoisonError::into_inner);
        refused
            .get(&(base_url.to_owned(), model.to_owned()))
            .cloned()
            .unwrap_or_default()
    }

    /// Remembers that the provider does not take `feature`. False if that was known.
    pub(crate) fn refuse(&self, base_url: &str, model: &str, feature: Feature) -> bool {
        let mut refused = self.0.refused.lock().unwrap_or_else(PoisonError::into_inner);
        refused
            .entry((base_url.to_owned(), model.to_owned()))
            .or_default()
            .insert(feature)
    }

    /// The context window that the provider reported for a model.
    pub(crate) fn window(&self, base_url: &str, model: &str) -> Option<u64> {
        let windows = self.0.windows.lock().unwrap_or_else(PoisonError::into_inner);
        windows.get(&(base_url.to_owned(), model.to_owned())).copied()
    }

    /// Remembers what the provider reported.
    pub(crate) fn keep_window(&self, base_url: &str, model: &str, tokens: u64) {
        let mut windows = self.0.windows.lock().unwrap_or_else(PoisonError::into_inner);
        windows.insert((base_url.to_owned(), model.to_owned()), tokens);
    }
}

impl std::fmt::Debug for Http {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Http")
            .field("user_agent", &self.0.user_agent)
            .finish_non_exhaustive()
    }
}

fn is_loopback(url: &reqwest::Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|it| it.is_loopback())
}

/// An error and its causes, in one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let next = error.to_string();
        if !text.contains(&next) {
            text.push_str(": ");
            text.push_str(&next);
        }
        cause = error.source();
    }
    text
}
