//! Shared places.

use axum::extract::State;
use axum::http::{Method, StatusCode};
use protocol::workspace::people::{Listed, NewWorkspace, Role, Workspace, WorkspaceChange};
use serde_json::json;

use super::deed::Deed;
use super::list::Part;
use crate::app::App;
use crate::gate::body::{Json, Query};
use crate::gate::{Caller, Place};
use crate::problem::{Answer, Refusal};
use crate::route::{Access, Route};
use crate::store::audit::AuditEntry;

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
            "/api/v1/workspaces",
            Access::Person,
            "The workspaces one is in.",
            list,
        )
        .gives::<Listed<Workspace>>(),
        Route::new(
            Method::GET,
            "/api/v1/workspaces/{workspace}",
            Access::In(Role::Viewer),
            "One workspace.",
            show,
        )
        .gives::<Workspace>(),
        Route::new(
            Method::PATCH,
            "/api/v1/workspaces/{workspace}",
            Access::In(Role::Admin),
            "Gives a workspace another name, or archives it.",
            change,
        )
        .even_archived()
        .takes::<WorkspaceChange>()
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
    let name = name(&new.name)?;
    let now = app.clock.now_ms();
    let mut tx = app.store.begin().await?;
    let workspace = app
        .store
        .create_workspace(&mut tx, name, &caller.verified.tid, &caller.user, now)
        .await?;
    let entry = AuditEntry {
        workspace: Some(workspace.id.clone()),
        ..caller.entry(now, "workspace.created", format!("workspace/{}", workspace.id))
    };
    app.store.audit(&mut tx, &entry).await?;
    tx.commit().await.map_err(Refusal::from)?;
    Ok((StatusCode::CREATED, Json(workspace)))
}

async fn list(State(app): State<App>, caller: Caller, Query(part): Query<Part>) -> Answer<Json<Listed<Workspace>>> {
    let found = app
        .store
        .workspaces_of(&caller.user, &caller.verified, &part.after, part.limit())
        .await?;
    Ok(Json(part.of(found, |it| it.id.0.clone())))
}

async fn show(State(app): State<App>, place: Place) -> Answer<Json<Workspace>> {
    Ok(Json(place.store(&app).workspace(place.role).await?))
}

async fn change(State(app): State<App>, place: Place, Json(change): Json<WorkspaceChange>) -> Answer<Json<Workspace>> {
    if let Some(new) = &change.name {
        name(new)?;
        if change.archived != Some(false) {
            place.open_for_changes()?;
        }
    }
    let verb = match change.archived {
        Some(true) => "workspace.archived",
        Some(false) => "workspace.unarchived",
        None => "workspace.renamed",
    };
    let store = place.store(&app);
    let mut tx = app.store.begin().await?;
    store.change_workspace(&mut tx, &change, app.clock.now_ms()).await?;
    let deed = Deed {
        verb,
        kind: "workspace",
        id: place.workspace().0.clone(),
        shown: json!({ "name": change.name }),
        facts: json!({}),
    };
    if change.archived.is_some() {
        deed.commit_membership(&app, &place, tx, None).await?;
    } else {
        deed.commit(&app, &place, tx).await?;
    }
    show(State(app), place).await
}

fn name(name: &str) -> Answer<&str> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > 100 || name.chars().any(char::is_control) {
        return Err(Refusal::invalid("A workspace's name has 1 to 100 characters."));
    }
    Ok(name)
}
