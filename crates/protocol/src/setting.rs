//! Settings: what is configured, and where each value comes from.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::failure::Failure;

/// What commands may touch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
pub enum SandboxMode {
    /// Read everything, write nothing, no network.
    ReadOnly,
    /// Write in the thread's folder and the temporary folder; no network unless configured.
    WorkspaceWrite,
    /// No sandbox.
    DangerFullAccess,
}

/// When the person is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
pub enum ApprovalPolicy {
    /// Before every command that is not known to be harmless.
    Untrusted,
    /// When the model asks to leave the sandbox, or a patch writes outside it.
    OnRequest,
    /// Never: what would need a yes is refused.
    Never,
}

/// How hard the model thinks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum Effort {
    /// Hardly.
    Minimal,
    /// A little.
    Low,
    /// Normally.
    Medium,
    /// A lot.
    High,
    /// As much as it can.
    Xhigh,
}

/// How a provider is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum WireApi {
    /// `POST {base_url}/responses`.
    Responses,
    /// `POST {base_url}/chat/completions`.
    Chat,
}

/// Where a value comes from, lowest layer first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Origin {
    /// Built in.
    Default,
    /// The machine's administrator.
    Managed {
        /// The file.
        path: String,
    },
    /// The person's `config.toml`.
    User {
        /// The file.
        path: String,
    },
    /// The chosen profile.
    Profile {
        /// The file.
        path: String,
    },
    /// The folder's own configuration.
    Project {
        /// The file.
        path: String,
    },
    /// `-c key=value`.
    CommandLine,
    /// Chosen for this thread.
    Thread,
}

/// A value and where it comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Sourced<T> {
    /// The value.
    pub value: T,
    /// Where it comes from.
    pub origin: Origin,
}

/// Where a provider's key is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum KeyState {
    /// The provider needs none.
    NotNeeded,
    /// In the key store.
    Stored {
        /// The store's name as people know it, such as "Keychain" or "encrypted file".
        store: String,
    },
    /// In an environment variable.
    Environment {
        /// Its name.
        variable: String,
    },
    /// Nowhere.
    Missing,
}

/// A configured provider, without its key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Provider {
    /// The table name in `config.toml`.
    pub id: String,
    /// For people.
    pub name: String,
    /// Ends before `/responses` or `/chat/completions`.
    pub base_url: String,
    /// How it is spoken to.
    pub wire_api: WireApi,
    /// Where its key is.
    pub key: KeyState,
    /// Built in (the demo model) or found on this machine, not from a file.
    #[serde(default)]
    pub built_in: bool,
}

/// A provider as the settings form has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ProviderDraft {
    /// The table name; made from the name when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub id: Option<String>,
    /// For people.
    pub name: String,
    /// As typed; a trailing slash or a full endpoint path is put right.
    pub base_url: String,
    /// How it is spoken to.
    pub wire_api: WireApi,
    /// A new key; the stored one stays when absent. Never logged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub api_key: Option<String>,
    /// The model to use from now on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub model: Option<String>,
}

/// What a provider says of a model, as far as it says anything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Model {
    /// As sent to the provider.
    pub id: String,
    /// Tokens it can read, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub context_window: Option<u64>,
}

/// A provider and what it offers, for the model picker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ProviderModels {
    /// The provider.
    pub provider: Provider,
    /// Its models.
    pub models: Vec<Model>,
    /// Why the list is empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub failure: Option<Failure>,
}

/// A model server found on this machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct LocalServer {
    /// What it is, such as "Ollama".
    pub name: String,
    /// Ready to be a provider's base URL.
    pub base_url: String,
    /// How it is spoken to.
    pub wire_api: WireApi,
    /// Its models.
    pub models: Vec<Model>,
}

/// The answer of `provider/test`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ProviderTest {
    /// The model answered.
    pub ok: bool,
    /// Milliseconds to its first word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub first_word_ms: Option<u64>,
    /// What is wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub failure: Option<Failure>,
    /// The models the provider lists.
    pub models: Vec<Model>,
    /// The other wire works where the chosen one does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub suggested_wire_api: Option<WireApi>,
}

/// Language of the interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
pub enum Language {
    /// Follow the system.
    #[serde(rename = "system")]
    System,
    /// English.
    #[serde(rename = "en")]
    En,
    /// Simplified Chinese.
    #[serde(rename = "zh-CN")]
    ZhCn,
}

/// Colours of the interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum Theme {
    /// Follow the system.
    System,
    /// Light.
    Light,
    /// Dark.
    Dark,
}

/// How much of the work the transcript shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum Density {
    /// Answers, and work folded into one line a turn.
    Report,
    /// Work as one line a step.
    Normal,
    /// Everything open.
    Verbose,
}

/// All that the settings screen shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Settings {
    /// The provider new threads use; none before the first run.
    pub provider: Sourced<Option<String>>,
    /// The model new threads use.
    pub model: Sourced<Option<String>>,
    /// How hard it thinks; the provider's default when absent.
    pub effort: Sourced<Option<Effort>>,
    /// What commands may touch.
    pub sandbox: Sourced<SandboxMode>,
    /// When the person is asked.
    pub approval: Sourced<ApprovalPolicy>,
    /// Network inside the sandbox.
    pub network_access: Sourced<bool>,
    /// Further folders that may be written.
    pub writable_roots: Sourced<Vec<String>>,
    /// The interface's language.
    pub language: Sourced<Language>,
    /// The interface's colours.
    pub theme: Sourced<Theme>,
    /// How much of the work is shown.
    pub density: Sourced<Density>,
    /// The providers, the demo last.
    pub providers: Vec<Provider>,
    /// The last folders used, newest first.
    pub recent_folders: Vec<String>,
    /// Why a configuration file could not be read. Nothing of it is in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub broken: Option<Failure>,
}

/// A change to the person's own `config.toml`; absent fields stay.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", default)]
#[ts(optional_fields)]
pub struct SettingsPatch {
    /// The provider new threads use.
    pub provider: Option<String>,
    /// The model new threads use.
    pub model: Option<String>,
    /// How hard it thinks.
    pub effort: Option<Effort>,
    /// What commands may touch.
    pub sandbox: Option<SandboxMode>,
    /// When the person is asked.
    pub approval: Option<ApprovalPolicy>,
    /// Network inside the sandbox.
    pub network_access: Option<bool>,
    /// Further folders that may be written.
    pub writable_roots: Option<Vec<String>>,
    /// The interface's language.
    pub language: Option<Language>,
    /// The interface's colours.
    pub theme: Option<Theme>,
    /// How much of the work is shown.
    pub density: Option<Density>,
}
