//! Configuration: an immutable snapshot of all layers, in which every value knows its origin.
//!
//! Lowest first: the machine's managed file, the person's `config.toml`, a profile, trusted project files, `-c`. What is
//! chosen for one thread comes on top, in [`Effective::thread`]. Keys and their names live in [`crate::secret`].

mod env;
mod folder;
mod layer;
mod provider;
mod recent;
#[cfg(test)]
mod tests;
mod watch;
mod write;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use protocol::setting::{
    ApprovalPolicy, Density, KeyState, Language, Origin, Provider, SandboxMode, Settings, Sourced, Theme,
};
use protocol::{Code, Failure};

pub use self::env::EnvPolicy;
pub use self::folder::Effective;
pub(crate) use self::folder::chain;
use self::layer::{Layer, Requirements, Values};
pub use self::provider::{DEMO, ProviderConfig, base_url};
pub use self::watch::Watch;
pub(crate) use self::write::replace;
use crate::home::Home;

/// What a composition root hands in besides the home.
#[derive(Debug, Clone, Default)]
pub struct Inputs {
    /// The administrator's file, below everything else and with the ceilings.
    pub managed: Option<PathBuf>,
    /// `NAME` of `NAME.config.toml` in the home.
    pub profile: Option<String>,
    /// `-c key=value`: dotted keys and their values, in order.
    pub overrides: Vec<(String, toml::Value)>,
    /// The environment of the process.
    pub env: BTreeMap<String, String>,
}

/// All that is configured, read at one moment. Cheap to clone.
#[derive(Clone)]
pub struct Config(Arc<Inner>);

struct Inner {
    home: Home,
    inputs: Inputs,
    layers: Vec<Layer>,
    command_line: Option<Layer>,
    ceilings: Ceilings,
    broken: Option<Failure>,
}

/// What the managed file does not let anybody pass.
#[derive(Debug, Clone, Default)]
struct Ceilings {
    origin: Option<Origin>,
    sandbox: Option<Vec<SandboxMode>>,
    approval: Option<Vec<ApprovalPolicy>>,
}

impl Config {
    /// Reads all layers but the projects'.
    ///
    /// # Errors
    /// [`Code::ConfigBroken`] names file, line, column and key.
    pub fn load(home: &Home, inputs: &Inputs) -> Result<Self, Failure> {
        let mut layers = Vec::new();
        let mut ceilings = Ceilings::default();
        if let Some(path) = &inputs.managed {
            let origin = Origin::Managed { path: text(path) };
            if let Some(layer) = Layer::read(path, origin.clone())? {
                ceilings = Ceilings::new(&layer.values.requirements, origin, path)?;
                layers.push(layer);
            }
        }
        let user = home.config();
        layers.extend(Layer::read(&user, Origin::User { path: text(&user) })?);
        if let Some(name) = &inputs.profile {
            let path = profile(home, name)?;
            let layer = Layer::read(&path, Origin::Profile { path: text(&path) })?;
            layers.push(layer.ok_or_else(|| {
                Failure::new(
                    Code::ConfigBroken,
                    format!("there is no profile file {}", path.display()),
                )
                .hint("Create the file, or start without this profile.")
            })?);
        }
        let command_line = Layer::overrides(&inputs.overrides, home.root())?;
        Ok(Self(Arc::new(Inner {
            home: home.clone(),
            inputs: inputs.clone(),
            layers,
            command_line,
            ceilings,
            broken: None,
        })))
    }

    /// A configuration of which nothing is in force, because it could not be read: it shows why, and refuses threads and
    /// writes. Nothing falls back to defaults that the person did not choose.
    #[must_use]
    pub fn broken(home: &Home, inputs: &Inputs, failure: Failure) -> Self {
        Self(Arc::new(Inner {
            home: home.clone(),
            inputs: inputs.clone(),
            layers: Vec::new(),
            command_line: None,
            ceilings: Ceilings::default(),
            broken: Some(failure),
        }))
    }

    /// Why nothing is in force.
    #[must_use]
    pub fn failure(&self) -> Option<&Failure> {
        self.0.broken.as_ref()
    }

    /// The environment handed in.
    #[must_use]
    pub fn env(&self) -> &BTreeMap<String, String> {
        &self.0.inputs.env
    }

    /// What the settings screen shows. Keys are [`KeyState::Missing`] or [`KeyState::NotNeeded`] here;
    /// `secret::settings` fills them in.
    #[must_use]
    pub fn settings(&self) -> Settings {
        let stack = self.stack(&[]);
        let (provider, model) = self.provider_and_model(&stack);
        let base = folder::basics(&stack, &self.0.ceilings, None);
        Settings {
            provider,
            model,
            effort: stack.optional(|it| it.model_reasoning_effort),
            sandbox: base.sandbox,
            approval: base.approval,
            network_access: stack.or(false, |it| it.sandbox_workspace_write.network_access),
            writable_roots: self
                .writable_roots(&stack)
                .map(|it| it.iter().map(|it| text(it)).collect()),
            language: stack.or(Language::System, |it| it.desktop.language),
            theme: stack.or(Theme::System, |it| it.desktop.theme),
            density: stack.or(Density::Normal, |it| it.desktop.density),
            providers: self.providers().into_iter().map(Provider::from).collect(),
            recent_folders: recent::read(&self.0.home),
            broken: self.0.broken.clone(),
        }
    }

