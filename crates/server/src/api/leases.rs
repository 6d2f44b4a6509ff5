//! The right to append to a thread: taking it, keeping it, giving it back, handing it over.

use axum::extract::State;
use axum::http::{Method, StatusCode};
use protocol::id::UserId;
use protocol::workspace::log::{Lease, LeaseRelease, LeaseRequest, ServerEvent, Visibility};
use protocol::workspace::people::Role;
use protocol::workspace::problem::{Problem, ProblemCode};
use serde_json::json;

use super::threads::{InThread, tell};
use crate::app::App;
use crate::fold::is_name;
use crate::gate::Place;
use crate::gate::body::{Json, Path};
use crate::ingest::{fenced, is_producer};
use crate::problem::{Answer, Refusal};
use crate::route::{Access, Route};
use crate::store::events::say;
use crate::store::leases::{self, Grant, Holder, PRODUCERS};

/// For how long only the one it was handed to may ask for it.
const HAND_OVER_MS: u64 = 60_000;

pub(super) fn routes() -> Vec<Route> {
    const LEASE: &str = "/api/v1/workspaces/{workspace}/threads/{thread}/lease";
    vec![
        Route::new(
            Method::POST,
            LEASE,
            Access::In(Role::Member),
            "Asks for the right to append, or for more of it.",
            ask,
        )
        .takes::<LeaseRequest>()
        .gives::<Lease>(),
        Route::new(
            Method::DELETE,
            LEASE,
            Access::In(Role::Member),
            "Gives the right to append back, or hands it over.",
            release,
        )
        .takes::<LeaseRelease>(),
    ]
}

/// What becomes of a request for the lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// The holder has it for longer.
    Longer,
    /// Somebody has it from now on, under the next epoch.
    Moves,
    /// Another one has it.
    Held,
    /// It is not for this person.
    Never,
}

/// Decides. `asks` has the request, `user` and `role` who asks.
fn decide(holder: &Holder, asks: &LeaseRequest, user: &UserId, role: Role, now_ms: u64) -> Outcome {
    let theirs = holder.producer.as_deref() == Some(asks.producer_id.as_str())
        && holder.device.as_ref() == Some(&asks.device_id)
        && holder.user.as_ref() == Some(user);
    if theirs {
        return Outcome::Longer;
    }
    let live = holder.producer.is_some() && holder.until_ms > now_ms;
    let handed = holder.hand_to.as_ref().filter(|_| holder.hand_until_ms > now_ms);
    let may_take = asks.take && (holder.owner == *user || role >= Role::Admin);
    if may_take {
        return Outcome::Moves;
    }
    let may_ask = match handed {
        Some(to) => to == user,
        // The last one may come back after a break, as long as nobody else came.
        None => holder.owner == *user || holder.user.as_ref() == Some(user),
    };
    match (may_ask, live) {
        (true, false) => Outcome::Moves,
        (true, true) => Outcome::Held,
        (false, _) if handed.is_some() && holder.owner == *user => Outcome::Held,
        (false, _) => Outcome::Never,
    }
}

