//! The real store: one file, each secret sealed with ChaCha20-Poly1305 under its name.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{ChaCha20Poly1305, Nonce};
use rand::RngCore;
use serde::{Deserialize, Serialize};

use super::vault::{Key, KeyFile, Keyring, Vault};
use super::{Error, Secret, Secrets};
use crate::config::replace;
use crate::home::Home;

/// How long the choice of a vault may take on a machine whose keyring does not answer.
const PROBE: Duration = Duration::from_secs(1);
/// How long a person has to unlock the keyring that holds the key.
const UNLOCK: Duration = Duration::from_secs(60);

/// Secrets in an encrypted file. Cheap to clone.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

struct Inner {
    home: Home,
    keyring: Option<Box<dyn Vault>>,
    file: KeyFile,
    /// The key, once it was needed.
    key: Mutex<Option<Key>>,
}

/// The file. Names are not secret: they say whether a key is there without opening anything.
#[derive(Default, Serialize, Deserialize)]
struct Contents {
    /// Which vault has the key.
    vault: Place,
    entries: BTreeMap<String, Sealed>,
}

#[derive(Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Place {
    Keyring,
    #[default]
    File,
}

#[derive(Serialize, Deserialize)]
struct Sealed {
    nonce: String,
    data: String,
}

impl Store {
    /// The store of a home, with the system's keyring. Touches nothing until a secret is asked for.
    #[must_use]
    pub fn new(home: &Home) -> Self {
        let account = home.root().to_string_lossy().into_owned();
        Self::with(home, Some(Box::new(Keyring::new(account))))
    }

    /// The store of a home with this keyring, or with none.
    #[must_use]
    pub fn with(home: &Home, keyring: Option<Box<dyn Vault>>) -> Self {
        Self(Arc::new(Inner {
            home: home.clone(),
            keyring,
            file: KeyFile::new(home.root().join("secret.key")),
            key: Mutex::new(None),
        }))
    }

    /// The keyring may block for as long as a person needs, so all work is off the runtime.
    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Inner) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let inner = Arc::clone(&self.0);
        tokio::task::spawn_blocking(move || work(&inner))
            .await
            .map_err(|_| Error::Keyring("it ended unexpectedly".to_owned()))?
    }
}

#[async_trait]
impl Secrets for Store {
    async fn get(&self, name: &str) -> Result<Option<Secret>, Error> {
        let name = name.to_owned();
        self.run(move |it| it.get(&name)).await
    }

    async fn set(&self, name: &str, secret: Secret) -> Result<(), Error> {
        let name = name.to_owned();
        self.run(move |it| it.set(&name, &secret)).await
    }

    async fn delete(&self, name: &str) -> Result<(), Error> {
        let name = name.to_owned();
        self.run(move |it| it.delete(&name)).await
    }

    fn has(&self, name: &str) -> bool {
        self.0
            .load()
            .is_ok_and(|it| it.is_some_and(|it| it.entries.contains_key(name)))
    }

    fn store_name(&self) -> String {
        match (self.0.load(), &self.0.keyring) {
            (
                Ok(Some(Contents {
                    vault: Place::Keyring, ..
                })),
                Some(keyring),
            ) => keyring.name(),
            _ => self.0.file.name(),
        }
    }
}

impl Inner {
    fn get(&self, name: &str) -> Result<Option<Secret>, Error> {
        let Some(contents) = self.load()? else {
            return Ok(None);
        };
        let Some(sealed) = contents.entries.get(name) else {
            return Ok(None);
        };
        let key = self.key(contents.vault)?;
        open(&key, name, sealed).map(Some)
    }

    fn set(&self, name: &str, secret: &Secret) -> Result<(), Error> {
        self.home.prepare()?;
        let mut contents = self.usable()?;
        let key = if contents.entries.is_empty() {
            let (place, key) = self.choose()?;
            contents.vault = place;
            key
        } else {
            self.key(contents.vault)?
        };
        contents.entries.insert(name.to_owned(), seal(&key, name, secret)?);
        self.save(&contents)
    }

    fn delete(&self, name: &str) -> Result<(), Error> {
        let Some(mut contents) = self.load()? else {
            return Ok(());
        };
        if contents.entries.remove(name).is_some() {
            self.save(&contents)?;
        }
        Ok(())
    }

