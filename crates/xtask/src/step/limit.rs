//! A time limit on a step: one test that hangs must not hold all others, nor the machine.

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// Watches a process.
#[derive(Debug)]
pub(super) struct Limit {
    limit: Duration,
    done: Sender<()>,
    watch: JoinHandle<bool>,
}

impl Limit {
    /// Ends the process and its descendants when the time is over.
    pub(super) fn start(process: u32, limit: Duration) -> Self {
        let (done, is_done) = channel();
        let watch = std::thread::spawn(move || {
            let over = is_done.recv_timeout(limit) == Err(RecvTimeoutError::Timeout);
            if over {
                end(process);
            }
            over
        });
        Self { limit, done, watch }
    }

    /// The process has ended: how long it had, if that was not enough.
    pub(super) fn over(self) -> Option<Duration> {
        drop(self.done);
        let over = self.watch.join().unwrap_or(false);
        over.then_some(self.limit)
    }
}

/// Not by a process group: a group of its own would no longer hear Ctrl-C.
fn end(process: u32) {
    let mut doomed = descendants(process);
    doomed.push(process);
    let ids = doomed.iter().map(u32::to_string);
    let killed = if cfg!(windows) {
        Command::new("taskkill")
            .args(["/F", "/T", "/PID", &process.to_string()])
            .status()
    } else {
        Command::new("kill").arg("-KILL").args(ids).status()
    };
    if let Err(error) = killed {
        eprintln!("error: it cannot be ended: {error}");
    }
}

/// As `ps` knows them; grandchildren first.
fn descendants(process: u32) -> Vec<u32> {
    let Ok(listed) = Command::new("ps").args(["-A", "-o", "pid=,ppid="]).output() else {
        return Vec::new();
    };
    let mut children: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for line in String::from_utf8_lossy(&listed.stdout).lines() {
        let mut numbers = line.split_whitespace().map(str::parse);
        if let (Some(Ok(id)), Some(Ok(parent))) = (numbers.next(), numbers.next()) {
            children.entry(parent).or_default().push(id);
        }
    }
    let mut found = Vec::new();
    let mut next = vec![process];
    while let Some(parent) = next.pop() {
        for child in children.get(&parent).into_iter().flatten() {
            found.push(*child);
            next.push(*child);
        }
    }
    found.reverse();
    found
}
