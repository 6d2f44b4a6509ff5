//! What a request brings along, read within limits: what cannot be understood is answered with our own problem.

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use protocol::workspace::problem::{Problem, ProblemCode};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::problem::{Answer, Refusal};
use crate::route::BODY_BYTES;

/// How deeply JSON may be nested.
const DEPTH: usize = 64;
/// How long a body may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// A JSON body, in or out.
#[derive(Debug, Clone)]
pub struct Json<T>(pub T);

/// What stands behind the question mark.
#[derive(Debug, Clone)]
pub struct Query<T>(pub T);

/// The parameters of the path.
#[derive(Debug, Clone)]
pub struct Path<T>(pub T);

/// The limit of a route, put into the request by the gate.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limit(pub(crate) usize);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Refusal;

    async fn from_request(mut request: Request, state: &S) -> Answer<Self> {
        if !is_json(request.headers()) {
            return Err(Refusal::invalid(
                "The body must be JSON, with the header Content-Type: application/json.",
            ));
        }
        let limit = request.extensions().get::<Limit>().map_or(BODY_BYTES, |it| it.0);
        let length = request.headers().get(header::CONTENT_LENGTH);
        if length
            .and_then(|it| it.to_str().ok()?.parse::<usize>().ok())
            .is_some_and(|it| it > limit)
        {
            return Err(too_large(limit));
        }
        DefaultBodyLimit::max(limit).apply(&mut request);
        let bytes = tokio::time::timeout(PATIENCE, Bytes::from_request(request, state))
            .await
            .map_err(|_| Refusal::new(ProblemCode::TooSlow, "The body came too slowly."))?
            .map_err(|rejection| {
                if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
                    too_large(limit)
                } else {
                    Refusal::invalid("The body broke off.")
                }
            })?;
        read(&bytes).map(Self)
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Answer<Self> {
        match axum::extract::Query::from_request_parts(parts, state).await {
            Ok(axum::extract::Query(it)) => Ok(Self(it)),
            Err(error) => Err(Refusal::invalid(short(&error.body_text()))),
        }
    }
}

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Answer<Self> {
        match axum::extract::Path::from_request_parts(parts, state).await {
            Ok(axum::extract::Path(it)) => Ok(Self(it)),
            Err(_) => Err(Refusal::not_found()),
        }
    }
}

/// Reads JSON that came from outside, over HTTP or a socket.
pub fn read<T: DeserializeOwned>(bytes: &[u8]) -> Answer<T> {
    if depth(bytes) > DEPTH {
        return Err(Refusal::invalid(format!("The JSON is nested more than {DEPTH} deep.")));
    }
    serde_json::from_slice(bytes)
        .map_err(|error| Refusal::invalid(short(&format!("The JSON is not as it should be: {error}"))))
}

/// How deeply brackets are nested outside of strings. It need not be JSON.
fn depth(mut bytes: &[u8]) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    while let Some((byte, rest)) = bytes.split_first() {
        bytes = rest;
        match byte {
            b'"' => bytes = after_string(bytes),
            b'[' | b'{' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// What comes after the string that has begun.
fn after_string(mut bytes: &[u8]) -> &[u8] {
    while let Some(place) = memchr::memchr2(b'"', b'\\', bytes) {
        let is_end = bytes.get(place) == Some(&b'"');
        bytes = bytes.get(place + if is_end { 1 } else { 2 }..).unwrap_or_default();
        if is_end {
            return bytes;
        }
    }
    &[]
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|it| it.to_str().ok());
    let essence = kind.and_then(|it| it.split(';').next()).unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/json")
}

fn too_large(limit: usize) -> Refusal {
    Problem::new(ProblemCode::TooLarge, format!("The body may have {limit} bytes here."))
        .fact("limit", limit)
        .into()
}

/// What a reader said, without pages of what it was about.
fn short(text: &str) -> String {
    let mut short: String = text.chars().filter(|it| !it.is_control()).take(200).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests;
