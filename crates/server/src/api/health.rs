//! Whether the server lives, whether it can work, and what it counts. Open, and without names or content.

use axum::extract::State;
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use schemars::JsonSchema;
use serde::Serialize;

use crate::app::App;
use crate::gate::address::Client;
use crate::problem::Refusal;
use crate::route::{Access, Route};

/// Whether the server can work.
#[derive(Debug, Serialize, JsonSchema)]
struct Readiness {
    /// All of what follows is well enough to send people here.
    ready: bool,
    /// The database answers.
    database: bool,
    /// `here` with one node, `connected` or `away` with Redis. Away is slower and still right.
    bus: &'static str,
}

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::new(Method::GET, "/healthz", Access::Open, "The process lives.", alive),
        Route::new(Method::GET, "/readyz", Access::Open, "The server can work.", ready).gives::<Readiness>(),
        Route::new(
            Method::GET,
            "/metrics",
            Access::Open,
            "What the server counts, for Prometheus. Only for the addresses in `metrics_from`.",
            metrics,
        ),
    ]
}

async fn alive() -> &'static str {
    "ok"
}

async fn ready(State(app): State<App>) -> Response {
    let database = app.store.answers().await;
    let readiness = Readiness {
        ready: database,
        database,
        bus: app.bus.health().word(),
    };
    let status = if readiness.ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (status, Json(readiness)).into_response()
}

async fn metrics(State(app): State<App>, client: Option<Extension<Client>>) -> Response {
    // Behind a proxy that nobody named, everybody would have the proxy's address.
    let from = client.filter(|it| !it.hidden).map(|it| it.address);
    if !from.is_some_and(|from| app.config.metrics_from.iter().any(|it| it.contains(&from))) {
        return Refusal::not_found().into_response();
    }
    let kind = [(
        header::CONTENT_TYPE,
        "application/openmetrics-text; version=1.0.0; charset=utf-8",
    )];
    (kind, app.metrics.text()).into_response()
}
