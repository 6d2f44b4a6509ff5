//! Writes what a plan says: everything is laid out beside its place first, then moved in; a failure takes it back.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::{Plan, Target};

/// Writing failed.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// Nothing is changed.
    #[error("{path} cannot be written: {source}; nothing was changed")]
    Refused {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Something is changed, and could not be taken back.
    #[error("{path} cannot be written: {source}; these files could not be put back: {left}")]
    Torn {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
        /// The files that are changed now.
        left: String,
    },
}

impl Plan {
    /// Does it, whole or not at all.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn commit(&self) -> Result<(), CommitError> {
        let mut made = Made::default();
        let result = self.stage(&mut made).and_then(|staged| self.swap(staged));
        let Err((path, source, swapped)) = result else {
            return Ok(());
        };
        let left: Vec<String> = swapped
            .into_iter()
            .filter(|it| restore(it, &self.files[it]).is_err())
            .map(|it| it.display().to_string())
            .collect();
        made.remove();
        Err(if left.is_empty() {
            CommitError::Refused { path, source }
        } else {
            CommitError::Torn {
                path,
                source,
                left: left.join(", "),
            }
        })
    }

    fn stage(&self, made: &mut Made) -> Result<Vec<Staged>, Failed> {
        let mut staged = Vec::new();
        for (path, target) in &self.files {
            if target.before == target.after {
                continue;
            }
            let content = match &target.after {
                None => None,
                Some(bytes) => Some(lay_out(path, bytes, made).map_err(|source| (path.clone(), source, Vec::new()))?),
            };
            staged.push((path.clone(), content));
        }
        Ok(staged)
    }

    fn swap(&self, staged: Vec<Staged>) -> Result<(), Failed> {
        let mut done = Vec::new();
        for (path, content) in staged {
            let result = match content {
                Some(file) => file.persist(&path).map(drop).map_err(|it| it.error),
                None => std::fs::remove_file(&path),
            };
            if let Err(source) = result {
                return Err((path, source, done));
            }
            done.push(path);
        }
        Ok(())
    }
}

type Staged = (PathBuf, Option<tempfile::NamedTempFile>);
type Failed = (PathBuf, io::Error, Vec<PathBuf>);

/// Folders that were made on the way, innermost last.
#[derive(Default)]
struct Made(Vec<PathBuf>);

impl Made {
    fn folder(&mut self, folder: &Path) -> io::Result<()> {
        if folder.is_dir() {
            return Ok(());
        }
        if let Some(parent) = folder.parent() {
            self.folder(parent)?;
        }
        std::fs::create_dir(folder)?;
        self.0.push(folder.to_owned());
        Ok(())
    }

    fn remove(self) {
        for folder in self.0.into_iter().rev() {
            let _ = std::fs::remove_dir(folder);
        }
    }
}

/// The new content in a file beside `path`, with the rights of the old one.
fn lay_out(path: &Path, bytes: &[u8], made: &mut Made) -> io::Result<tempfile::NamedTempFile> {
    let folder = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
    made.folder(folder)?;
    let mut builder = tempfile::Builder::new();
    builder.prefix(".zspark-patch-");
    // A new file gets what the umask leaves, as from any other program.
    #[cfg(unix)]
    let public = std::os::unix::fs::PermissionsExt::from_mode(0o666);
    #[cfg(unix)]
    builder.permissions(public);
    let mut file = builder.tempfile_in(folder)?;
    file.write_all(bytes)?;
    if let Ok(old) = path.metadata() {
        if old.permissions().readonly() {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        file.as_file().set_permissions(old.permissions())?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt as _;
            // Only a root user can give a file away; for anybody else it is theirs already.
            let _ = std::os::unix::fs::chown(file.path(), Some(old.uid()), Some(old.gid()));
        }
    }
    Ok(file)
}

fn restore(path: &Path, target: &Target) -> io::Result<()> {
    match &target.before {
        Some(bytes) => {
            let mut nothing = Made::default();
            lay_out(path, bytes, &mut nothing)?
                .persist(path)
                .map(drop)
                .map_err(|it| it.error)
        }
        None => std::fs::remove_file(path),
    }
}
