//! Where the one key lives that opens the file of secrets: the system's keyring, or a file beside it.

use std::path::PathBuf;
use std::sync::mpsc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::Error;

/// The key that opens the file of secrets.
pub type Key = [u8; 32];

/// Holds the one key. Calls may block; [`super::Store`] keeps them off the runtime.
pub trait Vault: Send + Sync {
    /// Reads the key within the time given; `None` where there is none yet.
    ///
    /// # Errors
    /// When the vault cannot be used.
    fn read(&self, within: Duration) -> Result<Option<Key>, Error>;
    /// Keeps the key.
    ///
    /// # Errors
    /// When the vault cannot be used.
    fn write(&self, key: &Key, within: Duration) -> Result<(), Error>;
    /// As people know it.
    fn name(&self) -> String;
}

/// The system's keyring.
pub struct Keyring {
    account: String,
}

impl Keyring {
    /// The keyring's entry for one home.
    #[must_use]
    pub fn new(account: impl Into<String>) -> Self {
        Self {
            account: account.into(),
        }
    }

    /// The keyring may wait for a person or for a bus that never answers, so it is asked on a thread of its own.
    fn ask<T: Send + 'static>(
        &self,
        within: Duration,
        question: impl FnOnce(&keyring::v1::Entry) -> Result<T, keyring::Error> + Send + 'static,
    ) -> Result<T, Error> {
        let account = self.account.clone();
        let (answer, answered) = mpsc::channel();
        std::thread::Builder::new().name("keyring".to_owned()).spawn(move || {
            let result = keyring::v1::Entry::new("zspark", &account).and_then(|it| question(&it));
            // Nobody may be waiting any more.
            let _ = answer.send(result);
        })?;
        match answered.recv_timeout(within) {
            Ok(Ok(it)) => Ok(it),
            Ok(Err(error)) => Err(Error::Keyring(plain(&error))),
            Err(_) => Err(Error::Keyring("it does not answer".to_owned())),
        }
    }
}

impl Vault for Keyring {
    fn read(&self, within: Duration) -> Result<Option<Key>, Error> {
        let text = self.ask(within, |entry| match entry.get_password() {
            Ok(text) => Ok(Some(text)),
            Err(keyring::Error::NoEntry) => Ok(None),
            Err(error) => Err(error),
        })?;
        text.map(|it| decode(&it)).transpose()
    }

    fn write(&self, key: &Key, within: Duration) -> Result<(), Error> {
        let text = STANDARD.encode(key);
        self.ask(within, move |entry| entry.set_password(&text))
    }

    fn name(&self) -> String {
        if cfg!(target_os = "macos") {
            "Keychain".to_owned()
        } else if cfg!(windows) {
            "Credential Manager".to_owned()
        } else {
            "keyring".to_owned()
        }
    }
}

/// A file that only its owner may read, where there is no keyring.
pub struct KeyFile(PathBuf);

impl KeyFile {
    /// The key in this file.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }
}

impl Vault for KeyFile {
    fn read(&self, _within: Duration) -> Result<Option<Key>, Error> {
        match std::fs::read_to_string(&self.0) {
            Ok(text) => decode(text.trim()).map(Some),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn write(&self, key: &Key, _within: Duration) -> Result<(), Error> {
        Ok(crate::config::replace(&self.0, STANDARD.encode(key).as_bytes())?)
    }

    fn name(&self) -> String {
        "encrypted file".to_owned()
    }
}

fn decode(text: &str) -> Result<Key, Error> {
    let bytes = STANDARD.decode(text).map_err(|_| Error::WrongKey)?;
    bytes.try_into().map_err(|_| Error::WrongKey)
}

/// The keyring's words without what it read: some of its errors carry the secret's bytes.
fn plain(error: &keyring::Error) -> String {
    let carries_bytes = matches!(
        error,
        keyring::Error::BadEncoding(_) | keyring::Error::BadDataFormat(..)
    );
    if carries_bytes {
        "its entry has a wrong format".to_owned()
    } else {
        error.to_string()
    }
}
