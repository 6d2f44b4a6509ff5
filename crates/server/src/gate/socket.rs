//! Who opens a websocket: by the same headers as any request, or by a ticket in the address, because pages cannot send
//! headers with one.

use std::net::IpAddr;

use axum::http::{HeaderMap, Uri, header};
use protocol::workspace::problem::ProblemCode;

use super::ticket::{Holder, Purpose, redeem};
use super::{Caller, caller};
use crate::app::App;
use crate::auth::development;
use crate::problem::{Answer, Refusal};

/// Who opens this socket.
pub async fn socket_caller(
    app: &App,
    headers: &HeaderMap,
    uri: &Uri,
    address: IpAddr,
    purpose: &Purpose,
) -> Answer<Caller> {
    Ok(socket_holder(app, headers, uri, address, purpose).await?.caller)
}

/// Who opens this socket, and with which device if a ticket says so.
pub async fn socket_holder(
    app: &App,
    headers: &HeaderMap,
    uri: &Uri,
    address: IpAddr,
    purpose: &Purpose,
) -> Answer<Holder> {
    if headers.contains_key(header::AUTHORIZATION) || headers.contains_key(development::HEADER) {
        let caller = caller(app, headers, address).await?;
        return Ok(Holder { caller, device: None });
    }
    let Some(ticket) = parameter(uri, "ticket") else {
        return Err(Refusal::new(
            ProblemCode::Unauthenticated,
            "Nobody is signed in. Send an Authorization header, or a ticket.",
        ));
    };
    let origin = headers.get(header::ORIGIN).and_then(|it| it.to_str().ok());
    redeem(app, &ticket, origin, address, purpose).await
}

/// Whether the request says at all who sends it.
pub fn has_credentials(headers: &HeaderMap, uri: &Uri) -> bool {
    headers.contains_key(header::AUTHORIZATION)
        || headers.contains_key(development::HEADER)
        || parameter(uri, "ticket").is_some()
}

/// A parameter of the address. One that is there twice counts as none: nobody sends that by accident.
pub fn parameter(uri: &Uri, name: &str) -> Option<String> {
    let query = uri.query()?;
    let mut values = url::form_urlencoded::parse(query.as_bytes())
        .filter(|(key, _)| key == name)
        .map(|(_, value)| value.into_owned());
    let first = values.next()?;
    values.next().is_none().then_some(first)
}
