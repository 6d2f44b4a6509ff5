//! Sends what a webhook is told: signed, over HTTPS, to public addresses only, without redirects, in bounded time and size.
//! This and sign-in (`auth::entra`) are the only ways by which the server goes anywhere by itself; no address that stands in
//! a token, a document or a file is ever followed.

use std::fmt::Write as _;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use protocol::id::WebhookId;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{CONTENT_TYPE, HeaderValue};
use reqwest::{Certificate, Client, Response, StatusCode, redirect};
use ring::hmac;
use url::{Host, Url};

use crate::config::{Egress, Names, Secret};

pub mod address;

/// The longest address of a webhook, in bytes.
pub const URL_BYTES: usize = 2048;
/// So much of an answer is read, so that a receiver that says a little is not cut off.
const ANSWER_BYTES: usize = 64 << 10;
const AGENT: &str = concat!("zspark-server/", env!("CARGO_PKG_VERSION"));

/// Why something cannot be the address of a webhook. These are for whoever asked for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// No URL.
    #[error("the address of a webhook is a URL of at most {URL_BYTES} bytes")]
    Syntax,
    /// Not HTTPS.
    #[error("the address of a webhook begins with https://")]
    Scheme,
    /// With a name or a password.
    #[error("the address of a webhook has no name and no password in it")]
    Userinfo,
    /// With a part that is never sent.
    #[error("the address of a webhook has no # in it")]
    Fragment,
    /// This machine, or a network that is not public.
    #[error("a webhook is at a public address")]
    Private,
}

