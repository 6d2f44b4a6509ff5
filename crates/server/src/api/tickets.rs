//! Tickets for websockets.

use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, header};
use protocol::id::DeviceId;
use protocol::workspace::people::Role;
use protocol::workspace::ticket::{NewTicket, Ticket, TicketPurpose};

use crate::app::App;
use crate::gate::body::Json;
use crate::gate::ticket::{Purpose, issue};
use crate::gate::{Caller, place};
use crate::problem::{Answer, Refusal};
use crate::route::{Access, Route};

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::new(
            Method::POST,
            "/api/v1/ws-tickets",
            Access::Person,
            "Makes a ticket that opens one websocket, once, within thirty seconds.",
            create,
        )
        .takes::<NewTicket>()
        .gives::<Ticket>(),
    ]
}

async fn create(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    Json(new): Json<NewTicket>,
) -> Answer<(StatusCode, Json<Ticket>)> {
    let purpose = match (new.purpose, new.workspace, new.doc) {
        (None | Some(TicketPurpose::Live), None, None) => Purpose::Live,
        (None | Some(TicketPurpose::Document), Some(workspace), Some(document)) if is_id(&document, 128) => {
            // Whoever may not see the workspace shall not learn from a ticket whether it is there.
            place(&app, caller.clone(), workspace.clone(), Role::Viewer).await?;
            Purpose::Document { workspace, document }
        }
        _ => {
            return Err(Refusal::invalid(
                "A ticket is for the live socket, or for a document that is named with its workspace.",
            ));
        }
    };
    if !new
        .device_id
        .as_ref()
        .is_none_or(|it: &DeviceId| is_id(it.as_str(), 64))
    {
        return Err(Refusal::invalid("A device's id has 1 to 64 letters, digits, - or _."));
    }
    let origin = match headers.get(header::ORIGIN) {
        Some(origin) => Some(origin.to_str().unwrap_or("null").to_owned()),
        None => new.origin,
    };
    if origin.as_ref().is_some_and(|it| it.len() > 256) {
        return Err(Refusal::invalid("The page's origin is too long."));
    }
    let ticket = issue(&app, &caller, origin, new.device_id, &purpose).await?;
    Ok((StatusCode::CREATED, Json(ticket)))
}

fn is_id(text: &str, longest: usize) -> bool {
    (1..=longest).contains(&text.len())
        && text
            .bytes()
            .all(|it| it.is_ascii_alphanumeric() || it == b'-' || it == b'_')
}
