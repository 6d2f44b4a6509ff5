//! The way out: to the configured authority and Graph only, without redirects, in bounded time and size.

use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HeaderValue};
use reqwest::{Client, RequestBuilder, StatusCode, redirect};
use serde_json::Value;

const PATIENCE: Duration = Duration::from_secs(3);
const LARGEST: usize = 1024 * 1024;

/// Why nothing came.
#[derive(Debug, thiserror::Error)]
pub(super) enum FetchError {
    /// No answer, or not in time.
    #[error("no answer")]
    Transport(#[from] reqwest::Error),
    /// Another status than 200.
    #[error("the answer was {0}")]
    Status(StatusCode),
    /// Longer than anything that is expected.
    #[error("the answer is longer than 1 MiB")]
    Large,
}

/// Fetches.
#[derive(Debug, Clone)]
pub(super) struct Fetcher {
    client: Client,
}

impl Fetcher {
    /// `loopback`: for tests, plain HTTP on this machine, past any proxy.
    pub(super) fn new(loopback: bool) -> Result<Self, reqwest::Error> {
        let mut builder = Client::builder()
            .redirect(redirect::Policy::none())
            .timeout(PATIENCE)
            .https_only(!loopback);
        if loopback {
            builder = builder.no_proxy();
        }
        Ok(Self {
            client: builder.build()?,
        })
    }

    /// A document.
    pub(super) async fn get(&self, url: &str) -> Result<Vec<u8>, FetchError> {
        expect_ok(answer(self.client.get(url)).await?)
    }

    /// What a form is answered, whatever the status.
    pub(super) async fn form(&self, url: &str, fields: &[(&str, &str)]) -> Result<(StatusCode, Vec<u8>), FetchError> {
        let body = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        let form = HeaderValue::from_static("application/x-www-form-urlencoded");
        answer(self.client.post(url).header(CONTENT_TYPE, form).body(body)).await
    }

    /// What JSON is answered.
    pub(super) async fn json(&self, url: &str, bearer: &str, body: &Value) -> Result<Vec<u8>, FetchError> {
        expect_ok(answer(self.client.post(url).bearer_auth(bearer).json(body)).await?)
    }
}

fn expect_ok((status, body): (StatusCode, Vec<u8>)) -> Result<Vec<u8>, FetchError> {
    if status == StatusCode::OK {
        Ok(body)
    } else {
        Err(FetchError::Status(status))
    }
}

async fn answer(request: RequestBuilder) -> Result<(StatusCode, Vec<u8>), FetchError> {
    // An error would show the address, which has no secrets; the request's body and headers never appear in it.
    let mut response = request.send().await?;
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > LARGEST {
            return Err(FetchError::Large);
        }
        body.extend_from_slice(&chunk);
    }
    Ok((response.status(), body))
}
