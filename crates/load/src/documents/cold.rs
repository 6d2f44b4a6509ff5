//! A document of a megabyte that the server does not have in memory: how long until a client has all of it.

use anyhow::Result;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::contestant::{Contestant, Ground, Kind};
use crate::figure::{Figure, Target, median};

/// Each of them is loaded once; the first one is for warming up.
const DOCUMENTS: usize = 6;
/// About: what a letter takes depends on its neighbours.
const BYTES: usize = 700_000;

pub(crate) async fn cold(ground: &Ground) -> Result<Vec<Figure>> {
    let (ours, Written { bytes, letters }) = prepared(ground, Kind::Zspark).await?;
    let (theirs, _) = prepared(ground, Kind::Hocuspocus).await?;
    let script = |it: &Contestant| it.script("cold.mjs", json!({"letters": letters}));
    let mut scripts = [script(&ours)?, script(&theirs)?];
    let mut took: [Vec<f64>; 2] = Default::default();
    for (number, name) in names().iter().enumerate() {
        for (script, took) in scripts.iter_mut().zip(&mut took) {
            let Loaded { ms } = script.ask(&json!({"name": name})).await?;
            if number > 0 {
                took.push(ms);
            }
        }
    }
    Ok(vec![Figure {
        name: "cold load of a document of 1 MB, ms",
        ours: median(&took[0]),
        other: median(&took[1]),
        target: Target::Ratio(0.1),
        from: format!("median of {}; {bytes} bytes", took[0].len()),
    }])
}

/// From the first packet to the last byte of the document.
#[derive(Deserialize)]
struct Loaded {
    ms: f64,
}

#[derive(Deserialize)]
struct Written {
    bytes: u64,
    letters: u64,
}

/// A server with all documents on its disk and none of them in its memory.
async fn prepared(ground: &Ground, kind: Kind) -> Result<(Contestant, Written)> {
    let contestant = Contestant::start(ground, kind).await?;
    let mut writer = contestant.script("story.mjs", json!({"names": names(), "bytes": BYTES}))?;
    let written = writer.hear().await?;
    writer.say(&Value::Null).await?;
    Ok((contestant.again(true).await?, written))
}

fn names() -> Vec<String> {
    (0..DOCUMENTS).map(|it| format!("story-{it}")).collect()
}
