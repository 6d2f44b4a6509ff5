//! `cargo xtask test`: everything that can say whether this repository is well, in one go, built once.

use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::machine::{self, Need};
use crate::step::{self, Counts, Outcome};
use crate::ui;

/// The steps in their order: what fails soonest comes first, what needs all binaries last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Format,
    Types,
    Lint,
    Ui,
    Browser,
    Rust,
    Clippy,
    Desktop,
}

const STEPS: &[Step] = &[
    Step::Format,
    Step::Types,
    Step::Lint,
    Step::Ui,
    Step::Browser,
    Step::Rust,
    Step::Clippy,
    Step::Desktop,
];

impl Step {
    fn name(self) -> &'static str {
        match self {
            Self::Format => "format",
            Self::Types => "types",
            Self::Lint => "lint",
            Self::Ui => "ui",
            Self::Browser => "browser",
            Self::Rust => "rust",
            Self::Clippy => "clippy",
            Self::Desktop => "desktop",
        }
    }

    /// Whether words that select tests mean something to it.
    fn has_named_tests(self) -> bool {
        match self {
            Self::Ui | Self::Rust | Self::Desktop => true,
            Self::Format | Self::Types | Self::Lint | Self::Browser | Self::Clippy => false,
        }
    }

    /// The window can only be driven on Linux: macOS has no driver, and Windows' wants Edge's own.
    fn runs_here(self) -> bool {
        match self {
            Self::Browser | Self::Desktop => cfg!(target_os = "linux"),
            Self::Format | Self::Types | Self::Lint | Self::Ui | Self::Rust | Self::Clippy => true,
        }
    }

    /// Several times what it takes on two busy cores. All together stay below what the continuous integration allows.
    fn limit(self) -> Duration {
        Duration::from_secs(match self {
            Self::Format | Self::Types | Self::Lint => 3 * 60,
            Self::Ui | Self::Browser => 6 * 60,
            Self::Rust => 30 * 60,
            Self::Clippy => 12 * 60,
            Self::Desktop => 15 * 60,
        })
    }

    fn command(self, names: &[&str]) -> Result<Command> {
        Ok(match self {
            Self::Format => with(step::cargo(), &["fmt", "--all", "--check"]),
            Self::Types => with(step::npm(), &["run", "--silent", "typecheck"]),
            Self::Lint => with(step::npm(), &["run", "--silent", "lint"]),
            Self::Ui => {
                let mut vitest = with(step::npm(), &["run", "--silent", "test"]);
                if !names.is_empty() {
                    vitest.args(["--", "--testNamePattern", &names.join("|")]);
                }
                vitest
            }
            Self::Browser => with(step::npm(), &["run", "--silent", "e2e"]),
            Self::Rust => {
                let mut test = with(step::cargo(), &["test", "--workspace", "--no-fail-fast", "--"]);
                test.args(names);
                test
            }
            Self::Clippy => with(
                step::cargo(),
                &["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"],
            ),
            Self::Desktop => desktop(names)?,
        })
    }
}

/// Runs the steps that `filters` name, or all; other words of it select tests by their names.
pub(crate) fn test(filters: &[String]) -> Result<ExitCode> {
    let is_step = |word: &str| STEPS.iter().any(|it| it.name() == word);
    let (steps, names): (Vec<&str>, Vec<&str>) = filters.iter().map(String::as_str).partition(|it| is_step(it));
    let chosen: Vec<Step> = STEPS
        .iter()
        .copied()
        .filter(|it| it.runs_here())
        .filter(|it| steps.is_empty() || steps.contains(&it.name()))
        .filter(|it| names.is_empty() || it.has_named_tests() || steps.contains(&it.name()))
        .collect();
    if chosen.is_empty() {
        bail!("nothing to do: none of these steps runs on this system");
    }
    machine::prepare(Need::Test)?;
    ui::build()?;
    let start = Instant::now();
    let mut total = Counts::default();
    let mut report = Vec::new();
    for step in chosen {
        eprintln!("\n── {} ──", step.name());
        let outcome = step
            .command(&names)
            .and_then(|mut it| step::counted(&mut it, step.limit()));
        let Outcome { counts, took, ok } = outcome.unwrap_or_else(|error| {
            eprintln!("error: {error:#}");
            Outcome {
                counts: Counts { passed: 0, failed: 1 },
                took: Duration::ZERO,
                ok: false,
            }
        });
        total += counts;
        report.push(format!(
            "{} {:<8} {:>6.1} s  {}",
            if ok { "ok    " } else { "FAILED" },
            step.name(),
            took.as_secs_f64(),
            if counts == Counts::default() {
                String::new()
            } else {
                format!("{} passed, {} failed", counts.passed, counts.failed)
            }
        ));
    }
    println!("\n{}\nin {:.0} s", report.join("\n"), start.elapsed().as_secs_f64());
    println!("{} passed, {} failed", total.passed, total.failed);
    Ok(if total.failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// The scenarios in a real window: a display, a session bus and a window manager of their own.
fn desktop(names: &[&str]) -> Result<Command> {
    // The same command as the step `rust`, so that nothing is built twice: all programs, and the source of dragged files.
    step::run(step::cargo().args(["test", "--workspace", "--no-run", "--quiet"]))?;
    let binaries = step::target().join("debug");
    let mut command = step::on_a_display("node");
    command.args(["--test", "--test-concurrency=1", "--test-reporter=spec"]);
    if !names.is_empty() {
        command.arg(format!("--test-name-pattern={}", names.join("|")));
    }
    command
        .args(scenarios()?)
        .env("ZSPARK_E2E_BINARIES", &binaries)
        .env("ZSPARK_E2E_DRIVER", machine::tauri_driver()?)
        .env("ZSPARK_E2E_PICTURES", step::target().join("e2e"));
    Ok(command)
}

/// Named one by one, because Node's versions disagree on what a folder means.
fn scenarios() -> Result<Vec<PathBuf>> {
    let folder = step::root().join("ui/e2e/desktop");
    let mut files = Vec::new();
    for entry in std::fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let path = entry?.path();
        if path.to_string_lossy().ends_with(".test.mjs") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn with(mut command: Command, arguments: &[&str]) -> Command {
    command.args(arguments);
    command
}
