//! From what went wrong to what the client is told. Internals stay in the log.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use protocol::workspace::problem::{Problem, ProblemCode};

/// What a handler answers when it cannot do what was asked.
#[derive(Debug)]
pub struct Refusal(pub Problem);

/// The answer of a handler.
pub type Answer<T> = Result<T, Refusal>;

impl Refusal {
    /// A refusal without hint or facts.
    pub fn new(code: ProblemCode, message: impl Into<String>) -> Self {
        Self(Problem::new(code, message))
    }

    /// The request makes no sense.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(ProblemCode::InvalidRequest, message)
    }

    /// Not there, or not for this person: the two are never told apart.
    pub fn not_found() -> Self {
        Self::new(ProblemCode::NotFound, "There is nothing here that you can see.")
    }

    /// Signed in, but not allowed.
    pub fn forbidden(message: impl Into<String>) -> Self {
        Self::new(ProblemCode::Forbidden, message)
    }

    /// Somebody was first.
    pub fn conflict(message: impl Into<String>) -> Self {
        Self::new(ProblemCode::Conflict, message)
    }

    /// Adds what can be done.
    #[must_use]
    pub fn hint(self, hint: impl Into<String>) -> Self {
        Self(self.0.hint(hint))
    }

    /// Too much in too short a time.
    pub fn rate_limited(retry_after_ms: u64) -> Self {
        Self(
            Problem::new(ProblemCode::RateLimited, "Too much in too short a time.")
                .fact("retry_after_s", retry_after_ms.div_ceil(1000))
                .fact("retry_after_ms", retry_after_ms),
        )
    }

    /// The status that goes with the code.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self.0.code {
            ProblemCode::InvalidRequest => StatusCode::BAD_REQUEST,
            ProblemCode::Unauthenticated => StatusCode::UNAUTHORIZED,
            ProblemCode::Forbidden => StatusCode::FORBIDDEN,
            ProblemCode::NotFound => StatusCode::NOT_FOUND,
            ProblemCode::Conflict | ProblemCode::Fenced | ProblemCode::Gap | ProblemCode::EpochChanged => {
                StatusCode::CONFLICT
            }
            ProblemCode::TooSlow => StatusCode::REQUEST_TIMEOUT,
            ProblemCode::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            ProblemCode::QuotaExceeded => StatusCode::INSUFFICIENT_STORAGE,
            ProblemCode::RateLimited => StatusCode::TOO_MANY_REQUESTS,
            ProblemCode::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            ProblemCode::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

/// An error with all its causes, for the log.
pub(crate) struct Chain<'a>(pub(crate) &'a dyn std::error::Error);

impl std::fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)?;
        let mut cause = self.0.source();
        while let Some(it) = cause {
            write!(f, ": {it}")?;
            cause = it.source();
        }
        Ok(())
    }
}

/// The problem of an answer, kept beside its bytes for whoever wants to add to it.
#[derive(Debug, Clone)]
pub(crate) struct Told(pub(crate) Problem);

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self(problem)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = self.status();
        let challenge = (self.0.code == ProblemCode::Unauthenticated).then(|| challenge(&self.0));
        let wait = self.0.facts.get("retry_after_s").and_then(serde_json::Value::as_u64);
        let mut response = (status, Json(&self.0)).into_response();
        if status.is_server_error() {
            response.extensions_mut().insert(Told(self.0));
        }
        if let Some(wait) = wait {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from(wait));
        }
        if let Some(challenge) = challenge {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

/// What a client must do to be let in: bring a valid token, or one that answers a claims challenge of Entra's.
fn challenge(problem: &Problem) -> HeaderValue {
    let claims = problem.facts.get("claims").and_then(serde_json::Value::as_str);
    claims
        .map(|it| STANDARD.encode(it))
        .and_then(|it| HeaderValue::try_from(format!("Bearer error=\"insufficient_claims\", claims=\"{it}\"")).ok())
        .unwrap_or(HeaderValue::from_static("Bearer error=\"invalid_token\""))
}
