//! `exec_command`: runs a command in a shell, under the sandbox, and gives back its output or its number.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use protocol::setting::SandboxMode;
use protocol::{ItemKind, ItemStatus};
use schemars::JsonSchema;
use serde::Deserialize;
use tokio::sync::OnceCell;

use super::apply_patch;
use crate::command;
use crate::exec::{Look, Process, Processes, Start};
use crate::patch::absolute;
use crate::sandbox::{Policy, Sandbox, Spawn};
use crate::tool::{Access, Begin, CommandAccess, Cx, End, Grant, Output, Step, Tool};

mod login;

/// Bytes a token is taken for.
const BYTES_PER_TOKEN: u64 = 4;

/// Runs a command in a shell and returns its output. A command that is still running after `yield_time_ms` goes on
/// in the background under a session ID: poll it or type into it with `write_stdin`. Keep servers and watchers in the
/// foreground and let them become such a session: whatever a command leaves behind with `&` ends with the command.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
pub struct Input {
    /// The shell command.
    pub cmd: String,
    /// Folder to run it in; the thread's folder by default.
    #[serde(default)]
    pub workdir: Option<String>,
    /// Shell to run it with; the user's shell by default.
    #[serde(default)]
    pub shell: Option<String>,
    /// Run it as a login shell, with the user's profile. True by default.
    #[serde(default)]
    pub login: Option<bool>,
    /// Give it a terminal, so that it can be typed into with `write_stdin`. False by default: plain pipes, no input.
    #[serde(default)]
    pub tty: Option<bool>,
    /// Milliseconds to wait for its end before it goes to the background, from 250 to 30000; 10000 by default.
    #[serde(default)]
    pub yield_time_ms: Option<u64>,
    /// Tokens of output to return; more is cut in the middle. 10000 by default.
    #[serde(default)]
    pub max_output_tokens: Option<u64>,
    /// Set to `require_escalated` to ask the user for running it without the sandbox.
    #[serde(default)]
    pub sandbox_permissions: Option<SandboxPermissions>,
    /// With `require_escalated`: one short question to the user that says why it is needed.
    #[serde(default)]
    pub justification: Option<String>,
    /// With `require_escalated`: the words by which similar commands begin, offered to the user as a standing
    /// permission. Never propose a prefix that allows arbitrary code.
    #[serde(default)]
    pub prefix_rule: Option<Vec<String>>,
}

/// Whether the sandbox may stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SandboxPermissions {
    /// Inside the sandbox.
    UseDefault,
    /// Without it, if the user agrees.
    RequireEscalated,
}

/// The tool.
pub struct ExecCommand {
    processes: Arc<Processes>,
    sandbox: Arc<dyn Sandbox>,
    env: Arc<BTreeMap<String, String>>,
    shell: PathBuf,
    /// What a login shell makes of `env`; `None` where that could not be found out.
    login: OnceCell<Option<BTreeMap<String, String>>>,
}

impl ExecCommand {
    /// `env` is all that commands get, already without secrets; its `SHELL` is the user's shell.
    #[must_use]
    pub fn new(processes: Arc<Processes>, sandbox: Arc<dyn Sandbox>, env: BTreeMap<String, String>) -> Self {
        let shell = user_shell(&env);
        Self {
            processes,
            sandbox,
            env: Arc::new(env),
            shell,
            login: OnceCell::new(),
        }
    }

    /// What people and rules see: the command, or the call of the shell where it is not the person's own. A shell runs
    /// what it likes, so it is a program like any other.
    fn shown(&self, input: &Input) -> String {
        let other = input.shell.as_ref().filter(|it| Path::new(it) != self.shell);
        let Some(shell) = other else { return input.cmd.clone() };
        let args = shell_args(Path::new(shell), &input.cmd, input.login.unwrap_or(true));
        let args: Vec<_> = args.iter().map(|it| it.to_string_lossy()).collect();
        command::quoted(std::iter::once(shell.as_str()).chain(args.iter().map(AsRef::as_ref)))
    }

