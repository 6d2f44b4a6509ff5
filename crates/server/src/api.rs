//! The routes, one noun a file.

use std::time::Instant;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use tower_http::catch_panic::CatchPanicLayer;

use crate::app::App;
use crate::gate;
use crate::gate::door::{self, Door};
use crate::problem::Refusal;
use crate::route::Route;

mod activity;
mod approvals;
mod artifacts;
mod audit;
mod bindings;
mod cursors;
pub(crate) mod deed;
mod deletions;
mod devices;
mod documents;
mod events;
mod health;
mod invitations;
mod leases;
pub(crate) mod list;
mod live;
mod me;
mod members;
mod openapi;
mod presence;
mod sign_in;
mod threads;
mod tickets;
mod turn_requests;
mod uploads;
mod webhooks;
mod workspaces;

/// All of them.
#[must_use]
pub fn routes() -> Vec<Route> {
    [
        health::routes(),
        openapi::routes(),
        sign_in::routes(),
        me::routes(),
        documents::routes(),
        tickets::routes(),
        live::routes(),
        presence::routes(),
        workspaces::routes(),
        members::routes(),
        invitations::routes(),
        bindings::routes(),
        deletions::routes(),
        devices::routes(),
        activity::routes(),
        audit::routes(),
        threads::routes(),
        leases::routes(),
        events::routes(),
        approvals::routes(),
        turn_requests::routes(),
        cursors::routes(),
        uploads::routes(),
        artifacts::routes(),
        webhooks::routes(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The routes behind the gate.
pub(crate) fn router(app: &App, door: Door) -> Router {
    let mut router = Router::new();
    for route in routes() {
        let guard = from_fn_with_state((app.clone(), route.rules()), gate::guard);
        let counted = from_fn_with_state((app.clone(), route.path), count);
        router = router.route(route.path, route.handler.layer(guard).layer(counted));
    }
    router
        .fallback(nothing)
        .method_not_allowed_fallback(nothing)
        .with_state(app.clone())
        .layer(CatchPanicLayer::custom(door::panicked))
        .layer(from_fn_with_state(door, door::pass))
}

/// What is not in the table.
async fn nothing() -> Refusal {
    Refusal::not_found()
}

/// Counts an answer under its route's line in the table.
async fn count(State((app, path)): State<(App, &'static str)>, request: Request, next: Next) -> Response {
    let method = request.method().clone();
    let start = Instant::now();
    let response = next.run(request).await;
    app.metrics
        .answered(method.as_str(), path, response.status().as_u16(), start.elapsed());
    response
}