    /// All providers, the demo last.
    #[must_use]
    pub fn providers(&self) -> Vec<ProviderConfig> {
        let stack = self.stack(&[]);
        let mut ids: Vec<&String> = stack.layers().flat_map(|it| it.values.model_providers.keys()).collect();
        ids.sort();
        ids.dedup();
        let mut all: Vec<ProviderConfig> = ids.iter().filter_map(|id| self.configured(&stack, id)).collect();
        let chosen = self.provider_and_model(&stack).0.value;
        if chosen.as_deref() == Some(provider::OPENAI) && !all.iter().any(|it| it.id == provider::OPENAI) {
            all.push(self.openai(&stack));
        }
        all.push(ProviderConfig::demo());
        all
    }

    /// One provider; also the built-in ones, listed or not.
    #[must_use]
    pub fn provider(&self, id: &str) -> Option<ProviderConfig> {
        let stack = self.stack(&[]);
        match id {
            DEMO => Some(ProviderConfig::demo()),
            provider::OPENAI => Some(self.configured(&stack, id).unwrap_or_else(|| self.openai(&stack))),
            _ => self.configured(&stack, id),
        }
    }

    fn configured(&self, stack: &Stack<'_>, id: &str) -> Option<ProviderConfig> {
        ProviderConfig::merge(id, stack.layers().filter_map(|it| it.values.model_providers.get(id)))
    }

    fn openai(&self, stack: &Stack<'_>) -> ProviderConfig {
        let base = stack.get(|it| it.openai_base_url.clone()).map(|(it, _)| it);
        ProviderConfig::openai(base.as_deref(), self.env())
    }

    /// A file that names a model but no provider means OpenAI, as it does for Codex; so does `openai_base_url`.
    fn provider_and_model(&self, stack: &Stack<'_>) -> (Sourced<Option<String>>, Sourced<Option<String>>) {
        let model = stack.optional(|it| it.model.clone());
        let provider = stack
            .get(|it| it.model_provider.clone())
            .or_else(|| {
                stack
                    .get(|it| it.openai_base_url.clone())
                    .map(|(_, origin)| (provider::OPENAI.to_owned(), origin))
            })
            .or_else(|| {
                model
                    .value
                    .is_some()
                    .then(|| (provider::OPENAI.to_owned(), model.origin.clone()))
            });
        let provider = match provider {
            Some((id, origin)) => Sourced {
                value: Some(id),
                origin,
            },
            None => Sourced {
                value: None,
                origin: Origin::Default,
            },
        };
        (provider, model)
    }

    fn writable_roots(&self, stack: &Stack<'_>) -> Sourced<Vec<PathBuf>> {
        let found = stack.layers().rev().find_map(|layer| {
            let roots = layer.values.sandbox_workspace_write.writable_roots.as_ref()?;
            Some((
                roots.iter().map(|it| layer.resolve(it, self.env())).collect(),
                layer.origin.clone(),
            ))
        });
        match found {
            Some((value, origin)) => Sourced { value, origin },
            None => Sourced {
                value: Vec::new(),
                origin: Origin::Default,
            },
        }
    }

    fn stack<'a>(&'a self, projects: &'a [Layer]) -> Stack<'a> {
        Stack(
            self.0
                .layers
                .iter()
                .chain(projects)
                .chain(&self.0.command_line)
                .collect(),
        )
    }
}

impl std::fmt::Debug for Config {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Config")
            .field("home", &self.0.home)
            .finish_non_exhaustive()
    }
}

/// Layers, lowest first.
struct Stack<'a>(Vec<&'a Layer>);

impl<'a> Stack<'a> {
    fn layers(&self) -> impl DoubleEndedIterator<Item = &'a Layer> + '_ {
        self.0.iter().copied()
    }

    fn get<T>(&self, value: impl Fn(&Values) -> Option<T>) -> Option<(T, Origin)> {
        self.layers()
            .rev()
            .find_map(|layer| Some((value(&layer.values)?, layer.origin.clone())))
    }

    fn or<T>(&self, default: T, value: impl Fn(&Values) -> Option<T>) -> Sourced<T> {
        match self.get(value) {
            Some((value, origin)) => Sourced { value, origin },
            None => Sourced {
                value: default,
                origin: Origin::Default,
            },
        }
    }

