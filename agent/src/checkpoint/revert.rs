//! Takes changes back and makes them again. All files are looked at before the first one is written.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use protocol::change::{ChangeKind, FileChange, TurnChange};
use protocol::{ThreadId, TurnId};
use similar::{DiffOp, DiffTag};

use super::manifest::{Entry, Manifest};
use super::state::State;
use super::{Error, Inner, Reverted};
use crate::patch::diff;

/// Larger contents are not compared line by line.
const COMPARED: u64 = 8 * 1024 * 1024;

impl Inner {
    pub(super) fn undo(
        &self,
        thread: &ThreadId,
        turn: &TurnId,
        paths: Option<Vec<PathBuf>>,
        hunk: Option<usize>,
        force: bool,
    ) -> Result<Reverted, Error> {
        let mut manifest = self.manifest(thread, turn)?;
        let whole = paths.is_none();
        let chosen = choose(&manifest, paths, |it| !it.undone)?;
        self.refuse_modified(&manifest, &chosen, force)?;
        for path in &chosen {
            let Some(entry) = manifest.entries.get_mut(path) else {
                continue;
            };
            let goal = match hunk {
                None => entry.before.clone(),
                Some(hunk) => self.without_hunk(path, entry, hunk)?,
            };
            goal.put(path, &self.blobs)?;
            if goal == State::Absent {
                remove_empty(path, &manifest.made);
            }
            if goal == entry.before {
                entry.undone = true;
                // A redo makes the whole change again.
                entry.now = None;
            } else {
                entry.now = Some(goal);
            }
        }
        if whole {
            folders(&manifest.gone, &manifest.made)?;
        }
        self.reverted(thread, turn, &manifest, chosen)
    }

    pub(super) fn redo(
        &self,
        thread: &ThreadId,
        turn: &TurnId,
        paths: Option<Vec<PathBuf>>,
    ) -> Result<Reverted, Error> {
        let mut manifest = self.manifest(thread, turn)?;
        let whole = paths.is_none();
        let chosen = choose(&manifest, paths, |it| it.undone || it.now.is_some())?;
        self.refuse_modified(&manifest, &chosen, false)?;
        for path in &chosen {
            let Some(entry) = manifest.entries.get_mut(path) else {
                continue;
            };
            entry.after.put(path, &self.blobs)?;
            if entry.after == State::Absent {
                remove_empty(path, &manifest.gone);
            }
            entry.undone = false;
            entry.now = None;
        }
        if whole {
            folders(&manifest.made, &manifest.gone)?;
        }
        self.reverted(thread, turn, &manifest, chosen)
    }

    /// The changes as people see them.
    pub(super) fn turn_changes(&self, entries: &BTreeMap<PathBuf, Entry>) -> Result<Vec<TurnChange>, Error> {
        entries
            .iter()
            .map(|(path, entry)| {
                Ok(TurnChange {
                    change: self.change(path, &entry.before, entry.shown())?,
                    undone: entry.undone,
                    modified_since: modified(path, entry)?,
                })
            })
            .collect()
    }

    fn change(&self, path: &Path, before: &State, after: &State) -> Result<FileChange, Error> {
        let kind = match (before, after) {
            (State::Absent, _) => ChangeKind::Add,
            (_, State::Absent) => ChangeKind::Delete,
            _ => ChangeKind::Update,
        };
        let (old, new) = (
            before.bytes(&self.blobs, COMPARED)?,
            after.bytes(&self.blobs, COMPARED)?,
        );
        let (Some(old), Some(new)) = (old, new) else {
            return Ok(FileChange {
                path: path.to_string_lossy().into_owned(),
                kind,
                moved_from: None,
                added: 0,
                removed: 0,
                diff: String::new(),
                binary: true,
                truncated: false,
            });
        };
        Ok(diff::change(path, kind, None, Some(&old), Some(&new)))
    }

    fn manifest(&self, thread: &ThreadId, turn: &TurnId) -> Result<Manifest, Error> {
        self.load(thread, turn)?
            .ok_or_else(|| Error::Unknown("this turn".to_owned()))
    }

    fn refuse_modified(&self, manifest: &Manifest, chosen: &[PathBuf], force: bool) -> Result<(), Error> {
        let mut others = Vec::new();
        for path in chosen.iter().filter(|_| !force) {
            if let Some(entry) = manifest.entries.get(path)
                && modified(path, entry)?
            {
                others.push(path.clone());
            }
        }
        if others.is_empty() {
            Ok(())
        } else {
            Err(Error::Modified(others))
        }
    }