/// Why something did not arrive. Admins read these, so they tell nothing of what is inside the server's own network: a name
/// that leads there and a name that leads nowhere are the same.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// It cannot be asked at all.
    #[error("{0}")]
    Target(#[from] TargetError),
    /// No name, or one that leads to where nobody is sent.
    #[error("the host has no public address, or one that is not public")]
    Address(#[source] reqwest::Error),
    /// No answer in time.
    #[error("there was no answer within {} ms", .0.as_millis())]
    Late(Duration),
    /// Nobody there, or without a certificate for the name.
    #[error("there was no connection, or no certificate that is good for the host")]
    Connection(#[source] reqwest::Error),
    /// It went wrong in the middle.
    #[error("the connection broke off before the answer")]
    Broken(#[source] reqwest::Error),
    /// Another status than 2xx. Redirects are not followed.
    #[error("the answer was {}, not 2xx", .0.as_u16())]
    Status(StatusCode),
}

/// The way out.
#[derive(Debug, Clone)]
pub struct Sender {
    client: Client,
    allowed: Vec<IpAddr>,
    patience: Duration,
}

impl Sender {
    /// As the configuration says.
    ///
    /// # Errors
    /// TLS cannot be set up.
    pub fn new(egress: &Egress) -> Result<Self, reqwest::Error> {
        let gatekeeper = Gatekeeper(Arc::new(Ways {
            names: egress.names.clone(),
            allowed: egress.allowed.clone(),
        }));
        let mut builder = Client::builder()
            .user_agent(AGENT)
            .https_only(true)
            .http1_only()
            .no_proxy()
            .referer(false)
            .redirect(redirect::Policy::none())
            // Each attempt looks at the addresses anew.
            .pool_max_idle_per_host(0)
            .dns_resolver(gatekeeper)
            .timeout(egress.patience);
        if let Some(root) = &egress.root {
            builder = builder.tls_certs_merge([Certificate::from_der(root)?]);
        }
        Ok(Self {
            client: builder.build()?,
            allowed: egress.allowed.clone(),
            patience: egress.patience,
        })
    }

    /// Sends it once, and answers the status with which it was taken.
    ///
    /// # Errors
    /// It did not arrive, or was not taken.
    pub async fn send(
        &self,
        webhook: &WebhookId,
        url: &str,
        secret: &Secret,
        now_ms: u64,
        body: String,
    ) -> Result<StatusCode, SendError> {
        let url = target(url, &self.allowed)?;
        let timestamp = (now_ms / 1000).to_string();
        let signature = signature(secret, &timestamp, &body);
        let request = self
            .client
            .post(url)
            .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
            .header("zspark-webhook-id", webhook.as_str())
            .header("zspark-timestamp", timestamp)
            .header("zspark-signature", signature)
            .body(body);
        let response = request.send().await.map_err(|error| self.reason(error))?;
        let status = response.status();
        drain(response).await;
        if status.is_success() {
            Ok(status)
        } else {
            Err(SendError::Status(status))
        }
    }

    fn reason(&self, error: reqwest::Error) -> SendError {
        // The address may have a secret of the receiver's in it, and errors are logged.
        let error = error.without_url();
        if is_about_names(&error) {
            SendError::Address(error)
        } else if error.is_timeout() {
            SendError::Late(self.patience)
        } else if error.is_connect() {
            SendError::Connection(error)
        } else {
            SendError::Broken(error)
        }
    }
}

/// The address, if a webhook may have it. A name is looked at again, with all that it leads to, each time it is used.
///
/// # Errors
/// It may not.
pub fn target(text: &str, allowed: &[IpAddr]) -> Result<Url, TargetError> {
    if text.len() > URL_BYTES {
        return Err(TargetError::Syntax);
    }
    let url = Url::parse(text).map_err(|_| TargetError::Syntax)?;
    if url.scheme() != "https" {
        return Err(TargetError::Scheme);
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(TargetError::Userinfo);
    }
    if url.fragment().is_some() {
        return Err(TargetError::Fragment);
    }
    let may_be_public = match url.host() {
        Some(Host::Ipv4(it)) => is_allowed(it.into(), allowed),
        Some(Host::Ipv6(it)) => is_allowed(it.into(), allowed),
        Some(Host::Domain(name)) => !is_here(name),
        None => false,
    };
    if may_be_public {
        Ok(url)
    } else {
        Err(TargetError::Private)
    }
}

/// `v1=` and the HMAC-SHA256 of time, full stop and body, in hex.
#[must_use]
pub fn signature(secret: &Secret, timestamp: &str, body: &str) -> String {
    let mut mac = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, secret.0.as_bytes()));
    mac.update(timestamp.as_bytes());
    mac.update(b".");
    mac.update(body.as_bytes());
    let mut text = "v1=".to_owned();
    for byte in mac.sign().as_ref() {
        // Writing into a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

fn is_allowed(address: IpAddr, allowed: &[IpAddr]) -> bool {
    address::is_public(address) || allowed.contains(&address)
}

/// A name that is this machine by definition.
fn is_here(name: &str) -> bool {
    let name = name.trim_end_matches('.');
    name == "localhost" || name.ends_with(".localhost")
}

/// Reads some of an answer. The status is all that counts, so whatever goes wrong here does not matter; the time for it is
/// part of the attempt's.
async fn drain(mut response: Response) {
    let mut left = ANSWER_BYTES;
    while let Ok(Some(chunk)) = response.chunk().await {
        let Some(less) = left.checked_sub(chunk.len()) else {
            return;
        };
        left = less;
    }
}

/// Resolves names and lets pass only those all of whose addresses may be reached. The connection goes to an address of this
/// very answer: nobody asks again, so no second answer can differ.
struct Gatekeeper(Arc<Ways>);

struct Ways {
    names: Names,
    allowed: Vec<IpAddr>,
}

/// The name leads to where nobody is sent, or nowhere.
#[derive(Debug, thiserror::Error)]
#[error("no way to this name")]
struct NoWay(#[source] Option<std::io::Error>);

impl Resolve for Gatekeeper {
    fn resolve(&self, name: Name) -> Resolving {
        let ways = self.0.clone();
        Box::pin(async move {
            let found = ways.names.addresses(name.as_str()).await;
            let found = found.map_err(|error| NoWay(Some(error)))?;
            if found.is_empty() || !found.iter().all(|it| is_allowed(*it, &ways.allowed)) {
                return Err(NoWay(None).into());
            }
            let addresses: Addrs = Box::new(found.into_iter().map(|it| (it, 0).into()));
            Ok(addresses)
        })
    }
}

fn is_about_names(error: &reqwest::Error) -> bool {
    let mut cause = std::error::Error::source(error);
    while let Some(it) = cause {
        if it.is::<NoWay>() {
            return true;
        }
        cause = it.source();
    }
    false
}

#[cfg(test)]
mod tests;
