//! How far one's devices have read.

use axum::extract::State;
use axum::http::Method;
use protocol::id::{DeviceId, ThreadId};
use protocol::workspace::log::ReadCursor;
use protocol::workspace::people::Role;
use serde::Deserialize;

use super::threads::seen;
use crate::app::App;
use crate::fold::is_name;
use crate::gate::Place;
use crate::gate::body::{Json, Path};
use crate::problem::{Answer, Refusal};
use crate::route::{Access, Route};
use crate::store::cursors;

pub(super) fn routes() -> Vec<Route> {
    const ONE: &str = "/api/v1/workspaces/{workspace}/threads/{thread}/cursors/{device}";
    vec![
        Route::new(
            Method::PUT,
            ONE,
            Access::In(Role::Viewer),
            "Says how far a device of one's own has read; it never goes back.",
            put,
        )
        .even_archived()
        .takes::<ReadCursor>()
        .gives::<ReadCursor>(),
        Route::new(
            Method::GET,
            ONE,
            Access::In(Role::Viewer),
            "How far a device of one's own has read.",
            show,
        )
        .gives::<ReadCursor>(),
    ]
}

#[derive(Debug, Deserialize)]
struct InCursor {
    thread: ThreadId,
    device: DeviceId,
}

async fn put(
    State(app): State<App>,
    place: Place,
    Path(at): Path<InCursor>,
    Json(cursor): Json<ReadCursor>,
) -> Answer<Json<ReadCursor>> {
    if !is_name(at.device.as_str()) {
        return Err(Refusal::invalid(
            "A device's id has 1 to 128 letters, digits, `_`, `.`, `:` and `-`.",
        ));
    }
    let row = seen(&app, &place, &at.thread).await?;
    if cursor.seq > row.thread()?.head_seq {
        return Err(Refusal::invalid("Nobody has read further than to the newest event."));
    }
    let (user, now_ms) = (&place.caller.user, app.clock.now_ms());
    let mut tx = app.store.begin().await?;
    let seq = cursors::advance(&mut tx, now_ms, row.log(), user, &at.device, cursor.seq).await?;
    tx.commit().await?;
    Ok(Json(ReadCursor { seq }))
}

async fn show(State(app): State<App>, place: Place, Path(at): Path<InCursor>) -> Answer<Json<ReadCursor>> {
    let row = seen(&app, &place, &at.thread).await?;
    let seq = place
        .store(&app)
        .cursor(row.log(), &place.caller.user, &at.device)
        .await?;
    Ok(Json(ReadCursor { seq }))
}
