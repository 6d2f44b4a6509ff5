//! Groups and app roles whose people are in a workspace.

use axum::extract::State;
use axum::http::{Method, StatusCode};
use protocol::id::BindingId;
use protocol::workspace::people::{Binding, Listed, NewBinding, Role};
use serde_json::json;

use super::deed::Deed;
use crate::app::App;
use crate::gate::Place;
use crate::gate::body::{Json, Path};
use crate::problem::{Answer, Refusal};
use crate::route::{Access, Route};
use crate::store::bindings::MOST;

const BINDINGS: &str = "/api/v1/workspaces/{workspace}/bindings";

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::new(
            Method::GET,
            BINDINGS,
            Access::In(Role::Admin),
            "The groups and app roles that are bound.",
            list,
        )
        .gives::<Listed<Binding>>(),
        Route::new(
            Method::POST,
            BINDINGS,
            Access::In(Role::Admin),
            "Binds a group or an app role of one's own tenant, or gives it another role.",
            bind,
        )
        .takes::<NewBinding>()
        .gives::<Binding>(),
        Route::new(
            Method::DELETE,
            "/api/v1/workspaces/{workspace}/bindings/{binding}",
            Access::In(Role::Admin),
            "Unbinds.",
            unbind,
        )
        .even_archived(),
    ]
}

async fn list(State(app): State<App>, place: Place) -> Answer<Json<Listed<Binding>>> {
    let items = place.store(&app).bindings().await?;
    Ok(Json(Listed { items, next: None }))
}

async fn bind(
    State(app): State<App>,
    place: Place,
    Json(new): Json<NewBinding>,
) -> Answer<(StatusCode, Json<Binding>)> {
    let verified = &place.caller.verified;
    if new.tid != verified.tid {
        return Err(Refusal::forbidden(
            "Only groups and app roles of your own tenant can be bound.",
        ));
    }
    if new.role >= Role::Owner {
        return Err(Refusal::invalid("Owners are named one by one, not bound."));
    }
    if new.role > place.role {
        return Err(Refusal::forbidden("Nobody can give more than their own role."));
    }
    if new.value.is_empty() || new.value.len() > 128 || new.value.chars().any(char::is_control) {
        return Err(Refusal::invalid(
            "A group's object id or an app role's value has 1 to 128 characters.",
        ));
    }
    let store = place.store(&app);
    if store.bindings().await?.len() >= MOST {
        return Err(Refusal::conflict(format!("A workspace has at most {MOST} bindings.")));
    }
    let mut tx = app.store.begin().await?;
    store.hold(&mut tx).await?;
    let id = store.bind(&mut tx, &verified.cloud, &new).await?;
    if new.role < Role::Admin {
        store.void_invitations_by_binding(&mut tx).await?;
    }
    let facts = json!({ "kind": new.kind, "tid": new.tid, "value": new.value, "role": new.role });
    let deed = Deed {
        verb: "binding.made",
        kind: "binding",
        id: id.0.clone(),
        shown: json!({ "kind": new.kind, "role": new.role }),
        facts,
    };
    deed.commit_membership(&app, &place, tx, None).await?;
    let NewBinding { kind, tid, value, role } = new;
    let binding = Binding {
        id,
        kind,
        tid,
        value,
        role,
    };
    Ok((StatusCode::CREATED, Json(binding)))
}

async fn unbind(State(app): State<App>, place: Place, Path((_, id)): Path<(String, BindingId)>) -> Answer<StatusCode> {
    let store = place.store(&app);
    let mut tx = app.store.begin().await?;
    store.hold(&mut tx).await?;
    if !store.unbind(&mut tx, &id).await? {
        return Err(Refusal::not_found());
    }
    let deed = Deed {
        verb: "binding.removed",
        kind: "binding",
        id: id.0,
        shown: json!({}),
        facts: json!({}),
    };
    deed.commit_membership(&app, &place, tx, None).await?;
    Ok(StatusCode::NO_CONTENT)
}
