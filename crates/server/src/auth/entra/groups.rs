//! The groups of somebody who has more of them than fit into a token: asked of the configured Graph on the person's behalf,
//! never of an address that the token names. What cannot be found out, nobody has.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::FutureExt as _;
use serde::Deserialize;
use serde_json::json;

use super::fetch::{FetchError, Fetcher};
use super::flight::Flights;
use super::settings::{Settings, is_guid};
use crate::clock::Clock;
use crate::problem::Chain;

const KEPT_MS: u64 = 5 * 60_000;
/// After a failure, so that Graph is not asked at every request while it is away.
const AGAIN_MS: u64 = 15_000;
const MOST: usize = 10_000;

/// What came of asking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Found {
    /// These groups; none when they could not be found out.
    Groups(Arc<Vec<String>>),
    /// Entra first wants this of the person (a claims challenge, to be passed on to the client).
    Challenge(String),
}

/// Asks, and remembers for five minutes.
#[derive(Debug)]
pub(super) struct Directory {
    settings: Arc<Settings>,
    fetcher: Fetcher,
    clock: Clock,
    kept: Arc<Mutex<BTreeMap<String, Kept>>>,
    flights: Flights<Found>,
}

#[derive(Debug)]
struct Kept {
    found: Found,
    until_ms: u64,
}

#[derive(Debug, thiserror::Error)]
enum LookupError {
    #[error("it could not be asked")]
    Fetch(#[from] FetchError),
    #[error("it answered something else")]
    Form(#[from] serde_json::Error),
    #[error("no token for Graph: {0}")]
    Refused(String),
    #[error("Entra wants more of the person")]
    Challenge(String),
}

impl Directory {
    pub(super) fn new(settings: Arc<Settings>, fetcher: Fetcher, clock: Clock) -> Self {
        Self {
            settings,
            fetcher,
            clock,
            kept: Arc::default(),
            flights: Flights::default(),
        }
    }

    /// The groups of a person whose `token` was checked.
    pub(super) async fn groups(&self, tid: &str, oid: &str, token: &str) -> Found {
        let Some(secret) = &self.settings.secret else {
            return Found::Groups(Arc::default());
        };
        let name = format!("{tid}/{oid}");
        if let Some(kept) = lock(&self.kept).get(&name)
            && self.clock.now_ms() < kept.until_ms
        {
            return kept.found.clone();
        }
        let question = Question {
            settings: self.settings.clone(),
            fetcher: self.fetcher.clone(),
            tid: tid.to_owned(),
            secret: secret.0.clone(),
            token: token.to_owned(),
        };
        let (clock, kept, name_kept) = (self.clock.clone(), self.kept.clone(), name.clone());
        let start = || {
            async move {
                let (found, for_ms) = match question.ask().await {
                    Ok(groups) => (Found::Groups(Arc::new(groups)), KEPT_MS),
                    Err(LookupError::Challenge(claims)) => (Found::Challenge(claims), 0),
                    Err(error) => {
                        tracing::warn!(tid = question.tid, error = %Chain(&error), "groups cannot be looked up: nobody has any");
                        (Found::Groups(Arc::default()), AGAIN_MS)
                    }
                };
                let now_ms = clock.now_ms();
                let mut kept = lock(&kept);
                if kept.len() >= MOST {
                    kept.retain(|_, it| now_ms < it.until_ms);
                }
                if kept.len() < MOST {
                    let until_ms = now_ms + for_ms;
                    let found = found.clone();
                    kept.insert(name_kept, Kept { found, until_ms });
                }
                found
            }
            .boxed()
        };
        self.flights.join(&name, start).await
    }
}

/// One look into the directory.
struct Question {
    settings: Arc<Settings>,
    fetcher: Fetcher,
    tid: String,
    secret: String,
    token: String,
}

impl Question {
    async fn ask(&self) -> Result<Vec<String>, LookupError> {
        #[derive(Deserialize)]
        struct Members {
            value: Vec<String>,
        }
        let token = self.on_behalf().await?;
        let url = format!("{}/v1.0/me/getMemberObjects", self.settings.endpoints.graph);
        let body = self
            .fetcher
            .json(&url, &token, &json!({"securityEnabledOnly": true}))
            .await?;
        let members: Members = serde_json::from_slice(&body)?;
        let groups = members.value.into_iter().map(|it| it.to_ascii_lowercase());
        Ok(groups.filter(|it| is_guid(it)).collect())
    }

    /// A token for Graph in exchange for the person's own.
    async fn on_behalf(&self) -> Result<String, LookupError> {
        #[derive(Deserialize)]
        struct Granted {
            access_token: String,
        }
        #[derive(Deserialize)]
        struct Refused {
            error: String,
            #[serde(default)]
            claims: Option<String>,
        }
        let endpoints = &self.settings.endpoints;
        let scope = format!("{}/.default", endpoints.graph);
        let fields = [
            ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
            ("client_id", self.settings.api_client_id.as_str()),
            ("client_secret", self.secret.as_str()),
            ("assertion", self.token.as_str()),
            ("scope", scope.as_str()),
            ("requested_token_use", "on_behalf_of"),
        ];
        let (status, body) = self.fetcher.form(&endpoints.token(&self.tid), &fields).await?;
        if status == reqwest::StatusCode::OK {
            return Ok(serde_json::from_slice::<Granted>(&body)?.access_token);
        }
        if status != reqwest::StatusCode::BAD_REQUEST {
            return Err(FetchError::Status(status).into());
        }
        let refused: Refused = serde_json::from_slice(&body)?;
        match refused.claims {
            Some(claims) if refused.error == "interaction_required" && claims.len() <= 4096 => {
                Err(LookupError::Challenge(claims))
            }
            Some(_) | None => Err(LookupError::Refused(refused.error)),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
