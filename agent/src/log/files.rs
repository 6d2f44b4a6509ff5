//! Making, opening and moving the files of a thread.

use std::fs::File;
use std::path::Path;

use protocol::ThreadId;

use super::writer::outputs;
use super::{Error, Result};

/// Opens a rollout to read.
pub(super) fn open(id: &ThreadId, path: &Path) -> Result<File> {
    File::open(path).map_err(|source| {
        if source.kind() == std::io::ErrorKind::NotFound {
            Error::NoSuchThread(id.clone())
        } else {
            Error::io("open", path, source)
        }
    })
}

/// Makes an empty rollout, readable by its owner only.
pub(super) fn make(path: &Path, id: &ThreadId) -> Result<()> {
    make_folder(path)?;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Err(Error::Exists(id.clone())),
        Err(source) => Err(Error::io("make", path, source)),
    }
}

/// Makes the folder of `path`, readable by its owner only.
pub(super) fn make_folder(path: &Path) -> Result<()> {
    let Some(folder) = path.parent() else {
        return Ok(());
    };
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
        .create(folder)
        .map_err(|source| Error::io("make", folder, source))
}

/// Moves a rollout and what lies beside it. The rollout last, so that a thread is never without its outputs.
pub(super) fn move_all(id: &ThreadId, from: &Path, to: &Path) -> Result<()> {
    if !from.exists() {
        return Err(Error::NoSuchThread(id.clone()));
    }
    make_folder(to)?;
    let outputs = (outputs(from), outputs(to));
    let torn = (from.with_extension("torn"), to.with_extension("torn"));
    for (from, to) in [outputs, torn, (from.to_owned(), to.to_owned())] {
        match std::fs::rename(&from, &to) {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(source) => return Err(Error::io("move", &from, source)),
        }
    }
    Ok(())
}
