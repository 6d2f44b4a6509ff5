//! The scripted model server as a program, for end-to-end drivers and benches in any language.
//!
//! Prints its base URL as the first line and runs until it is interrupted, or with `--until-stdin-ends` until its standard input ends.
//! `GET /__requests` gives all it was sent and the number of connections; `POST /__release/NAME` opens a gate.

use std::io::Write as _;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Parser;
use testkit::{ModelServer, Script};

/// Answers as a script says, over the Responses and the Chat Completions wire.
#[derive(Parser)]
struct Arguments {
    /// The script, in the JSON form that `testkit::script::file` describes.
    #[arg(long, required_unless_present = "bench")]
    script: Option<PathBuf>,
    /// Built in instead: `loop:N` (N commands, then a message) or `deltas:N` (a message of N deltas).
    #[arg(long, conflicts_with = "script")]
    bench: Option<String>,
    /// The port on 127.0.0.1; a free one by default.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Ends when standard input ends, so that it never outlives its driver.
    #[arg(long)]
    until_stdin_ends: bool,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let script = match (&arguments.script, &arguments.bench) {
        (_, Some(bench)) => Script::bench(bench)?,
        (Some(path), None) => {
            let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
            Script::from_json(&text)?
        }
        (None, None) => anyhow::bail!("--script or --bench is needed"),
    };
    let server = ModelServer::start_at(arguments.port, script).await?;
    let mut out = std::io::stdout();
    writeln!(out, "{}", server.base_url())?;
    out.flush()?;
    if arguments.until_stdin_ends {
        tokio::io::copy(&mut tokio::io::stdin(), &mut tokio::io::sink()).await?;
    } else {
        tokio::signal::ctrl_c().await?;
    }
    Ok(())
}
