//! One layer of configuration: the shape of `config.toml`, and the words for what is wrong with it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use protocol::setting::{ApprovalPolicy, Density, Effort, Language, Origin, SandboxMode, Theme, WireApi};
use protocol::{Code, Failure};
use serde::Deserialize;

/// A file or the command line.
#[derive(Debug, Clone)]
pub(super) struct Layer {
    pub(super) origin: Origin,
    pub(super) values: Values,
    /// Relative paths are relative to this folder.
    base: PathBuf,
}

impl Layer {
    /// Reads a file; `None` where there is none.
    pub(super) fn read(path: &Path, origin: Origin) -> Result<Option<Self>, Failure> {
        let bytes = match std::fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => {
                return Err(
                    Failure::new(Code::ConfigBroken, format!("{} cannot be read", path.display()))
                        .hint("Check that it is a file and that you may read it.")
                        .details(error.to_string()),
                );
            }
        };
        let text = String::from_utf8(bytes).map_err(|error| {
            let line = error.as_bytes()[..error.utf8_error().valid_up_to()]
                .iter()
                .filter(|it| **it == b'\n')
                .count()
                + 1;
            Failure::new(
                Code::ConfigBroken,
                format!("{}, line {line}: the file is not UTF-8 text", path.display()),
            )
            .hint("Save the file as UTF-8.")
        })?;
        let values = parse(&text, path)?;
        let base = path.parent().map(Path::to_path_buf).unwrap_or_default();
        Ok(Some(Self { origin, values, base }))
    }

    /// The `-c key=value` layer; `None` without any.
    pub(super) fn overrides(overrides: &[(String, toml::Value)], base: &Path) -> Result<Option<Self>, Failure> {
        let mut all = toml::Table::new();
        for (key, value) in overrides {
            let wrong = |why: String| {
                Failure::new(Code::ConfigBroken, format!("-c {key}: {}", why.trim())).hint("Correct this option.")
            };
            let keys = toml_edit::Key::parse(key).map_err(|error| wrong(error.to_string()))?;
            let path: Vec<&str> = keys.iter().map(toml_edit::Key::get).collect();
            let mut alone = toml::Table::new();
            for table in [&mut alone, &mut all] {
                insert(table, &path, value.clone()).map_err(wrong)?;
            }
            let parsed: Result<Values, _> = toml::Value::Table(alone).try_into();
            parsed.map_err(|error| wrong(error.message().to_owned()))?;
        }
        if all.is_empty() {
            return Ok(None);
        }
        let values: Values = toml::Value::Table(all)
            .try_into()
            .map_err(|error: toml::de::Error| Failure::new(Code::ConfigBroken, format!("-c: {}", error.message())))?;
        Ok(Some(Self {
            origin: Origin::CommandLine,
            values,
            base: base.to_path_buf(),
        }))
    }

    /// A configured path: `~` is the person's home, relative ones start where the file is.
    pub(super) fn resolve(&self, path: &str, env: &BTreeMap<String, String>) -> PathBuf {
        let home = env.get("HOME").or_else(|| env.get("USERPROFILE"));
        match (path.strip_prefix('~'), home) {
            (Some(rest), Some(home)) if rest.is_empty() || rest.starts_with(['/', '\\']) => {
                Path::new(home).join(rest.trim_start_matches(['/', '\\']))
            }
            _ => self.base.join(path),
        }
    }
}

/// What zspark reads of a file. Keys it does not know are ignored, and kept when it writes.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Values {
    pub(super) model: Option<String>,
    pub(super) model_provider: Option<String>,
    pub(super) model_reasoning_effort: Option<Effort>,
    pub(super) model_context_window: Option<u64>,
    pub(super) model_auto_compact_token_limit: Option<u64>,
    pub(super) approval_policy: Option<Approval>,
    pub(super) sandbox_mode: Option<SandboxMode>,
    pub(super) sandbox_workspace_write: WorkspaceWrite,
    pub(super) openai_base_url: Option<String>,
    pub(super) model_providers: BTreeMap<String, ProviderTable>,
    pub(super) shell_environment_policy: ShellEnvironment,
    pub(super) projects: BTreeMap<String, Project>,
    pub(super) project_doc_max_bytes: Option<usize>,
    pub(super) project_doc_fallback_filenames: Option<Vec<String>>,
    pub(super) desktop: Desktop,
    pub(super) requirements: Requirements,
}

