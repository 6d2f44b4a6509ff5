//! Questions of a thread, answered by whoever may and is first.

use axum::extract::State;
use axum::http::Method;
use protocol::id::{ApprovalId, ThreadId};
use protocol::workspace::log::{ApprovalDecision, ApprovalStatus, ServerEvent, SharedApproval, Visibility};
use protocol::workspace::people::{Listed, Role};
use protocol::workspace::problem::{Problem, ProblemCode};
use serde::Deserialize;
use serde_json::json;

use super::threads::{InThread, seen, tell};
use crate::app::App;
use crate::fold::is_name;
use crate::gate::Place;
use crate::gate::body::{Json, Path, Query};
use crate::problem::{Answer, Refusal};
use crate::route::{Access, Route};
use crate::store::approvals::{self, PAGE, Verdict};
use crate::store::events::say;

/// Bytes of a note.
const NOTE_BYTES: usize = 4096;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::new(
            Method::GET,
            "/api/v1/workspaces/{workspace}/threads/{thread}/approvals",
            Access::In(Role::Viewer),
            "The questions of a thread, the oldest first: ?status=&after=&limit=.",
            list,
        )
        .gives::<Listed<SharedApproval>>(),
        Route::new(
            Method::POST,
            "/api/v1/workspaces/{workspace}/threads/{thread}/approvals/{approval}/decision",
            Access::In(Role::Member),
            "Answers a question; the first answer stands.",
            decide,
        )
        .takes::<ApprovalDecision>()
        .gives::<SharedApproval>(),
    ]
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Listing {
    status: Option<ApprovalStatus>,
    #[serde(default)]
    after: u64,
    limit: Option<usize>,
}

#[derive(Debug, Deserialize)]
struct InApproval {
    thread: ThreadId,
    approval: ApprovalId,
}

async fn list(
    State(app): State<App>,
    place: Place,
    Path(at): Path<InThread>,
    Query(asked): Query<Listing>,
) -> Answer<Json<Listed<SharedApproval>>> {
    let row = seen(&app, &place, &at.thread).await?;
    let limit = asked.limit.unwrap_or(PAGE);
    let store = place.store(&app);
    let page = store
        .approvals(&at.thread, row.log(), asked.status, asked.after, limit)
        .await?;
    Ok(Json(page))
}

async fn decide(
    State(app): State<App>,
    place: Place,
    Path(at): Path<InApproval>,
    Json(decision): Json<ApprovalDecision>,
) -> Answer<Json<SharedApproval>> {
    if decision.note.as_ref().is_some_and(|it| it.len() > NOTE_BYTES) {
        return Err(Refusal::invalid(format!("A note has up to {NOTE_BYTES} bytes.")));
    }
    if decision.device_id.as_ref().is_some_and(|it| !is_name(it.as_str())) {
        return Err(Refusal::invalid(
            "A device's id has 1 to 128 letters, digits, `_`, `.`, `:` and `-`.",
        ));
    }
    let (store, user, now_ms) = (place.store(&app), &place.caller.user, app.clock.now_ms());
    let mut tx = app.store.begin().await?;
    let row = store
        .hold_thread(&mut tx, &at.thread, user)
        .await?
        .ok_or_else(Refusal::not_found)?;
    let thread = row.thread()?;
    let found = approvals::find(&mut tx, row.log(), &at.approval).await?;
    let asked = found.ok_or_else(Refusal::not_found)?.shared(&at.thread)?;
    if !(row.is_owned_by(user) || thread.approvers.is_some_and(|least| place.role >= least)) {
        return Err(Refusal::forbidden(
            "The thread's owner has not let you answer its questions.",
        ));
    }
    may_decide(&asked, &decision, now_ms)?;
    let event = ServerEvent::ApprovalDecided {
        approval_id: at.approval.clone(),
        turn_id: asked.turn_id.clone(),
        accepted: decision.accept,
        user_id: user.clone(),
        device_id: decision.device_id.clone(),
        payload_hash: asked.payload_hash.clone(),
        note: decision.note,
    };
    let seq = say(&mut tx, row.log(), now_ms, &event).await?;
    let status = if decision.accept {
        ApprovalStatus::Accepted
    } else {
        ApprovalStatus::Declined
    };
    let verdict = Verdict {
        status,
        by: Some(user),
        at_ms: now_ms,
        seq,
    };
    if !approvals::decide(&mut tx, row.log(), &at.approval, verdict).await? {
        return Err(Refusal::conflict("This question no longer waits for an answer."));
    }
    let mut line = None;
    if thread.visibility == Visibility::Workspace {
        let data = json!({"title": thread.title, "accepted": decision.accept});
        let id = at.thread.as_str();
        line = Some(
            store
                .record(&mut tx, now_ms, Some(user), "approval.decided", "thread", id, data)
                .await?,
        );
    }
    let mut entry = place.entry(now_ms, "approval.decided", at.approval.as_str());
    entry.detail = json!({
        "thread": at.thread,
        "accepted": decision.accept,
        "device": decision.device_id,
        "payload_hash": asked.payload_hash,
    });
    app.store.audit(&mut tx, &entry).await?;
    tx.commit().await?;
    tell(&app, &place, &at.thread, Some(seq), line);
    Ok(Json(SharedApproval {
        status,
        decided_by: Some(user.clone()),
        decided_at_ms: Some(now_ms),
        decision_seq: Some(seq),
        ..asked
    }))
}

/// Whether a question still waits, and is the one that was on the screen.
fn may_decide(asked: &SharedApproval, decision: &ApprovalDecision, now_ms: u64) -> Answer<()> {
    if asked.status != ApprovalStatus::Pending {
        return Err(
            Problem::new(ProblemCode::Conflict, "This question no longer waits for an answer.")
                .fact("status", approvals::status_name(asked.status))
                .fact("decided_by", json!(asked.decided_by))
                .fact("decided_at_ms", json!(asked.decided_at_ms))
                .fact("decision_seq", json!(asked.decision_seq))
                .into(),
        );
    }
    if asked.expires_at_ms <= now_ms {
        return Err(
            Problem::new(ProblemCode::Conflict, "The time to answer this question has run out.")
                .fact("status", approvals::status_name(ApprovalStatus::Expired))
                .into(),
        );
    }
    if asked.payload_hash != decision.payload_hash {
        return Err(
            Problem::new(ProblemCode::Conflict, "This is not the question that is asked.")
                .hint("Look at the question again.")
                .fact("status", approvals::status_name(ApprovalStatus::Pending))
                .into(),
        );
    }
    Ok(())
}
