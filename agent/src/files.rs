//! Files of a thread's folder: fuzzy search for `@` mentions, and whether a folder can be worked in.

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use nucleo_matcher::pattern::{AtomKind, CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};
use protocol::request::{FileHit, FolderState};
use protocol::{Code, Failure};

/// As many paths as are looked at; a larger folder is searched in part.
const MOST: usize = 50_000;
/// As many as are shown.
const SHOWN: usize = 50;
/// A walk may take this long; then what was found so far is searched.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long a walk is good for: as long as somebody types.
const FRESH: Duration = Duration::from_secs(3);

/// Searches folders. Cheap to clone; keeps the paths of the last folder.
#[derive(Clone, Default)]
pub struct Files(Arc<Mutex<Option<Walked>>>);

struct Walked {
    folder: PathBuf,
    at: Instant,
    paths: Arc<Vec<Found>>,
}

struct Found {
    path: Vec<char>,
    folder: bool,
}

impl Files {
    /// The paths that match a query best, best first; without a query the uppermost ones.
    ///
    /// # Errors
    /// [`Code::FolderUnusable`] where the folder cannot be read.
    pub async fn search(&self, folder: &Path, query: &str) -> Result<Vec<FileHit>, Failure> {
        let (files, folder, query) = (self.clone(), folder.to_path_buf(), query.to_owned());
        let found = tokio::task::spawn_blocking(move || {
            if let Some(failure) = check_folder(&folder).failure {
                return Err(failure);
            }
            Ok(best(&files.paths(&folder), &query))
        });
        found
            .await
            .map_err(|error| Failure::new(Code::Internal, "the search ended unexpectedly").details(error.to_string()))?
    }

    /// Whoever asks while another one walks waits for that walk instead of beginning a second one.
    fn paths(&self, folder: &Path) -> Arc<Vec<Found>> {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(walked) = last
            .as_ref()
            .filter(|it| it.folder == folder && it.at.elapsed() < FRESH)
        {
            return Arc::clone(&walked.paths);
        }
        let paths = Arc::new(walk(folder));
        *last = Some(Walked {
            folder: folder.to_path_buf(),
            at: Instant::now(),
            paths: Arc::clone(&paths),
        });
        paths
    }
}

fn walk(folder: &Path) -> Vec<Found> {
    let started = Instant::now();
    // Hidden files matter in a repository (`.github`) and not in a home (`.cache`).
    let repository = in_git(folder);
    let walk = ignore::WalkBuilder::new(folder)
        .hidden(!repository)
        .require_git(false)
        .filter_entry(|it| {
            !matches!(
                it.file_name().to_str(),
                Some(".git" | ".hg" | ".svn" | "node_modules" | ".DS_Store")
            )
        })
        .build();
    let mut found = Vec::new();
    // What cannot be read is left out: it could not be attached either.
    for entry in walk.flatten() {
        let Some(path) = entry
            .path()
            .strip_prefix(folder)
            .ok()
            .filter(|it| !it.as_os_str().is_empty())
        else {
            continue;
        };
        let path = path.to_string_lossy();
        let path: Vec<char> = if cfg!(windows) {
            path.replace('\\', "/").chars().collect()
        } else {
            path.chars().collect()
        };
        found.push(Found {
            path,
            folder: entry.file_type().is_some_and(|it| it.is_dir()),
        });
        if found.len() >= MOST || started.elapsed() > PATIENCE {
            break;
        }
    }
    found
}

fn best(paths: &[Found], query: &str) -> Vec<FileHit> {
    let pattern = Pattern::new(query, CaseMatching::Smart, Normalization::Smart, AtomKind::Fuzzy);
    let mut matcher = Matcher::new(Config::DEFAULT.match_paths());
    let depth = |it: &Found| it.path.iter().filter(|it| **it == '/').count();
    let mut scored: Vec<(u32, &Found)> = if query.trim().is_empty() {
        paths.iter().map(|it| (0, it)).collect()
    } else {
        paths
            .iter()
            .filter_map(|it| Some((pattern.score(Utf32Str::Unicode(&it.path), &mut matcher)?, it)))
            .collect()
    };
    let order = |a: &(u32, &Found), b: &(u32, &Found)| {
        b.0.cmp(&a.0)
            .then_with(|| depth(a.1).cmp(&depth(b.1)))
            .then_with(|| a.1.path.len().cmp(&b.1.path.len()))
            .then_with(|| a.1.path.cmp(&b.1.path))
    };
    if scored.len() > SHOWN {
        scored.select_nth_unstable_by(SHOWN, order);
        scored.truncate(SHOWN);
    }
    scored.sort_by(order);
    scored
        .into_iter()
        .map(|(_, it)| {
            let mut matched = Vec::new();
            if !query.trim().is_empty() {
                pattern.indices(Utf32Str::Unicode(&it.path), &mut matcher, &mut matched);
            }
            matched.sort_unstable();
            matched.dedup();
            FileHit {
                path: it.path.iter().collect(),
                folder: it.folder,
                matched,
            }
        })
        .collect()
}

/// Looks whether a folder can be worked in.
#[must_use]
pub fn check_folder(folder: &Path) -> FolderState {
    let unusable = |message: String, hint: &str| FolderState {
        usable: false,
        writable: false,
        git: false,
        failure: Some(Failure::new(Code::FolderUnusable, message).hint(hint)),
    };
    let shown = folder.display();
    if !folder.is_absolute() {
        return unusable(format!("{shown} is no absolute path"), "Choose the folder again.");
    }
    match std::fs::metadata(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return unusable(
                format!("{shown} is not there"),
                "It may have been moved or be on a disk that is not connected.",
            );
        }
        Err(_) => {
            return unusable(
                format!("{shown} cannot be reached"),
                "Check that you may read it and the folders above it.",
            );
        }
        Ok(metadata) if !metadata.is_dir() => {
            return unusable(format!("{shown} is not a folder"), "Choose the folder that holds it.");
        }
        Ok(_) => {}
    }
    if std::fs::read_dir(folder).is_err() {
        return unusable(
            format!("{shown} may not be read"),
            "Ask its owner for access, or choose another folder.",
        );
    }
    FolderState {
        usable: true,
        writable: writable(folder),
        git: in_git(folder),
        failure: None,
    }
}

fn in_git(folder: &Path) -> bool {
    folder.ancestors().any(|it| it.join(".git").exists())
}

#[cfg(unix)]
fn writable(folder: &Path) -> bool {
    rustix::fs::access(folder, rustix::fs::Access::WRITE_OK).is_ok()
}

#[cfg(not(unix))]
fn writable(folder: &Path) -> bool {
    std::fs::metadata(folder).is_ok_and(|it| !it.permissions().readonly())
}
