//! Starts one process on pipes or in a terminal, and hands out its two ends: output and exit code.

use std::io::{self, Read as _, Write as _};
use std::process::{ExitStatus, Stdio};
use std::sync::Mutex;

use portable_pty::{CommandBuilder, MasterPty, PtySize};
use tokio::io::AsyncReadExt as _;
use tokio::sync::{mpsc, oneshot};

use super::{Error, lock};
use crate::sandbox::Spawn;

/// How much is read at once.
const CHUNK: usize = 64 * 1024;

/// A started process.
pub(super) struct Child {
    pub(super) pid: u32,
    pub(super) output: Output,
    pub(super) exit: Exit,
    /// Takes what is typed; only with a terminal.
    pub(super) input: Option<mpsc::Sender<Vec<u8>>>,
    /// Closing the terminal hangs up, so it stays open as long as the process is looked after.
    _terminal: Option<Box<dyn MasterPty + Send>>,
}

pub(super) enum Output {
    #[cfg(unix)]
    Pipe(tokio::net::unix::pipe::Receiver),
    #[cfg(windows)]
    Pipes(tokio::process::ChildStdout, tokio::process::ChildStderr),
    Terminal(mpsc::Receiver<Vec<u8>>),
}

pub(super) enum Exit {
    Child(Box<tokio::process::Child>),
    Thread(oneshot::Receiver<i32>),
}

/// Starts processes. Those that nobody supervises are tied to a thread of this, so that they die when it does, even
/// when zspark is killed.
#[derive(Default)]
pub(super) struct Starter(Mutex<Option<std::sync::mpsc::Sender<Job>>>);

type Job = Box<dyn FnOnce() + Send>;

impl Starter {
    pub(super) async fn start(&self, spawn: &Spawn, tty: bool) -> Result<Child, Error> {
        if tty {
            return terminal(spawn);
        }
        if spawn.supervised {
            return pipes(spawn);
        }
        let (answer, answered) = oneshot::channel();
        let runtime = tokio::runtime::Handle::current();
        let spawn = spawn.clone();
        let program = spawn.program.display().to_string();
        let job: Job = Box::new(move || {
            let _inside = runtime.enter();
            // Nobody waits any more: the call was cancelled, and dropping the child kills it.
            let _ = answer.send(pipes(&spawn));
        });
        let failed = |source| Error::Start { program, source };
        match self.send(job) {
            Ok(()) => answered
                .await
                .unwrap_or_else(|_| Err(failed(io::ErrorKind::BrokenPipe.into()))),
            Err(source) => Err(failed(source)),
        }
    }

    fn send(&self, job: Job) -> io::Result<()> {
        let mut jobs = lock(&self.0);
        if jobs.is_none() {
            let (sender, receiver) = std::sync::mpsc::channel::<Job>();
            std::thread::Builder::new().name("starter".to_owned()).spawn(move || {
                for job in receiver {
                    job();
                }
            })?;
            *jobs = Some(sender);
        }
        jobs.as_ref()
            .ok_or(io::ErrorKind::BrokenPipe)?
            .send(job)
            .map_err(|_| io::ErrorKind::BrokenPipe.into())
    }
}

fn pipes(spawn: &Spawn) -> Result<Child, Error> {
    let failed = |source| Error::Start {
        program: spawn.program.display().to_string(),
        source,
    };
    let mut command = std::process::Command::new(&spawn.program);
    command
        .args(&spawn.args)
        .current_dir(&spawn.cwd)
        .env_clear()
        .envs(&spawn.env)
        .stdin(Stdio::null());
    #[cfg(unix)]
    {
        // The stage detaches itself; without a hook between fork and exec the start is cheaper.
        if !spawn.supervised {
            crate::sandbox::detach(&mut command, true);
        }
        let (ours, theirs) =
            rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).map_err(|it| failed(it.into()))?;
        rustix::io::ioctl_fionbio(&ours, true).map_err(|it| failed(it.into()))?;
        // One pipe for both, so that their order is kept.
        command.stdout(theirs.try_clone().map_err(failed)?).stderr(theirs);
        let mut command = tokio::process::Command::from(command);
        let child = command.spawn().map_err(failed)?;
        // Its copies of the writing end must go, or the output would never end.
        drop(command);
        let output = tokio::net::unix::pipe::Receiver::from_owned_fd(ours).map_err(failed)?;
        Ok(Child {
            pid: child.id().unwrap_or_default(),
            output: Output::Pipe(output),
            exit: Exit::Child(Box::new(child)),
            input: None,
            _terminal: None,
        })
    }
    #[cfg(windows)]
    {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = tokio::process::Command::from(command).spawn().map_err(failed)?;
        let missing = || failed(io::ErrorKind::BrokenPipe.into());
        let stdout = child.stdout.take().ok_or_else(missing)?;
        let stderr = child.stderr.take().ok_or_else(missing)?;
        Ok(Child {
            pid: child.id().unwrap_or_default(),
            output: Output::Pipes(stdout, stderr),
            exit: Exit::Child(Box::new(child)),
            input: None,
            _terminal: None,
        })
    }
}

