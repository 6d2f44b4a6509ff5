//! What a provider is, and the one behind a connection.

use std::sync::Arc;

use async_trait::async_trait;
use futures::stream::BoxStream;
use protocol::setting::Model;

use crate::connection::Connection;
use crate::error::Error;
use crate::http::Http;
use crate::prompt::{Piece, Prompt};
use crate::{list, run, window};

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
        list::models(&self.http, &self.connection).await
    }

    fn context_window(&self, model: &str) -> Option<u64> {
        self.http
            .window(&self.connection.base_url, model)
            .or_else(|| window::known(model))
    }
}
