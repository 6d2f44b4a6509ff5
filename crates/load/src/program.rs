//! A program that talks in lines: both servers, and the scripts that are their clients.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use rustix::process::Signal;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

use crate::process::Process;

/// Longer than anything takes that is waited for here.
const LIMIT: Duration = Duration::from_secs(300);

/// A running program. Dropping it kills it.
#[derive(Debug)]
pub(crate) struct Program {
    name: String,
    child: Child,
    input: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Program {
    /// Starts a command under a name for complaints.
    pub(crate) fn start(name: &str, command: &mut Command) -> Result<Self> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("cannot start {name}"))?;
        let input = child.stdin.take().context("no input")?;
        let output = child.stdout.take().context("no output")?;
        Ok(Self {
            name: name.to_owned(),
            child,
            input,
            lines: BufReader::new(output).lines(),
        })
    }

    /// Starts one of the scripts with its settings.
    pub(crate) fn script(folder: &Path, name: &str, settings: &Value) -> Result<Self> {
        let mut command = Command::new("node");
        command
            .arg("--expose-gc")
            .arg(name)
            .arg(settings.to_string())
            .current_dir(folder);
        Self::start(name, &mut command)
    }

    /// What it prints next.
    pub(crate) async fn line(&mut self) -> Result<String> {
        match timeout(LIMIT, self.lines.next_line()).await {
            Ok(Ok(Some(line))) => Ok(line),
            Ok(Ok(None)) => bail!("{} has ended", self.name),
            Ok(Err(error)) => Err(error).context(self.name.clone()),
            Err(_) => bail!("{} said nothing for {LIMIT:?}", self.name),
        }
    }

    /// The next line, as JSON.
    pub(crate) async fn hear<T: DeserializeOwned>(&mut self) -> Result<T> {
        let line = self.line().await?;
        serde_json::from_str(&line).with_context(|| format!("{} says {line}", self.name))
    }

    /// Writes a line of JSON.
    pub(crate) async fn say(&mut self, value: &Value) -> Result<()> {
        let line = format!("{value}\n");
        let said = self.input.write_all(line.as_bytes()).await;
        said.with_context(|| format!("{} does not listen", self.name))
    }

    /// Says something and hears the answer.
    pub(crate) async fn ask<T: DeserializeOwned>(&mut self, value: &Value) -> Result<T> {
        self.say(value).await?;
        self.hear().await
    }

    /// As the kernel knows it.
    pub(crate) fn process(&self) -> Result<Process> {
        Ok(Process(
            self.child.id().with_context(|| format!("{} has ended", self.name))?,
        ))
    }

    /// Asks it to end, and waits until it did.
    pub(crate) async fn stop(mut self) -> Result<()> {
        self.process()?.signal(Signal::TERM)?;
        let ended = timeout(LIMIT, self.child.wait()).await;
        ended.with_context(|| format!("{} does not end", self.name))??;
        Ok(())
    }

    /// Ends it as a power cut would.
    pub(crate) async fn kill(mut self) -> Result<()> {
        Ok(self.child.kill().await?)
    }
}
