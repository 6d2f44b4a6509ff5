//! Who somebody is. Three answers: nobody is admitted (no Entra configured), the development identity, Microsoft Entra ID.

use axum::http::HeaderMap;
use protocol::workspace::people::Role;
use protocol::workspace::sign_in::SignIn;
use serde::{Deserialize, Serialize};

pub mod entra;

pub mod development;

mod bearer;

pub mod denied;

pub use denied::{Denied, Reason};
pub use entra::Entra;

/// Somebody whose credentials were checked. It can be written down, because a ticket stands for it on every node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verified {
    /// `global`, `china`, `usgov`, or `dev`.
    pub cloud: String,
    /// The tenant.
    pub tid: String,
    /// The person within the tenant.
    pub oid: String,
    /// For display only.
    pub name: String,
    /// Comes from another tenant.
    pub guest: bool,
    /// A program, not a person: allowed only where a route says so.
    pub app: bool,
    /// What the server's configuration lets them be at most.
    pub role: Role,
    /// App roles in the token.
    pub app_roles: Vec<String>,
    /// Groups in the token, or from Graph when there are too many.
    pub groups: Vec<String>,
    /// When the credentials say that they end (a token's `exp`). They are believed for `clock_skew_s` longer, because clocks
    /// differ: whoever closes something then adds it. None when they do not end.
    pub expires_at_ms: Option<u64>,
}

/// How the server knows people.
#[derive(Debug)]
pub enum Identity {
    /// Not at all.
    Nobody,
    /// By a header, in development.
    Development,
    /// By tokens of Microsoft Entra ID, and by nothing else.
    Entra(Box<Entra>),
}

impl Identity {
    /// Who sends these headers.
    ///
    /// # Errors
    /// 401, 403, or 503 when nobody can tell right now.
    pub async fn of_headers(&self, headers: &HeaderMap) -> Result<Verified, Denied> {
        match self {
            Self::Nobody => Err(nobody()),
            Self::Development => development::of_headers(headers),
            Self::Entra(entra) => entra.verified(bearer::of_headers(headers)?).await,
        }
    }

    /// Whose bare token this is: for a fresh one that comes over a socket.
    ///
    /// # Errors
    /// 401, 403, or 503 when nobody can tell right now.
    pub async fn of_token(&self, token: &str) -> Result<Verified, Denied> {
        match self {
            Self::Nobody => Err(nobody()),
            Self::Development => development::of_name(token),
            Self::Entra(entra) => entra.verified(token).await,
        }
    }

    /// What everybody is told who asks how to sign in.
    #[must_use]
    pub fn sign_in(&self) -> SignIn {
        match self {
            Self::Nobody => SignIn::Nobody {},
            Self::Development => SignIn::Development {},
            Self::Entra(entra) => entra.sign_in(),
        }
    }
}

fn nobody() -> Denied {
    let mut denied = Denied::said(
        Reason::NotConfigured,
        "This server admits nobody: sign-in is not configured.",
    );
    denied.problem.hint =
        Some("Whoever runs it: see docs/entra-setup.md, or start it with --dev to try it on this machine.".to_owned());
    denied
}
