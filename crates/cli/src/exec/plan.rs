//! Flags, files and stdin as what is to be done. Everything that can be wrong with them is found here, before a thread exists.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use agent::clock::Clock;
use agent::config::{Config, Inputs};
use agent::home::Home;
use agent::sandbox::Launcher;
use protocol::setting::{ApprovalPolicy, Origin, SandboxMode};
use protocol::thread::{Input, ThreadSettingsPatch};
use protocol::{Code, Failure};
use serde::de::DeserializeOwned;
use toml::Value;

use super::{overrides, prompt};
use crate::args::{Common, Exec, ExecCommand};
use crate::outside::Outside;

/// What is to be done.
pub(crate) struct Plan {
    pub(super) home: Home,
    /// The data of a thread that leaves no trace; removed when dropped.
    pub(super) ephemeral: Option<tempfile::TempDir>,
    pub(super) clock: Clock,
    pub(super) launcher: Launcher,
    pub(super) inputs: Inputs,
    pub(super) ask: Ask,
    pub(super) last_message: Option<PathBuf>,
}

/// What is asked of the engine.
pub(super) struct Ask {
    pub(super) target: Target,
    pub(super) cwd: String,
    /// The folder was named, not just found.
    pub(super) cwd_given: bool,
    pub(super) settings: ThreadSettingsPatch,
    pub(super) input: Input,
    pub(super) output_schema: Option<serde_json::Value>,
}

/// Which thread.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Target {
    /// A new one.
    New,
    /// The one with this id or title.
    Named(String),
    /// The one used last, in this folder or in any.
    Last {
        /// In any.
        all: bool,
    },
}

impl Exec {
    /// Whether lines of JSON are asked for.
    pub(crate) fn json(&self) -> bool {
        self.common.json || self.resume().is_some_and(|it| it.json)
    }

    /// What was said about colours.
    pub(crate) fn color(&self) -> Option<crate::args::Color> {
        self.resume().and_then(|it| it.color).or(self.common.color)
    }

    fn resume(&self) -> Option<&Common> {
        self.command.as_ref().map(|ExecCommand::Resume(it)| &it.common)
    }
}

/// Plans the run.
pub(crate) fn plan(exec: Exec, outside: Outside) -> Result<Plan, Failure> {
    let (target, prompt, common) = match exec.command {
        None => (Target::New, exec.prompt, exec.common),
        Some(ExecCommand::Resume(resume)) => {
            let common = resume.common.over(exec.common);
            let (target, prompt) = resumed(resume.thread, resume.prompt, resume.last, resume.all)?;
            (target, prompt, common)
        }
    };
    if common.ephemeral && target != Target::New {
        return Err(Failure::new(
            Code::InvalidRequest,
            "--ephemeral keeps nothing, so there is no thread to go on with",
        )
        .hint("Leave it out to go on with a kept thread."));
    }
    let cwd = folder(&outside.cwd, common.cd.as_deref())?;
    let danger = common.dangerously_bypass_approvals_and_sandbox;
    if target == Target::New && !common.skip_git_repo_check && !danger && !in_repository(&cwd) {
        return Err(Failure::new(
            Code::FolderUnusable,
            format!(
                "{} is in no git repository, so changes could not be looked at and taken back there",
                cwd.display()
            ),
        )
        .hint("Pass --skip-git-repo-check to work there all the same."));
    }
    let output_schema = common.output_schema.as_deref().map(|it| schema(&outside.cwd.join(it)));
    let output_schema = output_schema.transpose()?;
    let inputs = inputs(&common, &outside, &cwd)?;
    let settings = match target {
        Target::New => new_settings(&common, &inputs, &outside.home, &cwd)?,
        Target::Named(_) | Target::Last { .. } => resumed_settings(&common, &inputs),
    };
    let (files, prompt) = prompt::files(common.image, prompt, |it| outside.cwd.join(it).exists());
    let attachments = attachments(&outside.cwd, files)?;
    let text = prompt::compose(prompt, outside.stdin, outside.waiting)?;
    let ephemeral = common.ephemeral.then(|| ephemeral(&outside.home)).transpose()?;
    let home = match &ephemeral {
        Some(folder) => outside.home.with_data(folder.path()),
        None => outside.home,
    };
    Ok(Plan {
        home,
        ephemeral,
        clock: outside.clock,
        launcher: outside.launcher,
        inputs,
        ask: Ask {
            target,
            cwd: cwd.to_string_lossy().into_owned(),
            cwd_given: common.cd.is_some(),
            settings,
            input: Input { text, attachments },
            output_schema,
        },
        last_message: common.output_last_message.map(|it| outside.cwd.join(it)),
    })
}

/// With `--last`, the only argument is the prompt.
fn resumed(
    thread: Option<String>,
    prompt: Option<String>,
    last: bool,
    all: bool,
) -> Result<(Target, Option<String>), Failure> {
    match (thread, prompt, last) {
        (prompt, None, true) => Ok((Target::Last { all }, prompt)),
        (Some(thread), prompt, false) => Ok((Target::Named(thread), prompt)),
        (_, Some(_), true) => Err(Failure::new(
            Code::InvalidRequest,
            "--last and the name of a thread exclude each other",
        )),
        (None, _, false) => Err(Failure::new(Code::InvalidRequest, "which thread?")
            .hint("Give its id or title, or --last. `zspark threads` lists them.")),
    }
}

