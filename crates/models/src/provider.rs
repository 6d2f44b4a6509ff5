//! What a provider is, and how one is reached.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::stream::BoxStream;
use protocol::setting::{Model, WireApi};

use crate::error::Error;
use crate::http::Http;
use crate::prompt::{Piece, Prompt};
use crate::{run, window};

/// Somebody who answers prompts.
#[async_trait]
pub trait Provider: Send + Sync {
    /// Answers. The stream ends after [`Piece::Done`] or an error; dropping it cancels the request.
    fn stream(&self, prompt: Prompt) -> BoxStream<'static, Result<Piece, Error>>;

    /// The models it lists.
    async fn models(&self) -> Result<Vec<Model>, Error>;

    /// Tokens a model can read, as far as is known without asking.
    fn context_window(&self, model: &str) -> Option<u64>;
}

/// A provider behind a connection. Nothing is sent before the first prompt.
#[must_use]
pub fn connect(http: Http, connection: Connection) -> Arc<dyn Provider> {
    Arc::new(Remote { http, connection })
}

struct Remote {
    http: Http,
    connection: Connection,
}

#[async_trait]
impl Provider for Remote {
    fn stream(&self, prompt: Prompt) -> BoxStream<'static, Result<Piece, Error>> {
        run::stream(self.http.clone(), self.connection.clone(), prompt)
    }

    async fn models(&self) -> Result<Vec<Model>, Error> {
        run::models(&self.http, &self.connection).await
    }

    fn context_window(&self, model: &str) -> Option<u64> {
        self.http
            .window(&self.connection.base_url, model)
            .or_else(|| window::known(model))
    }
}

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
