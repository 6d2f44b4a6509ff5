//! The workspace server's figures: builds it and the program that puts load on it, installs the stock clients and the
//! reference from npm, and lets `crates/load` measure.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::step;

/// Measures everything, or what the words name, and prints a table.
pub(super) fn measure(only: &[String]) -> Result<()> {
    // One after the other: what is built for one alone is what is shipped.
    for package in ["server", "load"] {
        step::run(step::cargo().args(["build", "--release", "--package", package]))?;
    }
    let scripts = installed(&step::root().join("crates/load/clients"))?;
    let binary = |name: &str| {
        step::target()
            .join("release")
            .join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
    };
    let mut load = step::command(binary("zspark-load"));
    load.arg("measure")
        .arg("--server")
        .arg(binary("zspark-server"))
        .arg("--scripts")
        .arg(scripts)
        .args(only);
    step::run(&mut load)
}

/// A copy of the scripts with their packages beside them, installed anew when the lock file is another one.
fn installed(source: &Path) -> Result<PathBuf> {
    let folder = step::target().join("bench/clients");
    fs::create_dir_all(&folder)?;
    let files = fs::read_dir(source).with_context(|| source.display().to_string())?;
    for file in files {
        let file = file?.path();
        if let Some(name) = file.file_name().filter(|_| file.is_file()) {
            fs::copy(&file, folder.join(name))?;
        }
    }
    let lock = fs::read(source.join("package-lock.json"))?;
    let done = folder.join("installed.json");
    if fs::read(&done).ok().as_ref() != Some(&lock) {
        let mut npm = step::command(if cfg!(windows) { "npm.cmd" } else { "npm" });
        // One package is compiled: its own SQLite.
        npm.args(["ci", "--no-audit", "--no-fund", "--prefix"]).arg(&folder);
        step::run(&mut npm)?;
        fs::write(&done, lock)?;
    }
    Ok(folder)
}
