//! The mount namespace: everything read-only, then the writable roots, then what is protected in them.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::CWD;
use rustix::mount::{MountFlags, MountPropagationFlags, MoveMountFlags, OpenTreeFlags};

use super::Plan;

/// Builds this process's own view of the files. It must be alone in its mount namespace already.
pub(super) fn build(plan: &Plan) -> io::Result<()> {
    let root = Path::new("/");
    rustix::mount::mount_change(root, MountPropagationFlags::PRIVATE | MountPropagationFlags::REC)?;
    // A root inside another root is writable through it.
    let outer = plan
        .roots
        .iter()
        .filter(|it| !plan.roots.iter().any(|other| other != *it && it.starts_with(other)));
    let mut writable = Vec::new();
    for path in outer {
        writable.push((path, clone(path)?));
    }
    read_only(
        rustix::fs::open(
            root,
            rustix::fs::OFlags::PATH | rustix::fs::OFlags::CLOEXEC,
            rustix::fs::Mode::empty(),
        )?
        .as_fd(),
    )?;
    if !plan.roots.is_empty() && Path::new("/dev/shm").is_dir() {
        // Named semaphores live here; the command gets its own.
        rustix::mount::mount(
            "tmpfs",
            "/dev/shm",
            "tmpfs",
            MountFlags::NOSUID | MountFlags::NODEV,
            None,
        )?;
    }
    for (path, tree) in writable {
        attach(tree.as_fd(), path)?;
    }
    for path in &plan.protected {
        if path.symlink_metadata().is_err() {
            continue;
        }
        let tree = clone(path)?;
        read_only(tree.as_fd())?;
        attach(tree.as_fd(), path)?;
    }
    // The working folder was reached through the mounts of before.
    let here = std::env::current_dir()?;
    std::env::set_current_dir(here)
}

/// `/proc` as the new process namespace sees it. Containers forbid this; then processes outside can still be seen,
/// but not touched.
pub(super) fn fresh_proc() {
    let flags = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    let _ = rustix::mount::mount("proc", "/proc", "proc", flags, None);
}

fn clone(path: &Path) -> io::Result<OwnedFd> {
    // A link cannot be covered by a mount, so nothing could stop its replacement.
    if path.symlink_metadata()?.is_symlink() {
        return Err(io::Error::new(
            io::ErrorKind::Unsupported,
            format!("{} is a symbolic link", path.display()),
        ));
    }
    let flags = OpenTreeFlags::OPEN_TREE_CLONE
        | OpenTreeFlags::OPEN_TREE_CLOEXEC
        | OpenTreeFlags::AT_RECURSIVE
        | OpenTreeFlags::AT_SYMLINK_NOFOLLOW;
    Ok(rustix::mount::open_tree(CWD, path, flags)?)
}

fn attach(tree: BorrowedFd<'_>, path: &Path) -> io::Result<()> {
    Ok(rustix::mount::move_mount(
        tree,
        "",
        CWD,
        path,
        MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH,
    )?)
}

/// Makes a mount and all below it read-only.
fn read_only(tree: BorrowedFd<'_>) -> io::Result<()> {
    let attributes = libc::mount_attr {
        attr_set: libc::MOUNT_ATTR_RDONLY,
        attr_clr: 0,
        propagation: 0,
        userns_fd: 0,
    };
    #[expect(unsafe_code, reason = "no crate wraps mount_setattr yet")]
    // SAFETY: the path is an empty C string, `attributes` outlives the call, and its size is passed.
    let result = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            tree.as_raw_fd(),
            c"".as_ptr(),
            libc::AT_EMPTY_PATH | libc::AT_RECURSIVE,
            &raw const attributes,
            size_of::<libc::mount_attr>(),
        )
    };
    if result == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}
