//! One task a process: moves its output to everybody who wants some, and sees to its end.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use protocol::{ItemKind, Live};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::child::Child;
use super::kill::{self, Target};
use super::{Process, Sink, lock, status, window};
use crate::tool::Recorder;

/// The longest tail an item keeps.
const TAIL: usize = 4 * 1024;
/// How far back a sign of a refusal is looked for.
const SIGNS: usize = 16 * 1024;
/// The longest piece of live output.
const PIECE: usize = 8 * 1024;
/// The shortest time between two such pieces.
const BEAT: Duration = Duration::from_millis(16);
/// How long a keeper may take to end its command.
const GRACE: Duration = Duration::from_secs(1);
/// How long the output may stay open after the process has ended, because something it started still holds it.
const DRAIN: Duration = Duration::from_millis(100);

pub(super) struct Pump {
    pub(super) process: Arc<Process>,
    pub(super) child: Child,
    pub(super) target: Target,
    pub(super) sink: Option<Box<dyn Sink>>,
    pub(super) recorder: Arc<dyn Recorder>,
    pub(super) confined: bool,
    pub(super) ended: watch::Sender<bool>,
}

/// Output on its way to the screens: bounded, the newest wins.
#[derive(Default)]
struct Pending {
    at: u64,
    bytes: VecDeque<u8>,
    due: Option<Instant>,
    last: Option<Instant>,
}

impl Pump {
    pub(super) async fn run(mut self) {
        let mut buffer = Vec::new();
        let mut recent = VecDeque::new();
        let mut pending = Pending::default();
        let mut exit_code = None;
        let mut deadline: Option<Instant> = None;
        let mut open = true;
        let mut killed = false;
        while open || exit_code.is_none() {
            tokio::select! {
                more = self.child.output.next(&mut buffer), if open => match more {
                    Some(()) => self.take(&buffer, &mut recent, &mut pending),
                    None => open = false,
                },
                code = self.child.exit.wait(), if exit_code.is_none() => {
                    exit_code = Some(code);
                    deadline = Some(Instant::now() + DRAIN);
                }
                () = self.process.kill.cancelled(), if !killed && exit_code.is_none() => {
                    killed = true;
                    lock(&self.process.state).interrupted = true;
                    kill::now(&self.target);
                    deadline = Some(Instant::now() + GRACE);
                }
                () = at(deadline), if deadline.is_some() => {
                    if exit_code.is_some() {
                        break;
                    }
                    kill::by_force(&self.target);
                    deadline = Some(Instant::now() + GRACE);
                }
                () = at(pending.due), if pending.due.is_some() => self.show(&mut pending),
            }
        }
        self.show(&mut pending);
        self.end(exit_code.unwrap_or(-1), &recent);
    }

    fn take(&mut self, bytes: &[u8], recent: &mut VecDeque<u8>, pending: &mut Pending) {
        lock(&self.process.state).unread.push(bytes);
        if let Some(sink) = &mut self.sink
            && let Err(error) = sink.append(bytes)
        {
            tracing::warn!(%error, "a command's output is no longer kept");
            self.sink = None;
        }
        keep_last(recent, bytes, SIGNS);
        let dropped = keep_last(&mut pending.bytes, bytes, PIECE);
        pending.at += dropped;
        let now = Instant::now();
        match pending.last {
            Some(last) if now < last + BEAT => pending.due = Some(last + BEAT),
            _ => self.show(pending),
        }
    }

    fn show(&self, pending: &mut Pending) {
        pending.due = None;
        let ready = pending.bytes.len() - window::unfinished(pending.bytes.make_contiguous());
        if ready == 0 {
            return;
        }
        let bytes: Vec<u8> = pending.bytes.drain(..ready).collect();
        self.recorder.live(Live::Output {
            item_id: self.process.item.clone(),
            at: pending.at,
            text: String::from_utf8_lossy(&bytes).into_owned(),
        });
        pending.at += bytes.len() as u64;
        pending.last = Some(Instant::now());
    }

    fn end(self, code: i32, recent: &VecDeque<u8>) {
        let kept = self.sink.map(Sink::finish);
        let mut state = lock(&self.process.state);
        let denied = self.confined && code != 0 && !state.interrupted && refused(&window::last(recent, SIGNS));
        if let ItemKind::Command {
            tail,
            output,
            exit_code,
            process,
            sandbox_denied,
            ..
        } = &mut state.kind
        {
            *tail = window::last(recent, TAIL);
            *output = kept;
            *exit_code = Some(code);
            *process = None;
            *sandbox_denied = denied;
        }
        // Set while the state is held: whoever detaches now sees the end, whoever did before gets it reported.
        self.ended.send_replace(true);
        let report = state.detached.then(|| (state.kind.clone(), status(&state)));
        drop(state);
        if let Some((kind, status)) = report {
            self.recorder.complete_later(&self.process.item, kind, status);
        }
    }
}

async fn at(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => std::future::pending().await,
    }
}

/// Appends, and answers how many bytes fell out at the front.
fn keep_last(queue: &mut VecDeque<u8>, bytes: &[u8], most: usize) -> u64 {
    let skipped = bytes.len().saturating_sub(most);
    let bytes = &bytes[skipped..];
    let excess = (queue.len() + bytes.len()).saturating_sub(most);
    queue.drain(..excess);
    queue.extend(bytes);
    (skipped + excess) as u64
}

/// Words by which programs complain when a sandbox says no.
fn refused(output: &str) -> bool {
    const SIGNS: &[&str] = &[
        "permission denied",
        "operation not permitted",
        "read-only file system",
        "eperm",
        "eacces",
        "erofs",
        "could not resolve host",
        "couldn't resolve host",
        "temporary failure in name resolution",
        "name or service not known",
        "network is unreachable",
        "zspark sandbox:",
        "errno 1]",
        "errno 13]",
        "errno 30]",
    ];
    let output = output.to_lowercase();
    SIGNS.iter().any(|it| output.contains(it))
}
