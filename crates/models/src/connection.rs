//! How a provider is reached, and how its secrets are kept out of what people and logs read.

use std::time::Duration;

use protocol::setting::WireApi;

/// How a provider is reached. `Debug` shows neither the key nor the values of headers and query.
#[derive(Clone, PartialEq, Eq)]
pub struct Connection {
    /// The table name in `config.toml`.
    pub id: String,
    /// For people.
    pub name: String,
    /// Ends before `/responses` or `/chat/completions`.
    pub base_url: String,
    /// How it is spoken to.
    pub wire_api: WireApi,
    /// The API key, sent as a bearer token.
    pub key: Option<String>,
    /// Further query parameters.
    pub query: Vec<(String, String)>,
    /// Further headers.
    pub headers: Vec<(String, String)>,
    /// How often a request that could not be placed is made again.
    pub request_max_retries: u32,
    /// How often an answer that broke off is asked for again. Both kinds share one count.
    pub stream_max_retries: u32,
    /// How long the provider may send nothing.
    pub stream_idle_timeout: Duration,
    /// Before the first retry; doubles with each further one.
    pub retry_wait: Duration,
}

impl Connection {
    /// A connection with the usual limits and no key.
    #[must_use]
    pub fn new(id: impl Into<String>, name: impl Into<String>, base_url: impl Into<String>, wire_api: WireApi) -> Self {
        Self {
            id: id.into(),
            name: name.into(),
            base_url: base_url.into(),
            wire_api,
            key: None,
            query: Vec::new(),
            headers: Vec::new(),
            request_max_retries: 4,
            stream_max_retries: 5,
            stream_idle_timeout: Duration::from_secs(300),
            retry_wait: Duration::from_millis(200),
        }
    }
}

impl Connection {
    /// Takes secrets out of somebody else's words.
    pub(crate) fn scrub(&self, words: &str) -> String {
        let values = self.headers.iter().chain(&self.query).map(|(_, value)| value);
        let mut clean = words.to_owned();
        for secret in self.key.iter().chain(values) {
            let secret = secret.trim();
            // Shorter ones are no secrets, and would tear words apart.
            if secret.len() >= 6 {
                clean = clean.replace(secret, "…");
            }
        }
        clean
    }
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection")
            .field("id", &self.id)
            .field("name", &self.name)
            .field("base_url", &self.base_url)
            .field("wire_api", &self.wire_api)
            .field("key", &self.key.as_ref().map(|_| "…"))
            .finish_non_exhaustive()
    }
}
