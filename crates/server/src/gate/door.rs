//! What every request passes before the table of routes, and every answer after it: a number, limits, names and pages that
//! may come, and headers that keep browsers careful. A panic ends one request.

use std::any::Any;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::header::{self, HeaderName, HeaderValue};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use ipnet::IpNet;
use protocol::workspace::problem::{Problem, ProblemCode};
use tracing::Instrument as _;

use super::address::{self, Client};
use super::origin::Origins;
use crate::config::{Config, ConfigError, Mode};
use crate::problem::{Refusal, Told};

/// What all headers together may have, in bytes.
const HEADER_BYTES: usize = 32 * 1024;
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The door of one node.
#[derive(Debug, Clone)]
pub struct Door(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    origins: Origins,
    proxies: Vec<IpNet>,
    /// People come by https.
    tls: bool,
    request_headers: &'static str,
}

impl Door {
    /// As configured.
    pub fn new(config: &Config) -> Result<Self, ConfigError> {
        Ok(Self(Arc::new(Parts {
            origins: Origins::new(config)?,
            proxies: config.trusted_proxies.clone(),
            tls: config.server_url.as_ref().is_some_and(|it| it.scheme() == "https"),
            request_headers: match config.mode {
                Mode::Production => "authorization, content-type, range, if-range, if-none-match",
                Mode::Development => "authorization, content-type, range, if-range, if-none-match, x-domain-user",
            },
        })))
    }

    /// The answer to what must not or need not go on.
    fn stops(&self, request: &Request) -> Option<Response> {
        let headers = request.headers();
        if size(headers) > HEADER_BYTES {
            let problem = Problem::new(ProblemCode::TooLarge, "The headers are too large.").fact("limit", HEADER_BYTES);
            let mut response = Refusal(problem).into_response();
            *response.status_mut() = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
            return Some(response);
        }
        // Health and counters are asked for by whatever runs the server, under whatever name.
        if request.uri().path().starts_with("/api/")
            && let Err(refusal) = self.0.origins.host(headers)
        {
            return Some(refusal.into_response());
        }
        match self.0.origins.page(headers) {
            Err(refusal) => Some(refusal.into_response()),
            Ok(Some(_)) if is_preflight(request) => Some(self.preflight()),
            Ok(_) => None,
        }
    }

    /// A browser asks what its page may send.
    fn preflight(&self) -> Response {
        let mut response = StatusCode::NO_CONTENT.into_response();
        let headers = response.headers_mut();
        let methods = HeaderValue::from_static("GET, POST, PUT, PATCH, DELETE");
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, methods);
        let allowed = HeaderValue::from_static(self.0.request_headers);
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, allowed);
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
        response
    }
}

/// Lets requests in and answers out.
pub(crate) async fn pass(State(door): State<Door>, mut request: Request, next: Next) -> Response {
    let id = uuid::Uuid::now_v7().to_string();
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    if let Some(ConnectInfo(peer)) = peer {
        let client: Client = address::client(peer.ip(), request.headers(), &door.0.proxies);
        request.extensions_mut().insert(client);
    }
    let page = door.0.origins.page(request.headers()).ok().flatten().cloned();
    // The path has ids and no content; what stands behind the question mark may be a ticket.
    let span = tracing::info_span!("request", id, method = %request.method(), path = request.uri().path());
    let mut response = match door.stops(&request) {
        Some(response) => response,
        None => next.run(request).instrument(span).await,
    };
    if let Some(Told(problem)) = response.extensions_mut().remove::<Told>()
        && response.status().is_server_error()
    {
        let status = response.status();
        response = (status, axum::Json(problem.fact("request_id", id.clone()))).into_response();
    }
    finish(response.headers_mut(), page, &id, door.0.tls);
    response
}

fn finish(headers: &mut HeaderMap, page: Option<HeaderValue>, id: &str, tls: bool) {
    if let Ok(id) = HeaderValue::from_str(id) {
        headers.insert(REQUEST_ID, id);
    }
    headers.append(header::VARY, HeaderValue::from_static("origin"));
    if let Some(page) = page {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, page);
        let seen = HeaderValue::from_static(
            "x-request-id, retry-after, content-disposition, content-range, accept-ranges, etag",
        );
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, seen);
    }
    let usual = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; frame-ancestors 'none'",
        ),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ];
    for (name, value) in usual {
        // A route that says something stricter or more exact keeps its own.
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    if tls {
        let year = HeaderValue::from_static("max-age=31536000");
        headers.insert(header::STRICT_TRANSPORT_SECURITY, year);
    }
    headers.remove(header::SERVER);
}

/// What a panic in a handler becomes.
pub(crate) fn panicked(panic: Box<dyn Any + Send>) -> Response<Body> {
    let message = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied());
    tracing::error!(panic = message.unwrap_or("without a message"), "a handler panicked");
    Refusal::new(ProblemCode::Internal, "The server failed.").into_response()
}

fn is_preflight(request: &Request) -> bool {
    request.method() == Method::OPTIONS && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

fn size(headers: &HeaderMap) -> usize {
    headers
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len() + 4)
        .sum()
}

#[cfg(test)]
mod tests;
