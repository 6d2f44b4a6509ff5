//! The development identity: the header `X-Domain-User` is believed. Only in development mode, without Entra, on loopback;
//! [`crate::node`] refuses to start otherwise.

use axum::http::HeaderMap;
use protocol::workspace::people::Role;

use super::{Denied, Reason, Verified};

/// The header.
pub const HEADER: &str = "x-domain-user";

pub(super) fn of_headers(headers: &HeaderMap) -> Result<Verified, Denied> {
    let mut values = headers.get_all(HEADER).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => of_name(value.to_str().unwrap_or_default()),
        (None, _) => Err(refused(
            Reason::Missing,
            "Nobody is signed in. In development, send the header X-Domain-User.",
        )),
        (Some(_), Some(_)) => Err(refused(Reason::Repeated, "The header X-Domain-User was sent twice.")),
    }
}

pub(crate) fn of_name(name: &str) -> Result<Verified, Denied> {
    let fits = (1..=64).contains(&name.len())
        && name
            .bytes()
            .all(|it| it.is_ascii_alphanumeric() || b"@._\\-".contains(&it));
    if !fits {
        return Err(refused(
            Reason::Name,
            "X-Domain-User must be 1 to 64 letters, digits, or one of @ . _ - \\",
        ));
    }
    Ok(Verified {
        cloud: "dev".to_owned(),
        tid: "dev".to_owned(),
        oid: name.to_lowercase(),
        name: name.to_owned(),
        guest: false,
        app: false,
        role: Role::Owner,
        app_roles: Vec::new(),
        groups: Vec::new(),
        expires_at_ms: None,
    })
}

fn refused(reason: Reason, message: &str) -> Denied {
    Denied::said(reason, message)
}