fn terminal(spawn: &Spawn) -> Result<Child, Error> {
    fn failed(error: impl std::fmt::Display) -> Error {
        Error::Terminal(format!("{error:#}"))
    }
    let pair = portable_pty::native_pty_system()
        .openpty(PtySize {
            rows: 40,
            cols: 120,
            pixel_width: 0,
            pixel_height: 0,
        })
        .map_err(failed)?;
    let mut command = CommandBuilder::new(&spawn.program);
    command.args(&spawn.args);
    command.cwd(&spawn.cwd);
    command.env_clear();
    for (name, value) in &spawn.env {
        command.env(name, value);
    }
    let mut reader = pair.master.try_clone_reader().map_err(failed)?;
    let mut writer = pair.master.take_writer().map_err(failed)?;
    let mut child = pair.slave.spawn_command(command).map_err(failed)?;
    drop(pair.slave);
    let (output, received) = mpsc::channel(4);
    let (input, mut typed) = mpsc::channel::<Vec<u8>>(16);
    let (ended, exit) = oneshot::channel();
    let pid = child.process_id().unwrap_or_default();
    let thread = |name: &str| std::thread::Builder::new().name(name.to_owned());
    let no_thread = |error: io::Error| Error::Terminal(error.to_string());
    thread("terminal-out")
        .spawn(move || {
            let mut buffer = vec![0; CHUNK];
            // The end of a terminal is an error on Linux.
            while let Ok(count @ 1..) = reader.read(&mut buffer) {
                if output.blocking_send(buffer[..count].to_vec()).is_err() {
                    return;
                }
            }
        })
        .map_err(no_thread)?;
    thread("terminal-in")
        .spawn(move || {
            while let Some(bytes) = typed.blocking_recv() {
                if writer.write_all(&bytes).and_then(|()| writer.flush()).is_err() {
                    return;
                }
            }
        })
        .map_err(no_thread)?;
    thread("terminal-wait")
        .spawn(move || {
            let any: &mut dyn portable_pty::Child = child.as_mut();
            let code = match any.downcast_mut::<std::process::Child>() {
                Some(child) => child.wait().map_or(-1, code),
                None => child.wait().map_or(-1, |it| it.exit_code().cast_signed()),
            };
            // Nobody waits when the thread of the agent was closed.
            let _ = ended.send(code);
        })
        .map_err(no_thread)?;
    Ok(Child {
        pid,
        output: Output::Terminal(received),
        exit: Exit::Thread(exit),
        input: Some(input),
        _terminal: Some(pair.master),
    })
}

impl Output {
    /// The next bytes; `None` at the end.
    pub(super) async fn next(&mut self, buffer: &mut Vec<u8>) -> Option<()> {
        buffer.clear();
        match self {
            #[cfg(unix)]
            Self::Pipe(pipe) => {
                buffer.reserve(CHUNK);
                matches!(pipe.read_buf(buffer).await, Ok(1..)).then_some(())
            }
            #[cfg(windows)]
            Self::Pipes(stdout, stderr) => {
                buffer.reserve(CHUNK);
                let mut other = Vec::with_capacity(CHUNK);
                let first = tokio::select! {
                    it = stdout.read_buf(buffer) => it,
                    it = stderr.read_buf(&mut other) => { buffer.append(&mut other); it }
                };
                if matches!(first, Ok(1..)) {
                    return Some(());
                }
                // One of the two has ended; the rest comes from the other.
                let rest = match stdout.read_buf(buffer).await {
                    Ok(0) | Err(_) => stderr.read_buf(buffer).await,
                    more => more,
                };
                matches!(rest, Ok(1..)).then_some(())
            }
            Self::Terminal(received) => {
                *buffer = received.recv().await?;
                Some(())
            }
        }
    }
}

impl Exit {
    /// The exit code; 128 + n after signal n, -1 when nobody knows.
    pub(super) async fn wait(&mut self) -> i32 {
        match self {
            Self::Child(child) => child.wait().await.map_or(-1, code),
            Self::Thread(exit) => exit.await.unwrap_or(-1),
        }
    }
}

fn code(status: ExitStatus) -> i32 {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return 128 + signal;
    }
    status.code().unwrap_or(-1)
}
