//! Requests for turns: teammates ask, the machine with the lease takes them up.

use axum::extract::State;
use axum::http::{Method, StatusCode};
use protocol::id::{ThreadId, TurnRequestId};
use protocol::workspace::log::{
    NewTurnRequest, ServerEvent, TurnRequest, TurnRequestChange, TurnRequestStatus, Visibility,
};
use protocol::workspace::people::{Listed, Role};
use protocol::workspace::problem::{Problem, ProblemCode};
use serde::Deserialize;
use serde_json::json;

use super::threads::{InThread, seen, tell};
use crate::app::App;
use crate::fold::is_name;
use crate::gate::Place;
use crate::gate::body::{Json, Path, Query};
use crate::ingest::{fenced, is_producer};
use crate::problem::{Answer, Refusal};
use crate::route::{Access, Route};
use crate::store::events::say;
use crate::store::threads::Row;
use crate::store::turn_requests::{self, PAGE, WAITING, status_name};

/// Bytes of a prompt, and files that go with it.
const INPUT_BYTES: usize = 64 * 1024;
const ARTIFACTS: usize = 32;

pub(super) fn routes() -> Vec<Route> {
    const ALL: &str = "/api/v1/workspaces/{workspace}/threads/{thread}/turn-requests";
    vec![
        Route::new(
            Method::POST,
            ALL,
            Access::In(Role::Member),
            "Asks the machine that runs a thread for a turn; the same key answers the same request.",
            create,
        )
        .takes::<NewTurnRequest>()
        .gives::<TurnRequest>(),
        Route::new(
            Method::GET,
            ALL,
            Access::In(Role::Viewer),
            "The requests for turns, the oldest first: ?status=&after=&limit=.",
            list,
        )
        .gives::<Listed<TurnRequest>>(),
        Route::new(
            Method::PATCH,
            "/api/v1/workspaces/{workspace}/threads/{thread}/turn-requests/{request}",
            Access::In(Role::Member),
            "Moves a request on: the machine with the lease, or whoever asked takes it back.",
            change,
        )
        .takes::<TurnRequestChange>()
        .gives::<TurnRequest>(),
    ]
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Listing {
    status: Option<TurnRequestStatus>,
    #[serde(default)]
    after: u64,
    limit: Option<usize>,
}

#[derive(Debug, Deserialize)]
struct InRequest {
    thread: ThreadId,
    request: TurnRequestId,
}

async fn create(
    State(app): State<App>,
    place: Place,
    Path(at): Path<InThread>,
    Json(new): Json<NewTurnRequest>,
) -> Answer<(StatusCode, Json<TurnRequest>)> {
    if !is_producer(&new.idempotency_key) {
        return Err(Refusal::invalid("A key has 1 to 64 letters, digits, `_` and `-`."));
    }
    if new.input.trim().is_empty() || new.input.len() > INPUT_BYTES || new.input.contains('\0') {
        return Err(Refusal::invalid(format!(
            "A prompt has 1 to {INPUT_BYTES} bytes of text."
        )));
    }
    if new.artifacts.len() > ARTIFACTS || !new.artifacts.iter().all(|it| is_name(it.as_str())) {
        return Err(Refusal::invalid(format!(
            "Up to {ARTIFACTS} files go with a prompt, by their ids."
        )));
    }
    let (store, user, now_ms) = (place.store(&app), &place.caller.user, app.clock.now_ms());
    let mut tx = app.store.begin().await?;
    let row = store
        .hold_thread(&mut tx, &at.thread, user)
        .await?
        .ok_or_else(Refusal::not_found)?;
    let log = row.log();
    let known = turn_requests::by_key(&mut tx, &at.thread, log, user, &new.idempotency_key).await?;
    if let Some(known) = known {
        return Ok((StatusCode::OK, Json(known)));
    }
    if turn_requests::waiting(&mut tx, log).await? >= WAITING {
        return Err(Refusal::conflict(format!("{WAITING} requests wait here already.")));
    }
    let request = TurnRequest {
        id: TurnRequestId::new(),
        thread_id: at.thread.clone(),
        requested_by: user.clone(),
        input: new.input,
        artifacts: new.artifacts,
        status: TurnRequestStatus::Queued,
        turn_id: None,
        created_at_ms: now_ms,
    };
    let event = ServerEvent::TurnRequested {
        request_id: request.id.clone(),
        user_id: user.clone(),
        input: request.input.clone(),
    };
    let seq = say(&mut tx, log, now_ms, &event).await?;
    turn_requests::insert(&mut tx, log, &new.idempotency_key, seq, &request).await?;
    let thread = row.thread()?;
    let mut line = None;
    if thread.visibility == Visibility::Workspace {
        let (id, data) = (at.thread.as_str(), json!({"title": thread.title}));
        line = Some(
            store
                .record(&mut tx, now_ms, Some(user), "turn.requested", "thread", id, data)
                .await?,
        );
    }
    tx.commit().await?;
    tell(&app, &place, &at.thread, Some(seq), line);
    Ok((StatusCode::CREATED, Json(request)))
}

async fn list(
    State(app): State<App>,
    place: Place,
    Path(at): Path<InThread>,
    Query(asked): Query<Listing>,
) -> Answer<Json<Listed<TurnRequest>>> {
    let row = seen(&app, &place, &at.thread).await?;
    let limit = asked.limit.unwrap_or(PAGE);
    let store = place.store(&app);
    let page = store
        .turn_requests(&at.thread, row.log(), asked.status, asked.after, limit)
        .await?;
    Ok(Json(page))
}

async fn change(
    State(app): State<App>,
    place: Place,
    Path(at): Path<InRequest>,
    Json(change): Json<TurnRequestChange>,
) -> Answer<Json<TurnRequest>> {
    if change.turn_id.as_ref().is_some_and(|it| !is_name(it.as_str())) {
        return Err(Refusal::invalid(
            "A turn's id has 1 to 128 letters, digits, `_`, `.`, `:` and `-`.",
        ));
    }
    if (change.status == TurnRequestStatus::Started) != change.turn_id.is_some() {
        return Err(Refusal::invalid(
            "`turn_id` goes with `started`, and with nothing else.",
        ));
    }
    let (store, user, now_ms) = (place.store(&app), &place.caller.user, app.clock.now_ms());
    let mut tx = app.store.begin().await?;
    let row = store
        .hold_thread(&mut tx, &at.thread, user)
        .await?
        .ok_or_else(Refusal::not_found)?;
    let found = turn_requests::find(&mut tx, &at.thread, row.log(), &at.request).await?;
    let request = found.ok_or_else(Refusal::not_found)?;
    let takes_back = change.status == TurnRequestStatus::Cancelled
        && change.producer_id.is_none()
        && (request.requested_by == *user || row.is_owned_by(user));
    if !takes_back {
        holds(&row, &place, &change, now_ms)?;
    }
    let allowed = matches!(
        (request.status, change.status),
        (TurnRequestStatus::Queued, TurnRequestStatus::Taken)
            | (TurnRequestStatus::Taken, TurnRequestStatus::Started)
            | (
                TurnRequestStatus::Queued | TurnRequestStatus::Taken,
                TurnRequestStatus::Cancelled
            )
    );
    // Somebody takes back what no machine has begun with.
    if !allowed || (takes_back && request.status == TurnRequestStatus::Taken && !row.is_owned_by(user)) {
        return Err(
            Problem::new(ProblemCode::Conflict, "The request is no longer where it was.")
                .fact("status", status_name(request.status))
                .into(),
        );
    }
    let moved = turn_requests::change(
        &mut tx,
        row.log(),
        &at.request,
        request.status,
        change.status,
        change.turn_id.as_ref(),
    );
    if !moved.await? {
        return Err(Refusal::conflict("The request is no longer where it was."));
    }
    let event = ServerEvent::TurnRequestChanged {
        request_id: at.request.clone(),
        status: change.status,
        turn_id: change.turn_id.clone(),
    };
    let seq = say(&mut tx, row.log(), now_ms, &event).await?;
    tx.commit().await?;
    tell(&app, &place, &at.thread, Some(seq), None);
    Ok(Json(TurnRequest {
        status: change.status,
        turn_id: change.turn_id,
        ..request
    }))
}

/// Whether the one who asks is the machine that has the lease.
fn holds(row: &Row, place: &Place, change: &TurnRequestChange, now_ms: u64) -> Answer<()> {
    let holder = row.holder();
    let (Some(producer), Some(epoch)) = (&change.producer_id, change.lease_epoch) else {
        return Err(Refusal::forbidden(
            "Only the machine that has the lease moves a request on.",
        ));
    };
    if holder.user.as_ref() != Some(&place.caller.user) {
        return Err(Refusal::forbidden(
            "Only the machine that has the lease moves a request on.",
        ));
    }
    if holder.producer.as_ref() != Some(producer) || holder.epoch != epoch || holder.until_ms <= now_ms {
        return Err(fenced(holder.epoch));
    }
    Ok(())
}
