//! `cargo xtask run`: builds everything that the window needs, and opens it.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};

use crate::machine::Need;
use crate::{machine, step, ui};

/// Opens the window, on `folder` if there is one; ends when the window does.
pub(crate) fn run(release: bool, folder: Option<&Path>) -> Result<ExitCode> {
    let folder = folder.map(std::path::absolute).transpose()?;
    machine::prepare(Need::Build)?;
    ui::build()?;
    let profile = if release { "release" } else { "dev" };
    let mut build = step::cargo();
    build.args(["build", "--workspace", "--profile", profile]);
    // The command line goes along, because the window starts its sandboxed commands through it.
    step::run(build.args(["--bin", "zspark-desktop", "--bin", "zspark"]))?;
    let program = step::target()
        .join(if release { "release" } else { "debug" })
        .join(format!("zspark-desktop{}", std::env::consts::EXE_SUFFIX));
    let mut window = if machine::has_display() {
        step::command(program)
    } else {
        eprintln!("There is no display here, so the window opens on a virtual one (xvfb-run).");
        let mut xvfb = step::command("xvfb-run");
        xvfb.args(["--auto-servernum", "--server-args=-screen 0 1440x900x24"])
            .arg(program);
        xvfb
    };
    window.args(folder);
    eprintln!("$ {}", step::shown(&window));
    let status = window.status().context("cannot open the window")?;
    Ok(if status.success() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
