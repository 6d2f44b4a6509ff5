//! All files below some folders at one moment. Contents are read once: a file whose stamps did not change since is
//! taken from the cache.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::state::{State, mode, nanoseconds};
use super::{Error, manifest};
use crate::blob::Blobs;
use crate::sandbox::PROTECTED;

/// More files are not looked at.
const MOST: usize = 50_000;
/// More bytes are not kept for one snapshot.
const TOTAL: u64 = 2 * 1024 * 1024 * 1024;
/// A file that changed this shortly before a look may change again without a new stamp.
const TICK: u64 = Duration::from_millis(50).as_nanos() as u64;

/// All files below some folders at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Snapshot {
    pub(super) roots: Vec<PathBuf>,
    pub(super) files: BTreeMap<PathBuf, State>,
    pub(super) folders: BTreeSet<PathBuf>,
    /// Where there was more than is looked at, in words.
    pub(super) cut: Vec<String>,
    /// When it was taken, nanoseconds since the epoch, by the clock of the disk.
    pub(super) at: u64,
}

/// What tells that a file did not change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Stamp {
    modified: u64,
    changed: u64,
    size: u64,
    inode: u64,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Cache(BTreeMap<PathBuf, (Stamp, String)>);

impl Snapshot {
    pub(super) fn covers(&self, root: &Path) -> bool {
        self.roots.iter().any(|it| root.starts_with(it))
    }

    /// Adds an older one; what that one saw counts.
    pub(super) fn join(&mut self, old: Self) {
        self.roots.extend(old.roots);
        self.files.extend(old.files);
        self.folders.extend(old.folders);
        self.cut.extend(old.cut);
        self.at = self.at.min(old.at);
    }

    /// The file is below the roots and younger than this.
    pub(super) fn made_since(&self, path: &Path) -> bool {
        self.covers(path) && born(path).is_some_and(|it| it >= self.at)
    }

    /// The files that differ from `now`, as they were.
    pub(super) fn compare(self, now: &Self, blobs: &Blobs) -> Result<BTreeMap<PathBuf, State>, Error> {
        // Other ignore rules show other files, which need not be new.
        let rules_changed = self.files.iter().chain(&now.files).any(|(path, _)| {
            let rules = path.file_name().is_some_and(|it| it == ".gitignore" || it == ".ignore");
            rules && self.files.get(path) != now.files.get(path)
        });
        let mut changed = BTreeMap::new();
        for path in now.files.keys().filter(|it| !self.files.contains_key(*it)) {
            if !rules_changed || born(path).is_none_or(|it| it >= self.at) {
                changed.insert(path.clone(), State::Absent);
            }
        }
        for (path, before) in self.files {
            let same = match now.files.get(&path) {
                Some(after) => *after == before,
                // Not seen: gone, or only ignored now.
                None => State::keep(&path, blobs)? == before,
            };
            if !same {
                changed.insert(path, before);
            }
        }
        Ok(changed)
    }
}

/// Looks at all files below `roots`. The cache lives in `home`.
pub(super) fn take(roots: &[PathBuf], home: &Path, blobs: &Blobs) -> Result<Snapshot, Error> {
    let cache_path = cache_path(roots, home);
    // A damaged cache only costs time.
    let cache: Cache = manifest::read(&cache_path).ok().flatten().unwrap_or_default();
    let mut snapshot = Snapshot {
        roots: roots.to_vec(),
        at: disk_clock(home)?,
        ..Snapshot::default()
    };
    let mut fresh = Cache::default();
    let mut stale = false;
    let mut bytes = 0;
    for root in roots {
        for entry in walk(root) {
            let Ok(entry) = entry else { continue };
            let path = entry.path();
            let Ok(metadata) = path.symlink_metadata() else {
                continue;
            };
            if metadata.is_dir() {
                snapshot.folders.insert(path.to_owned());
                continue;
            }
            if snapshot.files.len() >= MOST || bytes > TOTAL {
                snapshot
                    .cut
                    .push(format!("{} holds more than {MOST} files or 2 GiB", root.display()));
                break;
            }
            let size = metadata.len();
            let stamp = stamp(&metadata);
            let known = cache.0.get(path).filter(|(old, hash)| {
                *old == stamp && metadata.is_file() && blobs.path(hash).is_some_and(|it| it.exists())
            });
            let state = match known {
                Some((_, hash)) => State::File {
                    hash: hash.clone(),
                    size,
                    mode: mode(&metadata),
                },
                None => match State::keep(path, blobs) {
                    Ok(state) => state,
                    Err(Error::Io { source, .. }) if source.kind() == std::io::ErrorKind::PermissionDenied => {
                        State::uncovered(&metadata)
                    }
                    // It went away while we looked.
                    Err(Error::Io { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => continue,
                    Err(error) => return Err(error),
                },
            };
            if let State::File { hash, .. } = &state {
                bytes += size;
                stale |= known.is_none();
                if stamp.modified.max(stamp.changed) + TICK < snapshot.at {
                    fresh.0.insert(path.to_owned(), (stamp, hash.clone()));
                }
            }
            snapshot.files.insert(path.to_owned(), state);
        }
    }
    if stale || fresh.0.len() != cache.0.len() {
        manifest::write(&cache_path, &fresh)?;
    }
    Ok(snapshot)
}

fn walk(root: &Path) -> ignore::Walk {
    ignore::WalkBuilder::new(root)
        .hidden(false)
        .require_git(false)
        .follow_links(false)
        .filter_entry(|it| !built(it))
        .build()
}

/// Folders that programs fill and that can be made again.
fn built(entry: &ignore::DirEntry) -> bool {
    if entry.depth() == 0 || !entry.file_type().is_some_and(|it| it.is_dir()) {
        return false;
    }
    let name = entry.file_name();
    PROTECTED.iter().any(|it| name == *it)
        || ["node_modules", ".venv", "__pycache__", ".cache"]
            .iter()
            .any(|it| name == *it)
        || entry.path().join("CACHEDIR.TAG").exists()
}

fn stamp(metadata: &std::fs::Metadata) -> Stamp {
    let modified = metadata.modified().map_or(0, nanoseconds);
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        Stamp {
            modified,
            changed: metadata.ctime().cast_unsigned() * 1_000_000_000 + metadata.ctime_nsec().cast_unsigned(),
            size: metadata.len(),
            inode: metadata.ino(),
        }
    }
    #[cfg(not(unix))]
    Stamp {
        modified,
        changed: modified,
        size: metadata.len(),
        inode: 0,
    }
}

/// When the file at `path` was made, where the disk knows that.
fn born(path: &Path) -> Option<u64> {
    path.symlink_metadata().ok()?.created().ok().map(nanoseconds)
}

/// What time the disk thinks it is.
fn disk_clock(home: &Path) -> Result<u64, Error> {
    let now = (|| {
        std::fs::create_dir_all(home)?;
        let probe = tempfile::tempfile_in(home)?;
        probe.metadata()?.modified()
    })();
    now.map(nanoseconds).map_err(Error::io(home))
}

fn cache_path(roots: &[PathBuf], home: &Path) -> PathBuf {
    let mut hash = Sha256::new();
    for root in roots {
        hash.update(root.as_os_str().as_encoded_bytes());
        hash.update([0]);
    }
    let name: String = hash.finalize().iter().take(16).map(|it| format!("{it:02x}")).collect();
    home.join("seen").join(name)
}
