//! The routes, one noun a file.

use axum::Router;
use axum::middleware::from_fn_with_state;

use crate::app::App;
use crate::gate;
use crate::route::Route;

mod me;
mod workspaces;

/// All of them.
#[must_use]
pub fn routes() -> Vec<Route> {
    [me::routes(), workspaces::routes()].into_iter().flatten().collect()
}

/// The routes behind the gate.
pub(crate) fn router(app: &App) -> Router {
    let mut router = Router::new();
    for route in routes() {
        let guard = from_fn_with_state((app.clone(), route.access), gate::guard);
        router = router.route(route.path, route.handler.layer(guard));
    }
    router.with_state(app.clone())
}
