//! Content-addressed copies of what a turn touches, so that it can be undone and done again, with or without git.
//!
//! A patch names its files; a command may touch any, so before a turn's first one all files below the writable roots
//! are looked at, and copied unless a copy is there already. Not covered are ignored files, build folders and what lies
//! outside the roots; and very large or unreadable files, which are reported when they change.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use protocol::change::{FileChange, TurnChange};
use protocol::failure::{Code, Failure};
use protocol::setting::SandboxMode;
use protocol::{ThreadId, TurnId};

use crate::blob::Blobs;
use crate::home::Home;
use crate::sandbox::Policy;
use crate::tool::Grant;

mod manifest;
mod revert;
mod snapshot;
mod state;

use manifest::{Entry, Write};
use state::State;

/// Keeps what turns did to files. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Checkpoints(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    root: PathBuf,
    blobs: Blobs,
}

/// What a turn did, as it is known at its end.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Finished {
    /// The changed files, by path.
    pub changes: Vec<FileChange>,
    /// What could not be covered, for the person.
    pub note: Option<Failure>,
}

/// What an undo or a redo did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reverted {
    /// The turn's changes as they stand now.
    pub changes: Vec<TurnChange>,
    /// The files that were written or removed.
    pub paths: Vec<PathBuf>,
}

/// Why something cannot be kept or taken back.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The disk says no.
    #[error("{path}: {source}")]
    Io {
        /// Where.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The record of a turn cannot be read.
    #[error("the record of a turn's changes is damaged: {path}: {source}")]
    Damaged {
        /// Which.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
    /// Nothing is known of this turn, or of this file in it.
    #[error("nothing is kept of {0}")]
    Unknown(String),
    /// Somebody else edited the files since.
    #[error("edited since by somebody else: {}", list(.0))]
    Modified(Vec<PathBuf>),
    /// There is no such hunk.
    #[error("the change of {0} has no such part")]
    NoHunk(PathBuf),
    /// The worker was lost.
    #[error("interrupted: {0}")]
    Lost(#[from] tokio::task::JoinError),
}

fn list(paths: &[PathBuf]) -> String {
    paths
        .iter()
        .map(|it| it.display().to_string())
        .collect::<Vec<_>>()
        .join(", ")
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let text = error.to_string();
        match error {
            Error::Io { source, .. } if source.kind() == std::io::ErrorKind::StorageFull => {
                Failure::new(Code::DiskFull, "The disk is full, so the change could not be made.").details(text)
            }
            Error::Io { .. } => Failure::new(Code::FolderUnusable, format!("A file could not be changed: {text}.")),
            Error::Damaged { .. } => Failure::new(Code::StoreDamaged, text),
            Error::Unknown(_) | Error::NoHunk(_) => {
                Failure::new(Code::NotFound, format!("This cannot be undone: {text}."))
            }
            Error::Modified(_) => Failure::new(Code::Conflict, format!("Files were {text}."))
                .hint("Undo anyway to lose those edits, or undo the other files one by one."),
            Error::Lost(_) => Failure::new(Code::Internal, text),
        }
    }
}

impl Error {
    fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { path, source }
    }
}

impl Checkpoints {
    /// The checkpoints of `home`, with contents in `blobs`.
    #[must_use]
    pub fn new(home: &Home, blobs: Blobs) -> Self {
        Self(Arc::new(Inner {
            root: home.checkpoints(),
            blobs,
        }))
    }

    /// Keeps these files as they are before a patch.
    ///
    /// # Errors
    /// When a copy cannot be made.
    pub async fn before_write(&self, thread: &ThreadId, turn: &TurnId, paths: &[PathBuf]) -> Result<(), Error> {
        let paths = paths.to_vec();
        self.work(thread, turn, move |inner, thread, turn| {
            inner.before_write(thread, turn, paths)
        })
        .await
    }

