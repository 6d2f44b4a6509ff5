//! Invitations into a workspace: a secret to hand over, good once, for a while, and in one's own tenant only.

use axum::extract::State;
use axum::http::{Method, StatusCode};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use protocol::id::InvitationId;
use protocol::workspace::people::{AcceptInvitation, Invitation, Listed, NewInvitation, Role, Workspace};
use serde_json::json;

use super::deed::Deed;
use super::list::Part;
use crate::app::App;
use crate::gate::body::{Json, Path, Query};
use crate::gate::{self, Caller, Place};
use crate::problem::{Answer, Refusal};
use crate::route::{Access, Route};
use crate::store::invitations::Invite;

const INVITATIONS: &str = "/api/v1/workspaces/{workspace}/invitations";
const WEEK_S: u64 = 7 * 24 * 3600;
const LONGEST_S: u64 = 30 * 24 * 3600;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::new(
            Method::POST,
            INVITATIONS,
            Access::In(Role::Admin),
            "Invites somebody; the answer has the secret, once.",
            create,
        )
        .takes::<NewInvitation>()
        .gives::<Invitation>(),
        Route::new(
            Method::GET,
            INVITATIONS,
            Access::In(Role::Admin),
            "All invitations, without their secrets.",
            list,
        )
        .gives::<Listed<Invitation>>(),
        Route::new(
            Method::DELETE,
            "/api/v1/workspaces/{workspace}/invitations/{invitation}",
            Access::In(Role::Admin),
            "Takes an invitation back.",
            withdraw,
        )
        .even_archived(),
        Route::new(
            Method::POST,
            "/api/v1/invitations/accept",
            Access::Person,
            "Takes an invitation.",
            accept,
        )
        .takes::<AcceptInvitation>()
        .gives::<Workspace>(),
    ]
}

async fn create(
    State(app): State<App>,
    place: Place,
    Json(new): Json<NewInvitation>,
) -> Answer<(StatusCode, Json<Invitation>)> {
    if new.role > place.role {
        return Err(Refusal::forbidden(
            "Nobody can invite somebody to more than their own role.",
        ));
    }
    let seconds = new.expires_in_s.unwrap_or(WEEK_S);
    if !(1..=LONGEST_S).contains(&seconds) {
        return Err(Refusal::invalid("An invitation is good for 1 second to 30 days."));
    }
    let token = BASE64_URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>());
    let now = app.clock.now_ms();
    let expires_at_ms = now + seconds * 1000;
    let store = place.store(&app);
    let mut tx = app.store.begin().await?;
    store.hold(&mut tx).await?;
    let invite = Invite {
        by: &place.caller.user,
        verified: &place.caller.verified,
        role: new.role,
        token: &token,
        expires_at_ms,
    };
    let id = store
        .invite(&mut tx, &invite, now)
        .await?
        .ok_or_else(|| Refusal::conflict("There are too many open invitations. Take some back first."))?;
    let deed = Deed {
        verb: "invitation.made",
        kind: "invitation",
        id: id.0.clone(),
        shown: json!({ "role": new.role }),
        facts: json!({ "role": new.role, "expires_at_ms": expires_at_ms }),
    };
    deed.commit(&app, &place, tx).await?;
    let invitation = Invitation {
        id,
        role: new.role,
        expires_at_ms,
        used_by: None,
        token: Some(token),
    };
    Ok((StatusCode::CREATED, Json(invitation)))
}

async fn list(State(app): State<App>, place: Place, Query(part): Query<Part>) -> Answer<Json<Listed<Invitation>>> {
    let found = place.store(&app).invitations(&part.after, part.limit()).await?;
    Ok(Json(part.of(found, |it| it.id.0.clone())))
}

async fn withdraw(
    State(app): State<App>,
    place: Place,
    Path((_, id)): Path<(String, InvitationId)>,
) -> Answer<StatusCode> {
    let mut tx = app.store.begin().await?;
    if !place.store(&app).withdraw(&mut tx, &id).await? {
        return Err(Refusal::not_found());
    }
    let deed = Deed {
        verb: "invitation.withdrawn",
        kind: "invitation",
        id: id.0,
        shown: json!({}),
        facts: json!({}),
    };
    deed.commit(&app, &place, tx).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn accept(
    State(app): State<App>,
    caller: Caller,
    Json(AcceptInvitation { token }): Json<AcceptInvitation>,
) -> Answer<Json<Workspace>> {
    if token.len() > 128 {
        return Err(Refusal::not_found());
    }
    let now = app.clock.now_ms();
    let mut tx = app.store.begin().await?;
    let taken = app
        .store
        .take_invitation(&mut tx, &caller.user, &caller.verified, &token, now)
        .await?
        .ok_or_else(Refusal::not_found)?;
    let store = app.store.within(&taken.scope);
    store.hold(&mut tx).await?;
    if store.role_of(&mut tx, &caller.user).await? >= Some(taken.role) {
        return Err(Refusal::conflict(
            "You are in this workspace already, with this role or a higher one.",
        ));
    }
    store
        .give_role(&mut tx, &caller.user, taken.role, &taken.made_by, now)
        .await?;
    let place = Place {
        role: taken.role.min(caller.verified.role),
        archived: false,
        scope: taken.scope.clone(),
        caller,
    };
    let deed = Deed {
        verb: "member.joined",
        kind: "user",
        id: place.caller.user.0.clone(),
        shown: json!({ "role": taken.role, "name": place.caller.verified.name }),
        facts: json!({ "role": taken.role, "invitation": taken.id, "invited_by": taken.made_by }),
    };
    let user = place.caller.user.clone();
    deed.commit_membership(&app, &place, tx, Some(user)).await?;
    let place = gate::place(&app, place.caller, taken.scope.workspace().clone(), Role::Viewer).await?;
    Ok(Json(place.store(&app).workspace(place.role).await?))
}
