//! An OpenID Connect authority of Entra's shape on loopback: metadata of v1 and v2 for each tenant and for common and
//! organizations, keys that roll over, sign-in with PKCE, tokens with any claims, a directory, and every fault there is.
//!
//! ```ignore
//! let authority = Authority::start().await?;
//! // … point a server's `authority_override` at authority.url(), then:
//! let token = authority.sign(&Form::at(&authority.url()).v2(now_s));
//! ```

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

pub use self::cases::{Case, cases, documents};
pub use self::fault::Fault;
pub use self::form::Form;
pub use self::key::{Algorithm, Key};
use self::sign_in::Grant;

pub mod cases;
pub mod fault;
pub mod form;
pub mod key;
mod routes;
mod sign_in;

/// What can be asked of it, and made to fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Endpoint {
    /// `/{tenant}/v2.0/.well-known/openid-configuration`, and the same without `/v2.0`.
    Metadata,
    /// `/{tenant}/discovery/v2.0/keys`, and the same without `/v2.0`.
    Keys,
    /// `/{tenant}/oauth2/v2.0/authorize`
    Authorize,
    /// `/{tenant}/oauth2/v2.0/token`
    Token,
    /// `/graph/v1.0/me/getMemberObjects`
    Graph,
}

/// Runs until it is dropped.
#[derive(Debug)]
pub struct Authority {
    port: u16,
    state: Arc<State>,
    /// Dropping it ends the server.
    _tasks: JoinSet<()>,
}

#[derive(Debug)]
struct State {
    url: String,
    inner: Mutex<Inner>,
    asked: watch::Sender<BTreeMap<Endpoint, usize>>,
    /// Answers that hang end with this.
    released: watch::Sender<bool>,
}

#[derive(Debug)]
struct Inner {
    /// The one that signs is the last.
    keys: Vec<Arc<Key>>,
    /// Besides the keys of `keys`: documents that tests made.
    published: Option<Value>,
    form: Form,
    faults: BTreeMap<Endpoint, Fault>,
    person: Value,
    groups: Vec<String>,
    /// What a grant on behalf of a person is answered instead of a token.
    refusal: Option<Value>,
    codes: BTreeMap<String, Grant>,
    refresh_tokens: BTreeMap<String, Grant>,
    graph_tokens: Vec<String>,
    given: u64,
    now_s: u64,
}

impl Authority {
    /// Starts on a free port. Its tokens begin at `now_s`.
    ///
    /// # Errors
    /// No port can be had.
    pub async fn start(now_s: u64) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let port = listener.local_addr()?.port();
        let url = format!("http://127.0.0.1:{port}");
        let state = Arc::new(State {
            inner: Mutex::new(Inner {
                keys: vec![Key::numbered(0)],
                published: None,
                form: Form::at(&url),
                faults: BTreeMap::new(),
                person: Value::Object(serde_json::Map::new()),
                groups: Vec::new(),
                refusal: None,
                codes: BTreeMap::new(),
                refresh_tokens: BTreeMap::new(),
                graph_tokens: Vec::new(),
                given: 0,
                now_s,
            }),
            url,
            asked: watch::Sender::new(BTreeMap::new()),
            released: watch::Sender::new(false),
        });
        let router: Router = routes::router(state.clone());
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            if let Err(error) = axum::serve(listener, router).await {
                // A test that waits for this server fails by itself; this says why.
                panic!("the authority ended: {error}");
            }
        });
        Ok(Self {
            port,
            state,
            _tasks: tasks,
        })
    }

    /// Its address, without a slash at the end: `{url}/{tenant}` is an authority in Entra's sense.
    #[must_use]
    pub fn url(&self) -> String {
        self.state.url.clone()
    }

    /// The directory's address.
    #[must_use]
    pub fn graph_url(&self) -> String {
        format!("{}/graph", self.state.url)
    }

    /// Its port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// What issuers it writes.
    #[must_use]
    pub fn form(&self) -> Form {
        self.lock().form.clone()
    }

    /// Writes issuers of another form, for a server that has the templates to go with it.
    pub fn speak(&self, form: Form) {
        self.lock().form = form;
    }

    /// The time at which tokens that come out of sign-in begin.
    pub fn set_time(&self, now_s: u64) {
        self.lock().now_s = now_s;
    }

    /// The key that signs.
    #[must_use]
    pub fn key(&self) -> Arc<Key> {
        let inner = self.lock();
        inner.signer()
    }

    /// A token with these claims, signed by the key of now.
    #[must_use]
    pub fn sign(&self, claims: &Value) -> String {
        self.key().token(claims)
    }

    /// A new key signs from now on; the others stay in the document.
    pub fn rotate(&self) -> Arc<Key> {
        let mut inner = self.lock();
        let key = Key::numbered(inner.next_key());
        inner.keys.push(key.clone());
        key
    }

    /// A new key signs from now on, and the others are gone at once, as after a theft.
    pub fn replace(&self) -> Arc<Key> {
        let mut inner = self.lock();
        let key = Key::numbered(inner.next_key());
        inner.keys = vec![key.clone()];
        key
    }

    /// Publishes this document instead of its keys.
    pub fn publish(&self, document: Option<Value>) {
        self.lock().published = document;
    }

    /// From now on, this endpoint fails in this way, or works again.
    pub fn fail(&self, endpoint: Endpoint, fault: Option<Fault>) {
        let mut inner = self.lock();
        match fault {
            Some(fault) => inner.faults.insert(endpoint, fault),
            None => inner.faults.remove(&endpoint),
        };
    }

    /// Who signs in: claims that go into their tokens, over the usual ones.
    pub fn set_person(&self, claims: Value) {
        self.lock().person = claims;
    }

    /// Which groups the directory says that everybody is in.
    pub fn set_groups(&self, groups: &[&str]) {
        self.lock().groups = groups.iter().map(|it| (*it).to_owned()).collect();
    }

    /// What a grant on behalf of a person is answered (400) instead of a token.
    pub fn refuse_on_behalf(&self, body: Option<Value>) {
        self.lock().refusal = body;
    }

    /// How often this was asked.
    #[must_use]
    pub fn asked(&self, endpoint: Endpoint) -> usize {
        self.state.asked.borrow().get(&endpoint).copied().unwrap_or_default()
    }

    /// Waits until this was asked so often.
    pub async fn was_asked(&self, endpoint: Endpoint, times: usize) {
        let mut asked = self.state.asked.subscribe();
        let enough = |it: &BTreeMap<Endpoint, usize>| it.get(&endpoint).copied().unwrap_or_default() >= times;
        // The sender lives in self, so waiting cannot fail.
        drop(asked.wait_for(enough).await);
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.state.lock()
    }
}

impl Drop for Authority {
    fn drop(&mut self) {
        self.state.released.send_replace(true);
    }
}

impl State {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn signer(&self) -> Arc<Key> {
        // There is always one: it starts with one, and none is ever taken without another one in its place.
        self.keys.last().cloned().unwrap_or_else(|| Key::numbered(0))
    }

    fn next_key(&self) -> usize {
        self.keys.iter().map(|it| it.number()).max().unwrap_or_default() + 1
    }

    /// A name that was not given before.
    fn give(&mut self, kind: &str) -> String {
        self.given += 1;
        format!("{kind}-{}", self.given)
    }
}
