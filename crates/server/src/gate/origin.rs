//! Which pages may talk to this server, and by which names it is called. One list for CORS and for websockets.

use std::collections::BTreeSet;
use std::net::IpAddr;

use axum::http::HeaderMap;
use axum::http::header::{HOST, HeaderValue, ORIGIN};
use url::{Host, Url};

use crate::config::{Config, ConfigError};
use crate::problem::{Answer, Refusal};

/// The desktop's own pages, on its three systems.
const DESKTOP: [&str; 3] = ["tauri://localhost", "http://tauri.localhost", "https://tauri.localhost"];

/// The lists.
#[derive(Debug, Clone)]
pub struct Origins {
    pages: BTreeSet<String>,
    /// The name people use; None when it is not configured.
    name: Option<String>,
}

impl Origins {
    /// As configured.
    pub fn new(config: &Config) -> Result<Self, ConfigError> {
        let mut pages: BTreeSet<String> = DESKTOP.into_iter().map(str::to_owned).collect();
        for page in &config.allowed_origins {
            let origin = Url::parse(page).ok().map(|it| it.origin().ascii_serialization());
            // What is written must be what browsers send, to the letter: a path or a `*` would silently never match.
            if origin.as_deref() != Some(page.as_str()) || !page.starts_with("http") {
                return Err(ConfigError::Value(format!(
                    "allowed_origins must hold origins such as https://app.example.com, not `{page}`"
                )));
            }
            pages.insert(page.clone());
        }
        let mut name = None;
        if let Some(url) = &config.server_url {
            pages.insert(url.origin().ascii_serialization());
            name = url.host_str().map(str::to_lowercase);
        }
        Ok(Self { pages, name })
    }

    /// The page that asks, if it may. None when no page asks: then only credentials count, which no page can add to a
    /// foreign request, since there are no cookies.
    pub fn page<'a>(&self, headers: &'a HeaderMap) -> Answer<Option<&'a HeaderValue>> {
        let mut origins = headers.get_all(ORIGIN).iter();
        let (first, second) = (origins.next(), origins.next());
        let Some(origin) = first else {
            return Ok(None);
        };
        if second.is_none() && origin.to_str().is_ok_and(|it| self.pages.contains(it)) {
            return Ok(Some(origin));
        }
        Err(Refusal::forbidden("This page may not talk to this server.")
            .hint("Whoever runs it can name the page in `allowed_origins`."))
    }

    /// Refuses names that are not this server's: a page whose name was made to point here (DNS rebinding) has another one.
    /// An address as such cannot be made to point elsewhere.
    pub fn host(&self, headers: &HeaderMap) -> Answer<()> {
        let mut hosts = headers.get_all(HOST).iter();
        let (first, second) = (hosts.next(), hosts.next());
        let host = first.filter(|_| second.is_none()).and_then(|it| it.to_str().ok());
        if host.is_some_and(|it| self.is_ours(it)) {
            return Ok(());
        }
        Err(Refusal::forbidden("This server does not go by this name.")
            .hint("Whoever runs it can set `server_url` to the address that people use."))
    }

    fn is_ours(&self, host: &str) -> bool {
        let Some(host) = Url::parse(&format!("http://{host}"))
            .ok()
            .filter(|it| it.path() == "/" && it.username().is_empty() && it.query().is_none())
            .and_then(|it| it.host().map(|it| it.to_owned()))
        else {
            return false;
        };
        match host {
            Host::Domain(domain) => domain == "localhost" || Some(domain.to_lowercase()) == self.name,
            Host::Ipv4(address) => self.is_address(address.into()),
            Host::Ipv6(address) => self.is_address(address.into()),
        }
    }

    /// With a name configured, other machines use the name; this one may use its own address.
    fn is_address(&self, address: IpAddr) -> bool {
        self.name.is_none() || address.is_loopback() || self.name.as_deref() == Some(&address.to_string())
    }
}

#[cfg(test)]
mod tests;
