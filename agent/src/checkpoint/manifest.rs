//! The record of one turn on the disk: one small file a turn, and a large one while a turn with commands runs.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use protocol::{ThreadId, TurnId};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::snapshot::Snapshot;
use super::state::State;
use super::{Error, Inner};

/// What is known of a turn.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Manifest {
    /// Files as they were before a patch, until the turn ends.
    pub(super) writes: BTreeMap<PathBuf, Write>,
    /// Folders that were not there before the turn.
    pub(super) made: BTreeSet<PathBuf>,
    /// Folders that were there before the turn and not after it.
    pub(super) gone: BTreeSet<PathBuf>,
    /// What changed, once the turn has ended.
    pub(super) entries: BTreeMap<PathBuf, Entry>,
}

/// A file before a patch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Write {
    pub(super) before: State,
}

/// One changed file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Entry {
    pub(super) before: State,
    pub(super) after: State,
    /// Between the two, because some hunks were taken back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) now: Option<State>,
    pub(super) undone: bool,
}

impl Entry {
    /// What should be there now.
    pub(super) fn current(&self) -> &State {
        match (&self.now, self.undone) {
            (_, true) => &self.before,
            (Some(now), false) => now,
            (None, false) => &self.after,
        }
    }

    /// What the turn's change led to, as it is shown: without the hunks that were taken back.
    pub(super) fn shown(&self) -> &State {
        self.now.as_ref().unwrap_or(&self.after)
    }
}

impl Inner {
    pub(super) fn load(&self, thread: &ThreadId, turn: &TurnId) -> Result<Option<Manifest>, Error> {
        match self.locate(thread, turn) {
            Some(path) => read(&path),
            None => Ok(None),
        }
    }

    pub(super) fn save(&self, thread: &ThreadId, turn: &TurnId, manifest: &Manifest) -> Result<(), Error> {
        let path = self
            .locate(thread, turn)
            .unwrap_or_else(|| self.file(thread, turn, "json"));
        write(&path, manifest)
    }

    pub(super) fn load_snapshot(&self, thread: &ThreadId, turn: &TurnId) -> Result<Option<Snapshot>, Error> {
        read(&self.file(thread, turn, "before"))
    }

    pub(super) fn save_snapshot(&self, thread: &ThreadId, turn: &TurnId, snapshot: &Snapshot) -> Result<(), Error> {
        write(&self.file(thread, turn, "before"), snapshot)
    }

    pub(super) fn drop_snapshot(&self, thread: &ThreadId, turn: &TurnId) {
        let _ = std::fs::remove_file(self.file(thread, turn, "before"));
    }

    /// The turns of a thread that changed something, oldest first: their ids sort by time.
    pub(super) fn turns(&self, thread: &ThreadId) -> Vec<TurnId> {
        let mut turns: Vec<TurnId> = std::fs::read_dir(self.root.join(thread.as_str()))
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|it| it.file_name().to_str()?.strip_suffix(".json").map(TurnId::from))
            .collect();
        turns.sort();
        turns
    }

    /// Where a turn's record is: with the thread, or with the one it was forked from.
    fn locate(&self, thread: &ThreadId, turn: &TurnId) -> Option<PathBuf> {
        let own = self.file(thread, turn, "json");
        if own.exists() {
            return Some(own);
        }
        let threads = std::fs::read_dir(&self.root).ok()?;
        threads
            .flatten()
            .map(|it| it.path().join(format!("{turn}.json")))
            .find(|it| it.exists())
    }

    fn file(&self, thread: &ThreadId, turn: &TurnId, kind: &str) -> PathBuf {
        self.root.join(thread.as_str()).join(format!("{turn}.{kind}"))
    }
}

pub(super) fn read<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, Error> {
    let bytes = match std::fs::read(path) {
        Ok(it) => it,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => {
            return Err(Error::Io {
                path: path.to_owned(),
                source,
            });
        }
    };
    serde_json::from_slice(&bytes)
        .map(Some)
        .map_err(|source| Error::Damaged {
            path: path.to_owned(),
            source,
        })
}

/// Replaces the file whole, so that a crash leaves the old one or the new one.
pub(super) fn write(path: &Path, value: &impl Serialize) -> Result<(), Error> {
    let result = (|| {
        let folder = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
        std::fs::create_dir_all(folder)?;
        let mut draft = tempfile::NamedTempFile::new_in(folder)?;
        let mut buffer = io::BufWriter::new(draft.as_file_mut());
        serde_json::to_writer(&mut buffer, value)?;
        buffer.flush()?;
        drop(buffer);
        draft.persist(path).map(drop).map_err(|it| it.error)
    })();
    result.map_err(Error::io(path))
}
