//! Who one is taken for.

use axum::http::Method;
use protocol::workspace::people::Me;

use crate::gate::Caller;
use crate::gate::body::Json;
use crate::route::{Access, Route};

pub(super) fn routes() -> Vec<Route> {
    vec![Route::new(Method::GET, "/api/v1/me", Access::Person, "Who one is taken for.", show).gives::<Me>()]
}

async fn show(caller: Caller) -> Json<Me> {
    let Caller { user, verified, .. } = caller;
    Json(Me {
        cloud: verified.cloud,
        tid: verified.tid,
        oid: verified.oid,
        name: verified.name,
        role: verified.role,
        user_id: user,
        guest: verified.guest,
    })
}
