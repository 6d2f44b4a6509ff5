//! The command line as people and the SDK type it. Parsing only: nothing is read or opened here.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use protocol::setting::SandboxMode;

/// An agent that works in a folder.
#[derive(Debug, Parser)]
#[command(name = "zspark", version, arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Give the agent one prompt and wait for the end of its turn.
    #[command(visible_alias = "e")]
    Exec(Box<Exec>),
    /// List threads, newest first.
    Threads(Threads),
    /// Look at this machine: what works, what does not, and what to do.
    Doctor(Doctor),
    /// Print a completion script for a shell.
    #[command(visible_alias = "completion")]
    Completions {
        /// The shell.
        #[arg(value_enum, default_value = "bash")]
        shell: clap_complete::Shell,
    },
}

/// `zspark exec`.
#[derive(Debug, Args)]
pub(crate) struct Exec {
    #[command(subcommand)]
    pub(crate) command: Option<ExecCommand>,
    #[command(flatten)]
    pub(crate) common: Common,
    /// The prompt. Read from stdin when absent or `-`; with a prompt, piped input is added to it as a `<stdin>` block.
    pub(crate) prompt: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ExecCommand {
    /// Go on with an earlier thread.
    Resume(Resume),
}

/// `zspark exec resume`.
#[derive(Debug, Args)]
pub(crate) struct Resume {
    /// Id or title of the thread. With --last, this is the prompt.
    #[arg(value_name = "THREAD")]
    pub(crate) thread: Option<String>,
    /// The prompt. Read from stdin when absent or `-`.
    pub(crate) prompt: Option<String>,
    /// The thread of this folder that was used last.
    #[arg(long)]
    pub(crate) last: bool,
    /// With --last: of all folders.
    #[arg(long, requires = "last")]
    pub(crate) all: bool,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// Options of `exec`, before or after `resume`.
#[derive(Debug, Default, Args)]
pub(crate) struct Common {
    /// Set a configuration value for this run. The value is TOML; what is no TOML is taken as text.
    #[arg(short = 'c', long = "config", value_name = "KEY=VALUE")]
    pub(crate) config: Vec<String>,
    /// Lay `NAME.config.toml` over `config.toml`.
    #[arg(short, long, value_name = "NAME")]
    pub(crate) profile: Option<String>,
    /// The model.
    #[arg(short, long)]
    pub(crate) model: Option<String>,
    /// What commands may touch [default: what is configured, else read-only].
    #[arg(short, long, value_enum, value_name = "MODE")]
    pub(crate) sandbox: Option<Sandbox>,
    /// Work in this folder instead of the current one.
    #[arg(short = 'C', long = "cd", value_name = "DIR")]
    pub(crate) cd: Option<PathBuf>,
    /// One more folder that may be written in workspace-write (repeatable).
    #[arg(long, value_name = "DIR")]
    pub(crate) add_dir: Vec<PathBuf>,
    /// Images or other files that come with the prompt (repeatable).
    #[arg(short, long = "image", value_name = "FILE", num_args = 1..)]
    pub(crate) image: Vec<PathBuf>,
    /// Work in a folder that is in no git repository.
    #[arg(long)]
    pub(crate) skip_git_repo_check: bool,
    /// Keep nothing of the thread.
    #[arg(long)]
    pub(crate) ephemeral: bool,
    /// JSON Schema file that the last message must follow.
    #[arg(long, value_name = "FILE")]
    pub(crate) output_schema: Option<PathBuf>,
    /// Write the last message to this file too.
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output_last_message: Option<PathBuf>,
    /// Print events as JSON lines instead of the last message.
    #[arg(long, alias = "experimental-json")]
    pub(crate) json: bool,
    /// Colours in the progress on stderr.
    #[arg(long, value_enum, value_name = "WHEN")]
    pub(crate) color: Option<Color>,
    /// The same as --sandbox workspace-write.
    #[arg(long, hide = true)]
    pub(crate) full_auto: bool,
    /// Run everything without sandbox and without asking. Only for machines that are a sandbox themselves.
    #[arg(long, alias = "yolo", conflicts_with_all = ["sandbox", "full_auto"])]
    pub(crate) dangerously_bypass_approvals_and_sandbox: bool,
    /// The SDK names where a thread came from; nothing here depends on it.
    #[arg(long, hide = true, value_name = "SOURCE")]
    pub(crate) thread_source: Option<String>,
    /// The SDK passes it for one provider's programme; nothing here depends on it.
    #[arg(long, hide = true, value_name = "PROGRAM")]
    pub(crate) cyber_access_program: Option<String>,
}

impl Common {
    /// What stands after `resume` wins over what stands before it; lists are joined.
    pub(crate) fn over(self, outer: Self) -> Self {
        Self {
            config: joined(outer.config, self.config),
            profile: self.profile.or(outer.profile),
            model: self.model.or(outer.model),
            sandbox: self.sandbox.or(outer.sandbox),
            cd: self.cd.or(outer.cd),
            add_dir: joined(outer.add_dir, self.add_dir),
            image: joined(outer.image, self.image),
            skip_git_repo_check: self.skip_git_repo_check || outer.skip_git_repo_check,
            ephemeral: self.ephemeral || outer.ephemeral,
            output_schema: self.output_schema.or(outer.output_schema),
            output_last_message: self.output_last_message.or(outer.output_last_message),
            json: self.json || outer.json,
            color: self.color.or(outer.color),
            full_auto: self.full_auto || outer.full_auto,
            dangerously_bypass_approvals_and_sandbox: self.dangerously_bypass_approvals_and_sandbox
                || outer.dangerously_bypass_approvals_and_sandbox,
            thread_source: self.thread_source.or(outer.thread_source),
            cyber_access_program: self.cyber_access_program.or(outer.cyber_access_program),
        }
    }

    /// The sandbox that the flags ask for, if they do.
    pub(crate) fn sandbox_mode(&self) -> Option<SandboxMode> {
        if self.dangerously_bypass_approvals_and_sandbox {
            return Some(SandboxMode::DangerFullAccess);
        }
        let asked = self.sandbox.map(|it| match it {
            Sandbox::ReadOnly => SandboxMode::ReadOnly,
            Sandbox::WorkspaceWrite => SandboxMode::WorkspaceWrite,
            Sandbox::DangerFullAccess => SandboxMode::DangerFullAccess,
        });
        asked.or(self.full_auto.then_some(SandboxMode::WorkspaceWrite))
    }
}

fn joined<T>(mut first: Vec<T>, second: Vec<T>) -> Vec<T> {
    first.extend(second);
    first
}

/// `--sandbox`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Sandbox {
    /// Read everything, write nothing, no network.
    ReadOnly,
    /// Write in the folder, no network unless configured.
    WorkspaceWrite,
    /// No sandbox.
    DangerFullAccess,
}

/// `--color`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// Even into a pipe.
    Always,
    /// Not even on a terminal.
    Never,
    /// On a terminal.
    Auto,
}

/// `zspark threads`.
#[derive(Debug, Args)]
pub(crate) struct Threads {
    /// Only threads in which these words occur.
    #[arg(long, value_name = "WORDS")]
    pub(crate) search: Option<String>,
    /// The archived ones.
    #[arg(long, conflicts_with = "search")]
    pub(crate) archived: bool,
    /// As one JSON array.
    #[arg(long)]
    pub(crate) json: bool,
}

/// `zspark doctor`.
#[derive(Debug, Args)]
pub(crate) struct Doctor {
    /// As one JSON array.
    #[arg(long)]
    pub(crate) json: bool,
}

#[cfg(test)]
mod tests;
