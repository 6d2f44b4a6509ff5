//! Secrets: the keys of providers, behind one seam. They are never in `config.toml`, logs, events or errors.
//!
//! All secrets are in one encrypted file. The key to that file is in the system's keyring; where there is none, in a
//! file that only its owner may read. Windows' keyring takes few bytes, so it never holds more than this one key.

mod store;
#[cfg(test)]
mod tests;
mod vault;

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use protocol::setting::{KeyState, Settings};
use protocol::{Code, Failure};

pub use self::store::Store;
pub use self::vault::{Key, KeyFile, Keyring, Vault};
use crate::config::{Config, ProviderConfig};

/// Something that must not be shown. `Debug` does not.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a text.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text, for the one place that sends it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Where secrets are kept.
#[async_trait]
pub trait Secrets: Send + Sync {
    /// Reads one.
    async fn get(&self, name: &str) -> Result<Option<Secret>, Error>;
    /// Keeps one, in place of an earlier one of that name.
    async fn set(&self, name: &str, secret: Secret) -> Result<(), Error>;
    /// Removes one; no error where there is none.
    async fn delete(&self, name: &str) -> Result<(), Error>;
    /// Tells whether there is one, without opening it: never asks the system for anything.
    fn has(&self, name: &str) -> bool;
    /// The store's name as people know it.
    fn store_name(&self) -> String;
}

/// Why a secret cannot be read or kept.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The keyring does not answer, is locked, or refuses.
    #[error("the key store of this system cannot be used: {0}")]
    Keyring(String),
    /// The key that opens the file is gone or another one.
    #[error("the stored keys cannot be opened with the key of this system")]
    WrongKey,
    /// The file is damaged.
    #[error("the file with the stored keys is damaged")]
    Damaged,
    /// Reading or writing failed.
    #[error("the stored keys cannot be read or written")]
    Io(#[from] std::io::Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let hint = match &error {
            Error::Keyring(_) => "Unlock the keyring and try again, or set the provider's env_key in config.toml.",
            Error::WrongKey | Error::Damaged => {
                "Enter the provider's key again in the settings; the old file is kept aside."
            }
            Error::Io(_) => "Check that the disk has room and that you may write to the zspark folder.",
        };
        let full = matches!(&error, Error::Io(io) if io.kind() == std::io::ErrorKind::StorageFull);
        let details = std::error::Error::source(&error).map(ToString::to_string);
        let mut failure = Self::new(
            if full { Code::DiskFull } else { Code::SecretsUnavailable },
            error.to_string(),
        )
        .hint(hint);
        failure.details = details;
        failure
    }
}

/// The name of a provider's key.
#[must_use]
pub fn provider_name(id: &str) -> String {
    format!("provider/{id}")
}

/// A provider's key: the stored one, else the one in its variable. The keyring is asked only where a key is stored.
///
/// # Errors
/// When a key is stored but cannot be read, and the environment has none.
pub async fn provider_key(
    secrets: &dyn Secrets,
    provider: &ProviderConfig,
    env: &BTreeMap<String, String>,
) -> Result<Option<Secret>, Failure> {
    let name = provider_name(&provider.id);
    let stored = if secrets.has(&name) {
        secrets.get(&name).await
    } else {
        Ok(None)
    };
    match (stored, from_env(provider, env)) {
        (Ok(Some(secret)), _) => Ok(Some(secret)),
        (Ok(None), value) => Ok(value),
        (Err(error), Some(secret)) => {
            tracing::warn!(%error, "using the key in the environment, because the stored one cannot be read");
            Ok(Some(secret))
        }
        (Err(error), None) => Err(error.into()),
    }
}

/// Where a provider's key is. Asks neither keyring nor person.
#[must_use]
pub fn key_state(secrets: &dyn Secrets, provider: &ProviderConfig, env: &BTreeMap<String, String>) -> KeyState {
    if secrets.has(&provider_name(&provider.id)) {
        return KeyState::Stored {
            store: secrets.store_name(),
        };
    }
    match &provider.env_key {
        Some(variable) if from_env(provider, env).is_some() => KeyState::Environment {
            variable: variable.clone(),
        },
        _ if provider.needs_key() => KeyState::Missing,
        _ => KeyState::NotNeeded,
    }
}

/// The settings with the state of each provider's key.
#[must_use]
pub fn settings(config: &Config, secrets: &dyn Secrets) -> Settings {
    let mut settings = config.settings();
    let all = config.providers();
    for (shown, provider) in settings.providers.iter_mut().zip(&all) {
        shown.key = key_state(secrets, provider, config.env());
    }
    settings
}

fn from_env(provider: &ProviderConfig, env: &BTreeMap<String, String>) -> Option<Secret> {
    let value = env.get(provider.env_key.as_ref()?)?.trim();
    (!value.is_empty()).then(|| Secret::new(value))
}

/// Secrets that end with the process.
#[derive(Default)]
pub struct Memory(Mutex<BTreeMap<String, Secret>>);

#[async_trait]
impl Secrets for Memory {
    async fn get(&self, name: &str) -> Result<Option<Secret>, Error> {
        Ok(self.0.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned())
    }

    async fn set(&self, name: &str, secret: Secret) -> Result<(), Error> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(name.to_owned(), secret);
        Ok(())
    }

    async fn delete(&self, name: &str) -> Result<(), Error> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
        Ok(())
    }

    fn has(&self, name: &str) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains_key(name)
    }

    fn store_name(&self) -> String {
        "memory".to_owned()
    }
}