/// The folder to work in, absolute and without symlinks.
fn folder(cwd: &Path, cd: Option<&Path>) -> Result<PathBuf, Failure> {
    let path = cd.map_or_else(|| cwd.to_owned(), |it| cwd.join(it));
    let unusable =
        |message: String| Failure::new(Code::FolderUnusable, message).hint("Pass the folder to work in with -C DIR.");
    let real = path
        .canonicalize()
        .map_err(|error| unusable(format!("{} cannot be used", path.display())).details(error.to_string()))?;
    if !real.is_dir() {
        return Err(unusable(format!("{} is not a folder", path.display())));
    }
    Ok(real)
}

/// A worktree and a submodule have a file named `.git`, so its kind does not matter.
fn in_repository(folder: &Path) -> bool {
    folder.ancestors().any(|it| it.join(".git").exists())
}

fn schema(path: &Path) -> Result<serde_json::Value, Failure> {
    let name = path.display();
    let text = std::fs::read_to_string(path).map_err(|error| {
        Failure::new(Code::InvalidRequest, format!("the output schema {name} cannot be read"))
            .details(error.to_string())
    })?;
    let schema: serde_json::Value = serde_json::from_str(&text).map_err(|error| {
        Failure::new(
            Code::InvalidRequest,
            format!("the output schema {name} is not valid JSON"),
        )
        .details(error.to_string())
    })?;
    if !schema.is_object() {
        return Err(Failure::new(
            Code::InvalidRequest,
            format!("the output schema {name} is not a JSON object"),
        ));
    }
    Ok(schema)
}

fn attachments(cwd: &Path, files: Vec<PathBuf>) -> Result<Vec<String>, Failure> {
    let check = |path: PathBuf| {
        let path = cwd.join(path);
        match path.metadata() {
            Ok(_) => Ok(path.to_string_lossy().into_owned()),
            Err(error) => Err(
                Failure::new(Code::NotFound, format!("{} cannot be attached", path.display()))
                    .details(error.to_string()),
            ),
        }
    };
    files.into_iter().map(check).collect()
}

/// The configuration's inputs, with what the flags say as overrides.
fn inputs(common: &Common, outside: &Outside, cwd: &Path) -> Result<Inputs, Failure> {
    let mut inputs = outside.inputs();
    inputs.profile.clone_from(&common.profile);
    inputs.overrides = common
        .config
        .iter()
        .map(|it| overrides::parse(it))
        .collect::<Result<_, _>>()?;
    overrides::sdk_provider(&mut inputs.overrides);
    if !common.add_dir.is_empty() {
        let configured = Config::load(&outside.home, &inputs)?
            .for_folder(cwd)?
            .writable_roots
            .value;
        let roots = overrides::writable_roots(&configured, &common.add_dir, &outside.cwd);
        inputs
            .overrides
            .push(("sandbox_workspace_write.writable_roots".to_owned(), roots));
    }
    Ok(inputs)
}

/// What a new thread runs with beyond what is configured. Nobody sits here to be asked, and whoever did not choose a
/// sandbox gets the strictest.
fn new_settings(common: &Common, inputs: &Inputs, home: &Home, cwd: &Path) -> Result<ThreadSettingsPatch, Failure> {
    let configured = Config::load(home, inputs)?.for_folder(cwd)?;
    let approval_given = inputs.overrides.iter().any(|(it, _)| it == "approval_policy");
    let never = common.dangerously_bypass_approvals_and_sandbox || !approval_given;
    let strictest = (configured.sandbox.origin == Origin::Default).then_some(SandboxMode::ReadOnly);
    Ok(ThreadSettingsPatch {
        model: common.model.clone(),
        sandbox: common.sandbox_mode().or(strictest),
        approval: never.then_some(ApprovalPolicy::Never),
        ..ThreadSettingsPatch::default()
    })
}

/// A thread that goes on keeps what it ran with, but for what is asked for here.
fn resumed_settings(common: &Common, inputs: &Inputs) -> ThreadSettingsPatch {
    let said: BTreeMap<&str, &Value> = inputs
        .overrides
        .iter()
        .map(|(key, value)| (key.as_str(), value))
        .collect();
    let never = common
        .dangerously_bypass_approvals_and_sandbox
        .then_some(ApprovalPolicy::Never);
    ThreadSettingsPatch {
        provider: word(&said, "model_provider"),
        model: common.model.clone().or_else(|| word(&said, "model")),
        effort: word(&said, "model_reasoning_effort"),
        sandbox: common.sandbox_mode().or_else(|| word(&said, "sandbox_mode")),
        approval: never.or_else(|| word(&said, "approval_policy")),
    }
}

/// A value that is a known word. What is none is for the configuration to complain about, with its own words.
fn word<T: DeserializeOwned>(said: &BTreeMap<&str, &Value>, key: &str) -> Option<T> {
    let word = said.get(key)?.as_str()?;
    serde_json::from_value(serde_json::Value::String(word.to_owned())).ok()
}

/// In the home and not in the folder for temporary files, because commands may write there.
fn ephemeral(home: &Home) -> Result<tempfile::TempDir, Failure> {
    home.prepare()
        .and_then(|()| tempfile::Builder::new().prefix("ephemeral-").tempdir_in(home.root()))
        .map_err(|error| {
            let message = format!("{} cannot be written", home.root().display());
            Failure::new(Code::FolderUnusable, message).details(error.to_string())
        })
}
