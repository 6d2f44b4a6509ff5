//! The stage: our own binary, started again between zspark and a command. It builds the cage, starts the command in
//! it, and stays outside as the keeper that ends everything in there when the command ends, when it is told to
//! (`SIGTERM`), or when zspark is gone. It runs before any runtime or thread exists.

use std::ffi::OsString;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, FromRawFd, OwnedFd};
use std::os::unix::process::CommandExt as _;

use rustix::event::{PollFd, PollFlags};
use rustix::process::{Pid, PidfdFlags, Signal, WaitOptions, WaitStatus};

use super::{ASK, Force, Plan, filter, mounts, rights};

mod placeholder;

/// The exit code of a command that was never started.
const NOT_STARTED: i32 = 126;

/// See [`crate::sandbox::run_if_asked`].
pub fn run_if_asked() {
    let mut args = std::env::args_os().skip(1);
    if args.next().is_none_or(|it| it != ASK) {
        return;
    }
    let rest: Vec<OsString> = args.collect();
    let code = if rest.first().is_some_and(|it| it == "probe") {
        probe()
    } else {
        match Plan::from_args(rest.into_iter()) {
            Some(plan) => keep(&plan).unwrap_or_else(|error| {
                eprintln!("zspark sandbox: {error}");
                NOT_STARTED
            }),
            None => {
                eprintln!("zspark sandbox: these are no arguments of a sandbox stage");
                NOT_STARTED
            }
        }
    };
    std::process::exit(code);
}

/// Says what can be enforced here, by doing it.
fn probe() -> i32 {
    let plan = Plan {
        network: false,
        parent: 0,
        roots: Vec::new(),
        protected: Vec::new(),
        program: OsString::new(),
        args: Vec::new(),
    };
    let force = isolate(&plan);
    match confine(&plan, force) {
        Ok(()) => {
            println!(
                "{}",
                match force {
                    Force::Full => "full",
                    Force::LandlockOnly => "landlock",
                }
            );
            0
        }
        Err(error) => {
            eprintln!("{error}");
            1
        }
    }
}

/// Runs the command in its cage and answers its exit code.
fn keep(plan: &Plan) -> io::Result<i32> {
    let me = rustix::process::getpid();
    // No terminal of ours for the command. Fails only for a group leader, which started this way on purpose. Who leads
    // the session now is not asked: in a process namespace whose session began outside of it, that is nobody.
    let _ = rustix::process::setsid();
    let zspark = Pid::from_raw(plan.parent.cast_signed()).ok_or(io::ErrorKind::InvalidInput)?;
    let zspark = rustix::process::pidfd_open(zspark, PidfdFlags::empty())?;
    let signals = hold_signals()?;
    let held = placeholder::hold(&plan.protected);
    let force = isolate(plan);
    rustix::process::set_child_subreaper(Some(me))?;
    let outer = rustix::process::pidfd_open(me, PidfdFlags::empty())?;
    let child = match fork()? {
        Some(child) => child,
        None => inside(plan, force, outer.as_fd()),
    };
    let code = watch(child, signals.as_fd(), zspark.as_fd());
    end_descendants();
    drop(held);
    code
}

/// The life of the first process in the cage.
fn inside(plan: &Plan, force: Force, outer: BorrowedFd<'_>) -> ! {
    let result = (|| -> io::Result<i32> {
        rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
        if gone(outer) {
            return Ok(NOT_STARTED);
        }
        if force == Force::Full {
            mounts::fresh_proc();
        }
        confine(plan, force)?;
        // In a process namespace of its own the first process must collect orphans, and it ignores signals that have
        // no handler; a shell should do neither, so it is the second.
        match if force == Force::Full { fork()? } else { None } {
            None => Err(execute(plan)),
            Some(shell) => loop {
                if let Some((pid, status)) = rustix::process::wait(WaitOptions::empty())?
                    && pid == shell
                {
                    return Ok(code(status));
                }
            },
        }
    })();
    std::process::exit(result.unwrap_or_else(|error| {
        eprintln!("zspark sandbox: {error}");
        NOT_STARTED
    }))
}

fn execute(plan: &Plan) -> io::Error {
    #[expect(
        clippy::disallowed_methods,
        reason = "the stage's environment is the one that was handed in"
    )]
    let path = std::env::var_os("PATH");
    let program = super::lookup(&plan.program, path.as_deref());
    release_signals();
    std::process::Command::new(program).args(&plan.args).exec()
}

/// Waits for the end of `child`, and brings it about when somebody wants that.
fn watch(child: Pid, signals: BorrowedFd<'_>, zspark: BorrowedFd<'_>) -> io::Result<i32> {
    loop {
        let mut fds = [
            PollFd::from_borrowed_fd(signals, PollFlags::IN),
            PollFd::from_borrowed_fd(zspark, PollFlags::IN),
        ];
        match rustix::event::poll(&mut fds, None) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        if !fds[1].revents().is_empty() {
            let _ = rustix::process::kill_process(child, Signal::KILL);
            let (_, status) =
                rustix::process::waitpid(Some(child), WaitOptions::empty())?.ok_or(io::ErrorKind::NotFound)?;
            return Ok(code(status));
        }
        if fds[0].revents().is_empty() {
            continue;
        }
        let mut told = [0_u8; size_of::<libc::signalfd_siginfo>()];
        rustix::io::read(signals, &mut told)?;
        let number = i32::from_ne_bytes([told[0], told[1], told[2], told[3]]);
        if number == libc::SIGTERM {
            let _ = rustix::process::kill_process(child, Signal::KILL);
        }
        // Orphans of the command end up here where there is no process namespace, so all are collected.
        while let Ok(Some((pid, status))) = rustix::process::wait(WaitOptions::NOHANG) {
            if pid == child {
                return Ok(code(status));
            }
        }
    }
}

