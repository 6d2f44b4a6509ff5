//! Four readers that stop, and a gigabyte that is sent beside them: by how much the server's memory grows.

use anyhow::Result;
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::contestant::{Contestant, Ground, Kind};
use crate::figure::{Figure, Target};

const READERS: usize = 4;
const UPDATES: usize = 4000;
const BYTES: usize = 250_000;

pub(crate) async fn flood(ground: &Ground) -> Result<Vec<Figure>> {
    let ours = megabytes(ground, Kind::Zspark).await?;
    let theirs = megabytes(ground, Kind::Hocuspocus).await?;
    Ok(vec![Figure {
        name: "growth with 4 stopped readers, 1 GB sent, MB",
        ours: ours.peak,
        other: theirs.peak,
        target: Target::Most(16.0),
        from: format!(
            "the peak of {UPDATES} updates of {} kB; {:.0} and {:.0} at the end",
            BYTES / 1000,
            ours.end,
            theirs.end
        ),
    }])
}

/// By how much it grew, in megabytes.
struct Growth {
    /// At most.
    peak: f64,
    /// When everything was sent.
    end: f64,
}

async fn megabytes(ground: &Ground, kind: Kind) -> Result<Growth> {
    let mut contestant = Contestant::start(ground, kind).await?;
    let mut readers = contestant.script("idle.mjs", json!({"prefix": "flood", "documents": 1}))?;
    readers.ask::<Value>(&json!({"open": READERS})).await?;
    let settings = json!({"name": "flood-0", "updates": UPDATES, "bytes": BYTES});
    let mut writer = contestant.script("flood.mjs", settings)?;
    writer.hear::<Value>().await?;
    contestant.tidy().await?;
    readers.process()?.signal(Signal::STOP)?;
    let server = contestant.process()?;
    let before = server.resident()?;
    server.forget_peak()?;
    writer.ask::<Value>(&json!({})).await?;
    let grown = |now: u64| (now as f64 - before as f64) / 1e6;
    Ok(Growth {
        peak: grown(server.peak()?),
        end: grown(server.resident()?),
    })
}
