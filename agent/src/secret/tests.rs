//! Where keys are kept, and that they stay there.

use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::config::Inputs;
use crate::home::Home;

/// A keyring in memory that can be made to fail.
#[derive(Clone, Default)]
struct Ring(Arc<Mutex<(Option<Key>, bool, usize)>>);

impl Ring {
    fn refuse(&self, refuses: bool) {
        self.0.lock().unwrap().1 = refuses;
    }

    fn asked(&self) -> usize {
        self.0.lock().unwrap().2
    }
}

impl Vault for Ring {
    fn read(&self, _within: Duration) -> Result<Option<Key>, Error> {
        let mut it = self.0.lock().unwrap();
        it.2 += 1;
        if it.1 {
            Err(Error::Keyring("locked".into()))
        } else {
            Ok(it.0)
        }
    }

    fn write(&self, key: &Key, _within: Duration) -> Result<(), Error> {
        let mut it = self.0.lock().unwrap();
        if it.1 {
            return Err(Error::Keyring("locked".into()));
        }
        it.0 = Some(*key);
        Ok(())
    }

    fn name(&self) -> String {
        "ring".into()
    }
}

fn home() -> (tempfile::TempDir, Home) {
    let folder = tempfile::tempdir().unwrap();
    let home = Home::new(folder.path().join("home"));
    (folder, home)
}

fn store(home: &Home, ring: &Ring) -> Store {
    Store::with(home, Some(Box::new(ring.clone())))
}

/// What every store does.
async fn keeps(secrets: &dyn Secrets) {
    assert!(!secrets.has("a"));
    assert_eq!(secrets.get("a").await.unwrap(), None);
    secrets.delete("a").await.unwrap();
    secrets.set("a", Secret::new("first")).await.unwrap();
    secrets.set("b", Secret::new("other")).await.unwrap();
    secrets.set("a", Secret::new("钥匙")).await.unwrap();
    assert!(secrets.has("a"));
    assert_eq!(secrets.get("a").await.unwrap(), Some(Secret::new("钥匙")));
    secrets.delete("a").await.unwrap();
    assert!(!secrets.has("a"));
    assert_eq!(secrets.get("a").await.unwrap(), None);
    assert_eq!(secrets.get("b").await.unwrap(), Some(Secret::new("other")));
}

#[tokio::test]
async fn every_store_keeps_what_it_is_given() {
    keeps(&Memory::default()).await;
    let (_folder, with_ring) = home();
    keeps(&store(&with_ring, &Ring::default())).await;
    let (_folder, without) = home();
    keeps(&Store::with(&without, None)).await;
}

#[tokio::test]
async fn the_file_holds_no_secret_and_the_keyring_one_key() {
    let (_folder, home) = home();
    let ring = Ring::default();
    let secrets = store(&home, &ring);
    secrets.set("provider/x", Secret::new("sk-very-secret")).await.unwrap();
    assert_eq!(secrets.store_name(), "ring");
    assert!(!home.root().join("secret.key").exists());
    let text = std::fs::read_to_string(home.root().join("secrets.json")).unwrap();
    assert!(
        text.contains("provider/x") && !text.contains("sk-very-secret"),
        "{text}"
    );
    assert!(!format!("{:?}", Secret::new("sk-very-secret")).contains("secret-"));
    // Another start reads it, and asks the keyring only for that.
    let again = store(&home, &ring);
    let before = ring.asked();
    assert!(again.has("provider/x") && !again.has("provider/y"));
    assert_eq!(again.get("provider/y").await.unwrap(), None);
    assert_eq!(ring.asked(), before);
    assert_eq!(
        again.get("provider/x").await.unwrap().unwrap().expose(),
        "sk-very-secret"
    );
}

