//! What a child process does between fork and exec. The only reason for `unsafe` outside the stage.

use std::os::unix::process::CommandExt as _;

/// Makes the command the leader of its own terminal session, so that it has no terminal of ours to type into and can
/// be killed as a group. With `tied`, it also dies with the thread that starts it, where the system can do that.
pub fn detach(command: &mut std::process::Command, tied: bool) {
    let parent = rustix::process::getpid();
    #[expect(unsafe_code, reason = "between fork and exec only async-signal-safe calls are made")]
    // SAFETY: setsid, prctl and getppid are async-signal-safe system calls; nothing is allocated.
    unsafe {
        command.pre_exec(move || {
            rustix::process::setsid()?;
            #[cfg(target_os = "linux")]
            if tied {
                rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))?;
                // The parent may have died before the line above took effect.
                if rustix::process::getppid() != Some(parent) {
                    return Err(std::io::Error::from_raw_os_error(libc::ESRCH));
                }
            }
            #[cfg(not(target_os = "linux"))]
            let _ = (tied, parent);
            Ok(())
        });
    }
}
