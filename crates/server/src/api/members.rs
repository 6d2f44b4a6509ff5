//! The people of a workspace and their roles.

use axum::extract::State;
use axum::http::{Method, StatusCode};
use protocol::id::UserId;
use protocol::workspace::people::{Listed, Member, MemberChange, Role};
use serde_json::json;

use super::deed::Deed;
use super::list::Part;
use crate::app::App;
use crate::gate::Place;
use crate::gate::body::{Json, Path, Query};
use crate::problem::{Answer, Refusal};
use crate::route::{Access, Route};

const MEMBER: &str = "/api/v1/workspaces/{workspace}/members/{user}";

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::new(
            Method::GET,
            "/api/v1/workspaces/{workspace}/members",
            Access::In(Role::Viewer),
            "Who is in a workspace by name. Who is in it by a group or an app role is not listed.",
            list,
        )
        .gives::<Listed<Member>>(),
        Route::new(
            Method::PATCH,
            MEMBER,
            Access::In(Role::Admin),
            "Gives a member another role.",
            change,
        )
        .takes::<MemberChange>(),
        Route::new(
            Method::DELETE,
            MEMBER,
            Access::In(Role::Viewer),
            "Takes a member out. Everybody may take themselves out, admins others.",
            remove,
        )
        .even_archived(),
    ]
}

async fn list(State(app): State<App>, place: Place, Query(part): Query<Part>) -> Answer<Json<Listed<Member>>> {
    let members = place.store(&app).members(&part.after, part.limit()).await?;
    Ok(Json(part.of(members, |it| it.user_id.0.clone())))
}

/// What somebody wants to make of a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Wish {
    /// What they may do themselves.
    by: Role,
    /// It is about themselves.
    own: bool,
    now: Role,
    /// Out of the workspace when there is none.
    then: Option<Role>,
}

/// Whether the wish may come true, but for the last owner.
fn may(wish: Wish) -> Answer<()> {
    let Wish { by, own, now, then } = wish;
    if own {
        return if then > Some(now) {
            Err(Refusal::forbidden("Nobody can give themselves a higher role."))
        } else {
            Ok(())
        };
    }
    if by < Role::Admin {
        return Err(Refusal::forbidden("Only admins and owners can do this to others."));
    }
    if by < Role::Owner && (now == Role::Owner || then == Some(Role::Owner)) {
        return Err(Refusal::forbidden("Only owners can make owners, or change them."));
    }
    Ok(())
}

async fn change(
    State(app): State<App>,
    place: Place,
    Path((_, user)): Path<(String, UserId)>,
    Json(change): Json<MemberChange>,
) -> Answer<StatusCode> {
    put(&app, &place, &user, Some(change.role)).await
}

async fn remove(State(app): State<App>, place: Place, Path((_, user)): Path<(String, UserId)>) -> Answer<StatusCode> {
    put(&app, &place, &user, None).await
}

async fn put(app: &App, place: &Place, user: &UserId, then: Option<Role>) -> Answer<StatusCode> {
    let store = place.store(app);
    let mut tx = app.store.begin().await?;
    store.hold(&mut tx).await?;
    let now = store.role_of(&mut tx, user).await?.ok_or_else(Refusal::not_found)?;
    may(Wish {
        by: place.role,
        own: *user == place.caller.user,
        now,
        then,
    })?;
    if then == Some(now) {
        return Ok(StatusCode::NO_CONTENT);
    }
    if now == Role::Owner && store.owners(&mut tx).await? <= 1 {
        return Err(Refusal::conflict(
            "A workspace has at least one owner. Make another one first.",
        ));
    }
    if then < Some(now) {
        store.void_invitations_of(&mut tx, user).await?;
    }
    match then {
        Some(role) => {
            let at = app.clock.now_ms();
            store.give_role(&mut tx, user, role, &place.caller.user, at).await?;
        }
        None => store.remove_member(&mut tx, user).await?,
    }
    let facts = json!({ "from": now, "to": then });
    let deed = Deed {
        verb: if then.is_some() {
            "member.role_changed"
        } else {
            "member.removed"
        },
        kind: "user",
        id: user.0.clone(),
        shown: facts.clone(),
        facts,
    };
    deed.commit_membership(app, place, tx, Some(user.clone())).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[cfg(test)]
mod tests;
