//! Patches in the format models write: parsing, and turning one into the new contents of files. Whole or not at all.
//!
//! [`parse`] and [`Hunk`] matching are pure; [`plan`] only reads; [`Plan::commit`] writes.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use protocol::change::{ChangeKind, FileChange};

mod commit;
pub mod diff;
mod parse;
mod place;

pub use commit::CommitError;
pub use parse::parse;

/// The grammar a freeform tool is given.
pub const GRAMMAR: &str = include_str!("patch/grammar.lark");

/// The largest file that is patched.
const MOST: u64 = 16 * 1024 * 1024;

/// A parsed patch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Patch {
    /// What is to be done, in order.
    pub steps: Vec<Step>,
}

/// What a patch does to one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Makes a file.
    Add {
        /// As written in the patch.
        path: String,
        /// The whole content.
        content: String,
    },
    /// Removes a file.
    Delete {
        /// As written in the patch.
        path: String,
    },
    /// Changes a file, and may move it.
    Update {
        /// As written in the patch.
        path: String,
        /// Where to.
        moved_to: Option<String>,
        /// The changes, in the order of the file.
        hunks: Vec<Hunk>,
    },
}

/// One change inside a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hunk {
    /// Lines to be found first, one after the other (`@@ …`).
    pub anchors: Vec<String>,
    /// The lines.
    pub lines: Vec<Line>,
    /// The lines are the last ones of the file.
    pub at_end: bool,
}

/// One line of a hunk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// Is there and stays.
    Keep(String),
    /// Is there and goes.
    Remove(String),
    /// Comes.
    Add(String),
}

/// Why a patch cannot be applied. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It is no patch.
    #[error("invalid patch at line {line}: {why}")]
    Syntax {
        /// From 1.
        line: usize,
        /// What is wrong.
        why: String,
    },
    /// Lines of a hunk are not in the file.
    #[error("Failed to find expected lines in {path} (hunk {hunk}):\n{lines}")]
    NotFound {
        /// Absolute.
        path: String,
        /// From 1.
        hunk: usize,
        /// The lines that were looked for.
        lines: String,
    },
    /// A hunk's anchor is not in the file.
    #[error("Failed to find context '{anchor}' in {path} (hunk {hunk})")]
    NoAnchor {
        /// Absolute.
        path: String,
        /// From 1.
        hunk: usize,
        /// The anchor.
        anchor: String,
    },
    /// Something about a file forbids it.
    #[error("{path} {why}")]
    File {
        /// Absolute.
        path: String,
        /// Why.
        why: String,
    },
}

/// What a patch comes to: the new state of every file it touches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    files: BTreeMap<PathBuf, Target>,
    /// For the person, the log, and the approval.
    pub changes: Vec<FileChange>,
    /// `A path`, `M path`, `D path`: what the model is told.
    pub summary: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Target {
    before: Option<Vec<u8>>,
    after: Option<Vec<u8>>,
}

/// Works out what `patch` does to the files below `cwd`. Reads only.
///
/// # Errors
/// When it does not fit the files.
pub fn plan(patch: &Patch, cwd: &Path) -> Result<Plan, Error> {
    let mut work = Work {
        cwd,
        files: BTreeMap::new(),
    };
    let mut summary = Vec::new();
    let mut moves = BTreeMap::new();
    for step in &patch.steps {
        match step {
            Step::Add { path, content } => {
                let (at, target) = work.open(path)?;
                let content = content.as_bytes().to_vec();
                if target.after.as_ref().is_some_and(|it| *it != content) {
                    return Err(refuse(&at, "already exists; update it instead of adding it"));
                }
                target.after = Some(content);
                summary.push(format!("A {path}"));
            }
            Step::Delete { path } => {
                let (at, target) = work.open(path)?;
                if target.after.take().is_none() {
                    return Err(refuse(&at, "does not exist, so it cannot be deleted"));
                }
                summary.push(format!("D {path}"));
            }
            Step::Update { path, moved_to, hunks } => {
                let (at, target) = work.open(path)?;
                let Some(old) = &target.after else {
                    return Err(refuse(&at, "does not exist, so it cannot be updated"));
                };
                let new = place::apply(old, hunks, &at)?;
                match moved_to {
                    None => {
                        target.after = Some(new);
                        summary.push(format!("M {path}"));
                    }
                    Some(to) => {
                        target.after = None;
                        let (there, other) = work.open(to)?;
                        if other.after.is_some() {
                            return Err(refuse(&there, "already exists, so nothing can be moved there"));
                        }
                        other.after = Some(new);
                        if there != at {
                            moves.insert(there, at);
                        }
                        summary.push(format!("M {to}"));
                    }
                }
            }
        }
    }
    let changes = changes(&work.files, &moves);
    Ok(Plan {
        files: work.files,
        changes,
        summary,
    })
}

