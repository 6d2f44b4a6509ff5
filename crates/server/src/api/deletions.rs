//! Deletions: scheduled, cancelled while there is time, or begun at once.

use axum::extract::State;
use axum::http::{Method, StatusCode};
use protocol::id::DeletionId;
use protocol::workspace::job::{Deletion, DeletionStatus, DeletionTarget, NewDeletion};
use protocol::workspace::people::{Listed, Role};
use serde_json::json;

use super::deed::Deed;
use super::list::Part;
use crate::app::App;
use crate::gate::Place;
use crate::gate::body::{Json, Path, Query};
use crate::problem::{Answer, Refusal};
use crate::route::{Access, Route};

const DELETIONS: &str = "/api/v1/workspaces/{workspace}/deletions";
const USUAL_S: u64 = 600;
const LONGEST_S: u64 = 7 * 24 * 3600;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::new(
            Method::POST,
            DELETIONS,
            Access::In(Role::Admin),
            "Deletes something, after a while in which it can be cancelled.",
            schedule,
        )
        .even_archived()
        .takes::<NewDeletion>()
        .gives::<Deletion>(),
        Route::new(
            Method::DELETE,
            "/api/v1/workspaces/{workspace}",
            Access::In(Role::Owner),
            "Deletes a workspace, after ten minutes in which that can be cancelled.",
            delete_workspace,
        )
        .even_archived()
        .gives::<Deletion>(),
        Route::new(Method::GET, DELETIONS, Access::In(Role::Admin), "All deletions.", list).gives::<Listed<Deletion>>(),
        Route::new(
            Method::GET,
            "/api/v1/workspaces/{workspace}/deletions/{deletion}",
            Access::In(Role::Admin),
            "How far a deletion is.",
            show,
        )
        .gives::<Deletion>(),
        Route::new(
            Method::POST,
            "/api/v1/workspaces/{workspace}/deletions/{deletion}/cancel",
            Access::In(Role::Admin),
            "Cancels a deletion that has not begun.",
            cancel,
        )
        .even_archived()
        .gives::<Deletion>(),
        Route::new(
            Method::POST,
            "/api/v1/workspaces/{workspace}/deletions/{deletion}/force",
            Access::In(Role::Admin),
            "Lets a deletion begin now.",
            force,
        )
        .even_archived()
        .gives::<Deletion>(),
    ]
}

/// Who may delete what.
fn may(role: Role, target: DeletionTarget) -> Answer<()> {
    let least = match target {
        DeletionTarget::Workspace | DeletionTarget::User => Role::Owner,
        DeletionTarget::Thread | DeletionTarget::Turn | DeletionTarget::Document | DeletionTarget::Artifact => {
            Role::Admin
        }
    };
    if role < least {
        return Err(Refusal::forbidden("Only owners can delete this."));
    }
    Ok(())
}

async fn schedule(
    State(app): State<App>,
    place: Place,
    Json(new): Json<NewDeletion>,
) -> Answer<(StatusCode, Json<Deletion>)> {
    may(place.role, new.target)?;
    let delay = new.delay_s.unwrap_or(USUAL_S);
    if !(1..=LONGEST_S).contains(&delay) {
        return Err(Refusal::invalid("A deletion begins in 1 second to 7 days."));
    }
    if (new.target == DeletionTarget::Turn) != new.thread_id.is_some() {
        return Err(Refusal::invalid("`thread_id` goes with a turn, and only with a turn."));
    }
    if !place.store(&app).can_be_deleted(&new, &place.caller.user).await? {
        return Err(Refusal::not_found());
    }
    keep(&app, &place, &new, delay).await
}

/// The plain way to ask for the end of a workspace. Asking again answers the same deletion.
async fn delete_workspace(State(app): State<App>, place: Place) -> Answer<(StatusCode, Json<Deletion>)> {
    if let Some(open) = place.store(&app).open_deletion().await? {
        return Ok((StatusCode::ACCEPTED, Json(open)));
    }
    let new = NewDeletion {
        target: DeletionTarget::Workspace,
        id: place.workspace().0.clone(),
        thread_id: None,
        delay_s: None,
    };
    keep(&app, &place, &new, USUAL_S).await
}

async fn keep(app: &App, place: &Place, new: &NewDeletion, delay_s: u64) -> Answer<(StatusCode, Json<Deletion>)> {
    let now = app.clock.now_ms();
    let mut tx = app.store.begin().await?;
    let deletion = place
        .store(app)
        .schedule_deletion(&mut tx, new, &place.caller.user, now, now + delay_s * 1000)
        .await?;
    deed("deletion.scheduled", &deletion).commit(app, place, tx).await?;
    Ok((StatusCode::ACCEPTED, Json(deletion)))
}

async fn list(State(app): State<App>, place: Place, Query(part): Query<Part>) -> Answer<Json<Listed<Deletion>>> {
    let found = place.store(&app).deletions(&part.after, part.limit()).await?;
    Ok(Json(part.of(found, |it| it.id.0.clone())))
}

async fn show(
    State(app): State<App>,
    place: Place,
    Path((_, id)): Path<(String, DeletionId)>,
) -> Answer<Json<Deletion>> {
    Ok(Json(
        place.store(&app).deletion(&id).await?.ok_or_else(Refusal::not_found)?,
    ))
}

async fn cancel(
    State(app): State<App>,
    place: Place,
    Path((_, id)): Path<(String, DeletionId)>,
) -> Answer<Json<Deletion>> {
    decide(&app, &place, &id, DeletionStatus::Cancelled, "deletion.cancelled").await
}

async fn force(
    State(app): State<App>,
    place: Place,
    Path((_, id)): Path<(String, DeletionId)>,
) -> Answer<Json<Deletion>> {
    decide(&app, &place, &id, DeletionStatus::Scheduled, "deletion.forced").await
}

async fn decide(
    app: &App,
    place: &Place,
    id: &DeletionId,
    to: DeletionStatus,
    verb: &'static str,
) -> Answer<Json<Deletion>> {
    let store = place.store(app);
    let found = store.deletion(id).await?.ok_or_else(Refusal::not_found)?;
    may(place.role, found.target)?;
    let mut tx = app.store.begin().await?;
    let decided = store
        .decide_deletion(&mut tx, id, to, app.clock.now_ms())
        .await?
        .ok_or_else(|| Refusal::conflict("This deletion has begun already, or is over."))?;
    deed(verb, &decided).commit(app, place, tx).await?;
    Ok(Json(decided))
}

fn deed(verb: &'static str, deletion: &Deletion) -> Deed {
    let facts = json!({ "target": deletion.target, "id": deletion.target_id, "run_at_ms": deletion.run_at_ms });
    Deed {
        verb,
        kind: "deletion",
        id: deletion.id.0.clone(),
        shown: facts.clone(),
        facts,
    }
}
