//! The real program, started as people start it, for tests that kill it or look at its memory.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use crate::world::Person;

/// A `zspark-server` in development mode. It ends with this.
pub(crate) struct Program {
    child: Child,
    pub(crate) address: String,
}

const DEVELOPMENT: &[&str] = &["--dev", "--listen", "127.0.0.1:0", "--data-dir"];

impl Program {
    /// A command that knows nothing of the test's own environment.
    pub(crate) fn command(arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_zspark-server"));
        command.args(arguments).env_clear();
        command
    }

    /// Starts it on a folder and waits until it listens.
    pub(crate) fn start(folder: &Path) -> Self {
        Self::start_with(folder, &[])
    }

    /// With variables in its environment.
    pub(crate) fn start_with(folder: &Path, environment: &[(&str, &str)]) -> Self {
        let mut command = Self::command(DEVELOPMENT);
        command.envs(environment.iter().copied());
        Self::run(command, folder)
    }

    /// With a file that may not grow being an error, as a full disk is, and not its end.
    pub(crate) fn start_limited(folder: &Path) -> Self {
        let mut command = Command::new("/bin/sh");
        command
            .args(["-c", "trap '' XFSZ; exec \"$@\"", "sh"])
            .arg(env!("CARGO_BIN_EXE_zspark-server"))
            .args(DEVELOPMENT)
            .env_clear();
        Self::run(command, folder)
    }

    /// No file of its grows beyond so many bytes from now on; none: as large as there is room.
    pub(crate) fn limit_files(&self, bytes: Option<u64>) {
        let limit = bytes.map_or("unlimited".to_owned(), |it| it.to_string());
        let done = Command::new("prlimit")
            .args(["--pid", &self.child.id().to_string()])
            .arg(format!("--fsize={limit}:"))
            .status();
        assert!(done.unwrap().success(), "util-linux has prlimit");
    }

    fn run(mut command: Command, folder: &Path) -> Self {
        let mut child = command
            .arg(folder)
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let (say, heard) = mpsc::channel();
        // Reads to the end, so that the program never waits for somebody to read.
        std::thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                let _ = say.send(line);
            }
        });
        let line = heard.recv_timeout(Duration::from_secs(30));
        let address = line.ok().and_then(|it| {
            let (_, address) = it.split_once("listening on http://")?;
            Some(address.to_owned())
        });
        let Some(address) = address else {
            let _ = child.kill();
            panic!("the program never said where it listens");
        };
        Self { child, address }
    }

    /// Somebody at it.
    pub(crate) fn person(&self, name: &str) -> Person {
        Person {
            name: name.to_owned(),
            base: format!("http://{}/api/v1", self.address),
            http: reqwest::Client::new(),
        }
    }

    /// Tells it to stop, as systemd and containers do, and waits for its end.
    pub(crate) fn stop(mut self) -> ExitStatus {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        self.child.wait().unwrap()
    }

    /// Ends it as a power cut would.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// The memory it has, in bytes. Where that cannot be seen, nothing.
    pub(crate) fn memory(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let line = status.lines().find(|it| it.starts_with("VmRSS:"))?;
        Some(line.split_whitespace().nth(1)?.parse::<u64>().ok()? * 1024)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