/// Ends what is still below this process. With a process namespace nothing is.
fn end_descendants() {
    let me = std::process::id();
    loop {
        let children = std::fs::read_to_string(format!("/proc/self/task/{me}/children")).unwrap_or_default();
        let mut any = false;
        for pid in children
            .split_ascii_whitespace()
            .filter_map(|it| it.parse().ok())
            .filter_map(Pid::from_raw)
        {
            any = true;
            let _ = rustix::process::kill_process(pid, Signal::KILL);
        }
        if !any {
            return;
        }
        let _ = rustix::process::wait(WaitOptions::empty());
    }
}

/// Puts this process into namespaces of its own, as far as the machine allows.
fn isolate(plan: &Plan) -> Force {
    match namespaces().and_then(|()| mounts::build(plan)) {
        Ok(()) => Force::Full,
        Err(_) => Force::LandlockOnly,
    }
}

fn namespaces() -> io::Result<()> {
    let (user, group) = (rustix::process::geteuid(), rustix::process::getegid());
    let private = libc::CLONE_NEWNS | libc::CLONE_NEWPID | libc::CLONE_NEWIPC;
    // A root user keeps its view of who owns what, and loses the dangerous capabilities later.
    if user.is_root() && unshare(private).is_ok() {
        return Ok(());
    }
    unshare(libc::CLONE_NEWUSER | private)?;
    std::fs::write("/proc/self/setgroups", "deny")?;
    std::fs::write("/proc/self/uid_map", format!("{0} {0} 1", user.as_raw()))?;
    std::fs::write("/proc/self/gid_map", format!("{0} {0} 1", group.as_raw()))
}

/// Gives up, for this process and all it starts, whatever the plan does not grant.
fn confine(plan: &Plan, force: Force) -> io::Result<()> {
    drop_capabilities();
    rustix::thread::set_no_new_privs(true)?;
    rights::restrict(plan, force).map_err(io::Error::other)?;
    let program = filter::build(plan.network).map_err(io::Error::other)?;
    seccompiler::apply_filter(&program).map_err(io::Error::other)
}

/// Leaves a root user what works on files of others, and nothing that works on the machine.
fn drop_capabilities() {
    const KEPT: &[u32] = &[0, 1, 3, 4, 5, 6, 7, 10]; // chown, dac_override, fowner, fsetid, kill, setgid, setuid, net_bind
    for capability in (0..64).filter(|it| !KEPT.contains(it)) {
        #[expect(
            unsafe_code,
            reason = "no crate wraps PR_CAPBSET_DROP for capabilities it does not know"
        )]
        // SAFETY: PR_CAPBSET_DROP takes an integer; one the kernel does not know or may not drop is an error without effect.
        let _ = unsafe { libc::prctl(libc::PR_CAPBSET_DROP, libc::c_ulong::from(capability), 0, 0, 0) };
    }
}

fn gone(process: BorrowedFd<'_>) -> bool {
    let mut fds = [PollFd::from_borrowed_fd(process, PollFlags::IN)];
    let now = rustix::event::Timespec { tv_sec: 0, tv_nsec: 0 };
    rustix::event::poll(&mut fds, Some(&now)).is_ok() && !fds[0].revents().is_empty()
}

fn code(status: WaitStatus) -> i32 {
    status
        .exit_status()
        .or_else(|| status.terminating_signal().map(|it| 128 + it))
        .unwrap_or(NOT_STARTED)
}

fn unshare(flags: libc::c_int) -> io::Result<()> {
    #[expect(unsafe_code, reason = "the only thread of the stage gets namespaces of its own")]
    // SAFETY: no memory or file table is unshared, so nothing this process holds changes under it.
    let result = unsafe { libc::unshare(flags) };
    if result == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

/// `None` in the child.
fn fork() -> io::Result<Option<Pid>> {
    #[expect(unsafe_code, reason = "the stage is a process keeper")]
    // SAFETY: the stage has one thread, so the child may do all that the parent may.
    match unsafe { libc::fork() } {
        -1 => Err(io::Error::last_os_error()),
        pid => Ok(Pid::from_raw(pid)),
    }
}

/// Lets signals through again: a mask outlives `exec`.
fn release_signals() {
    #[expect(unsafe_code, reason = "no crate of ours wraps sigprocmask")]
    // SAFETY: `set` is filled before it is read. It cannot fail with these arguments.
    unsafe {
        let mut set: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut set);
        libc::sigprocmask(libc::SIG_SETMASK, &raw const set, std::ptr::null_mut());
    }
}

/// Holds back all signals, to be read from the descriptor instead.
fn hold_signals() -> io::Result<OwnedFd> {
    #[expect(unsafe_code, reason = "no crate of ours wraps signalfd")]
    // SAFETY: `set` is filled before it is read, and the descriptor is new and owned by nobody else.
    unsafe {
        let mut set: libc::sigset_t = std::mem::zeroed();
        libc::sigfillset(&raw mut set);
        if libc::sigprocmask(libc::SIG_SETMASK, &raw const set, std::ptr::null_mut()) != 0 {
            return Err(io::Error::last_os_error());
        }
        match libc::signalfd(-1, &raw const set, libc::SFD_CLOEXEC) {
            -1 => Err(io::Error::last_os_error()),
            fd => Ok(OwnedFd::from_raw_fd(fd)),
        }
    }
}
