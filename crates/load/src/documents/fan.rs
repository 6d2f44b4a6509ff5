//! Fifty clients on ten documents: what a delivered update costs the server, and how long it is on its way.

use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::contestant::{BOTH, Contestant, Ground, Kind, Place};
use crate::figure::{Figure, Target, median, quantile};
use crate::process::Process;
use crate::program::Program;

const ROUNDS: usize = 5;
const CLIENTS: usize = 50;
const DOCUMENTS: usize = 10;
/// Of all clients together in one round.
const EDITS: usize = 2500;
const EVERY: Duration = Duration::from_millis(2);

pub(crate) async fn fan(ground: &Ground) -> Result<Vec<Figure>> {
    let ours = Contestant::start(ground, Kind::Zspark).await?;
    let theirs = Contestant::start(ground, Kind::Hocuspocus).await?;
    let mut rounds: [Vec<Round>; 2] = Default::default();
    // One more than are counted: the first one is for warming up.
    for number in 0..=ROUNDS {
        for ((kind, contestant), rounds) in BOTH.iter().zip([&ours, &theirs]).zip(&mut rounds) {
            let name = format!("{kind:?}-{number}");
            let round = round(&ground.scripts, &[contestant.place()], &[contestant.process()?], &name).await?;
            if number > 0 {
                rounds.push(round);
            }
        }
    }
    let of = |which: usize, value: fn(&Round) -> f64| median(&rounds[which].iter().map(value).collect::<Vec<_>>());
    let figure = |name, value: fn(&Round) -> f64, most| Figure {
        name,
        ours: of(0, value),
        other: of(1, value),
        target: Target::Ratio(most),
        from: format!("median of {ROUNDS} rounds of {EDITS} edits"),
    };
    Ok(vec![
        figure("CPU per delivered update, 50 clients, us", |it| it.cpu_us, 1.0 / 3.0),
        figure("fan-out of an update, p50, ms", |it| it.p50_ms, 1.0),
        figure("fan-out of an update, p99, ms", |it| it.p99_ms, 1.0),
    ])
}

/// What one round came to.
#[derive(Debug)]
pub(super) struct Round {
    /// Of all servers, for each delivered update.
    pub(super) cpu_us: f64,
    p50_ms: f64,
    p99_ms: f64,
}

/// What the script says in the end.
#[derive(Deserialize)]
struct Delivered {
    delivered: f64,
    /// In milliseconds.
    took: Vec<f64>,
}

/// Lets the clients write for a while, in documents of this name.
pub(super) async fn round(scripts: &Path, places: &[&Place], servers: &[Process], name: &str) -> Result<Round> {
    let settings = json!({
        "places": places, "prefix": name, "clients": CLIENTS, "documents": DOCUMENTS,
        "edits": EDITS, "everyMs": EVERY.as_millis() as u64,
    });
    let mut script = Program::script(scripts, "fan.mjs", &settings)?;
    script.hear::<Value>().await?;
    let before = used(servers)?;
    let Delivered { delivered, took } = script.ask(&json!({})).await?;
    let cpu = used(servers)?.saturating_sub(before);
    Ok(Round {
        cpu_us: cpu.as_secs_f64() * 1e6 / delivered,
        p50_ms: quantile(&took, 0.5),
        p99_ms: quantile(&took, 0.99),
    })
}

fn used(servers: &[Process]) -> Result<Duration> {
    servers.iter().map(|it| it.cpu()).sum()
}
