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
    Ok(vec![Figure {
        name: "growth with 4 stopped readers, 1 GB sent, MB",
        ours: megabytes(ground, Kind::Zspark).await?,
        other: megabytes(ground, Kind::Hocuspocus).await?,
        target: Target::Most(16.0),
        from: format!("the peak; {UPDATES} updates of {} kB", BYTES / 1000),
    }])
}

async fn megabytes(ground: &Ground, kind: Kind) -> Result<f64> {
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
    Ok((server.peak()? as f64 - before as f64) / 1e6)
}
