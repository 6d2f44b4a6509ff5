//! The `zspark` command: the composition root. Reads arguments and environment, and hands both in.

mod args;
mod doctor;
mod exec;
mod outside;
mod threads;

use std::collections::BTreeMap;
use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use agent::clock::Clock;
use agent::engine::{Engine, Options};
use agent::home::Home;
use agent::sandbox::Launcher;
use clap::{CommandFactory, Parser};
use protocol::request::{DoctorRun, Finding, FindingState, Method, ThreadList, ThreadSearch};
use protocol::{Code, Failure};

use crate::args::{Cli, Command, Doctor, Threads};
use crate::exec::{Stdin, say};
use crate::outside::Outside;

fn main() -> ExitCode {
    agent::sandbox::run_if_asked();
    let code = match Cli::parse().command {
        Command::Completions { shell } => print(&completions(shell)),
        Command::Exec(exec) => outside().map_or_else(refuse, |it| exec::main(*exec, it)),
        Command::Threads(args) => outside().and_then(|it| list_threads(&args, it)).unwrap_or_else(refuse),
        Command::Doctor(args) => outside().and_then(|it| examine(&args, it)).unwrap_or_else(refuse),
    };
    ExitCode::from(code)
}

/// One thread is enough: the work is waiting. Blocking work has threads of its own.
fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(Code::Internal, "the runtime cannot start").details(error.to_string()))
}

fn completions(shell: clap_complete::Shell) -> String {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "zspark", &mut script);
    String::from_utf8_lossy(&script).into_owned()
}

fn list_threads(args: &Threads, outside: Outside) -> Result<u8, Failure> {
    let clock = outside.clock.clone();
    let threads = match &args.search {
        Some(query) => {
            let query = query.clone();
            let hits = ask(outside, ThreadSearch { query })?.0;
            let mut threads: Vec<_> = hits.into_iter().map(|it| it.thread).collect();
            threads.dedup_by(|a, b| a.id == b.id);
            threads
        }
        None => {
            let archived = args.archived;
            ask(outside, ThreadList { archived })?.0
        }
    };
    Ok(if args.json {
        print_json(&threads)
    } else {
        print(&threads::table(&threads, clock.now_ms()))
    })
}

fn examine(args: &Doctor, outside: Outside) -> Result<u8, Failure> {
    let findings = match ask(outside, DoctorRun {}) {
        Ok(answer) => answer.0,
        // What keeps the engine from starting is the finding.
        Err(failure) => vec![Finding {
            name: "start".to_owned(),
            state: FindingState::Broken,
            message: failure.message,
            hint: failure.hint,
        }],
    };
    let code = if args.json {
        print_json(&findings)
    } else {
        print(&doctor::report(&findings))
    };
    Ok(code.max(u8::from(doctor::broken(&findings))))
}

/// Starts an engine for one request.
fn ask<M: Method>(outside: Outside, request: M) -> Result<M::Answer, Failure> {
    let inputs = outside.inputs();
    runtime()?.block_on(async {
        let engine = Engine::start(Options {
            home: outside.home,
            clock: outside.clock,
            inputs,
            launcher: outside.launcher,
            secrets: None,
            attended: false,
            watch: false,
            rest: agent::engine::REST,
        })
        .await?;
        let answer = engine.ask(request).await;
        engine.stop().await;
        answer
    })
}

/// The one place that reads the environment.
fn outside() -> Result<Outside, Failure> {
    let env: BTreeMap<String, String> = std::env::vars_os()
        .filter_map(|(key, value)| Some((key.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    let io = |what: &'static str| {
        move |error: std::io::Error| Failure::new(Code::FolderUnusable, what).details(error.to_string())
    };
    let stdin = std::io::stdin();
    Ok(Outside {
        home: Home::new(home(&env)?),
        clock: Clock::system(),
        launcher: Launcher {
            exe: std::env::current_exe().map_err(io("the program's own file cannot be found"))?,
        },
        managed: managed(&env),
        cwd: std::env::current_dir().map_err(io("the current folder is gone"))?,
        stdin: if stdin.is_terminal() {
            Stdin::Terminal
        } else {
            Stdin::Piped(Box::new(stdin))
        },
        stdout_is_terminal: std::io::stdout().is_terminal(),
        stderr_is_terminal: std::io::stderr().is_terminal(),
        waiting: || say("waiting for stdin to end …\n"),
        env,
    })
}

/// `$ZSPARK_HOME`, else `~/.zspark`.
fn home(env: &BTreeMap<String, String>) -> Result<PathBuf, Failure> {
    let set = |name: &str| env.get(name).filter(|it| !it.is_empty());
    if let Some(home) = set("ZSPARK_HOME") {
        return std::path::absolute(home)
            .map_err(|error| Failure::new(Code::FolderUnusable, "ZSPARK_HOME is no path").details(error.to_string()));
    }
    let person = std::env::home_dir().filter(|it| it.is_absolute());
    let none = || {
        Failure::new(Code::FolderUnusable, "the home folder is not known")
            .hint("Set ZSPARK_HOME to the folder in which zspark keeps its data.")
    };
    Ok(person.ok_or_else(none)?.join(".zspark"))
}

/// The administrator's configuration.
fn managed(env: &BTreeMap<String, String>) -> PathBuf {
    if cfg!(windows) {
        let data = env.get("ProgramData").map_or(r"C:\ProgramData", String::as_str);
        PathBuf::from(data).join("zspark").join("config.toml")
    } else {
        PathBuf::from("/etc/zspark/config.toml")
    }
}

fn print_json(value: &impl serde::Serialize) -> u8 {
    match serde_json::to_string_pretty(value) {
        Ok(text) => print(&(text + "\n")),
        Err(error) => refuse(Failure::new(Code::Internal, error.to_string())),
    }
}

/// Writes to stdout. Whoever closed it has seen enough.
fn print(text: &str) -> u8 {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Ok(()) => 0,
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => 141,
        Err(error) => {
            say(&format!("error: {error}\n"));
            1
        }
    }
}

fn refuse(failure: Failure) -> u8 {
    say(&exec::Paint::None.failure(&failure));
    1
}
