//! What is in force in one folder: trust, project files, and what a thread there runs with.

use std::path::{Path, PathBuf};

use protocol::setting::{ApprovalPolicy, Effort, Origin, SandboxMode, Sourced};
use protocol::thread::{ThreadSettings, ThreadSettingsPatch};
use protocol::{Code, Failure};

use super::layer::{Layer, Trust, Values};
use super::{Ceilings, Config, EnvPolicy, Stack, text};

/// Bytes of `AGENTS.md` files where nothing else is configured.
const PROJECT_DOC_MAX_BYTES: usize = 32 * 1024;

/// What is in force for threads in one folder.
#[derive(Debug, Clone)]
pub struct Effective {
    /// The folder.
    pub cwd: PathBuf,
    /// The provider new threads use.
    pub provider: Sourced<Option<String>>,
    /// The model new threads use.
    pub model: Sourced<Option<String>>,
    /// How hard it thinks.
    pub effort: Sourced<Option<Effort>>,
    /// What commands may touch.
    pub sandbox: Sourced<SandboxMode>,
    /// When the person is asked.
    pub approval: Sourced<ApprovalPolicy>,
    /// Network inside the sandbox.
    pub network: Sourced<bool>,
    /// `/tmp` may be written.
    pub slash_tmp: bool,
    /// The folder that `TMPDIR` names may be written.
    pub tmpdir: bool,
    /// Further folders that may be written, absolute.
    pub writable_roots: Sourced<Vec<PathBuf>>,
    /// What commands find in their environment.
    pub shell_environment: EnvPolicy,
    /// Bytes of `AGENTS.md` files that reach the model.
    pub project_doc_max_bytes: usize,
    /// Names of files that are read where a folder has no `AGENTS.md`, the first that is there.
    pub project_doc_fallback_filenames: Vec<String>,
    /// Tokens the model can read, where the person knows better.
    pub model_context_window: Option<u64>,
    /// Tokens at which the context is compacted.
    pub model_auto_compact_token_limit: Option<u64>,
    /// The person said that this folder is trusted.
    pub trusted: bool,
    ceilings: Ceilings,
}

impl Effective {
    /// What a thread runs with: the folder's values with what was chosen for the thread on top.
    ///
    /// # Errors
    /// [`Code::NoProvider`] where no provider or model is configured or chosen, [`Code::InvalidRequest`] where the choice passes a
    /// ceiling of the machine's administrator.
    pub fn thread(&self, chosen: &ThreadSettingsPatch) -> Result<ThreadSettings, Failure> {
        self.ceilings.check(chosen.sandbox, chosen.approval)?;
        let provider = chosen.provider.clone().or_else(|| self.provider.value.clone());
        // A model belongs to its provider: the configured one means nothing to another provider.
        let same = chosen.provider.is_none() || chosen.provider == self.provider.value;
        let model = chosen
            .model
            .clone()
            .or_else(|| self.model.value.clone().filter(|_| same));
        let demo = provider.as_deref() == Some(super::DEMO);
        let (Some(provider), Some(model)) = (provider, model.or_else(|| demo.then(|| super::DEMO.to_owned()))) else {
            return Err(Failure::new(Code::NoProvider, "no model is connected yet")
                .hint("Add a provider in the settings, or set model_provider and model in config.toml."));
        };
        Ok(ThreadSettings {
            provider,
            model,
            effort: chosen.effort.or(self.effort.value),
            sandbox: chosen.sandbox.unwrap_or(self.sandbox.value),
            approval: chosen.approval.unwrap_or(self.approval.value),
        })
    }
}

/// The two values that ceilings hold.
pub(super) struct Basics {
    pub(super) sandbox: Sourced<SandboxMode>,
    pub(super) approval: Sourced<ApprovalPolicy>,
}

pub(super) fn basics(stack: &Stack<'_>, ceilings: &Ceilings, trust: Option<Trust>) -> Basics {
    let approval = match trust {
        Some(Trust::Untrusted) => ApprovalPolicy::Untrusted,
        Some(Trust::Trusted) | None => ApprovalPolicy::OnRequest,
    };
    Basics {
        sandbox: ceilings.sandbox(stack.or(SandboxMode::WorkspaceWrite, |it| it.sandbox_mode)),
        approval: ceilings.approval(stack.or(approval, |it| it.approval_policy.map(Into::into))),
    }
}

