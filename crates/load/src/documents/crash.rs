//! Clients type, the server is killed: how many of the edits that it had acknowledged are gone when it is back.

use std::time::Duration;

use anyhow::{Result, ensure};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::contestant::{BOTH, Contestant, Ground, Kind};
use crate::figure::{Figure, Target};

/// How long they type before each of the kills.
const TYPING: [Duration; 3] = [Duration::from_secs(3), Duration::from_secs(7), Duration::from_secs(12)];

pub(crate) async fn crash(ground: &Ground) -> Result<Vec<Figure>> {
    let mut sums = [Kept::default(); 2];
    for typing in TYPING {
        for (kind, sum) in BOTH.iter().zip(&mut sums) {
            let kept = killed(ground, *kind, typing).await?;
            // Else nothing was tried.
            ensure!(kept.acknowledged > 0, "{kind:?} acknowledged nothing in {typing:?}");
            sum.acknowledged += kept.acknowledged;
            sum.lost += kept.lost;
        }
    }
    let [ours, theirs] = sums;
    Ok(vec![Figure {
        name: "acknowledged edits lost on SIGKILL",
        ours: ours.lost as f64,
        other: theirs.lost as f64,
        target: Target::Most(0.0),
        from: format!(
            "of {} and {} in {} kills; hocuspocus acknowledges what is in its memory",
            ours.acknowledged,
            theirs.acknowledged,
            TYPING.len()
        ),
    }])
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
struct Kept {
    acknowledged: u64,
    lost: u64,
}

async fn killed(ground: &Ground, kind: Kind, typing: Duration) -> Result<Kept> {
    let contestant = Contestant::start(ground, kind).await?;
    let settings = json!({"name": "typed", "clients": 4, "everyMs": 5});
    let mut clients = contestant.script("crash.mjs", settings)?;
    clients.hear::<Value>().await?;
    clients.say(&Value::Null).await?;
    sleep(typing).await;
    let contestant = contestant.again(false).await?;
    clients.hear::<Value>().await?;
    clients.ask(&json!({"place": contestant.place()})).await
}
