//! What the server answers when it cannot do what was asked.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The class of a problem. A client may branch on this and on nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProblemCode {
    /// 400: the request makes no sense as it stands.
    InvalidRequest,
    /// 401: nobody is signed in, or not any more.
    Unauthenticated,
    /// 403: signed in, but not allowed.
    Forbidden,
    /// 404: it is not there, or not for this person; which of the two is not said.
    NotFound,
    /// 409: somebody was first, or the state does not allow it.
    Conflict,
    /// 409: the lease has moved on; `epoch` has the lease's epoch.
    Fenced,
    /// 409: events before these are missing; `expected` has the producer sequence to go on from.
    Gap,
    /// 409: the document was made anew; `epoch` has its epoch.
    EpochChanged,
    /// 408: the body came too slowly.
    TooSlow,
    /// 413: larger than this place takes; `limit` has the limit in bytes.
    TooLarge,
    /// 507: the workspace has no room left; `limit` and `used` are in bytes.
    QuotaExceeded,
    /// 429: too much in too short a time; `retry_after_s` says when to come back.
    RateLimited,
    /// 503: the database or the storage cannot be reached, or is full. Come back later.
    Unavailable,
    /// 500: a defect of the server. The log has it under `request_id`.
    Internal,
}

/// The body of every answer that is no success.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, thiserror::Error)]
#[error("{message}")]
pub struct Problem {
    /// The class.
    pub code: ProblemCode,
    /// What happened, in a plain sentence without internals.
    pub message: String,
    /// What can be done about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// Facts that belong to the code, such as `expected` of a gap.
    #[serde(flatten)]
    pub facts: Map<String, Value>,
}

impl Problem {
    /// A problem without a hint or facts.
    #[must_use]
    pub fn new(code: ProblemCode, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            hint: None,
            facts: Map::new(),
        }
    }

    /// Adds what can be done.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds a fact.
    #[must_use]
    pub fn fact(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.facts.insert(name.to_owned(), value.into());
        self
    }
}
