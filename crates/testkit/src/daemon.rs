//! Real servers for tests: a Postgres and a Redis of the test's own, on loopback and in a folder that vanishes.
//!
//! A small shell keeps each of them: it obeys words on its standard input, and when that ends, because the test ended in
//! whatever way, it stops the server and removes the folder. So nothing outlives a test, not even one that was killed.

use std::io::{BufRead, BufReader, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

mod postgres;
mod redis;

pub use postgres::Postgres;
pub use redis::Redis;

/// Longer than any of them takes on a busy machine.
const LIMIT: Duration = Duration::from_secs(60);

/// The keeper. `$1` is the folder; what follows is the server's command line.
const KEEPER: &str = r#"
folder=$1; shift
"$@" & pid=$!
while read -r word; do
    case $word in
        start) "$@" & pid=$! ;;
        stop) kill -INT "$pid"; wait "$pid"; echo "keeper: stopped" ;;
        kill) kill -KILL "$pid"; wait "$pid"; echo "keeper: stopped" ;;
        pause) kill -STOP "$pid"; echo "keeper: paused" ;;
        resume) kill -CONT "$pid"; echo "keeper: resumed" ;;
    esac
done
kill -CONT "$pid" 2>/dev/null; kill -INT "$pid" 2>/dev/null
wait "$pid"
rm -rf "$folder"
"#;

/// One server, kept by a shell.
#[derive(Debug)]
struct Daemon {
    keeper: Child,
    words: Option<ChildStdin>,
    lines: Receiver<String>,
    ready: &'static str,
}

impl Daemon {
    /// Starts it and waits until it prints `ready`.
    fn start(user: Option<User>, folder: &Path, command: &[String], ready: &'static str) -> Result<Self> {
        let mut shell = match user {
            // A server that refuses to run as root.
            Some(user) => {
                let mut it = Command::new("setpriv");
                it.args([&format!("--reuid={}", user.uid), &format!("--regid={}", user.gid)])
                    .args(["--clear-groups", "sh"]);
                it
            }
            None => Command::new("sh"),
        };
        let mut keeper = shell
            .args(["-c", KEEPER, "keeper"])
            .arg(folder)
            .args(command)
            .env("LC_ALL", "C")
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .context("cannot start sh")?;
        let (sender, lines) = channel();
        let outputs: [Option<Box<dyn std::io::Read + Send>>; 2] = [
            keeper.stdout.take().map(|it| Box::new(it) as _),
            keeper.stderr.take().map(|it| Box::new(it) as _),
        ];
        for output in outputs.into_iter().flatten() {
            let sender = sender.clone();
            // Ends with the pipe, that is with the keeper.
            std::thread::spawn(move || {
                for line in BufReader::new(output).split(b'\n').map_while(Result::ok) {
                    // Nobody may want to hear it any more; the pipe must be emptied all the same.
                    let _ = sender.send(String::from_utf8_lossy(&line).into_owned());
                }
            });
        }
        let words = keeper.stdin.take();
        let daemon = Self {
            keeper,
            words,
            lines,
            ready,
        };
        daemon.wait_for(ready)?;
        Ok(daemon)
    }

    /// Waits until it prints this.
    fn wait_for(&self, part: &str) -> Result<()> {
        let end = Instant::now() + LIMIT;
        let mut heard = Vec::new();
        loop {
            match self.lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(line) if line.contains(part) => return Ok(()),
                Ok(line) => heard.push(line),
                Err(RecvTimeoutError::Timeout) => bail!("no `{part}` within {LIMIT:?}: {heard:#?}"),
                Err(RecvTimeoutError::Disconnected) => bail!("it ended without `{part}`: {heard:#?}"),
            }
        }
    }

    fn say(&mut self, word: &str) -> Result<()> {
        let words = self.words.as_mut().context("the keeper is gone")?;
        writeln!(words, "{word}").context("the keeper is gone")?;
        Ok(())
    }

    fn begin(&mut self) -> Result<()> {
        self.say("start")?;
        self.wait_for(self.ready)
    }

    fn end(&mut self, word: &str) -> Result<()> {
        self.say(word)?;
        self.wait_for("keeper: stopped")
    }

    fn pause(&mut self) -> Result<()> {
        self.say("pause")?;
        self.wait_for("keeper: paused")
    }

    fn resume(&mut self) -> Result<()> {
        self.say("resume")?;
        self.wait_for("keeper: resumed")
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        drop(self.words.take());
        // It stops the server and removes the folder; there is nobody to tell if it cannot.
        let _ = self.keeper.wait();
    }
}

/// Somebody to run a server as.
#[derive(Debug, Clone, Copy)]
struct User {
    uid: u32,
    gid: u32,
}

/// A number that `id` prints.
fn id(arguments: &[&str]) -> Result<u32> {
    let output = Command::new("id").args(arguments).output().context("cannot run id")?;
    let text = String::from_utf8_lossy(&output.stdout);
    text.trim()
        .parse()
        .with_context(|| format!("`id {}` says nothing", arguments.join(" ")))
}

/// A port that was free a moment ago.
fn free_port() -> Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

/// A folder that the keeper removes.
fn folder(name: &str) -> Result<PathBuf> {
    let folder = tempfile::Builder::new()
        .prefix(&format!("zspark-test-{name}-"))
        .tempdir()?;
    Ok(folder.keep())
}
