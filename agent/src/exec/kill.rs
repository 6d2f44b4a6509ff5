//! Ends processes, and what they started, without waiting for anybody's consent.

use super::MARK;

/// Who to end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    /// The process; also the number of its group.
    pub(super) pid: u32,
    /// It ends its own descendants when asked to.
    pub(super) supervised: bool,
    /// Its value of [`MARK`].
    pub(super) mark: String,
}

/// Ends it now. A supervised one takes a moment longer, because its keeper tidies up.
#[cfg(unix)]
pub(super) fn now(target: &Target) {
    use rustix::process::{Pid, Signal, kill_process, kill_process_group};
    let Some(pid) = Pid::from_raw(target.pid.cast_signed()) else {
        return;
    };
    if target.supervised {
        let _ = kill_process(pid, Signal::TERM);
        return;
    }
    let _ = kill_process_group(pid, Signal::KILL);
    marked(&target.mark);
}

/// Ends a supervised process that did not end when asked to.
#[cfg(unix)]
pub(super) fn by_force(target: &Target) {
    use rustix::process::{Pid, Signal, kill_process, kill_process_group};
    if let Some(pid) = Pid::from_raw(target.pid.cast_signed()) {
        let _ = kill_process(pid, Signal::KILL);
        let _ = kill_process_group(pid, Signal::KILL);
    }
    marked(&target.mark);
}

/// Ends every process of this user whose environment has a mark that begins with this: also those that left their
/// group and their parents. A process that wiped its environment is not found.
#[cfg(target_os = "linux")]
pub(super) fn marked(mark: &str) {
    use rustix::process::{Pid, Signal, kill_process};
    let wanted = format!("{MARK}={mark}").into_bytes();
    // Whoever forks while we look is found in the next round.
    for _ in 0..8 {
        let mut any = false;
        for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
            let Some(pid) = entry
                .file_name()
                .to_str()
                .and_then(|it| it.parse().ok())
                .and_then(Pid::from_raw)
            else {
                continue;
            };
            let environment = std::fs::read(entry.path().join("environ")).unwrap_or_default();
            if environment.split(|it| *it == 0).any(|it| it.starts_with(&wanted)) {
                any |= kill_process(pid, Signal::KILL).is_ok();
            }
        }
        if !any {
            return;
        }
    }
}

/// Where the system does not show environments, the group has to do.
#[cfg(all(unix, not(target_os = "linux")))]
pub(super) fn marked(mark: &str) {
    let _ = (MARK, mark);
}

/// Ends a process and its tree.
#[cfg(windows)]
pub(super) fn now(target: &Target) {
    let _ = (MARK, target.supervised, &target.mark);
    let _ = std::process::Command::new("taskkill")
        .args(["/T", "/F", "/PID", &target.pid.to_string()])
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn();
}

/// As [`now`].
#[cfg(windows)]
pub(super) fn by_force(target: &Target) {
    now(target);
}

/// Windows has no marks; its trees are ended as trees.
#[cfg(windows)]
pub(super) fn marked(mark: &str) {
    let _ = mark;
}