/// `approval_policy`. Codex's former `on-failure` became `on-request` there too.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Approval {
    Untrusted,
    #[serde(alias = "on-failure")]
    OnRequest,
    Never,
}

impl From<Approval> for ApprovalPolicy {
    fn from(it: Approval) -> Self {
        match it {
            Approval::Untrusted => Self::Untrusted,
            Approval::OnRequest => Self::OnRequest,
            Approval::Never => Self::Never,
        }
    }
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct WorkspaceWrite {
    pub(super) writable_roots: Option<Vec<String>>,
    pub(super) network_access: Option<bool>,
    pub(super) exclude_slash_tmp: Option<bool>,
    pub(super) exclude_tmpdir_env_var: Option<bool>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct ProviderTable {
    pub(super) name: Option<String>,
    pub(super) base_url: Option<String>,
    pub(super) env_key: Option<String>,
    pub(super) wire_api: Option<WireApi>,
    pub(super) query_params: Option<BTreeMap<String, String>>,
    pub(super) http_headers: Option<BTreeMap<String, String>>,
    pub(super) env_http_headers: Option<BTreeMap<String, String>>,
    pub(super) request_max_retries: Option<u32>,
    pub(super) stream_max_retries: Option<u32>,
    pub(super) stream_idle_timeout_ms: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Inherit {
    All,
    Core,
    None,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct ShellEnvironment {
    pub(super) inherit: Option<Inherit>,
    pub(super) ignore_default_excludes: Option<bool>,
    pub(super) exclude: Option<Vec<String>>,
    pub(super) set: Option<BTreeMap<String, String>>,
    pub(super) include_only: Option<Vec<String>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Trust {
    Trusted,
    Untrusted,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Project {
    pub(super) trust_level: Option<Trust>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Desktop {
    pub(super) language: Option<Language>,
    pub(super) theme: Option<Theme>,
    pub(super) density: Option<Density>,
}

/// `[requirements]` of the managed file.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Requirements {
    pub(super) allowed_sandbox_modes: Option<Vec<SandboxMode>>,
    pub(super) allowed_approval_policies: Option<Vec<Approval>>,
}

/// Reads a file's text. The failure names file, line, column and key.
pub(super) fn parse(text: &str, path: &Path) -> Result<Values, Failure> {
    toml::from_str(text).map_err(|error| wrong(path, text, error.span().map_or(0, |it| it.start), error.message()))
}

/// The words for a mistake at a byte of a file.
pub(super) fn wrong(path: &Path, text: &str, at: usize, message: &str) -> Failure {
    let before = text.get(..at).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    let key = key_at(text, line).map(|it| format!(", key `{it}`")).unwrap_or_default();
    let sentence = message
        .lines()
        .map(str::trim)
        .filter(|it| !it.is_empty())
        .collect::<Vec<_>>()
        .join("; ");
    Failure::new(
        Code::ConfigBroken,
        format!("{}, line {line}, column {column}{key}: {sentence}", path.display()),
    )
    .hint("Correct this line. Until then nothing of the file is in force and no turn starts.")
}

/// The dotted key that a line belongs to, read from the text alone, because a file that does not parse has no tree.
fn key_at(text: &str, line: usize) -> Option<String> {
    let mut table = "";
    let mut key = None;
    for it in text.lines().take(line) {
        let it = it.trim();
        if let Some(header) = it.strip_prefix('[').filter(|_| !it.contains('=')) {
            table = header.trim_matches(['[', ']', ' ']);
            key = None;
        } else if let Some((left, _)) = it.split_once('=').filter(|_| !it.starts_with('#')) {
            key = Some(left.trim());
        }
    }
    match (table, key) {
        ("", None) => None,
        ("", Some(key)) => Some(key.to_owned()),
        (table, None) => Some(table.to_owned()),
        (table, Some(key)) => Some(format!("{table}.{key}")),
    }
}

fn insert(table: &mut toml::Table, path: &[&str], value: toml::Value) -> Result<(), String> {
    let Some((first, rest)) = path.split_first() else {
        return Err("the key is empty".to_owned());
    };
    if rest.is_empty() {
        table.insert((*first).to_owned(), value);
        return Ok(());
    }
    let inner = table
        .entry((*first).to_owned())
        .or_insert_with(|| toml::Value::Table(toml::Table::new()));
    match inner.as_table_mut() {
        Some(inner) => insert(inner, rest, value),
        None => Err(format!("`{first}` is no table")),
    }
}