impl Config {
    /// What is in force in a folder, with the project's own files where the folder is trusted.
    ///
    /// # Errors
    /// [`Code::ConfigBroken`] where any file in force cannot be read.
    pub fn for_folder(&self, cwd: &Path) -> Result<Effective, Failure> {
        if let Some(failure) = &self.0.broken {
            return Err(failure.clone());
        }
        let trust = self.trust(cwd);
        let projects = if trust == Some(Trust::Trusted) {
            self.projects(cwd)?
        } else {
            Vec::new()
        };
        let stack = self.stack(&projects);
        let (provider, model) = self.provider_and_model(&stack);
        let basics = basics(&stack, &self.0.ceilings, trust);
        let keys: Vec<String> = self
            .providers()
            .iter()
            .flat_map(|it| it.variables().cloned().collect::<Vec<_>>())
            .collect();
        Ok(Effective {
            cwd: cwd.to_path_buf(),
            provider,
            model,
            effort: stack.optional(|it| it.model_reasoning_effort),
            sandbox: basics.sandbox,
            approval: basics.approval,
            network: stack.or(false, |it| it.sandbox_workspace_write.network_access),
            slash_tmp: !stack.or(false, |it| it.sandbox_workspace_write.exclude_slash_tmp).value,
            tmpdir: !stack
                .or(false, |it| it.sandbox_workspace_write.exclude_tmpdir_env_var)
                .value,
            writable_roots: self.writable_roots(&stack),
            shell_environment: EnvPolicy::new(&stack, keys.into_iter()),
            project_doc_max_bytes: stack.or(PROJECT_DOC_MAX_BYTES, |it| it.project_doc_max_bytes).value,
            project_doc_fallback_filenames: stack
                .or(Vec::new(), |it| it.project_doc_fallback_filenames.clone())
                .value,
            model_context_window: stack.optional(|it| it.model_context_window).value,
            model_auto_compact_token_limit: stack.optional(|it| it.model_auto_compact_token_limit).value,
            trusted: trust == Some(Trust::Trusted),
            ceilings: self.0.ceilings.clone(),
        })
    }

    /// The nearest answer from the folder up to its project's root. Only files outside projects are asked.
    fn trust(&self, cwd: &Path) -> Option<Trust> {
        let stack = self.stack(&[]);
        let known: Vec<(PathBuf, Trust)> = stack
            .layers()
            .flat_map(|it| &it.values.projects)
            .filter_map(|(path, project)| Some((real(Path::new(path)), project.trust_level?)))
            .collect();
        if known.is_empty() {
            return None;
        }
        let folders = chain(&real(cwd));
        folders
            .iter()
            .rev()
            .find_map(|folder| known.iter().rev().find(|it| it.0 == *folder).map(|it| it.1))
    }

    /// Project files from the project's root down to the folder; the nearer one wins, `.zspark` over `.codex`.
    fn projects(&self, cwd: &Path) -> Result<Vec<Layer>, Failure> {
        let mut layers = Vec::new();
        let own = real(self.0.home.root());
        for folder in chain(&real(cwd)) {
            for name in [".codex", ".zspark"] {
                let holder = folder.join(name);
                if holder == own {
                    continue;
                }
                let path = holder.join("config.toml");
                if let Some(mut layer) = Layer::read(&path, Origin::Project { path: text(&path) })? {
                    layer.values = narrowed(layer.values);
                    layers.push(layer);
                }
            }
        }
        Ok(layers)
    }
}

/// A project may say how to work in it. It may not say where keys are sent, whom to trust, or how the window looks.
fn narrowed(values: Values) -> Values {
    Values {
        model_provider: None,
        openai_base_url: None,
        model_providers: Default::default(),
        projects: Default::default(),
        desktop: Default::default(),
        requirements: Default::default(),
        ..values
    }
}

/// The folders from the project's root (the nearest one with `.git`) down to `cwd`; only `cwd` outside of any.
pub(crate) fn chain(cwd: &Path) -> Vec<PathBuf> {
    let root = cwd.ancestors().find(|it| it.join(".git").exists()).unwrap_or(cwd);
    let mut folders: Vec<PathBuf> = cwd
        .ancestors()
        .take_while(|it| it.starts_with(root))
        .map(Path::to_path_buf)
        .collect();
    folders.reverse();
    folders
}

/// Without symbolic links, as far as it exists.
fn real(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_path_buf())
}
