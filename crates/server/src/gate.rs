//! What every request passes before a handler sees it: who is it, and what may they do here?

use std::net::IpAddr;
use std::sync::atomic::Ordering;

use axum::extract::{FromRequestParts, RawPathParams, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use protocol::id::{UserId, WorkspaceId};
use protocol::workspace::people::Role;
use protocol::workspace::problem::ProblemCode;

use crate::app::App;
use crate::auth::{Denied, Verified};
use crate::problem::{Answer, Refusal};
use crate::rate;
use crate::route::{Access, Rules};
use crate::store::audit::AuditEntry;
use crate::store::{Scope, Within};

pub mod address;
pub mod body;
pub mod door;
pub mod origin;
pub mod socket;
pub mod ticket;

pub use socket::socket_caller;

/// The signed-in person of a request.
#[derive(Debug, Clone)]
pub struct Caller {
    /// On this server.
    pub user: UserId,
    /// As the credentials say.
    pub verified: Verified,
    /// From where.
    pub address: IpAddr,
}

impl Caller {
    /// As the audit log names them: `cloud/tid/oid`.
    #[must_use]
    pub fn actor(&self) -> String {
        let Verified { cloud, tid, oid, .. } = &self.verified;
        format!("{cloud}/{tid}/{oid}")
    }

    /// A line of the audit log about what they do, outside of any workspace and without detail.
    #[must_use]
    pub fn entry(&self, now_ms: u64, action: &'static str, object: impl Into<String>) -> AuditEntry {
        AuditEntry {
            at_ms: now_ms,
            actor: self.actor(),
            address: self.address.to_string(),
            workspace: None,
            action,
            object: object.into(),
            outcome: "ok",
            detail: serde_json::json!({}),
        }
    }
}

/// A caller within the path's workspace, with a role that was checked.
#[derive(Debug, Clone)]
pub struct Place {
    /// Who.
    pub caller: Caller,
    /// May do what here.
    pub role: Role,
    /// The workspace is archived: it can be read, and refuses changes.
    pub archived: bool,
    /// Where.
    pub scope: Scope,
}

impl Place {
    /// The workspace's id.
    #[must_use]
    pub fn workspace(&self) -> &WorkspaceId {
        self.scope.workspace()
    }

    /// The workspace's part of the database.
    #[must_use]
    pub fn store<'a>(&self, app: &'a App) -> Within<'a> {
        app.store.within(&self.scope)
    }

    /// A line of the audit log about what they do here.
    #[must_use]
    pub fn entry(&self, now_ms: u64, action: &'static str, object: impl Into<String>) -> AuditEntry {
        AuditEntry {
            workspace: Some(self.workspace().clone()),
            ..self.caller.entry(now_ms, action, object)
        }
    }

    /// Refuses changes in an archived workspace. The gate asks this for every request that is not a mere question; sockets
    /// ask it themselves.
    pub fn open_for_changes(&self) -> Answer<()> {
        if self.archived {
            return Err(Refusal::conflict(
                "This workspace is archived: it can be read, not changed.",
            ));
        }
        Ok(())
    }
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Answer<Self> {
        parts.extensions.get::<Self>().cloned().ok_or_else(unguarded)
    }
}

impl<S: Sync> FromRequestParts<S> for Place {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Answer<Self> {
        parts.extensions.get::<Self>().cloned().ok_or_else(unguarded)
    }
}

/// The route's line in the table does not say what its handler asks for: a defect, and no way in.
fn unguarded() -> Refusal {
    tracing::error!("a handler asks for a caller on a route without one");
    Refusal::new(ProblemCode::Internal, "The server failed. Nothing was changed.")
}

