//! The folders used last, in a small file of their own: they change with every thread and are nobody's configuration.

use std::io::Write;

use crate::home::Home;

/// As many as a menu can show.
const KEPT: usize = 20;

/// Newest first; empty where the file is missing or damaged, because nothing depends on it.
pub(super) fn read(home: &Home) -> Vec<String> {
    let bytes = std::fs::read(path(home)).unwrap_or_default();
    serde_json::from_slice(&bytes).unwrap_or_default()
}

/// Puts a folder on top.
pub(super) fn remember(home: &Home, folder: &str) -> std::io::Result<()> {
    let mut folders = read(home);
    if folders.first().is_some_and(|it| it == folder) {
        return Ok(());
    }
    folders.retain(|it| it != folder);
    folders.insert(0, folder.to_owned());
    folders.truncate(KEPT);
    home.prepare()?;
    let mut file = tempfile::NamedTempFile::new_in(home.root())?;
    file.write_all(&serde_json::to_vec(&folders)?)?;
    file.persist(path(home))?;
    Ok(())
}

fn path(home: &Home) -> std::path::PathBuf {
    home.root().join("recent.json")
}
