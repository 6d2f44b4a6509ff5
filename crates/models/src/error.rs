//! What can go wrong with a provider, and how a person is told.

use std::time::Duration;

use protocol::{Code, Failure};

/// The kinds of failures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// Nobody answers at the address.
    Unreachable,
    /// The address answers, but its certificate is not trusted.
    Untrusted,
    /// The answer was cut before it was complete.
    Cut,
    /// No data for longer than the idle limit.
    Stalled,
    /// The provider's own failure (5xx).
    Server,
    /// Too many requests.
    RateLimited,
    /// The key is wrong, missing, or may not do this.
    Unauthorized,
    /// The account has no money or quota left.
    Quota,
    /// The prompt is longer than the model can read.
    ContextOverflow,
    /// The provider will not answer this content.
    Refused,
    /// There is no such model.
    NoSuchModel,
    /// The address has no such endpoint: wrong base URL or wrong wire.
    NoSuchEndpoint,
    /// The provider does not accept the request.
    BadRequest,
    /// Something answered that is no model provider.
    NotAProvider,
    /// The base URL is not a URL.
    BadAddress,
    /// The HTTP client could not be made.
    Client,
}

/// A request that failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{provider}: {class:?}{}", .words.as_deref().map(|it| format!(": {it}")).unwrap_or_default())]
pub struct Error {
    /// Its kind.
    pub class: Class,
    /// The provider's name, for the sentence.
    pub provider: String,
    /// The provider's or the system's own words, without secrets.
    pub words: Option<String>,
    /// How long the provider asks to wait.
    pub retry_after: Option<Duration>,
}

impl Error {
    pub(crate) fn new(class: Class, provider: &str) -> Self {
        Self {
            class,
            provider: provider.to_owned(),
            words: None,
            retry_after: None,
        }
    }

    pub(crate) fn words(mut self, words: impl Into<String>) -> Self {
        let words = words.into();
        let words = words.trim();
        self.words = (!words.is_empty()).then(|| cap(words));
        self
    }

    /// The same request may work when made again.
    #[must_use]
    pub fn retryable(&self) -> bool {
        match self.class {
            Class::Unreachable | Class::Cut | Class::Stalled | Class::Server | Class::RateLimited => true,
            Class::Untrusted
            | Class::Unauthorized
            | Class::Quota
            | Class::ContextOverflow
            | Class::Refused
            | Class::NoSuchModel
            | Class::NoSuchEndpoint
            | Class::BadRequest
            | Class::NotAProvider
            | Class::BadAddress
            | Class::Client => false,
        }
    }

    /// What a surface may branch on.
    #[must_use]
    pub fn code(&self) -> Code {
        match self.class {
            Class::Unreachable | Class::Untrusted => Code::Unreachable,
            Class::Cut | Class::Stalled | Class::Server => Code::ProviderFailed,
            Class::RateLimited => Code::RateLimited,
            Class::Unauthorized => Code::Unauthorized,
            Class::Quota => Code::QuotaExceeded,
            Class::ContextOverflow => Code::ContextOverflow,
            Class::Refused => Code::ContentRefused,
            Class::NoSuchModel => Code::NoSuchModel,
            Class::NotAProvider => Code::NotAProvider,
            Class::NoSuchEndpoint | Class::BadRequest | Class::BadAddress => Code::InvalidRequest,
            Class::Client => Code::Internal,
        }
    }

    /// As a person is told.
    #[must_use]
    pub fn failure(&self) -> Failure {
        let (message, hint) = sentences(self);
        Failure {
            code: self.code(),
            message,
            hint: Some(hint.to_owned()),
            details: self.words.clone(),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        error.failure()
    }
}

/// What happened, and what to do about it.
fn sentences(error: &Error) -> (String, &'static str) {
    let name = &error.provider;
    match error.class {
        Class::Unreachable => (
            format!("{name} cannot be reached."),
            "Check the base URL, that the server is running, and your network or proxy.",
        ),
        Class::Untrusted => (
            format!("The certificate of {name} is not trusted by this machine."),
            "If a company proxy is in between, install its root certificate in the system's trust store.",
        ),
        Class::Cut => (
            format!("The connection to {name} was cut before the answer was complete."),
            "Send the prompt again. If it keeps happening, a proxy may be ending long answers.",
        ),
        Class::Stalled => (
            format!("{name} stopped sending its answer."),
            "Send the prompt again, or raise stream_idle_timeout_ms for a slow local model.",
        ),
        Class::Server => (
            format!("{name} failed to answer."),
            "Wait a moment and send the prompt again, or choose another provider.",
        ),
        Class::RateLimited => (
            format!("{name} is refusing further requests for now."),
            "Wait a while and send the prompt again, or choose another model.",
        ),
        Class::Unauthorized => (
            format!("{name} did not accept the API key."),
            "Enter the key again in Settings, Providers.",
        ),
        Class::Quota => (
            format!("The account at {name} has no quota left."),
            "Check plan and billing at the provider, or choose another provider.",
        ),
        Class::ContextOverflow => (
            "The prompt is longer than the model can read.".to_owned(),
            "Start a new thread, or choose a model with a larger context.",
        ),
        Class::Refused => (
            format!("{name} refused to answer this content."),
            "Rephrase the prompt, or remove what the provider does not allow.",
        ),
        Class::NoSuchModel => (
            format!("{name} does not have this model."),
            "Choose a model from the list in Settings, Providers.",
        ),
        Class::NoSuchEndpoint => (
            format!("The address of {name} answers, but has no such endpoint."),
            "Check the base URL (it usually ends in /v1) and try the other wire API.",
        ),
        Class::BadRequest => (
            format!("{name} did not accept the request."),
            "The details have the provider's own words.",
        ),
        Class::NotAProvider => (
            format!("The address of {name} answers, but not like a model provider."),
            "Check the base URL. A web page or a proxy's log-in form may be answering in its place.",
        ),
        Class::BadAddress => (
            format!("The base URL of {name} is not a usable address."),
            "It should look like https://host/v1.",
        ),
        Class::Client => (
            "The network client could not be started.".to_owned(),
            "Run `zspark doctor` and report what it says.",
        ),
    }
}

/// Details are for reading; a page of HTML is not.
fn cap(words: &str) -> String {
    const MOST: usize = 2_000;
    let mut short: String = words.chars().take(MOST).collect();
    if short.len() < words.len() {
        short.push('…');
    }
    short
}