    async fn spawn(&self, input: &Input, cwd: PathBuf, policy: &Policy) -> Spawn {
        let shell = input.shell.as_ref().map_or_else(|| self.shell.clone(), PathBuf::from);
        let mut login = input.login.unwrap_or(true);
        let mut env = self.env.as_ref().clone();
        if login
            && shell == self.shell
            && let Some(profile) = self
                .login
                .get_or_init(|| login::environment(&self.shell, &self.env))
                .await
        {
            env.clone_from(profile);
            login = false;
        }
        // A pager would wait for somebody to press a key.
        for name in ["PAGER", "GIT_PAGER", "GH_PAGER"] {
            env.insert(name.to_owned(), "cat".to_owned());
        }
        if input.tty == Some(true) {
            env.entry("TERM".to_owned())
                .or_insert_with(|| "xterm-256color".to_owned());
        } else {
            env.insert("TERM".to_owned(), "dumb".to_owned());
            env.insert("NO_COLOR".to_owned(), "1".to_owned());
        }
        match policy.mode {
            SandboxMode::ReadOnly => {
                env.insert("ZSPARK_SANDBOX".to_owned(), "read-only".to_owned());
            }
            SandboxMode::WorkspaceWrite => {
                env.insert("ZSPARK_SANDBOX".to_owned(), "workspace-write".to_owned());
            }
            SandboxMode::DangerFullAccess => {}
        }
        Spawn {
            args: shell_args(&shell, &input.cmd, login),
            program: shell,
            cwd,
            env,
            supervised: false,
        }
    }
}

impl Tool for ExecCommand {
    const NAME: &'static str = "exec_command";
    type Input = Input;

    fn begin(&self, input: &Input, cx: &Cx) -> Result<Begin, String> {
        if input.cmd.trim().is_empty() {
            return Err("cmd must not be empty".to_owned());
        }
        let cwd = folder(input, cx);
        if let Some((patch, dir)) = patch(input, &cwd) {
            return apply_patch::begin(&patch, &dir);
        }
        let escalated = input.sandbox_permissions == Some(SandboxPermissions::RequireEscalated);
        let command = self.shown(input);
        Ok(Begin {
            item: Some(item(command.clone(), &cwd, false)),
            access: Access::Command(CommandAccess {
                command,
                shell: shell_name(&self.shell),
                cwd,
                escalated,
                justification: input.justification.clone(),
                prefix_rule: input.prefix_rule.clone(),
            }),
        })
    }

    async fn run(&self, input: Input, step: Step<'_>) -> End {
        let cwd = folder(&input, step.cx);
        if let Some((patch, dir)) = patch(&input, &cwd) {
            return apply_patch::run(patch, dir, step).await;
        }
        let mut policy = step.cx.policy.clone();
        let escalated = step.grant == Grant::Unsandboxed;
        if escalated {
            policy.mode = SandboxMode::DangerFullAccess;
        }
        let kind = item(self.shown(&input), &cwd, escalated);
        let failed = |why: String| End {
            item: Some(kind.clone()),
            status: ItemStatus::Failed,
            output: Output::Failed(format!("exec_command failed: {why}")),
        };
        if !cwd.is_dir() {
            return failed(format!("{} is not a folder", cwd.display()));
        }
        let confined = match self.sandbox.confine(self.spawn(&input, cwd, &policy).await, &policy) {
            Ok(it) => it,
            Err(error) => return failed(error.to_string()),
        };
        let started = self.processes.start(Start {
            spawn: confined,
            tty: input.tty.unwrap_or(false),
            item: step.item_id.clone(),
            kind: kind.clone(),
            confined: policy.mode != SandboxMode::DangerFullAccess,
            recorder: Arc::clone(&step.cx.recorder),
            stop: step.cx.stop.clone(),
        });
        let process = match started.await {
            Ok(it) => it,
            Err(error) => return failed(error.to_string()),
        };
        let patience = Duration::from_millis(input.yield_time_ms.unwrap_or(10_000).clamp(250, 30_000));
        let look = process
            .look(patience, limit(input.max_output_tokens), &step.cx.stop)
            .await;
        if let Some(status) = look.ended {
            self.processes.forget(process.id);
            return End {
                output: answer(&process, &look),
                item: Some(look.kind),
                status,
            };
        }
        // Between the look and this line it may have ended; then its end is reported here after all.
        let ended = process.detach(|kind| step.cx.recorder.update(step.item_id, kind.clone()));
        let output = answer(&process, &look);
        match ended {
            None => End {
                item: None,
                status: ItemStatus::InProgress,
                output,
            },
            Some((kind, status)) => End {
                item: Some(kind),
                status,
                output,
            },
        }
    }
}

