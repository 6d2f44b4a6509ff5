//! A long thread and a short one, read from the beginning: what an event costs in each.

use std::time::Instant;

use anyhow::{Result, ensure};

use super::event::events;
use crate::contestant::{Contestant, Ground, Kind};
use crate::figure::{Figure, Target, median};
use crate::workspace::{Thread, Workspace};

const ROUNDS: usize = 7;
const LONG: u64 = 100_000;
const SHORT: u64 = 1_000;
const BATCH: u64 = 250;
/// The short one is read so often in a round: long enough to be measured.
const TIMES: u64 = 20;

pub(crate) async fn replay(ground: &Ground) -> Result<Vec<Figure>> {
    let contestant = Contestant::start(ground, Kind::Zspark).await?;
    let workspace = contestant.workspace()?;
    let long = written(workspace, LONG).await?;
    let short = written(workspace, SHORT).await?;
    let (mut of_long, mut of_short) = (Vec::new(), Vec::new());
    // The first round is for warming up.
    for round in 0..=ROUNDS {
        let costs = (read(&long, LONG, 1).await?, read(&short, SHORT, TIMES).await?);
        if round > 0 {
            of_long.push(costs.0);
            of_short.push(costs.1);
        }
    }
    Ok(vec![Figure {
        name: "replay of 100,000 events to 1,000, us per event",
        ours: median(&of_long),
        other: median(&of_short),
        target: Target::Ratio(1.2),
        from: format!("median of {ROUNDS} rounds, page by page over HTTP"),
    }])
}

async fn written(workspace: &Workspace, count: u64) -> Result<Thread> {
    let mut thread = workspace.thread().await?;
    for at in (0..count).step_by(BATCH as usize) {
        let batch = thread.batch(&events(at, BATCH));
        thread.append(serde_json::to_string(&batch)?).await?;
    }
    Ok(thread)
}

/// Microseconds an event.
async fn read(thread: &Thread, count: u64, times: u64) -> Result<f64> {
    let start = Instant::now();
    for _ in 0..times {
        let (mut after, mut seen) = (0, 0);
        while after < count {
            let page = thread.page(after).await?;
            ensure!(page.next > after, "the thread ends early, at {after}");
            seen += page.events.len() as u64;
            after = page.next;
        }
        ensure!(seen == count, "{seen} events of {count}");
    }
    Ok(start.elapsed().as_secs_f64() * 1e6 / (times * count) as f64)
}
