//! `cargo xtask bench`: zspark and the reference CLI side by side on one scripted model, alternating, as ratios; then the
//! desktop program in a window. And, when it is named, the workspace server beside others of its kind.
//!
//! It prints and never judges: a busy machine changes figures, and hardly ratios.

mod desktop;
mod model;
mod server;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use wait4::Wait4;

use self::model::{Model, Script};
use crate::step;

/// The reference, as npm has it.
const REFERENCE: &str = "@openai/codex@0.169";
const STARTS: usize = 11;
const CALLS: usize = 200;
const DELTAS: usize = 200_000;

/// The programs there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Program {
    /// The command line, against the reference.
    Cli,
    /// The window.
    Desktop,
    /// The workspace server, against hocuspocus and the plainest things that could do the same.
    Server,
}

/// Builds and measures one program, or the first two, and prints tables. Of the server's measures only those that `words`
/// name, if there are any.
pub(crate) fn bench(only: Option<Program>, words: &[String]) -> Result<ExitCode> {
    if only == Some(Program::Server) {
        if cfg!(target_os = "linux") {
            server::measure(words)?;
        } else {
            println!("What a server uses is read from Linux.");
        }
        return Ok(ExitCode::SUCCESS);
    }
    ensure!(words.is_empty(), "only the server's measures have names");
    if only != Some(Program::Desktop) {
        command_line()?;
    }
    if only != Some(Program::Cli) {
        if cfg!(target_os = "linux") {
            print!("{}", desktop::table(&desktop::measure()?));
        } else {
            println!("A window can only be driven, and so measured, on Linux.");
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn command_line() -> Result<()> {
    let folder = step::target().join("bench");
    fs::create_dir_all(&folder)?;
    let model = Model::start()?;
    let mut contestants = vec![Contestant::zspark(&folder, &model)?];
    match Contestant::reference(&folder, &model) {
        Ok(reference) => contestants.push(reference),
        Err(error) => println!("The reference cannot be run here, so there are no ratios: {error:#}"),
    }
    print!("{}", table(&measure(&model, &contestants)?));
    Ok(())
}

/// What the two are compared by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Measure {
    Start,
    Memory,
    Binary,
    Gap,
    Cpu,
}

impl Measure {
    fn name(self) -> &'static str {
        match self {
            Self::Start => "spawn to first model request, ms",
            Self::Memory => "peak memory of a one-turn exec, MiB",
            Self::Binary => "binary, MB",
            Self::Gap => "between requests, 200 sandboxed calls, ms",
            Self::Cpu => "CPU for 200,000 deltas, s",
        }
    }

    /// zspark's figure should be at most one part in so many of the reference's.
    fn target(self) -> f64 {
        match self {
            Self::Start | Self::Binary | Self::Gap => 8.0,
            Self::Memory => 5.0,
            Self::Cpu => 4.0,
        }
    }
}

/// One line of the table: zspark's figure and the reference's.
type Figures = Vec<(Measure, f64, Option<f64>)>;

fn measure(model: &Model, contestants: &[Contestant]) -> Result<Figures> {
    // Memory comes before the long streams: a child's peak begins with what its parent holds at the fork.
    let mut starts = vec![Vec::new(); contestants.len()];
    let mut memory = vec![Vec::new(); contestants.len()];
    for round in 0..=STARTS {
        for (at, contestant) in contestants.iter().enumerate() {
            let run = contestant.turn(model, Script::Answer)?;
            // The first round fills the disk cache.
            if round > 0 {
                starts[at].push(millis(run.first_request));
                memory[at].push(run.peak_bytes as f64 / 1024.0 / 1024.0);
            }
        }
    }
    let mut gaps = vec![Vec::new(); contestants.len()];
    let mut cpu = vec![Vec::new(); contestants.len()];
    for _ in 0..3 {
        for (at, contestant) in contestants.iter().enumerate() {
            let run = contestant.turn(model, Script::Calls(CALLS))?;
            ensure!(
                run.requests > CALLS,
                "{} made {} requests instead of {}",
                contestant.name,
                run.requests,
                CALLS + 1
            );
            gaps[at].push(millis(run.requesting) / CALLS as f64);
            cpu[at].push(contestant.turn(model, Script::Deltas(DELTAS))?.cpu.as_secs_f64());
        }
    }
    let binaries: Vec<f64> = contestants
        .iter()
        .map(|it| Ok(fs::metadata(&it.program)?.len() as f64 / 1e6))
        .collect::<Result<_>>()?;
    let line = |measure, of: &dyn Fn(usize) -> f64| (measure, of(0), (contestants.len() > 1).then(|| of(1)));
    Ok(vec![
        line(Measure::Start, &|it| median(&starts[it])),
        line(Measure::Memory, &|it| median(&memory[it])),
        line(Measure::Binary, &|it| binaries[it]),
        line(Measure::Gap, &|it| median(&gaps[it])),
        line(Measure::Cpu, &|it| median(&cpu[it])),
    ])
}

fn table(figures: &Figures) -> String {
    let mut text = format!(
        "{:<44}{:>10}{:>12}{:>8}{:>9}\n",
        "", "zspark", "reference", "ratio", "target"
    );
    for (measure, ours, theirs) in figures {
        let target = format!("1/{}", measure.target());
        let (theirs, ratio) = match theirs {
            Some(theirs) => (format!("{theirs:.1}"), format!("1/{:.1}", theirs / ours)),
            None => ("-".to_owned(), "-".to_owned()),
        };
        text += &format!("{:<44}{ours:>10.1}{theirs:>12}{ratio:>8}{target:>9}\n", measure.name());
    }
    text
}

/// A program that runs one turn.
struct Contestant {
    name: &'static str,
    program: PathBuf,
    arguments: Vec<&'static str>,
    home: (&'static str, PathBuf),
    folder: PathBuf,
}

/// One turn of one program.
struct Run {
    first_request: Duration,
    /// From the first request to the last.
    requesting: Duration,
    requests: usize,
    peak_bytes: u64,
    cpu: Duration,
}

impl Contestant {
    fn zspark(folder: &Path, model: &Model) -> Result<Self> {
        step::run(step::cargo().args(["build", "--release", "--package", "cli"]))?;
        let program = step::target()
            .join("release")
            .join(format!("zspark{}", std::env::consts::EXE_SUFFIX));
        Self::new("zspark", program, "ZSPARK_HOME", folder, model)
    }

    fn reference(folder: &Path, model: &Model) -> Result<Self> {
        let packages = folder.join("reference");
        if !packages.join("node_modules/@openai/codex").exists() {
            fs::create_dir_all(&packages)?;
            let mut npm = step::command(if cfg!(windows) { "npm.cmd" } else { "npm" });
            npm.args(["install", "--no-audit", "--no-fund", "--prefix"])
                .arg(&packages)
                .arg(REFERENCE);
            step::run(&mut npm)?;
        }
        let program = find(&packages.join("node_modules/@openai"), "codex")?;
        Self::new("reference", program, "CODEX_HOME", folder, model)
    }

    fn new(name: &'static str, program: PathBuf, variable: &'static str, folder: &Path, model: &Model) -> Result<Self> {
        let home = folder.join(name);
        let work = folder.join(format!("{name}-work"));
        fs::create_dir_all(&home)?;
        fs::create_dir_all(&work)?;
        let config = format!(
            "model = \"scripted\"\nmodel_provider = \"scripted\"\n\n[model_providers.scripted]\n\
             name = \"scripted\"\nbase_url = \"{}\"\nwire_api = \"responses\"\n",
            model.base_url()
        );
        fs::write(home.join("config.toml"), config)?;
        Ok(Self {
            name,
            program,
            arguments: vec!["exec", "--skip-git-repo-check", "--sandbox", "workspace-write", "Go."],
            home: (variable, home),
            folder: work,
        })
    }

    fn turn(&self, model: &Model, script: Script) -> Result<Run> {
        model.play(script);
        let mut command = Command::new(&self.program);
        command
            .args(&self.arguments)
            .env(self.home.0, &self.home.1)
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let start = Instant::now();
        let used = command
            .spawn()
            .with_context(|| self.program.display().to_string())?
            .wait4()?;
        let arrivals = model.arrivals();
        let (Some(first), Some(last)) = (arrivals.first(), arrivals.last()) else {
            bail!("{} never asked the model", self.name);
        };
        ensure!(used.status.success(), "{} failed", self.name);
        Ok(Run {
            first_request: first.duration_since(start),
            requesting: last.duration_since(*first),
            requests: arrivals.len(),
            peak_bytes: used.rusage.maxrss,
            cpu: used.rusage.utime + used.rusage.stime,
        })
    }
}

/// The program itself, below the JavaScript that npm starts it with.
fn find(folder: &Path, name: &str) -> Result<PathBuf> {
    let name = format!("{name}{}", std::env::consts::EXE_SUFFIX);
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.file_name().is_some_and(|it| *it == *name)
                && path.parent().is_some_and(|it| it.ends_with("bin"))
            {
                return Ok(path);
            }
        }
    }
    bail!("there is no {name} below {}", folder.display())
}

fn median(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

#[cfg(test)]
mod tests;