impl Plan {
    /// The files it writes or removes: absolute, symbolic links looked through.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.files
            .iter()
            .filter(|(_, it)| it.before != it.after)
            .map(|(path, _)| path.as_path())
    }
}

/// The files as they are after the steps so far.
struct Work<'a> {
    cwd: &'a Path,
    files: BTreeMap<PathBuf, Target>,
}

impl Work<'_> {
    fn open(&mut self, path: &str) -> Result<(PathBuf, &mut Target), Error> {
        if path.is_empty() {
            return Err(refuse(self.cwd, "is a folder: the patch names no file"));
        }
        let at = real(&absolute(self.cwd, path));
        let target = match self.files.entry(at.clone()) {
            std::collections::btree_map::Entry::Occupied(it) => it.into_mut(),
            std::collections::btree_map::Entry::Vacant(it) => {
                let before = read(&at)?;
                it.insert(Target {
                    after: before.clone(),
                    before,
                })
            }
        };
        Ok((at, target))
    }
}

fn read(path: &Path) -> Result<Option<Vec<u8>>, Error> {
    match path.metadata() {
        Ok(it) if it.is_dir() => return Err(refuse(path, "is a folder")),
        Ok(it) if !it.is_file() => return Err(refuse(path, "is not a regular file")),
        Ok(it) if it.len() > MOST => return Err(refuse(path, "is too large to be patched (more than 16 MiB)")),
        Ok(_) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(refuse(path, &format!("cannot be read: {error}"))),
    }
    std::fs::read(path)
        .map(Some)
        .map_err(|error| refuse(path, &format!("cannot be read: {error}")))
}

/// `path` as an absolute one, without `.` and `..`. Looks at no file.
pub(crate) fn absolute(cwd: &Path, path: &str) -> PathBuf {
    let mut whole = PathBuf::new();
    for part in cwd.join(path).components() {
        match part {
            Component::ParentDir => {
                whole.pop();
            }
            Component::CurDir => {}
            Component::Prefix(_) | Component::RootDir | Component::Normal(_) => whole.push(part),
        }
    }
    whole
}

/// Looks through the symbolic links of the part that exists, so that what is asked for is what is written.
fn real(path: &Path) -> PathBuf {
    let mut missing = Vec::new();
    let mut existing = path;
    loop {
        if let Ok(found) = existing.canonicalize() {
            return missing.iter().rev().fold(found, |whole, name| whole.join(name));
        }
        match (existing.parent(), existing.file_name()) {
            (Some(parent), Some(name)) => {
                missing.push(name);
                existing = parent;
            }
            _ => return path.to_owned(),
        }
    }
}

fn changes(files: &BTreeMap<PathBuf, Target>, moves: &BTreeMap<PathBuf, PathBuf>) -> Vec<FileChange> {
    let mut changes = Vec::new();
    for (path, target) in files {
        if moves.values().any(|it| it == path) && target.after.is_none() {
            continue;
        }
        let from = moves.get(path);
        let before = from
            .and_then(|it| files.get(it))
            .map_or(&target.before, |it| &it.before);
        if *before == target.after && from.is_none() {
            continue;
        }
        let kind = match (before, &target.after) {
            (None, _) => ChangeKind::Add,
            (Some(_), Some(_)) => ChangeKind::Update,
            (Some(_), None) => ChangeKind::Delete,
        };
        changes.push(diff::change(
            path,
            kind,
            from.map(PathBuf::as_path),
            before.as_deref(),
            target.after.as_deref(),
        ));
    }
    changes
}

fn refuse(path: &Path, why: &str) -> Error {
    Error::File {
        path: path.display().to_string(),
        why: why.to_owned(),
    }
}

#[cfg(test)]
mod tests;