    /// Keeps all that a command may change, once a turn.
    ///
    /// # Errors
    /// When a copy cannot be made.
    pub async fn before_command(
        &self,
        thread: &ThreadId,
        turn: &TurnId,
        policy: &Policy,
        grant: Grant,
    ) -> Result<(), Error> {
        let roots = match (policy.mode, grant) {
            (SandboxMode::ReadOnly, Grant::Sandboxed) => return Ok(()),
            // A command without limits is still expected to work in the thread's folder.
            _ => std::iter::once(&policy.cwd)
                .chain(&policy.writable_roots)
                .cloned()
                .collect(),
        };
        self.work(thread, turn, move |inner, thread, turn| {
            inner.before_command(thread, turn, roots)
        })
        .await
    }

    /// Looks at what the turn changed and keeps the new contents too.
    ///
    /// # Errors
    /// When a copy cannot be made.
    pub async fn finish(&self, thread: &ThreadId, turn: &TurnId) -> Result<Finished, Error> {
        self.work(thread, turn, |inner, thread, turn| inner.finish(thread, turn))
            .await
    }

    /// What a turn, or all turns of a thread together, changed.
    ///
    /// # Errors
    /// When the records cannot be read.
    pub async fn changes(&self, thread: &ThreadId, turn: Option<&TurnId>) -> Result<Vec<TurnChange>, Error> {
        let one = turn.cloned();
        self.work(thread, &TurnId::from(""), move |inner, thread, _| match one {
            Some(turn) => match inner.load(thread, &turn)? {
                Some(manifest) => inner.turn_changes(&manifest.entries),
                None => Ok(Vec::new()),
            },
            None => inner.all_changes(thread),
        })
        .await
    }

    /// Takes back what a turn did to `paths` (all when absent), or one hunk of a single path.
    ///
    /// # Errors
    /// When somebody edited a file since, unless `force`; then nothing is changed.
    pub async fn undo(
        &self,
        thread: &ThreadId,
        turn: &TurnId,
        paths: Option<Vec<PathBuf>>,
        hunk: Option<usize>,
        force: bool,
    ) -> Result<Reverted, Error> {
        self.work(thread, turn, move |inner, thread, turn| {
            inner.undo(thread, turn, paths, hunk, force)
        })
        .await
    }

    /// Does again what was taken back.
    ///
    /// # Errors
    /// When somebody edited a file since; then nothing is changed.
    pub async fn redo(&self, thread: &ThreadId, turn: &TurnId, paths: Option<Vec<PathBuf>>) -> Result<Reverted, Error> {
        self.work(thread, turn, move |inner, thread, turn| inner.redo(thread, turn, paths))
            .await
    }

    async fn work<T: Send + 'static>(
        &self,
        thread: &ThreadId,
        turn: &TurnId,
        job: impl FnOnce(&Inner, &ThreadId, &TurnId) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let (inner, thread, turn) = (Arc::clone(&self.0), thread.clone(), turn.clone());
        tokio::task::spawn_blocking(move || job(&inner, &thread, &turn)).await?
    }
}

impl Inner {
    fn before_write(&self, thread: &ThreadId, turn: &TurnId, paths: Vec<PathBuf>) -> Result<(), Error> {
        let mut manifest = self.load(thread, turn)?.unwrap_or_default();
        let snapshot = self.load_snapshot(thread, turn)?;
        let mut grew = false;
        for path in paths {
            if manifest.writes.contains_key(&path) || snapshot.as_ref().is_some_and(|it| it.files.contains_key(&path)) {
                continue;
            }
            // Made by a command of this turn: before the turn it was not there.
            let young = snapshot.as_ref().is_some_and(|it| it.made_since(&path));
            let before = if young {
                State::Absent
            } else {
                State::keep(&path, &self.blobs)?
            };
            manifest.made.extend(missing_folders(&path));
            manifest.writes.insert(path, Write { before });
            grew = true;
        }
        if grew {
            self.save(thread, turn, &manifest)
        } else {
            Ok(())
        }
    }

