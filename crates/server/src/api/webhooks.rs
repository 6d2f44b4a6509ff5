//! Webhooks: making them, taking them away, and what became of what they were told.

use axum::extract::State;
use axum::http::{Method, StatusCode};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use protocol::id::{DeliveryId, WebhookId};
use protocol::workspace::people::{Listed, Role};
use protocol::workspace::webhook::{Delivery, DeliveryState, NewWebhook, Webhook};
use serde::Deserialize;
use serde_json::json;

use super::deed::Deed;
use crate::app::App;
use crate::config::Secret;
use crate::gate::Place;
use crate::gate::body::{Json, Path, Query};
use crate::problem::{Answer, Refusal};
use crate::route::{Access, Route};
use crate::store::webhooks::{MOST, NewHook, QUEUE, Redelivery};
use crate::webhook;

const WEBHOOKS: &str = "/api/v1/workspaces/{workspace}/webhooks";
const VERBS: usize = 64;
const VERB_BYTES: usize = 64;
const PAGE: usize = 100;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::new(
            Method::POST,
            WEBHOOKS,
            Access::In(Role::Admin),
            "Makes a webhook; the answer has the secret with which its deliveries are signed, once.",
            create,
        )
        .takes::<NewWebhook>()
        .gives::<Webhook>(),
        Route::new(
            Method::GET,
            WEBHOOKS,
            Access::In(Role::Admin),
            "All webhooks, without their secrets.",
            list,
        )
        .gives::<Listed<Webhook>>(),
        Route::new(
            Method::DELETE,
            "/api/v1/workspaces/{workspace}/webhooks/{webhook}",
            Access::In(Role::Admin),
            "Takes a webhook away with what it was still to be told.",
            remove,
        )
        .even_archived(),
        Route::new(
            Method::GET,
            "/api/v1/workspaces/{workspace}/webhooks/{webhook}/deliveries",
            Access::In(Role::Admin),
            "What became of what a webhook was told, the newest first: ?state=pending|delivered|dead&before=&limit=.",
            deliveries,
        )
        .gives::<Listed<Delivery>>(),
        Route::new(
            Method::POST,
            "/api/v1/workspaces/{workspace}/webhooks/{webhook}/deliveries/{delivery}/redeliver",
            Access::In(Role::Admin),
            "Sends again what was given up.",
            redeliver,
        )
        .gives::<Delivery>(),
    ]
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Listing {
    state: Option<DeliveryState>,
    before: Option<u64>,
    limit: Option<usize>,
}

async fn create(
    State(app): State<App>,
    place: Place,
    Json(new): Json<NewWebhook>,
) -> Answer<(StatusCode, Json<Webhook>)> {
    let url = webhook::target(&new.url, &app.config.egress.allowed)
        .map_err(|error| Refusal::invalid(format!("This cannot be a webhook: {error}.")))?;
    checked_verbs(new.verbs.as_deref())?;
    let secret = Secret(BASE64_URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>()));
    let now = app.clock.now_ms();
    let by = &place.caller.user;
    let store = place.store(&app);
    let mut tx = app.store.begin().await?;
    store.hold(&mut tx).await?;
    let hook = NewHook {
        url: url.as_str(),
        verbs: new.verbs.as_deref(),
        secret: &secret,
        by,
    };
    let id = store
        .add_webhook(&mut tx, now, &hook)
        .await?
        .ok_or_else(|| Refusal::conflict(format!("A workspace has at most {MOST} webhooks.")))?;
    // The rest of the address may hold a secret of the receiver's, so nobody but admins is shown it.
    let host = url.host_str().unwrap_or_default();
    let deed = Deed {
        verb: "webhook.made",
        kind: "webhook",
        id: id.0.clone(),
        shown: json!({ "host": host }),
        facts: json!({ "host": host, "verbs": new.verbs }),
    };
    deed.commit(&app, &place, tx).await?;
    let made = Webhook {
        id,
        url: url.into(),
        verbs: new.verbs,
        made_by: by.clone(),
        created_at_ms: now,
        secret: Some(secret.0),
    };
    Ok((StatusCode::CREATED, Json(made)))
}

async fn list(State(app): State<App>, place: Place) -> Answer<Json<Listed<Webhook>>> {
    let items = place.store(&app).webhooks().await?;
    Ok(Json(Listed { items, next: None }))
}

async fn remove(State(app): State<App>, place: Place, Path((_, id)): Path<(String, WebhookId)>) -> Answer<StatusCode> {
    let store = place.store(&app);
    let mut tx = app.store.begin().await?;
    store.hold(&mut tx).await?;
    if !store.remove_webhook(&mut tx, &id).await? {
        return Err(Refusal::not_found());
    }
    let deed = Deed {
        verb: "webhook.removed",
        kind: "webhook",
        id: id.0,
        shown: json!({}),
        facts: json!({}),
    };
    deed.commit(&app, &place, tx).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn deliveries(
    State(app): State<App>,
    place: Place,
    Path((_, id)): Path<(String, WebhookId)>,
    Query(asked): Query<Listing>,
) -> Answer<Json<Listed<Delivery>>> {
    let limit = asked.limit.unwrap_or(PAGE).clamp(1, PAGE);
    let items = place
        .store(&app)
        .deliveries(&id, asked.state, asked.before.unwrap_or(u64::MAX), limit)
        .await?
        .ok_or_else(Refusal::not_found)?;
    let next = items
        .last()
        .filter(|_| items.len() == limit)
        .map(|it| it.seq.to_string());
    Ok(Json(Listed { items, next }))
}

async fn redeliver(
    State(app): State<App>,
    place: Place,
    Path((_, webhook, id)): Path<(String, WebhookId, DeliveryId)>,
) -> Answer<Json<Delivery>> {
    let store = place.store(&app);
    let mut tx = app.store.begin().await?;
    store.hold(&mut tx).await?;
    let queued = match store.redeliver(&mut tx, &webhook, &id, app.clock.now_ms()).await? {
        Redelivery::Queued(delivery) => delivery,
        Redelivery::NotDead => return Err(Refusal::conflict("Only what was given up is sent again.")),
        Redelivery::Full => return Err(Refusal::conflict(format!("{QUEUE} deliveries wait already."))),
        Redelivery::Nowhere => return Err(Refusal::not_found()),
    };
    let deed = Deed {
        verb: "webhook.redelivered",
        kind: "webhook",
        id: webhook.0,
        shown: json!({}),
        facts: json!({ "delivery": id }),
    };
    // No line in the feed: it would be one more thing to deliver.
    deed.commit_unseen(&app, &place, tx).await?;
    Ok(Json(queued))
}

fn checked_verbs(verbs: Option<&[String]>) -> Answer<()> {
    let is_verb = |it: &String| {
        (1..=VERB_BYTES).contains(&it.len())
            && it
                .bytes()
                .all(|it| it.is_ascii_lowercase() || matches!(it, b'.' | b'_'))
    };
    match verbs {
        None => Ok(()),
        Some(verbs) if (1..=VERBS).contains(&verbs.len()) && verbs.iter().all(is_verb) => Ok(()),
        Some(_) => Err(Refusal::invalid(format!(
            "`verbs` are 1 to {VERBS} verbs of the feed, such as `thread.shared`."
        ))),
    }
}
