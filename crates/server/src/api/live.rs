//! The live socket's door.

use std::net::{IpAddr, Ipv4Addr};

use axum::Extension;
use axum::extract::State;
use axum::extract::ws::WebSocketUpgrade;
use axum::http::{HeaderMap, Method, Uri};
use axum::response::{IntoResponse as _, Response};
use protocol::workspace::problem::{Problem, ProblemCode};

use crate::app::App;
use crate::gate::address::Client;
use crate::live::{Arrival, MESSAGE_BYTES, serve};
use crate::problem::Refusal;
use crate::route::{Access, Route};

pub(super) fn routes() -> Vec<Route> {
    vec![Route::new(
        Method::GET,
        "/api/v1/live",
        Access::Socket,
        "One websocket for each client: threads, activity and presence as they happen.",
        open,
    )]
}

async fn open(
    State(app): State<App>,
    client: Option<Extension<Client>>,
    headers: HeaderMap,
    uri: Uri,
    upgrade: WebSocketUpgrade,
) -> Response {
    let address = client.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |it| it.address);
    let Some(pending) = app.sockets.knock(address) else {
        let problem = Problem::new(
            ProblemCode::RateLimited,
            "Too many sockets of this address wait to sign in.",
        );
        return Refusal(problem.fact("retry_after_s", 10)).into_response();
    };
    let arrival = Arrival { headers, uri, address };
    let most = app.config.limits.message_bytes.min(MESSAGE_BYTES);
    let upgrade = upgrade
        .max_message_size(most)
        .max_frame_size(most)
        // A socket that says little shall cost little.
        .read_buffer_size(4 * 1024)
        .write_buffer_size(4 * 1024);
    upgrade.on_upgrade(move |socket| {
        let served = serve(app.clone(), arrival, socket, pending);
        app.sockets.track(served)
    })
}
