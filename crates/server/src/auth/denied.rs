//! Why somebody is not let in: a code for the log, and an answer that does not give it away.

use protocol::workspace::problem::{Problem, ProblemCode};

use crate::problem::Refusal;

/// The reason, for the log, the audit log and the metrics. Clients are told the status and no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// Nobody can sign in here.
    NotConfigured,
    /// The development identity's name is missing or no name.
    Name,
    /// No credentials at all.
    Missing,
    /// `Authorization` more than once.
    Repeated,
    /// Another scheme than `Bearer`, or more than one token.
    Scheme,
    /// Longer than any token of Entra.
    TooLong,
    /// Not three segments of strict base64url.
    Shape,
    /// Header or claims are no strict JSON object.
    Json,
    /// Another algorithm than the one.
    Algorithm,
    /// The header has what it must not have.
    Header,
    /// The key's name is no name.
    KeyName,
    /// No key of that name.
    UnknownKey,
    /// The key belongs to another issuer.
    KeyIssuer,
    /// No keys were ever fetched, and none can be now.
    NoKeys,
    /// The signature is of another key or of another text.
    Signature,
    /// Neither 1.0 nor 2.0.
    Version,
    /// Not one of the configured tenants.
    Tenant,
    /// Not the issuer of that tenant and version.
    Issuer,
    /// For somebody else.
    Audience,
    /// `exp`, `nbf` or `iat` is missing, no integer, or impossible.
    Times,
    /// Over.
    Expired,
    /// Not begun.
    NotYet,
    /// Without a person: `oid` or `sub`.
    Person,
    /// A claim of another type than it has.
    Claim,
    /// A token for the client, not for the server.
    IdToken,
    /// Bound to a key that nobody proved to have.
    Bound,
    /// Entra wants more of the person first.
    Challenge,
    /// Without the scope.
    Scope,
    /// By a client that may not.
    Client,
    /// A program, not a person.
    App,
    /// A device, not a person.
    Device,
    /// From another tenant.
    Guest,
    /// Without any role here.
    Unmapped,
}

impl Reason {
    /// As logs have it.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::NotConfigured => "not_configured",
            Self::Name => "name",
            Self::Missing => "missing",
            Self::Repeated => "repeated",
            Self::Scheme => "scheme",
            Self::TooLong => "too_long",
            Self::Shape => "shape",
            Self::Json => "json",
            Self::Algorithm => "algorithm",
            Self::Header => "header",
            Self::KeyName => "key_name",
            Self::UnknownKey => "unknown_key",
            Self::KeyIssuer => "key_issuer",
            Self::NoKeys => "no_keys",
            Self::Signature => "signature",
            Self::Version => "version",
            Self::Tenant => "tenant",
            Self::Issuer => "issuer",
            Self::Audience => "audience",
            Self::Times => "times",
            Self::Expired => "expired",
            Self::NotYet => "not_yet",
            Self::Person => "person",
            Self::Claim => "claim",
            Self::IdToken => "id_token",
            Self::Bound => "bound",
            Self::Challenge => "challenge",
            Self::Scope => "scope",
            Self::Client => "client",
            Self::App => "app",
            Self::Device => "device",
            Self::Guest => "guest",
            Self::Unmapped => "unmapped",
        }
    }

    /// 401: who it is, is not proved. 403: it is proved, and they may not. 503: nobody can tell right now.
    #[must_use]
    pub fn problem(self) -> ProblemCode {
        match self {
            Self::Scope | Self::Client | Self::App | Self::Device | Self::Guest | Self::Unmapped => {
                ProblemCode::Forbidden
            }
            Self::NoKeys => ProblemCode::Unavailable,
            Self::NotConfigured
            | Self::Name
            | Self::Missing
            | Self::Repeated
            | Self::Scheme
            | Self::TooLong
            | Self::Shape
            | Self::Json
            | Self::Algorithm
            | Self::Header
            | Self::KeyName
            | Self::UnknownKey
            | Self::KeyIssuer
            | Self::Signature
            | Self::Version
            | Self::Tenant
            | Self::Issuer
            | Self::Audience
            | Self::Times
            | Self::Expired
            | Self::NotYet
            | Self::Person
            | Self::Claim
            | Self::IdToken
            | Self::Bound
            | Self::Challenge => ProblemCode::Unauthenticated,
        }
    }

    /// Somebody tried with something, so that it is worth a line in the audit log and counts against their address.
    #[must_use]
    pub fn is_attempt(self) -> bool {
        !matches!(self, Self::NotConfigured | Self::Missing | Self::NoKeys)
    }
}

/// Somebody is not let in.
#[derive(Debug, Clone)]
pub struct Denied {
    /// Why.
    pub reason: Reason,
    /// What they are told.
    pub problem: Box<Problem>,
    /// The key that the token names, if it has the form of one.
    pub kid: Option<String>,
    /// The tenant that the token names, if it has the form of one. Not proved, unless `reason` is one of permission.
    pub tid: Option<String>,
}

impl Denied {
    /// Because of `reason`, in its usual words.
    #[must_use]
    pub fn new(reason: Reason) -> Self {
        let message = if reason.problem() == ProblemCode::Forbidden {
            "You are signed in, and your account may not do this here."
        } else if reason.problem() == ProblemCode::Unavailable {
            "Sign-in cannot be checked right now. Please come back in a moment."
        } else {
            "Sign in first: there is no valid token."
        };
        Self::said(reason, message)
    }

    /// Because of `reason`, in other words.
    #[must_use]
    pub fn said(reason: Reason, message: &str) -> Self {
        Self {
            reason,
            problem: Box::new(Problem::new(reason.problem(), message)),
            kid: None,
            tid: None,
        }
    }
}

impl From<Reason> for Denied {
    fn from(reason: Reason) -> Self {
        Self::new(reason)
    }
}

impl From<Denied> for Refusal {
    fn from(denied: Denied) -> Self {
        Self(*denied.problem)
    }
}
