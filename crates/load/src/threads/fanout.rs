//! Two hundred watchers of one thread: how long an event is on its way to each of them, beside a bare broadcast of the same
//! bytes.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use serde_json::json;
use tokio::process::Command;
use tokio::task::JoinSet;
use tokio::time::{sleep_until, timeout};
use tokio_tungstenite::tungstenite::Utf8Bytes;

use super::event::events;
use super::watcher::Socket;
use crate::contestant::{Contestant, Ground, Kind};
use crate::figure::{Figure, Target, median, quantile};
use crate::program::Program;
use crate::workspace::Thread;

const ROUNDS: usize = 7;
const WATCHERS: usize = 200;
/// Events of a round, one at a time.
const EVENTS: u64 = 200;
const EVERY: Duration = Duration::from_millis(20);
/// Longer than a round takes.
const LIMIT: Duration = Duration::from_secs(60);
const LIVE: &str = "/api/v1/live";

pub(crate) async fn fanout(ground: &Ground) -> Result<Vec<Figure>> {
    let contestant = Contestant::start(ground, Kind::Zspark).await?;
    let mut bare = Program::start("the broadcast", Command::new(std::env::current_exe()?).arg("broadcast"))?;
    let bare_address = bare.line().await?;
    let workspace = contestant.workspace()?;
    let mut thread = workspace.thread().await?;
    let (mut ours, mut others) = (Vec::new(), Vec::new());
    // The first round is for warming up.
    for round in 0..=ROUNDS as u64 {
        let (times, frames) = of_server(&mut thread, 1 + round * EVENTS).await?;
        let bare_times = of_broadcast(&bare_address, frames).await?;
        if round > 0 {
            ours.push(times);
            others.push(bare_times);
        }
    }
    let middle = |rounds: &[Vec<f64>], part| median(&rounds.iter().map(|it| quantile(it, part)).collect::<Vec<_>>());
    Ok(vec![Figure {
        name: "event to 200 watchers, p99, to a bare broadcast, ms",
        ours: middle(&ours, 0.99),
        other: middle(&others, 0.99),
        target: Target::Ratio(3.0),
        from: format!(
            "median of {ROUNDS} rounds of {EVENTS} events; p50 {:.2} and {:.2}; ours begins before the commit",
            middle(&ours, 0.5),
            middle(&others, 0.5)
        ),
    }])
}

/// Appends events one by one over a live socket. Answers how long each took to each watcher, in milliseconds, and the frames.
async fn of_server(thread: &mut Thread, first: u64) -> Result<(Vec<f64>, Vec<Utf8Bytes>)> {
    let workspace = thread.workspace().clone();
    let subscribe = json!({
        "type": "subscribe", "workspace_id": workspace.id(), "thread_id": thread.id(), "after": first - 1,
    });
    let mut watchers = Vec::new();
    for _ in 0..WATCHERS {
        let mut socket = Socket::open(workspace.address(), LIVE).await?;
        socket.say(subscribe.to_string()).await?;
        // The first page says where the thread ends.
        while last_of(&socket.hear().await?.0).is_none() {}
        watchers.push(socket);
    }
    let mut messages = Vec::new();
    for (seq, payload) in (first..).zip(events(first, EVENTS)) {
        let append = json!({
            "type": "append", "id": seq, "workspace_id": workspace.id(), "thread_id": thread.id(),
            "batch": thread.batch(&[payload]),
        });
        messages.push((seq, append.to_string().into()));
    }
    let writer = Socket::open(workspace.address(), LIVE).await?;
    measured(watchers, writer, messages).await
}

/// The same frames, told to the broadcast.
async fn of_broadcast(address: &str, frames: Vec<Utf8Bytes>) -> Result<Vec<f64>> {
    let mut watchers = Vec::new();
    for _ in 0..WATCHERS {
        watchers.push(Socket::open(address, "/").await?);
    }
    let messages = frames.into_iter().filter_map(|it| Some((last_of(&it)?, it)));
    let writer = Socket::open(address, "/").await?;
    let (times, _) = measured(watchers, writer, messages.collect()).await?;
    Ok(times)
}

/// Says the messages, each of which brings the watchers up to a number. Answers how long each was on its way to each of
/// them, and the frames that the first of them had.
async fn measured(
    watchers: Vec<Socket>,
    mut writer: Socket,
    messages: Vec<(u64, Utf8Bytes)>,
) -> Result<(Vec<f64>, Vec<Utf8Bytes>)> {
    let goal = messages.last().context("nothing to say")?.0;
    let mut watching = JoinSet::new();
    for (number, socket) in watchers.into_iter().enumerate() {
        watching.spawn(watch(socket, goal, number == 0));
    }
    let start = tokio::time::Instant::now();
    let mut said = Vec::new();
    for (number, (last, text)) in (0..).zip(messages) {
        sleep_until(start + EVERY * number).await;
        said.push((last, Instant::now()));
        writer.say(text).await?;
    }
    let (mut times, mut frames) = (Vec::new(), Vec::new());
    while let Some(watched) = timeout(LIMIT, watching.join_next())
        .await
        .context("a watcher waits in vain")?
    {
        let watched = watched??;
        let mut heard = watched.arrivals.iter().peekable();
        for (last, at) in &said {
            while heard.next_if(|(upto, _)| upto < last).is_some() {}
            let (_, there) = heard.peek().context("something never arrived")?;
            times.push(there.duration_since(*at).as_secs_f64() * 1e3);
        }
        frames.extend(watched.frames);
    }
    Ok((times, frames))
}

/// What one watcher had.
struct Watched {
    /// Up to which number, and when.
    arrivals: Vec<(u64, Instant)>,
    /// The frames themselves, if they are wanted.
    frames: Vec<Utf8Bytes>,
}

async fn watch(mut socket: Socket, goal: u64, keep: bool) -> Result<Watched> {
    let mut watched = Watched {
        arrivals: Vec::new(),
        frames: Vec::new(),
    };
    while watched.arrivals.last().is_none_or(|(last, _)| *last < goal) {
        let (text, at) = socket.hear().await?;
        if let Some(last) = last_of(&text) {
            watched.arrivals.push((last, at));
            if keep {
                watched.frames.push(text);
            }
        }
    }
    Ok(watched)
}

/// The number of the last event that a frame brings, if it brings any. It stands after them.
fn last_of(frame: &str) -> Option<u64> {
    let (_, tail) = frame.rsplit_once("\"next\":")?;
    let digits = tail.split(|it: char| !it.is_ascii_digit()).next()?;
    digits.parse().ok()
}

#[cfg(test)]
mod tests;
