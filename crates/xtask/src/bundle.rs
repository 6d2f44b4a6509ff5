//! `cargo xtask bundle`: what is given to people, and whether it is small enough.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};

use crate::machine::{self, Need};
use crate::{step, ui};

/// What cargo builds for it; the workspace's default leaves the desktop out.
const PROGRAMS: &[&str] = &["--package", "zspark-desktop", "--package", "cli"];

/// What a .deb may weigh, in bytes.
pub(crate) const LARGEST_DEB: u64 = 25_000_000;

/// Builds it, and fails when it is too large.
pub(crate) fn bundle() -> Result<ExitCode> {
    let mut too_large = false;
    for (file, size) in build()? {
        too_large |= is_deb(&file) && size > LARGEST_DEB;
        println!("{}  {:.1} MB", file.display(), size as f64 / 1e6);
    }
    if too_large {
        bail!("the .deb is larger than {} MB", LARGEST_DEB / 1_000_000);
    }
    Ok(ExitCode::SUCCESS)
}

/// Builds it with Tauri's bundler, and gives each file with its size in bytes.
pub(crate) fn build() -> Result<Vec<(PathBuf, u64)>> {
    machine::prepare(Need::Build)?;
    ui::build()?;
    let (kinds, folders) = if cfg!(target_os = "macos") {
        ("app,dmg", &["dmg"])
    } else if cfg!(windows) {
        ("nsis", &["nsis"])
    } else {
        ("deb", &["deb"])
    };
    let bundler = step::root()
        .join("ui/node_modules/.bin")
        .join(if cfg!(windows) { "tauri.cmd" } else { "tauri" });
    step::run(
        step::command(bundler)
            .args(["build", "--ci", "--bundles", kinds, "--"])
            .args(PROGRAMS),
    )?;
    let mut built = Vec::new();
    for folder in folders {
        for file in files(&step::target().join("release/bundle").join(folder))? {
            let size = std::fs::metadata(&file)?.len();
            built.push((file, size));
        }
    }
    Ok(built)
}

/// What Debian and its kin install.
pub(crate) fn is_deb(file: &Path) -> bool {
    file.extension().is_some_and(|it| it == "deb")
}

fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder).with_context(|| format!("nothing was built in {}", folder.display()))?;
    let mut files = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.is_file() {
            files.push(path);
        }
    }
    Ok(files)
}
