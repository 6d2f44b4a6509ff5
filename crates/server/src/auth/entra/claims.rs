//! What the claims of a token say, once its signature was right. Pure.

use serde_json::Value;

use super::settings::{Settings, is_guid};
use super::token::Claims;
use crate::auth::denied::Reason;
use crate::config::Guests;

/// Tokens of continuous access evaluation last up to 28 hours.
const LONGEST_LIFE_S: u64 = 30 * 3600;
/// Names are for display; nobody's is longer.
const NAME_LETTERS: usize = 128;

/// Somebody who was proved to be there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Person {
    pub(super) tid: String,
    pub(super) oid: String,
    pub(super) name: String,
    pub(super) guest: bool,
    pub(super) roles: Vec<String>,
    pub(super) groups: Groups,
    pub(super) exp_s: u64,
}

/// The groups that a token names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Groups {
    /// These.
    Listed(Vec<String>),
    /// More than fit into a token: nothing of them counts.
    TooMany,
}

/// Whom these claims are about, if they are for us, by whom we believe, now, and about a person who may.
pub(super) fn judge(claims: &Claims, settings: &Settings, now_s: u64) -> Result<Person, Reason> {
    let (tid, version) = issued_by(claims, settings)?;
    if !matches!(text(claims, "aud", Reason::Audience)?, Some(it) if settings.audiences.contains(it)) {
        return Err(Reason::Audience);
    }
    let exp_s = in_time(claims, settings.skew_s, now_s)?;
    if claims.contains_key("cnf") {
        return Err(Reason::Bound);
    }
    // Only tokens for a client answer a client's nonce.
    if claims.contains_key("nonce") {
        return Err(Reason::IdToken);
    }
    let roles = texts(claims, "roles")?;
    let groups = groups(claims)?;
    let oid = person(claims, !roles.is_empty())?;
    let scopes = text(claims, "scp", Reason::Claim)?.unwrap_or_default();
    if !scopes.split(' ').any(|it| it == settings.scope) {
        return Err(Reason::Scope);
    }
    let client = match version {
        Version::One => "appid",
        Version::Two => "azp",
    };
    if !text(claims, client, Reason::Claim)?.is_some_and(|it| settings.clients.iter().any(|known| known == it)) {
        return Err(Reason::Client);
    }
    let guest = is_guest(claims, settings, tid)?;
    if guest && settings.guests == Guests::Deny {
        return Err(Reason::Guest);
    }
    Ok(Person {
        tid: tid.to_owned(),
        name: name(claims).unwrap_or_else(|| oid.to_owned()),
        oid: oid.to_owned(),
        guest,
        roles,
        groups,
        exp_s,
    })
}

#[derive(Clone, Copy)]
enum Version {
    One,
    Two,
}

/// The tenant, if the issuer is, letter by letter, the one that this tenant's tokens of this version have.
fn issued_by<'a>(claims: &'a Claims, settings: &Settings) -> Result<(&'a str, Version), Reason> {
    let version = match text(claims, "ver", Reason::Version)? {
        Some("1.0") => Version::One,
        Some("2.0") => Version::Two,
        Some(_) | None => return Err(Reason::Version),
    };
    let tid = text(claims, "tid", Reason::Tenant)?
        .filter(|it| is_guid(it))
        .ok_or(Reason::Tenant)?;
    let issuer = match version {
        Version::One => settings.endpoints.issuer_v1(tid),
        Version::Two => settings.endpoints.issuer_v2(tid),
    };
    if text(claims, "iss", Reason::Issuer)? != Some(issuer.as_str()) {
        return Err(Reason::Issuer);
    }
    if !settings.tenants.contains(tid) {
        return Err(Reason::Tenant);
    }
    Ok((tid, version))
}

/// When it ends, if it has begun and has not ended.
fn in_time(claims: &Claims, skew_s: u64, now_s: u64) -> Result<u64, Reason> {
    let seconds = |name: &str| claims.get(name).and_then(Value::as_u64).ok_or(Reason::Times);
    let (exp, nbf, iat) = (seconds("exp")?, seconds("nbf")?, seconds("iat")?);
    // Larger numbers would be milliseconds, or an attempt at an overflow.
    if exp > u64::from(u32::MAX) * 2 || exp <= iat || exp <= nbf || exp - iat > LONGEST_LIFE_S {
        return Err(Reason::Times);
    }
    if exp + skew_s <= now_s {
        return Err(Reason::Expired);
    }
    if nbf > now_s + skew_s || iat > now_s + skew_s {
        return Err(Reason::NotYet);
    }
    Ok(exp)
}