    fn before_command(&self, thread: &ThreadId, turn: &TurnId, roots: Vec<PathBuf>) -> Result<(), Error> {
        let old = self.load_snapshot(thread, turn)?;
        let roots: Vec<PathBuf> = roots
            .into_iter()
            .filter_map(|it| it.canonicalize().ok())
            .filter(|it| !old.as_ref().is_some_and(|old| old.covers(it)))
            .collect();
        if roots.is_empty() {
            return Ok(());
        }
        let mut snapshot = snapshot::take(&roots, &self.root, &self.blobs)?;
        if let Some(old) = old {
            snapshot.join(old);
        }
        self.save_snapshot(thread, turn, &snapshot)
    }

    fn finish(&self, thread: &ThreadId, turn: &TurnId) -> Result<Finished, Error> {
        let manifest = self.load(thread, turn)?;
        let snapshot = self.load_snapshot(thread, turn)?;
        if manifest.is_none() && snapshot.is_none() {
            return Ok(Finished::default());
        }
        let mut manifest = manifest.unwrap_or_default();
        let mut before: BTreeMap<PathBuf, State> = BTreeMap::new();
        let mut skipped = Vec::new();
        if let Some(snapshot) = snapshot {
            let now = snapshot::take(&snapshot.roots, &self.root, &self.blobs)?;
            manifest.made.extend(now.folders.difference(&snapshot.folders).cloned());
            manifest.gone.extend(snapshot.folders.difference(&now.folders).cloned());
            skipped.extend(snapshot.cut.clone());
            before.extend(snapshot.compare(&now, &self.blobs)?);
        }
        // What was kept before a patch is older than what a later snapshot saw.
        for (path, write) in std::mem::take(&mut manifest.writes) {
            before.insert(path, write.before);
        }
        for (path, before) in before {
            let after = State::keep(&path, &self.blobs)?;
            if matches!(
                (&before, &after),
                (State::Uncovered { .. }, _) | (_, State::Uncovered { .. })
            ) {
                if before != after {
                    skipped.push(path.display().to_string());
                }
            } else if before != after {
                manifest.entries.entry(path).or_insert(Entry {
                    before,
                    after,
                    now: None,
                    undone: false,
                });
            }
        }
        self.save(thread, turn, &manifest)?;
        self.drop_snapshot(thread, turn);
        let changes = self.turn_changes(&manifest.entries)?;
        Ok(Finished {
            changes: changes.into_iter().map(|it| it.change).collect(),
            note: note(&skipped),
        })
    }

    fn all_changes(&self, thread: &ThreadId) -> Result<Vec<TurnChange>, Error> {
        let mut all: BTreeMap<PathBuf, Entry> = BTreeMap::new();
        for turn in self.turns(thread) {
            for (path, entry) in self.load(thread, &turn)?.unwrap_or_default().entries {
                match all.entry(path) {
                    std::collections::btree_map::Entry::Vacant(it) => {
                        it.insert(entry);
                    }
                    std::collections::btree_map::Entry::Occupied(mut it) => {
                        let first = it.get_mut();
                        first.after = entry.current().clone();
                        first.now = None;
                        first.undone = first.before == first.after;
                    }
                }
            }
        }
        self.turn_changes(&all)
    }
}

/// The folders above `path` that do not exist.
fn missing_folders(path: &Path) -> impl Iterator<Item = PathBuf> {
    path.ancestors()
        .skip(1)
        .take_while(|it| !it.exists())
        .map(Path::to_owned)
}

fn note(skipped: &[String]) -> Option<Failure> {
    let first = skipped.first()?;
    let more = match skipped.len() {
        1 => String::new(),
        count => format!(" and {} more", count - 1),
    };
    Some(
        Failure::new(
            Code::TooLarge,
            format!("Changes to some files cannot be undone: {first}{more}."),
        )
        .hint("Work in a smaller folder, or keep such files under version control.")
        .details(skipped.iter().take(50).cloned().collect::<Vec<_>>().join("\n")),
    )
}

#[cfg(test)]
mod tests;
