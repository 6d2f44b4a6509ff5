//! Microsoft Entra ID, in its three clouds: from a bearer token to a person. Start reading at [`Entra::verified`].
//!
//! A token is taken apart strictly ([`token`]), its key found ([`ring`], fed by [`keys`]), its signature checked, and only
//! then its claims are read ([`claims`]). Fetching happens in this file and in [`groups`] alone.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::FutureExt as _;
use protocol::workspace::sign_in::SignIn;
use rand::Rng as _;
use tokio::task::JoinSet;

use self::claims::Groups;
use self::fetch::{FetchError, Fetcher};
use self::flight::Flights;
use self::groups::{Directory, Found};
use self::keys::{DocumentError, Keys, Metadata};
use self::ring::{Look, Ring};
use self::token::Token;
use super::Verified;
use super::denied::{Denied, Reason};
use crate::clock::Clock;
use crate::problem::Chain;

mod claims;
mod fetch;
mod flight;
mod groups;
mod json;
mod keys;
mod ring;
mod settings;
mod token;

pub use settings::Settings;

/// Keys that could not be fetched are tried for again after so long at most.
const RETRY_S: u64 = 60;

/// Knows people by tokens. Keys are fetched anew in the background for as long as it lives.
#[derive(Debug)]
pub struct Entra {
    settings: Arc<Settings>,
    clock: Clock,
    source: Arc<Source>,
    directory: Directory,
    _tasks: JoinSet<()>,
}

impl Entra {
    /// Begins to fetch keys, and does not wait for them: an authority that is away is no reason not to start.
    ///
    /// # Errors
    /// There is no TLS on this machine.
    pub fn start(settings: Settings, clock: Clock) -> Result<Self, reqwest::Error> {
        let entra = Self::new(settings, clock)?;
        let mut tasks = JoinSet::new();
        for tid in &entra.settings.tenants {
            let (source, tid) = (entra.source.clone(), tid.clone());
            tasks.spawn(async move { source.keep_fresh(&tid).await });
        }
        Ok(Self { _tasks: tasks, ..entra })
    }

    fn new(settings: Settings, clock: Clock) -> Result<Self, reqwest::Error> {
        let settings = Arc::new(settings);
        let fetcher = Fetcher::new(settings.endpoints.loopback)?;
        Ok(Self {
            source: Arc::new(Source {
                settings: settings.clone(),
                fetcher: fetcher.clone(),
                clock: clock.clone(),
                rings: Mutex::default(),
                flights: Flights::default(),
            }),
            directory: Directory::new(settings.clone(), fetcher, clock.clone()),
            settings,
            clock,
            _tasks: JoinSet::new(),
        })
    }

    /// The person behind a token.
    ///
    /// # Errors
    /// 401 when it is not proved who it is, 403 when they may not, 503 when there are no keys to prove it with.
    pub async fn verified(&self, text: &str) -> Result<Verified, Denied> {
        let token = Token::parse(text)?;
        let kid = token.kid().to_owned();
        let tid = token
            .claimed_tenant()
            .filter(|it| settings::is_guid(it))
            .map(str::to_owned);
        self.person(token, text).await.map_err(|denied| Denied {
            kid: Some(kid),
            tid,
            ..denied
        })
    }

    async fn person(&self, token: Token<'_>, text: &str) -> Result<Verified, Denied> {
        // The claim is not believed here; it says in whose keys to look, and no keys are fetched of tenants that are not ours.
        let tid = token
            .claimed_tenant()
            .filter(|it| self.settings.tenants.contains(*it))
            .ok_or(Reason::Tenant)?
            .to_owned();
        let key = self.source.key(&tid, token.kid()).await?;
        if !key.is_for(&tid, &self.settings.endpoints.issuer_v2(&tid)) {
            return Err(Reason::KeyIssuer.into());
        }
        let claims = token.proved_by(&key)?;
        let person = claims::judge(&claims, &self.settings, self.clock.now_ms() / 1000)?;
        let groups = match person.groups {
            Groups::Listed(groups) => groups,
            Groups::TooMany => match self.directory.groups(&person.tid, &person.oid, text).await {
                Found::Groups(groups) => groups.as_ref().clone(),
                Found::Challenge(claims) => return Err(challenged(claims)),
            },
        };
        let role = self
            .settings
            .roles
            .role(&person.roles, &groups)
            .ok_or(Reason::Unmapped)?;
        Ok(Verified {
            cloud: self.settings.cloud.to_owned(),
            tid: person.tid,
            oid: person.oid,
            name: person.name,
            guest: person.guest,
            app: false,
            role,
            app_roles: person.roles,
            groups,
            expires_at_ms: Some(person.exp_s * 1000),
        })
    }