    fn optional<T>(&self, value: impl Fn(&Values) -> Option<T>) -> Sourced<Option<T>> {
        match self.get(value) {
            Some((value, origin)) => Sourced {
                value: Some(value),
                origin,
            },
            None => Sourced {
                value: None,
                origin: Origin::Default,
            },
        }
    }
}

/// Maps a value and keeps its origin.
trait Map<T> {
    fn map<U>(self, change: impl FnOnce(T) -> U) -> Sourced<U>;
}

impl<T> Map<T> for Sourced<T> {
    fn map<U>(self, change: impl FnOnce(T) -> U) -> Sourced<U> {
        Sourced {
            value: change(self.value),
            origin: self.origin,
        }
    }
}

impl Ceilings {
    fn new(requirements: &Requirements, origin: Origin, path: &Path) -> Result<Self, Failure> {
        let sandbox = requirements.allowed_sandbox_modes.clone();
        let approval = requirements
            .allowed_approval_policies
            .as_ref()
            .map(|it| it.iter().map(|it| (*it).into()).collect());
        let ceilings = Self {
            origin: Some(origin),
            sandbox,
            approval,
        };
        if ceilings.sandbox.as_ref().is_some_and(Vec::is_empty) || ceilings.approval.as_ref().is_some_and(Vec::is_empty)
        {
            return Err(Failure::new(
                Code::ConfigBroken,
                format!("{}: [requirements] allows nothing", path.display()),
            )
            .hint("Ask the administrator of this machine to allow at least one value."));
        }
        Ok(ceilings)
    }

    /// The nearest allowed value that is no looser; the strictest allowed one where there is none.
    fn sandbox(&self, wanted: Sourced<SandboxMode>) -> Sourced<SandboxMode> {
        self.clamp(wanted, self.sandbox.as_deref(), |it| match it {
            SandboxMode::ReadOnly => 0,
            SandboxMode::WorkspaceWrite => 1,
            SandboxMode::DangerFullAccess => 2,
        })
    }

    fn approval(&self, wanted: Sourced<ApprovalPolicy>) -> Sourced<ApprovalPolicy> {
        self.clamp(wanted, self.approval.as_deref(), |it| match it {
            ApprovalPolicy::Untrusted => 0,
            ApprovalPolicy::OnRequest => 1,
            ApprovalPolicy::Never => 2,
        })
    }

    fn clamp<T: Copy + PartialEq>(
        &self,
        wanted: Sourced<T>,
        allowed: Option<&[T]>,
        loose: impl Fn(T) -> u8,
    ) -> Sourced<T> {
        let (Some(allowed), Some(origin)) = (allowed, &self.origin) else {
            return wanted;
        };
        if allowed.contains(&wanted.value) {
            return wanted;
        }
        let below = allowed
            .iter()
            .copied()
            .filter(|it| loose(*it) <= loose(wanted.value))
            .max_by_key(|it| loose(*it));
        match below.or_else(|| allowed.iter().copied().min_by_key(|it| loose(*it))) {
            Some(value) => Sourced {
                value,
                origin: origin.clone(),
            },
            None => wanted,
        }
    }

    /// Refuses a value that somebody chose explicitly.
    fn check(&self, sandbox: Option<SandboxMode>, approval: Option<ApprovalPolicy>) -> Result<(), Failure> {
        let passes = |allowed: bool, what: &str| {
            if allowed {
                return Ok(());
            }
            Err(Failure::new(
                Code::InvalidRequest,
                format!("the administrator of this machine does not allow this {what}"),
            )
            .hint("Choose another value, or ask the administrator."))
        };
        let sandbox_ok = sandbox.is_none_or(|it| self.sandbox.as_ref().is_none_or(|all| all.contains(&it)));
        let approval_ok = approval.is_none_or(|it| self.approval.as_ref().is_none_or(|all| all.contains(&it)));
        passes(sandbox_ok, "sandbox mode")?;
        passes(approval_ok, "approval policy")
    }
}

fn profile(home: &Home, name: &str) -> Result<PathBuf, Failure> {
    let plain = !name.is_empty()
        && name
            .chars()
            .all(|it| it.is_alphanumeric() || matches!(it, '-' | '_' | '.'));
    if !plain || name.starts_with('.') {
        return Err(
            Failure::new(Code::InvalidRequest, format!("“{name}” is no name for a profile"))
                .hint("Use letters, digits, - and _."),
        );
    }
    Ok(home.root().join(format!("{name}.config.toml")))
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

impl From<ProviderConfig> for Provider {
    fn from(it: ProviderConfig) -> Self {
        let key = if it.needs_key() {
            KeyState::Missing
        } else {
            KeyState::NotNeeded
        };
        Self {
            id: it.id,
            name: it.name,
            base_url: it.base_url,
            wire_api: it.wire_api,
            key,
            built_in: it.built_in,
        }
    }
}
