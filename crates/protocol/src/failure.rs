//! What a surface is told when something cannot be done.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// The one thing a surface may branch on. A variant exists only because some surface treats it apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum Code {
    /// The request itself makes no sense: a missing field, an unknown id, a value out of range.
    InvalidRequest,
    /// The named thing is not there.
    NotFound,
    /// Somebody else was first: the turn already runs, the approval is already decided.
    Conflict,
    /// `config.toml` cannot be read; the message has file, line and key.
    ConfigBroken,
    /// No provider or no model is configured.
    NoProvider,
    /// The provider refused the key.
    Unauthorized,
    /// The provider cannot be reached.
    Unreachable,
    /// Something answered, but it was no model provider (a web page, a proxy's log-in form).
    NotAProvider,
    /// The provider has no such model.
    NoSuchModel,
    /// Too many requests, and waiting did not help.
    RateLimited,
    /// The account has no money or quota left.
    QuotaExceeded,
    /// The provider will not answer this content.
    ContentRefused,
    /// The context no longer fits into the model.
    ContextOverflow,
    /// The provider failed (5xx, cut streams) after all retries.
    ProviderFailed,
    /// The folder is gone, not a folder, or may not be read.
    FolderUnusable,
    /// The disk is full.
    DiskFull,
    /// A file is larger than what this place takes.
    TooLarge,
    /// The sandbox cannot start on this machine; nothing was run.
    SandboxUnavailable,
    /// The key store of the system cannot be used.
    SecretsUnavailable,
    /// The log or the index on disk is damaged; what was damaged was kept aside.
    StoreDamaged,
    /// The turn was ended by the person.
    Interrupted,
    /// A defect of zspark. Please report it.
    Internal,
}

/// Something that could not be done: a class, a plain sentence, and what to do next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, thiserror::Error)]
#[serde(rename_all = "camelCase")]
#[error("{message}")]
pub struct Failure {
    /// The class.
    pub code: Code,
    /// What happened and what it means, in one or two plain sentences.
    pub message: String,
    /// What the person can do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub hint: Option<String>,
    /// The words of the provider or the system, for the fold-out "Details".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub details: Option<String>,
}

impl Failure {
    /// A failure without hint or details.
    #[must_use]
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            hint: None,
            details: None,
        }
    }

    /// Adds what the person can do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds somebody else's words.
    #[must_use]
    pub fn details(mut self, details: impl Into<String>) -> Self {
        self.details = Some(details.into());
        self
    }
}