/// Lets in whom the route's line lets in.
pub(crate) async fn guard(
    State((app, rules)): State<(App, Rules)>,
    params: RawPathParams,
    mut request: Request,
    next: Next,
) -> Response {
    let headers = request.headers().clone();
    let address = address::of(request.extensions());
    request.extensions_mut().insert(body::Limit(rules.body_bytes));
    match rules.access {
        Access::Open | Access::Socket => {}
        Access::Person => match caller(&app, &headers, address).await {
            Ok(caller) => {
                request.extensions_mut().insert(caller);
            }
            Err(refusal) => return refusal.into_response(),
        },
        Access::In(least) => {
            let workspace = params.iter().find(|(name, _)| *name == "workspace");
            let workspace = WorkspaceId(workspace.map(|(_, id)| id.to_owned()).unwrap_or_default());
            let place = match caller(&app, &headers, address).await {
                Ok(caller) => place(&app, caller, workspace, least).await,
                Err(refusal) => Err(refusal),
            };
            let asks = matches!(*request.method(), Method::GET | Method::HEAD);
            let place = place.and_then(|it| {
                if !asks && !rules.even_archived {
                    it.open_for_changes()?;
                }
                Ok(it)
            });
            match place {
                Ok(place) => {
                    request.extensions_mut().insert(place.caller.clone());
                    request.extensions_mut().insert(place);
                }
                Err(refusal) => return refusal.into_response(),
            }
        }
    }
    next.run(request).await
}

/// Who sends this request.
pub(crate) async fn caller(app: &App, headers: &HeaderMap, address: IpAddr) -> Answer<Caller> {
    match app.identity.of_headers(headers).await {
        Ok(verified) => person(app, verified, address).await,
        Err(denied) => Err(refused(app, denied, address).await),
    }
}

/// What somebody is told whose credentials were refused. Who only guesses is soon told to wait, whatever they send next that
/// is wrong; what is right still gets in, because colleagues of theirs may have the same address.
pub(crate) async fn refused(app: &App, denied: Denied, address: IpAddr) -> Refusal {
    let (network, now) = (rate::network(address), app.clock.now_ms());
    if !denied.reason.is_attempt() {
        return denied.into();
    }
    app.metrics.refused_tokens.inc();
    if let Err(retry_after_ms) = app.rates.refused.take(network, 1, now) {
        return Refusal::rate_limited(retry_after_ms);
    }
    if app.rates.refusals_written.take((), 1, now).is_ok() {
        note_denied(app, &denied, address, now).await;
    } else {
        app.rates.refusals_unwritten.fetch_add(1, Ordering::Relaxed);
    }
    denied.into()
}

/// Writes down that credentials were refused. They stay refused if it cannot be written.
async fn note_denied(app: &App, denied: &Denied, address: IpAddr, now_ms: u64) {
    let (reason, kid, tid) = (denied.reason.code(), denied.kid.as_deref(), denied.tid.as_deref());
    tracing::info!(reason, kid, tid, "credentials were refused");
    let unwritten = app.rates.refusals_unwritten.swap(0, Ordering::Relaxed);
    let entry = AuditEntry {
        at_ms: now_ms,
        actor: "unknown".to_owned(),
        address: address.to_string(),
        workspace: None,
        action: "person.sign_in",
        object: "server".to_owned(),
        outcome: "refused",
        detail: serde_json::json!({ "reason": reason, "kid": kid, "tid": tid, "unwritten_before": unwritten }),
    };
    if let Err(error) = app.store.audit_alone(&entry).await {
        tracing::error!(%error, "refused credentials could not be written into the audit log");
    }
}

/// The person behind checked credentials. Programs are nobody here.
pub(crate) async fn person(app: &App, verified: Verified, address: IpAddr) -> Answer<Caller> {
    if verified.app {
        return Err(Refusal::forbidden("Only a person can do this, not a program."));
    }
    let now = app.clock.now_ms();
    let user = app.store.user(&verified, now).await?;
    app.rates
        .requests
        .take(user.clone(), 1, now)
        .map_err(Refusal::rate_limited)?;
    let caller = Caller {
        user,
        verified,
        address,
    };
    if app.rates.sign_ins.take(caller.user.clone(), 1, now).is_ok() {
        app.store
            .audit_alone(&caller.entry(now, "person.sign_in", "server"))
            .await?;
    }
    Ok(caller)
}

/// A caller's place in a workspace, if they may do at least `least` there.
pub(crate) async fn place(app: &App, caller: Caller, workspace: WorkspaceId, least: Role) -> Answer<Place> {
    let membership = app
        .store
        .membership(&workspace, &caller.user, &caller.verified)
        .await?
        .ok_or_else(Refusal::not_found)?;
    if membership.role < least {
        return Err(Refusal::forbidden(format!(
            "Your role here is {}; this takes {}.",
            membership.role.as_str(),
            least.as_str()
        )));
    }
    Ok(Place {
        caller,
        role: membership.role,
        archived: membership.archived,
        scope: Scope::of(workspace),
    })
}