async fn ask(
    State(app): State<App>,
    place: Place,
    Path(at): Path<InThread>,
    Json(asks): Json<LeaseRequest>,
) -> Answer<Json<Lease>> {
    if !is_producer(&asks.producer_id) {
        return Err(Refusal::invalid(
            "A producer has a name of 1 to 64 letters, digits, `_` and `-`.",
        ));
    }
    if !is_name(asks.device_id.as_str()) {
        return Err(Refusal::invalid(
            "A device's id has 1 to 128 letters, digits, `_`, `.`, `:` and `-`.",
        ));
    }
    let ttl_s = asks.ttl_s.unwrap_or(30);
    if !(5..=300).contains(&ttl_s) {
        return Err(Refusal::invalid("A lease lasts 5 to 300 seconds."));
    }
    let (store, user, now_ms) = (place.store(&app), &place.caller.user, app.clock.now_ms());
    let mut tx = app.store.begin().await?;
    let row = store
        .hold_thread(&mut tx, &at.thread, user)
        .await?
        .ok_or_else(Refusal::not_found)?;
    let holder = row.holder();
    let epoch = match decide(&holder, &asks, user, place.role, now_ms) {
        Outcome::Longer => holder.epoch,
        Outcome::Moves => holder.epoch + 1,
        Outcome::Held => {
            let until_ms = holder.until_ms.max(holder.hand_until_ms);
            return Err(Problem::new(ProblemCode::Conflict, "Another machine has the lease.")
                .hint("Wait until it ends, or take it.")
                .fact("epoch", holder.epoch)
                .fact("until_ms", until_ms)
                .into());
        }
        Outcome::Never => {
            return Err(Refusal::forbidden(
                "The lease is for the thread's owner, unless it is handed over.",
            ));
        }
    };
    let until_ms = now_ms + ttl_s * 1000;
    let grant = Grant {
        producer_id: &asks.producer_id,
        device: &asks.device_id,
        user,
        epoch,
        until_ms,
    };
    if leases::other_producers(&mut tx, row.log(), &asks.producer_id).await? >= PRODUCERS {
        return Err(Refusal::conflict(
            "This thread has had too many producers: a machine uses one name for itself.",
        ));
    }
    if !leases::grant(&mut tx, row.log(), grant).await? {
        return Err(Refusal::forbidden("This producer is somebody else's."));
    }
    let moved = holder.device.as_ref().is_some_and(|it| *it != asks.device_id) && epoch != holder.epoch;
    let mut head_seq = None;
    if moved {
        let event = ServerEvent::LeaseMoved {
            user_id: user.clone(),
            device_id: asks.device_id.clone(),
            epoch,
        };
        head_seq = Some(say(&mut tx, row.log(), now_ms, &event).await?);
    }
    if asks.take && epoch != holder.epoch && holder.user.as_ref().is_some_and(|it| it != user) {
        let mut entry = place.entry(now_ms, "lease.taken", at.thread.as_str());
        entry.detail = json!({"device": asks.device_id, "epoch": epoch});
        app.store.audit(&mut tx, &entry).await?;
    }
    let row = store
        .hold_thread(&mut tx, &at.thread, user)
        .await?
        .ok_or_else(Refusal::not_found)?;
    tx.commit().await?;
    if epoch != holder.epoch {
        tell(&app, &place, &at.thread, head_seq, None);
    }
    row.thread()?.lease.map(Json).ok_or_else(Refusal::not_found)
}

async fn release(
    State(app): State<App>,
    place: Place,
    Path(at): Path<InThread>,
    Json(gives): Json<LeaseRelease>,
) -> Answer<StatusCode> {
    let (store, user, now_ms) = (place.store(&app), &place.caller.user, app.clock.now_ms());
    if gives.hand_to.as_ref().is_some_and(|it| !is_name(it.as_str())) {
        return Err(Refusal::invalid("`hand_to` is a person's id."));
    }
    let mut tx = app.store.begin().await?;
    let row = store
        .hold_thread(&mut tx, &at.thread, user)
        .await?
        .ok_or_else(Refusal::not_found)?;
    let holder = row.holder();
    if holder.user.as_ref() != Some(user)
        || holder.epoch != gives.epoch
        || holder.producer.as_ref().is_some_and(|it| *it != gives.producer_id)
    {
        return Err(fenced(holder.epoch));
    }
    if gives.hand_to.is_some() && row.thread()?.visibility == Visibility::Private {
        return Err(Refusal::conflict(
            "A private thread is for its owner alone: share it first.",
        ));
    }
    leases::release(&mut tx, row.log(), gives.hand_to.as_ref(), now_ms + HAND_OVER_MS).await?;
    tx.commit().await?;
    tell(&app, &place, &at.thread, None, None);
    Ok(StatusCode::NO_CONTENT)
}