#[cfg(unix)]
#[tokio::test]
async fn without_a_keyring_the_key_is_in_a_private_file() {
    use std::os::unix::fs::PermissionsExt;
    let (_folder, home) = home();
    let ring = Ring::default();
    ring.refuse(true);
    let secrets = store(&home, &ring);
    secrets.set("a", Secret::new("x")).await.unwrap();
    assert_eq!(secrets.store_name(), "encrypted file");
    for name in ["secret.key", "secrets.json"] {
        let mode = std::fs::metadata(home.root().join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    // A keyring that comes later does not make the file unreadable.
    ring.refuse(false);
    assert_eq!(store(&home, &ring).get("a").await.unwrap(), Some(Secret::new("x")));
}

#[tokio::test]
async fn a_locked_keyring_is_an_error_and_loses_nothing() {
    let (_folder, home) = home();
    let ring = Ring::default();
    store(&home, &ring).set("a", Secret::new("x")).await.unwrap();
    ring.refuse(true);
    let secrets = store(&home, &ring);
    assert!(matches!(secrets.get("a").await, Err(Error::Keyring(_))));
    assert!(matches!(
        secrets.set("b", Secret::new("y")).await,
        Err(Error::Keyring(_))
    ));
    ring.refuse(false);
    assert_eq!(secrets.get("a").await.unwrap(), Some(Secret::new("x")));
    secrets.set("b", Secret::new("y")).await.unwrap();
    assert_eq!(secrets.get("a").await.unwrap(), Some(Secret::new("x")));
}

#[tokio::test]
async fn a_lost_key_or_a_damaged_file_is_said_and_kept_aside() {
    let (_folder, home) = home();
    let ring = Ring::default();
    store(&home, &ring).set("a", Secret::new("x")).await.unwrap();
    let other = Ring::default();
    other.write(&[7; 32], Duration::ZERO).unwrap();
    let secrets = store(&home, &other);
    assert!(matches!(secrets.get("a").await, Err(Error::WrongKey)));
    secrets.set("b", Secret::new("y")).await.unwrap();
    assert_eq!(secrets.get("b").await.unwrap(), Some(Secret::new("y")));
    assert!(home.root().join("secrets.damaged-1").exists());
    std::fs::write(home.root().join("secrets.json"), "{").unwrap();
    assert!(matches!(secrets.get("b").await, Err(Error::Damaged)));
    secrets.set("c", Secret::new("z")).await.unwrap();
    assert!(home.root().join("secrets.damaged-2").exists());
}

#[tokio::test]
async fn a_secret_cannot_be_moved_under_another_name() {
    let (_folder, home) = home();
    let secrets = Store::with(&home, None);
    secrets.set("provider/a", Secret::new("x")).await.unwrap();
    let path = home.root().join("secrets.json");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("provider/a", "provider/b")).unwrap();
    assert!(matches!(secrets.get("provider/b").await, Err(Error::WrongKey)));
}

#[tokio::test]
async fn a_providers_key_is_the_stored_one_else_the_environments() {
    let (_folder, home) = home();
    home.prepare().unwrap();
    std::fs::write(
        home.config(),
        "[model_providers.x]\nbase_url = 'https://x.y'\nenv_key = 'K'\n",
    )
    .unwrap();
    let inputs = Inputs {
        env: BTreeMap::from([("K".into(), " from-env \n".into())]),
        ..Inputs::default()
    };
    let config = Config::load(&home, &inputs).unwrap();
    let provider = config.provider("x").unwrap();
    let ring = Ring::default();
    let secrets = store(&home, &ring);
    let key = |env: BTreeMap<String, String>| {
        let (secrets, provider) = (secrets.clone(), provider.clone());
        async move {
            provider_key(&secrets, &provider, &env)
                .await
                .map(|it| it.map(|it| it.expose().to_owned()))
        }
    };
    assert_eq!(key(inputs.env.clone()).await.unwrap().as_deref(), Some("from-env"));
    assert_eq!(ring.asked(), 0, "a key in the environment needs no keyring");
    assert_eq!(
        settings(&config, &secrets).providers[0].key,
        KeyState::Environment { variable: "K".into() }
    );
    assert_eq!(key(BTreeMap::new()).await.unwrap(), None);
    secrets.set(&provider_name("x"), Secret::new("stored")).await.unwrap();
    assert_eq!(key(inputs.env.clone()).await.unwrap().as_deref(), Some("stored"));
    assert_eq!(
        settings(&config, &secrets).providers[0].key,
        KeyState::Stored { store: "ring".into() }
    );
    // A locked keyring is no reason to refuse what the environment has.
    let locked = store(&home, &ring);
    ring.refuse(true);
    assert_eq!(
        provider_key(&locked, &provider, &inputs.env).await.unwrap(),
        Some(Secret::new("from-env"))
    );
    let failure = provider_key(&locked, &provider, &BTreeMap::new()).await.unwrap_err();
    assert_eq!(failure.code, Code::SecretsUnavailable);
}