fn item(command: String, cwd: &Path, escalated: bool) -> ItemKind {
    ItemKind::Command {
        command,
        cwd: cwd.to_string_lossy().into_owned(),
        tail: String::new(),
        output: None,
        exit_code: None,
        escalated,
        process: None,
        sandbox_denied: false,
    }
}

/// The person's own shell can be trusted wherever it lies, so its name is enough.
fn shell_name(shell: &Path) -> String {
    shell.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

fn folder(input: &Input, cx: &Cx) -> PathBuf {
    input
        .workdir
        .as_ref()
        .map_or_else(|| cx.cwd.clone(), |it| absolute(&cx.cwd, it))
}

/// Some models hand their patch to the shell; it is a patch all the same.
fn patch(input: &Input, cwd: &Path) -> Option<(String, PathBuf)> {
    let found = command::heredoc_patch(&input.cmd)?;
    let dir = found.dir.map_or_else(|| cwd.to_owned(), |it| absolute(cwd, &it));
    Some((found.patch, dir))
}

pub(super) fn limit(tokens: Option<u64>) -> usize {
    usize::try_from(tokens.unwrap_or(10_000).max(1).saturating_mul(BYTES_PER_TOKEN)).unwrap_or(usize::MAX)
}

/// What the model reads about a look at a process.
pub(super) fn answer(process: &Process, look: &Look) -> Output {
    let mut text = format!(
        "Chunk ID: {}\nWall time: {:.4} seconds\n",
        chunk_id(),
        look.waited.as_secs_f64()
    );
    let mut denied = false;
    match (&look.ended, &look.kind) {
        (
            Some(_),
            ItemKind::Command {
                exit_code,
                sandbox_denied,
                ..
            },
        ) => {
            denied = *sandbox_denied;
            text += &format!("Process exited with code {}\n", exit_code.unwrap_or(-1));
        }
        _ => text += &format!("Process running with session ID {}\n", process.id),
    }
    text += &format!("Original token count: {}\nOutput:\n", look.shown.tokens());
    if look.shown.omitted > 0 {
        text += &format!(
            "Warning: truncated output (original token count: {})\n\n",
            look.shown.tokens()
        );
    }
    if look.shown.binary {
        text += "Note: this is binary data; what is no text is shown as \u{fffd}.\n";
    }
    text += &look.shown.text;
    if denied {
        text += "\n\nThe sandbox may have refused this. If the command is needed, call exec_command again with \
                 sandbox_permissions \"require_escalated\" and a justification, so that the user can allow it.";
    }
    match look.ended {
        Some(ItemStatus::Interrupted) => Output::Failed(format!("{text}\naborted by user")),
        _ => Output::text(text),
    }
}

/// Six hexadecimal digits that tell one answer from another.
fn chunk_id() -> String {
    format!("{:06x}", rand::random::<u32>() & 0x00ff_ffff)
}

fn user_shell(env: &BTreeMap<String, String>) -> PathBuf {
    if cfg!(windows) {
        return PathBuf::from("powershell.exe");
    }
    // A shell that does not take `-lc`, such as fish's cousins, would fail on every command.
    let known = ["bash", "zsh", "sh", "dash", "ksh"];
    env.get("SHELL")
        .map(PathBuf::from)
        .filter(|it| {
            it.file_name()
                .and_then(|it| it.to_str())
                .is_some_and(|it| known.contains(&it))
                && it.is_file()
        })
        .or_else(|| {
            ["/bin/bash", "/bin/sh"]
                .map(PathBuf::from)
                .into_iter()
                .find(|it| it.is_file())
        })
        .unwrap_or_else(|| PathBuf::from("sh"))
}

fn shell_args(shell: &Path, command: &str, login: bool) -> Vec<OsString> {
    match shell_name(shell).to_lowercase().as_str() {
        "powershell" | "pwsh" => {
            let mut args = vec![OsString::from("-NoLogo")];
            if !login {
                args.push("-NoProfile".into());
            }
            args.extend(["-Command".into(), command.into()]);
            args
        }
        "cmd" => vec!["/d".into(), "/c".into(), command.into()],
        _ => vec![if login { "-lc" } else { "-c" }.into(), command.into()],
    }
}
