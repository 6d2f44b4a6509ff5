//! What people did in a workspace.

use axum::extract::State;
use axum::http::Method;
use protocol::workspace::people::{Activity, Listed, Role};

use super::list::Lines;
use crate::app::App;
use crate::gate::Place;
use crate::gate::body::{Json, Query};
use crate::problem::Answer;
use crate::route::{Access, Route};

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::new(
            Method::GET,
            "/api/v1/workspaces/{workspace}/activity",
            Access::In(Role::Viewer),
            "The activity feed, oldest first, after a line.",
            list,
        )
        .gives::<Listed<Activity>>(),
    ]
}

async fn list(State(app): State<App>, place: Place, Query(lines): Query<Lines>) -> Answer<Json<Listed<Activity>>> {
    let found = place
        .store(&app)
        .activity_after(&place.caller.user, lines.after, lines.limit())
        .await?;
    Ok(Json(lines.of(found, |it| it.seq)))
}
