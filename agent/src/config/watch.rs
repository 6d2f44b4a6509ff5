//! Tells when a configuration file changed on disk. Waits for the system's word; nothing runs in between.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use notify::event::{AccessKind, AccessMode, EventKind};
use notify::{RecursiveMode, Watcher};
use tokio::sync::mpsc;

use super::Inputs;
use crate::home::Home;

/// Editors write in several steps; this long a silence means that they are done.
const QUIET: Duration = Duration::from_millis(80);

/// Watches the files of all layers but the projects'. Dropping it ends the watch.
pub struct Watch {
    _watcher: notify::RecommendedWatcher,
    changed: mpsc::Receiver<()>,
}

impl Watch {
    /// Begins to watch. The home must exist.
    ///
    /// # Errors
    /// When the system refuses, such as at its limit of watches. Changes then need a restart.
    pub fn new(home: &Home, inputs: &Inputs) -> Result<Self, notify::Error> {
        let (tell, changed) = mpsc::channel(1);
        let managed = inputs.managed.clone();
        let names = names(home, inputs);
        let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            // An error means that events were lost, so something may have changed.
            let relevant = event.map_or(true, |it| {
                writes(it.kind) && it.paths.iter().any(|path| is_one(path, &names))
            });
            if relevant {
                // A full channel already says what there is to say.
                let _ = tell.try_send(());
            }
        })?;
        // Folders rather than files: a file that is replaced would take its watch with it.
        let mut folders = BTreeSet::from([home.root().to_path_buf()]);
        // Where a link leads to is watched too.
        folders.extend(
            home.config()
                .canonicalize()
                .ok()
                .and_then(|it| it.parent().map(Path::to_path_buf)),
        );
        folders.extend(
            managed
                .and_then(|it| it.parent().map(Path::to_path_buf))
                .filter(|it| it.is_dir()),
        );
        for folder in folders {
            watcher.watch(&folder, RecursiveMode::NonRecursive)?;
        }
        Ok(Self {
            _watcher: watcher,
            changed,
        })
    }

    /// Waits for a change and for the writing to be over. `None` when the watch ended.
    pub async fn next(&mut self) -> Option<()> {
        self.changed.recv().await?;
        while let Ok(Some(())) = tokio::time::timeout(QUIET, self.changed.recv()).await {}
        Some(())
    }
}

fn names(home: &Home, inputs: &Inputs) -> BTreeSet<OsString> {
    let mut files: Vec<PathBuf> = vec![home.config()];
    files.extend(home.config().canonicalize());
    files.extend(inputs.managed.clone());
    files.extend(
        inputs
            .profile
            .iter()
            .map(|it| PathBuf::from(format!("{it}.config.toml"))),
    );
    files
        .iter()
        .filter_map(|it| it.file_name())
        .map(OsString::from)
        .collect()
}

fn is_one(path: &Path, names: &BTreeSet<OsString>) -> bool {
    path.file_name().is_some_and(|it| names.contains(it))
}

fn writes(kind: EventKind) -> bool {
    match kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => true,
        EventKind::Access(_) => false,
        EventKind::Any | EventKind::Create(_) | EventKind::Modify(_) | EventKind::Remove(_) | EventKind::Other => true,
    }
}
