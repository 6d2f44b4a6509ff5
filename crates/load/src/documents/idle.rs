//! A thousand clients that are there and do nothing: what each of them costs in memory.

use std::time::Duration;

use anyhow::Result;
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::contestant::{Contestant, Ground, Kind};
use crate::figure::{Figure, Target};

/// Open before anything is counted: what a server only does once is done by then.
const FIRST: usize = 100;
const THEN: usize = 1000;
const DOCUMENTS: usize = 100;
/// For what a server still does after a client has come.
const REST: Duration = Duration::from_secs(3);

pub(crate) async fn idle(ground: &Ground) -> Result<Vec<Figure>> {
    Ok(vec![Figure {
        name: "memory per connection, kB",
        ours: kilobytes(ground, Kind::Zspark).await?,
        other: kilobytes(ground, Kind::Hocuspocus).await?,
        target: Target::Ratio(1.0 / 3.0),
        from: format!("{THEN} more on {DOCUMENTS} open documents; the other after its garbage is collected"),
    }])
}

async fn kilobytes(ground: &Ground, kind: Kind) -> Result<f64> {
    let mut contestant = Contestant::start(ground, kind).await?;
    let settings = json!({"prefix": "idle", "documents": DOCUMENTS});
    let mut clients = contestant.script("idle.mjs", settings)?;
    clients.ask::<Value>(&json!({"open": FIRST})).await?;
    let before = rested(&mut contestant).await?;
    clients.ask::<Value>(&json!({"open": THEN})).await?;
    let after = rested(&mut contestant).await?;
    Ok((after - before) / THEN as f64 / 1000.0)
}

async fn rested(contestant: &mut Contestant) -> Result<f64> {
    sleep(REST).await;
    contestant.tidy().await?;
    Ok(contestant.process()?.memory()? as f64)
}
