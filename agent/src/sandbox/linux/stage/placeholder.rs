//! Empty folders that hold the place of protected names that do not exist, so that a mount can cover them and the
//! command cannot make them. They are shared by all commands of a folder and go away with the last one.

use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, FlockOperation, Mode, OFlags};
use rustix::mount::UnmountFlags;

/// Marks a folder as a placeholder, also for whoever finds it after a crash: nobody makes such folders otherwise.
const MARK: u32 = 0o1555;

/// The placeholders of one command; dropping lets go of them.
#[derive(Debug)]
pub(super) struct Held(Vec<(PathBuf, OwnedFd, OwnedFd)>);

/// Makes, or shares, what is missing of `paths`. What cannot be made is left: nobody could make it inside either,
/// or the mount that needs it will fail.
pub(super) fn hold(paths: &[PathBuf]) -> Held {
    Held(paths.iter().filter_map(|it| hold_one(it)).collect())
}

fn hold_one(path: &Path) -> Option<(PathBuf, OwnedFd, OwnedFd)> {
    // Opened before the mounts change, so that the name can be removed through it later.
    let parent = rustix::fs::open(path.parent()?, OFlags::PATH | OFlags::CLOEXEC, Mode::empty()).ok()?;
    // Another command's last one may remove the folder between our look and our lock: then begin again.
    for _ in 0..100 {
        match path.symlink_metadata() {
            Ok(found) if !is_placeholder(&found) => return None,
            Ok(_) => {}
            Err(_) => {
                let _ = std::fs::DirBuilder::new().mode(MARK).create(path);
            }
        }
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let Ok(folder) = rustix::fs::open(path, flags, Mode::empty()) else {
            continue;
        };
        if rustix::fs::flock(&folder, FlockOperation::NonBlockingLockShared).is_ok() && same(&folder, path) {
            return Some((path.to_owned(), parent, folder));
        }
    }
    None
}

fn is_placeholder(found: &std::fs::Metadata) -> bool {
    // Sticky, and writable by nobody; the umask may have taken more.
    found.is_dir() && found.mode() & 0o1222 == MARK & 0o1222
}

fn same(folder: &OwnedFd, path: &Path) -> bool {
    let (Ok(held), Ok(named)) = (
        rustix::fs::fstat(folder),
        rustix::fs::statat(CWD, path, AtFlags::SYMLINK_NOFOLLOW),
    ) else {
        return false;
    };
    held.st_ino == named.st_ino && held.st_dev == named.st_dev
}

impl Drop for Held {
    fn drop(&mut self) {
        for (path, parent, folder) in &self.0 {
            if rustix::fs::flock(folder, FlockOperation::NonBlockingLockExclusive).is_ok()
                && let Some(name) = path.file_name()
            {
                // Covered in this process's own view, a name could not be removed.
                let _ = rustix::mount::unmount(path, UnmountFlags::DETACH | UnmountFlags::NOFOLLOW);
                // Not empty means that somebody else made use of it, and then it is theirs.
                let _ = rustix::fs::unlinkat(parent, name, AtFlags::REMOVEDIR);
            }
        }
    }
}
