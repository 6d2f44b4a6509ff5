//! Shared places.

use axum::extract::State;
use axum::http::{Method, StatusCode};
use protocol::workspace::people::{NewWorkspace, Role, Workspace};

use crate::app::App;
use crate::gate::body::Json;
use crate::gate::{Caller, Place};
use crate::problem::{Answer, Refusal};
use crate::route::{Access, Route};

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::new(
            Method::POST,
            "/api/v1/workspaces",
            Access::Person,
            "Makes a workspace; who asks becomes its owner.",
            create,
        )
        .takes::<NewWorkspace>()
        .gives::<Workspace>(),
        Route::new(
            Method::GET,
            "/api/v1/workspaces/{workspace}",
            Access::In(Role::Viewer),
            "One workspace.",
            show,
        )
        .gives::<Workspace>(),
    ]
}

async fn create(
    State(app): State<App>,
    caller: Caller,
    Json(new): Json<NewWorkspace>,
) -> Answer<(StatusCode, Json<Workspace>)> {
    if caller.verified.role < Role::Member {
        return Err(Refusal::forbidden("Viewers of this server cannot make workspaces."));
    }
    let name = new.name.trim();
    if name.is_empty() || name.chars().count() > 100 || name.chars().any(char::is_control) {
        return Err(Refusal::invalid("A workspace's name has 1 to 100 characters."));
    }
    let workspace = app
        .store
        .create_workspace(name, &caller.verified.tid, &caller.user, app.clock.now_ms())
        .await?;
    Ok((StatusCode::CREATED, Json(workspace)))
}

async fn show(State(app): State<App>, place: Place) -> Answer<Json<Workspace>> {
    Ok(Json(place.store(&app).workspace(place.role).await?))
}
