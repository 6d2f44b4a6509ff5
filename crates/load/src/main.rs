//! `zspark-load`: puts the same load on the workspace server and on what it is compared with, and prints ratios. Started by
//! `cargo xtask bench server`, which has everything ready that it needs.

mod contestant;
mod documents;
mod figure;
mod process;
mod program;
mod threads;
mod workspace;

use std::path::PathBuf;
use std::time::Instant;

use anyhow::Result;
use clap::{Parser, Subcommand, ValueEnum};

use self::contestant::Ground;
use self::figure::Figure;

#[derive(Parser)]
#[command(about = "The load of `cargo xtask bench server`")]
struct Arguments {
    #[command(subcommand)]
    work: Work,
}

#[derive(Subcommand)]
enum Work {
    /// Measures and prints.
    Measure {
        /// The server's program.
        #[arg(long)]
        server: PathBuf,
        /// The folder of the scripts, with what they need installed.
        #[arg(long)]
        scripts: PathBuf,
        /// Only these.
        measures: Vec<Measure>,
    },
    /// The bare broadcast that the server is compared with: a process of its own.
    #[command(hide = true)]
    Broadcast,
}

/// What can be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Measure {
    Fan,
    Idle,
    Flood,
    Cold,
    Crash,
    Nodes,
    Fanout,
    Ingest,
    Replay,
}

impl Measure {
    async fn take(self, ground: &Ground) -> Result<Vec<Figure>> {
        match self {
            Self::Fan => documents::fan(ground).await,
            Self::Idle => documents::idle(ground).await,
            Self::Flood => documents::flood(ground).await,
            Self::Cold => documents::cold(ground).await,
            Self::Crash => documents::crash(ground).await,
            Self::Nodes => documents::nodes(ground).await,
            Self::Fanout => threads::fanout(ground).await,
            Self::Ingest => threads::ingest(ground).await,
            Self::Replay => threads::replay(ground).await,
        }
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    match Arguments::parse().work {
        Work::Broadcast => match threads::broadcast().await? {},
        Work::Measure {
            server,
            scripts,
            measures,
        } => measure(&Ground { server, scripts }, &measures).await,
    }
}

async fn measure(ground: &Ground, only: &[Measure]) -> Result<()> {
    let chosen = Measure::value_variants()
        .iter()
        .filter(|it| only.is_empty() || only.contains(it));
    let mut figures = Vec::new();
    for measure in chosen {
        let start = Instant::now();
        match measure.take(ground).await {
            Ok(taken) => figures.extend(taken),
            // The others are worth having all the same.
            Err(error) => println!("{measure:?} could not be measured: {error:#}"),
        }
        eprintln!("{measure:?}: {:.0} s", start.elapsed().as_secs_f64());
    }
    print!("{}", figure::table(&figures));
    Ok(())
}
