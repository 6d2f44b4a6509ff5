//! Writes a file for every panic, so that a defect can be reported after the window is gone.

use std::backtrace::Backtrace;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Panics are written to `logs/crash-<time>-<process>.txt` from now on, besides what happens anyway.
pub(crate) fn write_crashes_to(logs: PathBuf) {
    let clock = agent::clock::Clock::system();
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let text = format!(
            "zspark-desktop {} on {} {}\nthread {}\n{panic}\n\n{}\n",
            env!("CARGO_PKG_VERSION"),
            std::env::consts::OS,
            std::env::consts::ARCH,
            std::thread::current().name().unwrap_or("without a name"),
            Backtrace::force_capture(),
        );
        let path = logs.join(format!("crash-{}-{}.txt", clock.now_ms(), std::process::id()));
        if let Err(error) = write(&path, &text) {
            eprintln!("cannot write {}: {error}", path.display());
        }
        before(panic);
    }));
}

fn write(path: &Path, text: &str) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    // Appending, because two threads may panic in the same millisecond.
    OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)?
        .write_all(text.as_bytes())
}
