//! The desktop program's figures: what it weighs, and what `ui/e2e/desktop/bench.mjs` measures in a real window.

use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use crate::machine::{self, Need};
use crate::{bundle, step};

/// A frame of the usual 60 a second, in milliseconds.
const FRAME: f64 = 1000.0 / 60.0;

/// Builds the bundle and measures it.
pub(super) fn measure() -> Result<Vec<Figure>> {
    machine::prepare(Need::Test)?;
    let built = bundle::build()?;
    let (_, deb) = built
        .iter()
        .find(|(file, _)| bundle::is_deb(file))
        .context("no .deb was built")?;
    step::run(step::cargo().args(["build", "--release", "--package", "testkit"]))?;
    let mut command = step::on_a_display("node");
    command
        .arg("ui/e2e/desktop/bench.mjs")
        .env("ZSPARK_E2E_BINARIES", step::target().join("release"))
        .env("ZSPARK_E2E_DRIVER", machine::tauri_driver()?)
        .env("ZSPARK_E2E_PICTURES", step::target().join("e2e"))
        .stdout(Stdio::piped());
    eprintln!("$ {}", step::shown(&command));
    let output = command.spawn()?.wait_with_output()?;
    ensure!(
        output.status.success(),
        "the desktop program could not be measured: {}",
        output.status
    );
    figures(*deb, &String::from_utf8_lossy(&output.stdout))
}

/// One line of the table.
#[derive(Debug, PartialEq)]
pub(super) struct Figure {
    name: &'static str,
    value: f64,
    target: f64,
    /// What it was made from.
    from: String,
}

/// What the script prints as its last line.
#[derive(Deserialize)]
struct Measured {
    /// Per cent of one core.
    idle: f64,
    opening: Opening,
    typing: Typing,
}

#[derive(Deserialize)]
struct Opening {
    small: Opened,
    large: Opened,
}

#[derive(Deserialize)]
struct Opened {
    ms: f64,
    mebibytes: f64,
}

#[derive(Deserialize)]
struct Typing {
    quiet: Keys,
    streaming: Keys,
    /// Seen on the screen, a second.
    deltas: f64,
}

/// Milliseconds from a key to the frame that shows it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Keys {
    median: f64,
    worst_of_twenty: f64,
}

fn figures(deb: u64, printed: &str) -> Result<Vec<Figure>> {
    let line = printed.lines().last().unwrap_or_default();
    let Measured { idle, opening, typing } =
        serde_json::from_str(line).with_context(|| format!("these are no figures: {line}"))?;
    let Opening { small, large } = opening;
    let figure = |name, value, target, from: String| Figure {
        name,
        value,
        target,
        from,
    };
    Ok(vec![
        figure(
            "the .deb, MB",
            deb as f64 / 1e6,
            bundle::LARGEST_DEB as f64 / 1e6,
            String::new(),
        ),
        figure("idle, % of a core, WebKit included", idle, 1.0, String::new()),
        figure(
            "opening 10,000 items to 100, time",
            large.ms / small.ms,
            1.5,
            format!("{:.0} ms to {:.0} ms", large.ms, small.ms),
        ),
        figure(
            "opening 10,000 items to 100, peak memory",
            large.mebibytes / small.mebibytes,
            1.5,
            format!("{:.0} MiB to {:.0} MiB", large.mebibytes, small.mebibytes),
        ),
        figure(
            "key to frame at 200 deltas a second, ms",
            typing.streaming.median,
            2.0 * FRAME,
            format!(
                "1 of 20 above {:.0} ms; {:.0} ms without a stream; {:.0} deltas a second seen",
                typing.streaming.worst_of_twenty, typing.quiet.median, typing.deltas
            ),
        ),
    ])
}

/// As a person reads it.
pub(super) fn table(figures: &[Figure]) -> String {
    let mut text = format!("{:<44}{:>10}{:>9}\n", "", "zspark", "target");
    for Figure {
        name,
        value,
        target,
        from,
    } in figures
    {
        let line = format!("{name:<44}{value:>10.2}{:>9}   {from}", format!("{target:.1}"));
        text += line.trim_end();
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests;
