//! What every request passes before a handler sees it: who is it, and what may they do here?

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::extract::{ConnectInfo, FromRequestParts, RawPathParams, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use protocol::id::{UserId, WorkspaceId};
use protocol::workspace::people::Role;

use crate::app::App;
use crate::auth::Verified;
use crate::problem::{Answer, Refusal};
use crate::route::{Access, Rules};
use crate::store::audit::AuditEntry;
use crate::store::{Scope, Within};

pub mod body;
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
    Refusal::new(
        protocol::workspace::problem::ProblemCode::Internal,
        "The server failed. Nothing was changed.",
    )
}

/// Lets in whom the route's line lets in.
pub(crate) async fn guard(
    State((app, rules)): State<(App, Rules)>,
    params: RawPathParams,
    mut request: Request,
    next: Next,
) -> Response {
    let headers = request.headers().clone();
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    let address = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |it| it.0.ip());
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
    let verified = app.identity.of_headers(headers).await?;
    person(app, verified, address).await
}

/// The person behind checked credentials. Programs are nobody here.
pub(crate) async fn person(app: &App, verified: Verified, address: IpAddr) -> Answer<Caller> {
    if verified.app {
        return Err(Refusal::forbidden("Only a person can do this, not a program."));
    }
    let user = app.store.user(&verified, app.clock.now_ms()).await?;
    Ok(Caller {
        user,
        verified,
        address,
    })
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
