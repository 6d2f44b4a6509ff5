//! The log of a thread over HTTP: batches in, pages and items out.

use axum::extract::State;
use axum::http::Method;
use protocol::workspace::log::{Acked, BATCH_BYTES, BATCH_EVENTS, Batch, EventPage, SharedItem};
use protocol::workspace::people::{Listed, Role};
use serde::Deserialize;

use super::threads::{InThread, seen};
use crate::app::App;
use crate::gate::Place;
use crate::gate::body::{Json, Path, Query};
use crate::ingest::{self, Incoming};
use crate::problem::Answer;
use crate::route::{Access, Route};
use crate::store::events::PAGE;
use crate::store::items::ITEMS;

/// About so many bytes of payload in one page.
const PAGE_BYTES: usize = 2 * 1024 * 1024;
/// What an event has besides its payload, in a body; escapes of text included.
const ENVELOPE_BYTES: usize = 512;

pub(super) fn routes() -> Vec<Route> {
    const EVENTS: &str = "/api/v1/workspaces/{workspace}/threads/{thread}/events";
    vec![
        Route::new(
            Method::POST,
            EVENTS,
            Access::In(Role::Member),
            "Appends a batch of events under the lease; sent again it changes nothing.",
            append,
        )
        .at_most(BATCH_BYTES + BATCH_EVENTS * ENVELOPE_BYTES)
        .takes::<Batch>()
        .gives::<Acked>(),
        Route::new(
            Method::GET,
            EVENTS,
            Access::In(Role::Viewer),
            "Events after a place: ?after=&limit=.",
            read,
        )
        .gives::<EventPage>(),
        Route::new(
            Method::GET,
            "/api/v1/workspaces/{workspace}/threads/{thread}/items",
            Access::In(Role::Viewer),
            "What the events add up to, item by item, the oldest first: ?after=&limit=.",
            items,
        )
        .gives::<Listed<SharedItem>>(),
    ]
}

/// Which part of a long list.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Part {
    #[serde(default)]
    after: u64,
    limit: Option<usize>,
}

async fn append(
    State(app): State<App>,
    place: Place,
    Path(at): Path<InThread>,
    Json(batch): Json<Incoming>,
) -> Answer<Json<Acked>> {
    Ok(Json(ingest::append(&app, &place, &at.thread, batch).await?))
}

async fn read(
    State(app): State<App>,
    place: Place,
    Path(at): Path<InThread>,
    Query(part): Query<Part>,
) -> Answer<Json<EventPage>> {
    seen(&app, &place, &at.thread).await?;
    let limit = part.limit.unwrap_or(PAGE);
    let page = place
        .store(&app)
        .events_after(&at.thread, part.after, limit, PAGE_BYTES)
        .await?;
    Ok(Json(page))
}

async fn items(
    State(app): State<App>,
    place: Place,
    Path(at): Path<InThread>,
    Query(part): Query<Part>,
) -> Answer<Json<Listed<SharedItem>>> {
    let row = seen(&app, &place, &at.thread).await?;
    let limit = part.limit.unwrap_or(ITEMS);
    let page = place
        .store(&app)
        .items(row.log(), part.after, limit, PAGE_BYTES)
        .await?;
    Ok(Json(page))
}
