//! How to sign in here. Open, and nothing in it is secret.

use axum::Json;
use axum::extract::State;
use axum::http::Method;
use protocol::workspace::sign_in::SignIn;

use crate::app::App;
use crate::route::{Access, Route};

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::new(
            Method::GET,
            "/api/v1/auth/config",
            Access::Open,
            "How to sign in here.",
            show,
        )
        .gives::<SignIn>(),
    ]
}

async fn show(State(app): State<App>) -> Json<SignIn> {
    Json(app.identity.sign_in())
}