    /// What there is to add to: a file that cannot be opened any more is kept aside, so that a key can be entered again.
    fn usable(&self) -> Result<Contents, Error> {
        let contents = match self.load() {
            Ok(contents) => contents.unwrap_or_default(),
            Err(Error::Damaged) => return self.set_aside(),
            Err(error) => return Err(error),
        };
        let Some((name, sealed)) = contents.entries.first_key_value() else {
            return Ok(contents);
        };
        match self.key(contents.vault).and_then(|key| open(&key, name, sealed)) {
            Ok(_) => Ok(contents),
            Err(Error::WrongKey) => self.set_aside(),
            Err(error) => Err(error),
        }
    }

    fn set_aside(&self) -> Result<Contents, Error> {
        let path = self.path();
        let free = (1_u32..)
            .map(|it| path.with_extension(format!("damaged-{it}")))
            .find(|it| !it.exists());
        if let Some(aside) = free {
            std::fs::rename(path, aside)?;
        }
        self.key.lock().unwrap_or_else(PoisonError::into_inner).take();
        Ok(Contents::default())
    }

    /// The vault of a new file: the keyring where there is one that answers at once.
    fn choose(&self) -> Result<(Place, Key), Error> {
        if let Some(keyring) = &self.keyring {
            let key = keyring.read(PROBE).and_then(|known| match known {
                Some(key) => Ok(key),
                None => {
                    let key = new_key();
                    keyring.write(&key, UNLOCK)?;
                    Ok(key)
                }
            });
            match key {
                Ok(key) => return Ok((Place::Keyring, self.remember(key))),
                Err(error) => tracing::info!(%error, "keys go into an encrypted file"),
            }
        }
        let key = match self.file.read(PROBE) {
            Ok(Some(key)) => key,
            Ok(None) | Err(Error::WrongKey) => {
                let key = new_key();
                self.file.write(&key, PROBE)?;
                key
            }
            Err(error) => return Err(error),
        };
        Ok((Place::File, self.remember(key)))
    }

    /// The key of an existing file. Never a new one: that would make everything in the file unreadable.
    fn key(&self, place: Place) -> Result<Key, Error> {
        let known = *self.key.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(key) = known {
            return Ok(key);
        }
        let key = match (place, &self.keyring) {
            (Place::Keyring, Some(keyring)) => keyring.read(UNLOCK)?,
            (Place::Keyring, None) => return Err(Error::Keyring("there is none".to_owned())),
            (Place::File, _) => self.file.read(UNLOCK)?,
        };
        key.map(|it| self.remember(it)).ok_or(Error::WrongKey)
    }

    fn remember(&self, key: Key) -> Key {
        *self.key.lock().unwrap_or_else(PoisonError::into_inner) = Some(key);
        key
    }

    fn path(&self) -> PathBuf {
        self.home.root().join("secrets.json")
    }

    fn load(&self) -> Result<Option<Contents>, Error> {
        match std::fs::read(self.path()) {
            Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(|_| Error::Damaged),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn save(&self, contents: &Contents) -> Result<(), Error> {
        let bytes = serde_json::to_vec_pretty(contents).map_err(std::io::Error::other)?;
        Ok(replace(&self.path(), &bytes)?)
    }
}

fn new_key() -> Key {
    let mut key = Key::default();
    rand::rng().fill_bytes(&mut key);
    key
}

fn seal(key: &Key, name: &str, secret: &Secret) -> Result<Sealed, Error> {
    let mut nonce = [0; 12];
    rand::rng().fill_bytes(&mut nonce);
    // The name is authenticated too, so that nobody can move one provider's key under another's name.
    let payload = Payload {
        msg: secret.expose().as_bytes(),
        aad: name.as_bytes(),
    };
    let data = ChaCha20Poly1305::new(key.into())
        .encrypt(Nonce::from_slice(&nonce), payload)
        .map_err(|_| Error::Damaged)?;
    Ok(Sealed {
        nonce: STANDARD.encode(nonce),
        data: STANDARD.encode(data),
    })
}

fn open(key: &Key, name: &str, sealed: &Sealed) -> Result<Secret, Error> {
    let nonce: [u8; 12] = STANDARD
        .decode(&sealed.nonce)
        .ok()
        .and_then(|it| it.try_into().ok())
        .ok_or(Error::Damaged)?;
    let data = STANDARD.decode(&sealed.data).map_err(|_| Error::Damaged)?;
    let payload = Payload {
        msg: &data,
        aad: name.as_bytes(),
    };
    let text = ChaCha20Poly1305::new(key.into())
        .decrypt(Nonce::from_slice(&nonce), payload)
        .map_err(|_| Error::WrongKey)?;
    String::from_utf8(text).map(Secret::new).map_err(|_| Error::Damaged)
}
