//! Runs the binary with a scripted model, a home and a folder of its own, and makes what it prints comparable.

use std::process::Stdio;

use serde_json::{Value, json};
use testkit::{ModelServer, Script, Step, TempHome};
use tokio::io::AsyncWriteExt as _;
use tokio::process::{Child, Command};

/// A scripted model with a home that uses it.
pub(crate) struct Place {
    pub(crate) server: ModelServer,
    pub(crate) home: TempHome,
}

/// How a run ended.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Place {
    /// On the Responses wire.
    pub(crate) async fn new(steps: impl IntoIterator<Item = Step>) -> Self {
        Self::on("responses", steps).await
    }

    pub(crate) async fn on(wire: &str, steps: impl IntoIterator<Item = Step>) -> Self {
        let server = ModelServer::start(Script::turns(steps)).await.unwrap();
        let home = TempHome::with_provider(&server.base_url(), wire).unwrap();
        std::fs::create_dir(home.work().join(".git")).unwrap();
        Self { server, home }
    }

    pub(crate) async fn run(&self, arguments: &[&str]) -> Run {
        run(&self.home, arguments, "").await
    }

    pub(crate) async fn piped(&self, arguments: &[&str], stdin: &str) -> Run {
        run(&self.home, arguments, stdin).await
    }

    /// What `--json` printed, with the thread and the folder by fixed names.
    pub(crate) fn lines(&self, run: &Run) -> Vec<Value> {
        lines(&self.home, &run.stdout)
    }
}

impl Run {
    /// The id of the thread that the first line names.
    pub(crate) fn thread(&self) -> String {
        let first: Value = serde_json::from_str(self.stdout.lines().next().unwrap()).unwrap();
        first["thread_id"].as_str().unwrap().to_owned()
    }
}

/// The binary, knowing nothing of the person who runs the tests.
pub(crate) fn command(home: &TempHome) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_zspark"));
    command
        .env_clear()
        .env("PATH", env!("PATH"))
        .env("HOME", home.path())
        .env("ZSPARK_HOME", home.path())
        .current_dir(home.work())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

pub(crate) async fn run(home: &TempHome, arguments: &[&str], stdin: &str) -> Run {
    let mut child = command(home).args(arguments).spawn().unwrap();
    let mut pipe = child.stdin.take().unwrap();
    // A run that is refused at once does not read it.
    let _ = pipe.write_all(stdin.as_bytes()).await;
    drop(pipe);
    finish(child).await
}

pub(crate) async fn finish(child: Child) -> Run {
    let output = child.wait_with_output().await.unwrap();
    Run {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

pub(crate) fn lines(home: &TempHome, stdout: &str) -> Vec<Value> {
    let work = home.work().canonicalize().unwrap();
    let text = stdout.replace(work.to_str().unwrap(), "/w");
    let line = |text: &str| {
        let mut line: Value = serde_json::from_str(text).unwrap_or_else(|_| json!({ "not json": text }));
        if let Some(id) = line.get_mut("thread_id") {
            *id = "T".into();
        }
        line
    };
    text.lines().map(line).collect()
}

pub(crate) fn thread_started() -> Value {
    json!({ "type": "thread.started", "thread_id": "T" })
}

pub(crate) fn turn_started() -> Value {
    json!({ "type": "turn.started" })
}

/// The end of a turn of so many requests, each with the usage that the scripted model reports.
pub(crate) fn turn_completed(requests: u64) -> Value {
    json!({ "type": "turn.completed", "usage": {
        "input_tokens": 100 * requests, "cached_input_tokens": 50 * requests, "cache_write_input_tokens": 0,
        "output_tokens": 10 * requests, "reasoning_output_tokens": 0,
    } })
}

pub(crate) fn turn_failed(message: &str) -> Value {
    json!({ "type": "turn.failed", "error": { "message": message } })
}

pub(crate) fn item(event: &str, number: u32, kind: &str, fields: Value) -> Value {
    let mut item = json!({ "id": format!("item_{number}"), "type": kind });
    for (key, value) in fields.as_object().unwrap() {
        item[key] = value.clone();
    }
    json!({ "type": format!("item.{event}"), "item": item })
}

pub(crate) fn message(number: u32, text: &str) -> Value {
    item("completed", number, "agent_message", json!({ "text": text }))
}

pub(crate) fn command_started(number: u32, command: &str) -> Value {
    let fields = json!({ "command": command, "aggregated_output": "", "exit_code": null, "status": "in_progress" });
    item("started", number, "command_execution", fields)
}

pub(crate) fn command_ended(number: u32, command: &str, output: &str, exit_code: i32) -> Value {
    let status = if exit_code == 0 { "completed" } else { "failed" };
    let fields = json!({ "command": command, "aggregated_output": output, "exit_code": exit_code, "status": status });
    item("completed", number, "command_execution", fields)
}
