//! What is at a path: nothing, a file, or a link. Looking, keeping, and putting back.

use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::Error;
use crate::blob::Blobs;

/// Larger files are not kept.
const LARGEST: u64 = 64 * 1024 * 1024;

/// What is at a path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase")]
pub(super) enum State {
    /// Nothing, or a folder.
    Absent,
    /// A file; its content is a blob.
    File { hash: String, size: u64, mode: u32 },
    /// A symbolic link.
    Link { target: PathBuf },
    /// Something whose content is not kept: too large, not readable, no file. Only whether it changed is known.
    Uncovered { size: u64, modified: u64 },
}

impl State {
    /// Looks at `path` and keeps its content.
    pub(super) fn keep(path: &Path, blobs: &Blobs) -> Result<Self, Error> {
        Self::of(path, |path| blobs.put_file(path)).map_err(Error::io(path))
    }

    /// Looks at `path` without keeping anything.
    pub(super) fn look(path: &Path) -> Result<Self, Error> {
        Self::of(path, hash).map_err(Error::io(path))
    }

    /// What is known of a file that is not kept.
    pub(super) fn uncovered(metadata: &std::fs::Metadata) -> Self {
        Self::Uncovered {
            size: metadata.len(),
            modified: metadata.modified().map_or(0, nanoseconds),
        }
    }

    fn of(path: &Path, hash: impl FnOnce(&Path) -> io::Result<String>) -> io::Result<Self> {
        let metadata = match path.symlink_metadata() {
            Ok(it) => it,
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                return Ok(Self::Absent);
            }
            Err(error) => return Err(error),
        };
        if metadata.is_symlink() {
            return Ok(Self::Link {
                target: std::fs::read_link(path)?,
            });
        }
        if metadata.is_dir() {
            return Ok(Self::Absent);
        }
        if !metadata.is_file() || metadata.len() > LARGEST {
            return Ok(Self::uncovered(&metadata));
        }
        Ok(Self::File {
            hash: hash(path)?,
            size: metadata.len(),
            mode: mode(&metadata),
        })
    }

    /// The content as bytes, for a diff; `None` when it is too large to be shown.
    pub(super) fn bytes(&self, blobs: &Blobs, most: u64) -> Result<Option<Vec<u8>>, Error> {
        match self {
            Self::Absent => Ok(Some(Vec::new())),
            Self::Link { target } => Ok(Some(target.as_os_str().as_encoded_bytes().to_vec())),
            Self::Uncovered { .. } => Ok(None),
            Self::File { size, .. } if *size > most => Ok(None),
            Self::File { hash, .. } => {
                let path = blobs.path(hash).ok_or_else(|| Error::Unknown(hash.clone()))?;
                std::fs::read(&path).map(Some).map_err(Error::io(&path))
            }
        }
    }

    /// Makes `path` so.
    pub(super) fn put(&self, path: &Path, blobs: &Blobs) -> Result<(), Error> {
        let result = match self {
            Self::Absent => match std::fs::remove_file(path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
                other => other,
            },
            Self::Uncovered { .. } => return Err(Error::Unknown(path.display().to_string())),
            Self::Link { target } => folder(path).and_then(|()| link(target, path)),
            Self::File { hash, mode, .. } => {
                let content = blobs.path(hash).ok_or_else(|| Error::Unknown(hash.clone()))?;
                folder(path).and_then(|()| file(&content, *mode, path))
            }
        };
        result.map_err(Error::io(path))
    }
}

fn folder(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), std::fs::create_dir_all)
}

fn file(content: &Path, mode: u32, path: &Path) -> io::Result<()> {
    let folder = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
    let mut draft = tempfile::Builder::new().prefix(".zspark-undo-").tempfile_in(folder)?;
    io::copy(&mut std::fs::File::open(content)?, draft.as_file_mut())?;
    #[cfg(unix)]
    draft
        .as_file()
        .set_permissions(std::os::unix::fs::PermissionsExt::from_mode(mode))?;
    #[cfg(not(unix))]
    let _ = mode;
    draft.persist(path).map(drop).map_err(|it| it.error)
}

fn link(target: &Path, path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    #[cfg(unix)]
    return std::os::unix::fs::symlink(target, path);
    #[cfg(windows)]
    return std::os::windows::fs::symlink_file(target, path);
}

pub(super) fn mode(metadata: &std::fs::Metadata) -> u32 {
    #[cfg(unix)]
    return std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o7777;
    #[cfg(not(unix))]
    return u32::from(metadata.permissions().readonly());
}

pub(super) fn nanoseconds(time: std::time::SystemTime) -> u64 {
    time.duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |it| u64::try_from(it.as_nanos()).unwrap_or(u64::MAX))
}

fn hash(path: &Path) -> io::Result<String> {
    let mut file = std::fs::File::open(path)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 256 * 1024];
    loop {
        match file.read(&mut buffer)? {
            0 => break,
            count => hash.update(&buffer[..count]),
        }
    }
    Ok(hash.finalize().iter().map(|it| format!("{it:02x}")).collect())
}
