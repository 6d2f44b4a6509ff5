//! A home and a work folder that vanish with the test.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// `$ZSPARK_HOME` and a folder to work in.
#[derive(Debug)]
pub struct TempHome {
    root: TempDir,
}

impl TempHome {
    /// Two empty folders.
    ///
    /// # Errors
    /// The temporary folder cannot be written.
    pub fn new() -> anyhow::Result<Self> {
        let root = tempfile::Builder::new().prefix("zspark-test-").tempdir()?;
        std::fs::create_dir(root.path().join("home"))?;
        std::fs::create_dir(root.path().join("work"))?;
        Ok(Self { root })
    }

    /// A home whose `config.toml` has the scripted server as its only provider.
    ///
    /// # Errors
    /// The temporary folder cannot be written.
    pub fn with_provider(base_url: &str, wire_api: &str) -> anyhow::Result<Self> {
        let home = Self::new()?;
        home.configure(&provider_config(base_url, wire_api))?;
        Ok(home)
    }

    /// What `ZSPARK_HOME` is set to.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.root.path().join("home")
    }

    /// The folder to work in.
    #[must_use]
    pub fn work(&self) -> PathBuf {
        self.root.path().join("work")
    }

    /// Writes `config.toml`.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn configure(&self, toml: &str) -> anyhow::Result<()> {
        std::fs::write(self.path().join("config.toml"), toml)?;
        Ok(())
    }

    /// Writes a file into the work folder, with the folders it needs.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn file(&self, path: impl AsRef<Path>, content: impl AsRef<[u8]>) -> anyhow::Result<PathBuf> {
        let path = self.work().join(path);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)?;
        }
        std::fs::write(&path, content)?;
        Ok(path)
    }
}

/// A configuration with one provider, `scripted`, which needs no key and retries fast.
#[must_use]
pub fn provider_config(base_url: &str, wire_api: &str) -> String {
    format!(
        "model = \"scripted\"\nmodel_provider = \"scripted\"\n\n[model_providers.scripted]\nname = \"Scripted\"\nbase_url = \"{base_url}\"\nwire_api = \"{wire_api}\"\n"
    )
}
