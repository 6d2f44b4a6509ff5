//! How the program was started: its arguments, its home, its diagnostics. The only reader of the environment.

use std::ffi::OsString;
use std::fs::OpenOptions;
use std::path::{Path, PathBuf};

use agent::home::Home;
use tracing_subscriber::EnvFilter;

#[cfg(test)]
mod tests;

const USAGE: &str = "Usage: zspark-desktop [FOLDER]

Opens the zspark window; with FOLDER, on a new thread that works there.

Options:
  -h, --help     Print this help
  -V, --version  Print the version";

/// What was asked for at the start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Start {
    /// Where everything is kept.
    pub(crate) home: Home,
    /// The folder to open on, absolute.
    pub(crate) folder: Option<PathBuf>,
}

/// The program ends before it opened anything.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Leave {
    /// It said what it was asked.
    Said(String),
    /// It does not understand.
    Refused(String),
}

impl Start {
    /// Reads the arguments, and the home from the environment.
    pub(crate) fn from_arguments(arguments: impl Iterator<Item = OsString>) -> Result<Self, Leave> {
        let folder = folder_argument(arguments, &std::env::current_dir().unwrap_or_default())?;
        #[expect(clippy::disallowed_methods, reason = "this is the composition root")]
        let given = std::env::var_os("ZSPARK_HOME").filter(|it| !it.is_empty());
        let root = match given {
            Some(root) => std::path::absolute(&root).unwrap_or_else(|_| root.into()),
            None => std::env::home_dir()
                .ok_or_else(|| Leave::Refused("zspark-desktop: no home folder; set ZSPARK_HOME".to_owned()))?
                .join(".zspark"),
        };
        Ok(Self {
            home: Home::new(root),
            folder,
        })
    }
}

/// The folder among the arguments of a start in `cwd`, made absolute.
pub(crate) fn folder_argument(arguments: impl Iterator<Item = OsString>, cwd: &Path) -> Result<Option<PathBuf>, Leave> {
    let mut folder = None;
    let mut only_folders = false;
    for argument in arguments {
        let text = argument.to_string_lossy();
        if !only_folders && text.starts_with('-') && text.len() > 1 {
            match &*text {
                "--" => only_folders = true,
                "-h" | "--help" => return Err(Leave::Said(USAGE.to_owned())),
                "-V" | "--version" => {
                    return Err(Leave::Said(format!("zspark-desktop {}", env!("CARGO_PKG_VERSION"))));
                }
                // Old macOS adds a process serial number when the Finder starts a program.
                other if other.starts_with("-psn_") => {}
                other => {
                    return Err(Leave::Refused(format!(
                        "zspark-desktop: unknown option {other}\n\n{USAGE}"
                    )));
                }
            }
        } else if folder.is_some() {
            return Err(Leave::Refused(format!(
                "zspark-desktop: only one folder can be opened\n\n{USAGE}"
            )));
        } else {
            folder = Some(std::path::absolute(cwd.join(&argument)).unwrap_or_else(|_| argument.clone().into()));
        }
    }
    Ok(folder)
}

/// Sends `tracing` to `logs/desktop.log`, as much as `ZSPARK_LOG` asks for. A log that grew is set aside once.
pub(crate) fn write_diagnostics_to(home: &Home) {
    const LARGE: u64 = 4 << 20;
    #[expect(clippy::disallowed_methods, reason = "this is the composition root")]
    let wanted = std::env::var("ZSPARK_LOG").unwrap_or_default();
    let filter =
        EnvFilter::try_new(if wanted.is_empty() { "info" } else { &wanted }).unwrap_or_else(|_| EnvFilter::new("info"));
    let path = home.logs().join("desktop.log");
    let opened = home.prepare().and_then(|()| {
        std::fs::create_dir_all(home.logs())?;
        if std::fs::metadata(&path).is_ok_and(|it| it.len() > LARGE) {
            std::fs::rename(&path, path.with_extension("log.old"))?;
        }
        OpenOptions::new().create(true).append(true).open(&path)
    });
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(false);
    match opened {
        Ok(file) => subscriber.with_writer(std::sync::Arc::new(file)).init(),
        // The window will say why the home cannot be used; here is only the terminal.
        Err(error) => {
            subscriber.with_writer(std::io::stderr).init();
            tracing::warn!(%error, path = %path.display(), "cannot write the log file");
        }
    }
}
