//! How an endpoint can fail.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures::stream;

use super::State;

/// One way to fail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// Nothing comes until the authority is dropped.
    Hang,
    /// A status without a body.
    Status(u16),
    /// A page for people, as proxies have them.
    Html,
    /// More than anybody needs, and well-formed at that: two megabytes.
    Huge,
    /// The answer is elsewhere, where everything works.
    Redirect(String),
    /// 200, and nothing.
    Empty,
    /// This instead.
    Body(String),
}

impl Fault {
    pub(super) async fn answer(self, state: &Arc<State>) -> Response {
        let json = [(header::CONTENT_TYPE, "application/json")];
        match self {
            Self::Hang => {
                let mut released = state.released.subscribe();
                // The sender is in the state, so waiting cannot fail.
                drop(released.wait_for(|it| *it).await);
                StatusCode::GATEWAY_TIMEOUT.into_response()
            }
            Self::Status(status) => StatusCode::from_u16(status)
                .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
                .into_response(),
            Self::Html => (
                [(header::CONTENT_TYPE, "text/html")],
                "<!doctype html><title>Maintenance</title><p>Back soon.",
            )
                .into_response(),
            Self::Huge => {
                let piece = Bytes::from(vec![b' '; 64 * 1024]);
                let pieces = std::iter::once(Bytes::from_static(b"{\"keys\":[")).chain(std::iter::repeat_n(piece, 32));
                let pieces = pieces.chain([Bytes::from_static(b"]}")]);
                let body = Body::from_stream(stream::iter(pieces.map(Ok::<_, std::convert::Infallible>)));
                (json, body).into_response()
            }
            Self::Redirect(to) => (StatusCode::FOUND, [(header::LOCATION, to)]).into_response(),
            Self::Empty => StatusCode::OK.into_response(),
            Self::Body(body) => (json, body).into_response(),
        }
    }
}