    /// The file without one part of its change.
    fn without_hunk(&self, path: &Path, entry: &Entry, hunk: usize) -> Result<State, Error> {
        let missing = || Error::NoHunk(path.to_owned());
        let shown = entry.shown();
        let (State::File { .. } | State::Absent, State::File { mode, .. }) = (&entry.before, shown) else {
            // A deleted file, or a link, has one part only.
            return if hunk == 0 {
                Ok(entry.before.clone())
            } else {
                Err(missing())
            };
        };
        let old = entry.before.bytes(&self.blobs, COMPARED)?.ok_or_else(missing)?;
        let new = shown.bytes(&self.blobs, COMPARED)?.ok_or_else(missing)?;
        let old = diff::text(&old).ok_or_else(missing)?;
        let new = diff::text(&new).ok_or_else(missing)?;
        let content = without(old, new, hunk).ok_or_else(missing)?;
        if content == old {
            return Ok(entry.before.clone());
        }
        let hash = self.blobs.put(content.as_bytes()).map_err(Error::io(path))?;
        Ok(State::File {
            hash,
            size: content.len() as u64,
            mode: *mode,
        })
    }

    fn reverted(
        &self,
        thread: &ThreadId,
        turn: &TurnId,
        manifest: &Manifest,
        paths: Vec<PathBuf>,
    ) -> Result<Reverted, Error> {
        self.save(thread, turn, manifest)?;
        Ok(Reverted {
            changes: self.turn_changes(&manifest.entries)?,
            paths,
        })
    }
}

/// `new` with its `hunk`th difference from `old` taken back, counted as a unified diff with three lines of context
/// counts them.
fn without(old: &str, new: &str, hunk: usize) -> Option<String> {
    let diff = diff::lines(old, new);
    let chosen: Vec<DiffOp> = diff.grouped_ops(3).into_iter().nth(hunk)?;
    let inside = |op: &DiffOp| chosen.iter().any(|it| it.tag() != DiffTag::Equal && it == op);
    let (old_lines, new_lines) = (diff.old_slices(), diff.new_slices());
    let mut content = String::with_capacity(new.len());
    for op in diff.ops() {
        let lines = if inside(op) {
            &old_lines[op.old_range()]
        } else {
            &new_lines[op.new_range()]
        };
        content.extend(lines.iter().copied());
    }
    Some(content)
}

fn choose(
    manifest: &Manifest,
    paths: Option<Vec<PathBuf>>,
    ready: impl Fn(&Entry) -> bool,
) -> Result<Vec<PathBuf>, Error> {
    match paths {
        None => Ok(manifest
            .entries
            .iter()
            .filter(|(_, entry)| ready(entry))
            .map(|(path, _)| path.clone())
            .collect()),
        Some(paths) => {
            if let Some(unknown) = paths.iter().find(|it| !manifest.entries.contains_key(*it)) {
                return Err(Error::Unknown(unknown.display().to_string()));
            }
            Ok(paths
                .into_iter()
                .filter(|it| manifest.entries.get(it).is_some_and(&ready))
                .collect())
        }
    }
}

/// Somebody else was there since.
fn modified(path: &Path, entry: &Entry) -> Result<bool, Error> {
    let expected = entry.current();
    if let State::File { size, .. } = expected
        && path
            .symlink_metadata()
            .is_ok_and(|it| it.is_file() && it.len() != *size)
    {
        return Ok(true);
    }
    Ok(State::look(path)? != *expected)
}

/// Sees to the folders that no file brings with it.
fn folders(there: &BTreeSet<PathBuf>, not_there: &BTreeSet<PathBuf>) -> Result<(), Error> {
    for folder in there {
        std::fs::create_dir_all(folder).map_err(Error::io(folder))?;
    }
    for folder in not_there.iter().rev() {
        // One that is not empty holds what is not ours.
        let _ = std::fs::remove_dir(folder);
    }
    Ok(())
}

/// Removes the folders that the turn made for `path`, as far as they are empty.
fn remove_empty(path: &Path, made: &BTreeSet<PathBuf>) {
    for folder in path.ancestors().skip(1).take_while(|it| made.contains(*it)) {
        if std::fs::remove_dir(folder).is_err() {
            return;
        }
    }
}
