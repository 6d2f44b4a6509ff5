//! One command of a chore: shown before it runs, timed, its test counts read from what it prints.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use self::limit::Limit;

mod limit;
#[cfg(test)]
mod tests;

/// The repository.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .components()
        .collect::<PathBuf>()
}

/// Where cargo builds: the `target` folder that this very program runs from.
pub(crate) fn target() -> PathBuf {
    let exe = std::env::current_exe().unwrap_or_default();
    match exe.parent().and_then(Path::parent) {
        Some(target) => target.to_owned(),
        None => root().join("target"),
    }
}

/// A command that runs in the repository.
pub(crate) fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.current_dir(root());
    command
}

/// The cargo that runs this program.
pub(crate) fn cargo() -> Command {
    command(env!("CARGO"))
}

/// A command with a virtual display and a session bus of its own, on which only what the command starts runs: an
/// installed key store that starts by itself would ask somebody for a password.
pub(crate) fn on_a_display(program: &str) -> Command {
    let mut command = command("xvfb-run");
    command
        .args(["--auto-servernum", "--server-args=-screen 0 1440x900x24"])
        .arg("dbus-run-session")
        .args(["--config-file=ui/e2e/desktop/bus.conf", "--", program]);
    command
}

/// npm, which is a script on Windows.
pub(crate) fn npm() -> Command {
    let mut npm = command(if cfg!(windows) { "npm.cmd" } else { "npm" });
    npm.args(["--prefix", "ui"]);
    npm
}

/// As a person would type it.
pub(crate) fn shown(command: &Command) -> String {
    std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(|it| {
            let name = if it == env!("CARGO") {
                "cargo".into()
            } else {
                it.to_string_lossy()
            };
            if name.contains([' ', '*', '$']) {
                format!("'{name}'")
            } else {
                name.into_owned()
            }
        })
        .collect::<Vec<_>>()
        .join(" ")
}

/// Runs it, and fails when it fails.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    eprintln!("$ {}", shown(command));
    let status = command
        .status()
        .with_context(|| format!("cannot start `{}`", shown(command)))?;
    if !status.success() {
        bail!("`{}` failed with {status}", shown(command));
    }
    Ok(())
}

/// Whether it can be started and says yes. Silent.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|it| it.success())
}

/// Tests that ran.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// As they should.
    pub(crate) passed: u64,
    /// Not so.
    pub(crate) failed: u64,
}

impl std::ops::AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

/// How a step of `test` ended.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// Its tests. A step that fails without saying which test did counts as one.
    pub(crate) counts: Counts,
    /// How long it took.
    pub(crate) took: Duration,
    /// Everything is well.
    pub(crate) ok: bool,
}

/// Runs it, shows what it prints while it does, and counts its tests. After `limit` it is ended with all that it started,
/// and has failed.
pub(crate) fn counted(command: &mut Command, limit: Duration) -> Result<Outcome> {
    eprintln!("$ {}", shown(command));
    let start = Instant::now();
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start `{}`", shown(command)))?;
    let limit = Limit::start(child.id(), limit);
    let mut counts = Counts::default();
    if let Some(stdout) = child.stdout.take() {
        let mut lines = BufReader::new(stdout);
        let mut line = Vec::new();
        while lines.read_until(b'\n', &mut line)? > 0 {
            std::io::stdout().write_all(&line)?;
            counts += read_counts(&String::from_utf8_lossy(&line));
            line.clear();
        }
    }
    let ended = child.wait()?;
    if let Some(limit) = limit.over() {
        eprintln!("error: not done after {} minutes; it was ended", limit.as_secs() / 60);
        counts.failed += 1;
    }
    let ok = ended.success() && counts.failed == 0;
    if !ok && counts.failed == 0 {
        counts.failed = 1;
    }
    Ok(Outcome {
        counts,
        took: start.elapsed(),
        ok,
    })
}

/// Reads the closing line of cargo test, vitest, node's test runner, or one like our own.
fn read_counts(line: &str) -> Counts {
    let plain = without_colours(line);
    let line = plain.trim();
    let before = |word: &str| {
        let (head, _) = line.split_once(word)?;
        head.trim_end().rsplit(' ').next()?.parse().ok()
    };
    let after = |prefix: &str| line.strip_prefix(prefix)?.trim().parse().ok();
    let own = line.split(' ').collect::<Vec<_>>();
    if line.starts_with("test result:") || line.starts_with("Tests ") || matches!(own[..], [_, "passed,", _, "failed"])
    {
        return Counts {
            passed: before(" passed").unwrap_or(0),
            failed: before(" failed").unwrap_or(0),
        };
    }
    Counts {
        passed: after("# pass ").or_else(|| after("ℹ pass ")).unwrap_or(0),
        failed: after("# fail ").or_else(|| after("ℹ fail ")).unwrap_or(0),
    }
}

fn without_colours(line: &str) -> String {
    let mut plain = String::new();
    let mut rest = line;
    while let Some((before, escape)) = rest.split_once("\u{1b}[") {
        plain.push_str(before);
        rest = escape.split_once('m').map_or("", |(_, after)| after);
    }
    plain.push_str(rest);
    plain
}