    /// What a client needs to sign in here.
    #[must_use]
    pub fn sign_in(&self) -> SignIn {
        let settings = &self.settings;
        let tenant = settings.tenants.first().cloned().unwrap_or_default();
        SignIn::Entra {
            cloud: settings.cloud.to_owned(),
            authority: format!("{}/{tenant}", settings.endpoints.authority),
            tenant,
            tenants: settings.tenants.iter().cloned().collect(),
            client_ids: settings.clients.clone(),
            api_client_id: settings.api_client_id.clone(),
            scope: format!("{}/{}", settings.scope_audience, settings.scope),
        }
    }
}

fn challenged(claims: String) -> Denied {
    let mut denied = Denied::said(
        Reason::Challenge,
        "Your organisation asks for one more step: please sign in again.",
    );
    denied.problem.facts.insert("claims".to_owned(), claims.into());
    denied
}

/// Where keys come from.
#[derive(Debug)]
struct Source {
    settings: Arc<Settings>,
    fetcher: Fetcher,
    clock: Clock,
    rings: Mutex<BTreeMap<String, Ring>>,
    flights: Flights<bool>,
}

#[derive(Debug, thiserror::Error)]
enum SourceError {
    #[error("the metadata")]
    Metadata(#[source] FetchError),
    #[error("the keys")]
    Keys(#[source] FetchError),
    #[error("what came")]
    Document(#[from] DocumentError),
}

impl Source {
    /// The key of that name, asking the authority if that is allowed now.
    async fn key(self: &Arc<Self>, tid: &str, kid: &str) -> Result<Arc<keys::Key>, Reason> {
        let under_way = self.flights.is_under_way(tid);
        let look = self.with_ring(tid, |ring, now_ms| ring.look(kid, now_ms, under_way));
        let look = if look == Look::Ask {
            self.refresh(tid).await;
            self.with_ring(tid, |ring, now_ms| ring.look_again(kid, now_ms))
        } else {
            look
        };
        match look {
            Look::Key(key) => Ok(key),
            Look::NoKeys => Err(Reason::NoKeys),
            Look::Unknown | Look::Ask => Err(Reason::UnknownKey),
        }
    }

    /// Fetches a tenant's keys, or waits for somebody who does. Says whether it worked.
    async fn refresh(self: &Arc<Self>, tid: &str) -> bool {
        let source = self.clone();
        let tenant = tid.to_owned();
        let start = || {
            async move {
                match source.fetch(&tenant).await {
                    Ok(keys) => {
                        source.with_ring(&tenant, |ring, now_ms| ring.take(keys, now_ms));
                        true
                    }
                    Err(error) => {
                        tracing::warn!(tid = tenant, error = %Chain(&error), "keys cannot be fetched; those we have stay");
                        false
                    }
                }
            }
            .boxed()
        };
        self.flights.join(tid, start).await
    }

    async fn fetch(&self, tid: &str) -> Result<Keys, SourceError> {
        let endpoints = &self.settings.endpoints;
        let metadata = self
            .fetcher
            .get(&endpoints.discovery(tid))
            .await
            .map_err(SourceError::Metadata)?;
        let metadata = Metadata::read(&metadata, tid, endpoints)?;
        let keys = self
            .fetcher
            .get(metadata.jwks_uri.as_str())
            .await
            .map_err(SourceError::Keys)?;
        Ok(metadata.keys(&keys)?)
    }

    /// Fetches again and again; sooner when it did not work.
    async fn keep_fresh(self: &Arc<Self>, tid: &str) {
        loop {
            let every_s = self.settings.refresh_s;
            let wait_s = if self.refresh(tid).await {
                every_s
            } else {
                every_s.min(RETRY_S)
            };
            // Nodes that started together do not ask together for ever.
            let jitter = rand::rng().random_range(0.9..=1.1);
            #[expect(clippy::cast_precision_loss, reason = "at most a day in seconds")]
            tokio::time::sleep(Duration::from_secs_f64(wait_s as f64 * jitter)).await;
        }
    }

    fn with_ring<T>(&self, tid: &str, act: impl FnOnce(&mut Ring, u64) -> T) -> T {
        let now_ms = self.clock.now_ms();
        let mut rings = self.rings.lock().unwrap_or_else(PoisonError::into_inner);
        act(rings.entry(tid.to_owned()).or_default(), now_ms)
    }
}

#[cfg(test)]
mod tests;
