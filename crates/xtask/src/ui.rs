//! The UI's packages and its build.

use anyhow::{Context, Result};

use crate::{machine, step};

/// Installs the UI's packages when they are not those of the lock file.
pub(crate) fn install() -> Result<()> {
    let ui = step::root().join("ui");
    let lock = ui.join("package-lock.json");
    // Kept inside `node_modules`, so that both go and come together.
    let installed = ui.join("node_modules/.installed-lock.json");
    if machine::same(&lock, &installed) {
        return Ok(());
    }
    step::run(step::npm().args(["ci", "--no-audit", "--no-fund"]))?;
    std::fs::copy(&lock, &installed).with_context(|| format!("cannot write {}", installed.display()))?;
    Ok(())
}

/// Builds `ui/dist`, which the desktop program embeds.
pub(crate) fn build() -> Result<()> {
    install()?;
    step::run(step::npm().args(["run", "--silent", "build"]))
}
