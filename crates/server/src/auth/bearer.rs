//! The header that carries a token: exactly one `Authorization`, with exactly one token. Cookies, query parameters and
//! what proxies say about a person are not looked at.

use axum::http::{HeaderMap, header};

use super::denied::Reason;

/// No token of Entra comes near this.
pub(super) const LONGEST: usize = 16 * 1024;

/// The one token of a request.
pub(super) fn of_headers(headers: &HeaderMap) -> Result<&str, Reason> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let value = values.next().ok_or(Reason::Missing)?;
    if values.next().is_some() {
        return Err(Reason::Repeated);
    }
    if value.len() > LONGEST + "bearer ".len() {
        return Err(Reason::TooLong);
    }
    let (scheme, token) = value
        .to_str()
        .ok()
        .and_then(|it| it.split_once(' '))
        .ok_or(Reason::Scheme)?;
    let token = token.trim_matches(' ');
    let is_one = !token.is_empty() && !token.contains([' ', '\t', ',', '"', '=']);
    if scheme.eq_ignore_ascii_case("bearer") && is_one {
        Ok(token)
    } else {
        Err(Reason::Scheme)
    }
}