/// The person's id in the tenant, if it is a person.
fn person(claims: &Claims, has_roles: bool) -> Result<&str, Reason> {
    let oid = text(claims, "oid", Reason::Person)?
        .filter(|it| is_guid(it))
        .ok_or(Reason::Person)?;
    let subject = text(claims, "sub", Reason::Person)?
        .filter(|it| !it.is_empty())
        .ok_or(Reason::Person)?;
    match text(claims, "idtyp", Reason::Claim)? {
        None | Some("user") => {}
        Some("device") => return Err(Reason::Device),
        Some(_) => return Err(Reason::App),
    }
    // A person's subject is another one for each application; a program's is its own object id.
    if subject == oid || (!claims.contains_key("scp") && has_roles) {
        return Err(Reason::App);
    }
    Ok(oid)
}

/// A guest's account is in another tenant, or says so.
fn is_guest(claims: &Claims, settings: &Settings, tid: &str) -> Result<bool, Reason> {
    let by_account = match claims.get("acct") {
        None => false,
        Some(it) if it.as_u64() == Some(0) || it.as_str() == Some("0") => false,
        Some(it) if it.as_u64() == Some(1) || it.as_str() == Some("1") => true,
        Some(_) => return Err(Reason::Claim),
    };
    // v2 tokens name their own tenant in the form of v1.
    let endpoints = &settings.endpoints;
    let by_provider = text(claims, "idp", Reason::Claim)?
        .is_some_and(|it| it != endpoints.issuer_v1(tid) && it != endpoints.issuer_v2(tid));
    Ok(by_account || by_provider)
}

fn groups(claims: &Claims) -> Result<Groups, Reason> {
    let listed = texts(claims, "groups")?;
    let names = match claims.get("_claim_names") {
        None => false,
        Some(Value::Object(names)) => names.contains_key("groups"),
        Some(_) => return Err(Reason::Claim),
    };
    let has = match claims.get("hasgroups") {
        None => false,
        Some(Value::Bool(it)) => *it,
        Some(Value::String(it)) => it == "true",
        Some(_) => return Err(Reason::Claim),
    };
    if names || has {
        return Ok(Groups::TooMany);
    }
    // Names of groups, which Entra can be made to send, can be given by whoever makes a group.
    let guids = listed.into_iter().map(|it| it.to_ascii_lowercase());
    Ok(Groups::Listed(guids.filter(|it| is_guid(it)).collect()))
}

/// What to call somebody. It proves nothing, so it may come from anywhere, but it may not be mistaken for something else.
fn name(claims: &Claims) -> Option<String> {
    let given = ["name", "preferred_username", "upn", "unique_name"];
    given.into_iter().find_map(|it| {
        let letters = claims.get(it)?.as_str()?.chars().filter(|it| is_shown(*it));
        let name: String = letters.take(NAME_LETTERS).collect();
        let name = name.trim().to_owned();
        (!name.is_empty()).then_some(name)
    })
}

/// No controls, and nothing that turns the direction of what follows or takes no room.
fn is_shown(letter: char) -> bool {
    !letter.is_control()
        && !matches!(letter, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{061c}')
}

/// A claim that is text if it is there.
fn text<'a>(claims: &'a Claims, name: &str, otherwise: Reason) -> Result<Option<&'a str>, Reason> {
    match claims.get(name) {
        None => Ok(None),
        Some(Value::String(it)) => Ok(Some(it)),
        Some(_) => Err(otherwise),
    }
}

/// A claim that is a list of texts if it is there.
fn texts(claims: &Claims, name: &str) -> Result<Vec<String>, Reason> {
    match claims.get(name) {
        None => Ok(Vec::new()),
        Some(Value::Array(items)) => items
            .iter()
            .map(|it| it.as_str().map(str::to_owned).ok_or(Reason::Claim))
            .collect(),
        Some(_) => Err(Reason::Claim),
    }
}
