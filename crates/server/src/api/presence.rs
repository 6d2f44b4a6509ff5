//! Who is there.

use axum::extract::State;
use axum::http::Method;
use protocol::workspace::live::Present;
use protocol::workspace::people::Role;

use crate::app::App;
use crate::gate::Place;
use crate::gate::body::Json;
use crate::problem::Answer;
use crate::route::{Access, Route};

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::new(
            Method::GET,
            "/api/v1/workspaces/{workspace}/presence",
            Access::In(Role::Viewer),
            "Everybody who is there now.",
            list,
        )
        .gives::<Vec<Present>>(),
    ]
}

async fn list(State(app): State<App>, place: Place) -> Answer<Json<Vec<Present>>> {
    Ok(Json(app.presence.people(place.workspace()).await?))
}
