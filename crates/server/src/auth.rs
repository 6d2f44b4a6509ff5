//! Who somebody is. Three answers: nobody is admitted (no Entra configured), the development identity, Microsoft Entra ID.

use axum::http::HeaderMap;
use protocol::workspace::people::Role;
use serde::{Deserialize, Serialize};

use crate::problem::Refusal;

pub mod development;

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
    /// When the credentials end.
    pub expires_at_ms: Option<u64>,
}

/// How the server knows people.
#[derive(Debug)]
pub enum Identity {
    /// Not at all.
    Nobody,
    /// By a header, in development.
    Development,
}

impl Identity {
    /// Who sends these headers. `Err` is always 401 or 403.
    pub async fn of_headers(&self, headers: &HeaderMap) -> Result<Verified, Refusal> {
        match self {
            Self::Nobody => Err(nobody()),
            Self::Development => development::of_headers(headers),
        }
    }

    /// Whose bare token this is: for a fresh one that comes over a socket.
    pub async fn of_token(&self, token: &str) -> Result<Verified, Refusal> {
        match self {
            Self::Nobody => Err(nobody()),
            Self::Development => development::of_name(token),
        }
    }
}

fn nobody() -> Refusal {
    Refusal(
        protocol::workspace::problem::Problem::new(
            protocol::workspace::problem::ProblemCode::Unauthenticated,
            "This server admits nobody: sign-in is not configured.",
        )
        .hint("Whoever runs it: see docs/entra-setup.md, or start it with --dev to try it on this machine."),
    )
}
