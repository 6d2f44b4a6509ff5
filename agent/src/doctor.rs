//! Looks at this machine: what works, what does not, and what to do about it.

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::time::Duration;

use futures::future::{BoxFuture, join_all};
use protocol::Failure;
use protocol::request::{Finding, FindingState};
use protocol::setting::{KeyState, ProviderTest};

use crate::config::{Config, DEMO, ProviderConfig};
use crate::home::Home;
use crate::rule::Rules;
use crate::secret::{Secrets, key_state};

/// A provider that says nothing for this long does not answer.
const PATIENCE: Duration = Duration::from_secs(20);
/// Below this a thread may soon not be kept.
const LOW: u64 = 1024 * 1024 * 1024;
/// Below this nothing useful can be written.
const FULL: u64 = 64 * 1024 * 1024;

/// Asks a provider for one word.
pub type Ask<'a> = &'a (dyn Fn(ProviderConfig) -> BoxFuture<'a, ProviderTest> + Sync);

/// What the doctor looks at, and what others already found out.
pub struct Patient<'a> {
    /// Where everything is kept.
    pub home: &'a Home,
    /// The configuration, broken or not.
    pub config: &'a Config,
    /// The standing answers.
    pub rules: &'a Rules,
    /// The key store.
    pub secrets: &'a dyn Secrets,
    /// Whether the index of threads can be read.
    pub index: Result<(), Failure>,
    /// What was damaged and set aside.
    pub damage: Vec<Failure>,
    /// Whether the sandbox starts.
    pub sandbox: Result<(), Failure>,
    /// Asks a provider for one word.
    pub ask: Ask<'a>,
}

/// Looks at everything. Takes as long as the slowest provider, but never longer than half a minute.
pub async fn run(patient: Patient<'_>) -> Vec<Finding> {
    let mut findings = vec![
        finding(
            "version",
            FindingState::Ok,
            format!("zspark {}", env!("CARGO_PKG_VERSION")),
        ),
        home(patient.home),
        room(patient.home.root()),
        configuration(patient.config),
        outcome(
            "rules",
            patient
                .rules
                .list()
                .await
                .map(|it| format!("{} rules", it.len()))
                .map_err(Failure::from),
        ),
        outcome(
            "threads",
            patient.index.map(|()| "the index of threads can be read".to_owned()),
        ),
        outcome(
            "sandbox",
            patient.sandbox.map(|()| "commands can be confined".to_owned()),
        ),
        secrets(patient.secrets).await,
    ];
    let path = patient.config.env().get("PATH").map_or("", String::as_str);
    findings.push(program(
        "git",
        path,
        "Install git, so that the agent can look at repositories.",
    ));
    if !cfg!(windows) {
        findings.push(program("bash", path, "Install bash; until then commands run in sh."));
    }
    findings.extend(patient.damage.into_iter().map(|failure| Finding {
        state: FindingState::Warning,
        ..broken("damage", failure)
    }));
    findings.extend(providers(patient.config, patient.secrets, patient.ask).await);
    findings
}

fn finding(name: &str, state: FindingState, message: impl Into<String>) -> Finding {
    Finding {
        name: name.to_owned(),
        state,
        message: message.into(),
        hint: None,
    }
}

fn outcome(name: &str, result: Result<String, Failure>) -> Finding {
    match result {
        Ok(message) => finding(name, FindingState::Ok, message),
        Err(failure) => broken(name, failure),
    }
}

fn broken(name: &str, failure: Failure) -> Finding {
    let message = match failure.details {
        Some(details) => format!("{} ({details})", failure.message),
        None => failure.message,
    };
    Finding {
        name: name.to_owned(),
        state: FindingState::Broken,
        message,
        hint: failure.hint,
    }
}

fn home(home: &Home) -> Finding {
    let root = home.root().display();
    // Only writing tells whether one can write.
    match home
        .prepare()
        .and_then(|()| tempfile::NamedTempFile::new_in(home.root()).map(drop))
    {
        Ok(()) => finding("home", FindingState::Ok, format!("{root} can be written")),
        Err(error) => Finding {
            hint: Some("Check who owns the folder, or set ZSPARK_HOME to another one.".to_owned()),
            ..finding(
                "home",
                FindingState::Broken,
                format!("{root} cannot be written ({error})"),
            )
        },
    }
}

fn room(path: &Path) -> Finding {
    let Some(bytes) = free_bytes(path) else {
        return finding("disk", FindingState::Warning, "how much room there is cannot be told");
    };
    let message = format!("{} MiB free", bytes / (1024 * 1024));
    let state = match bytes {
        ..FULL => FindingState::Broken,
        FULL..LOW => FindingState::Warning,
        LOW.. => return finding("disk", FindingState::Ok, message),
    };
    Finding {
        hint: Some("Free some space: threads and outputs are kept on this disk.".to_owned()),
        ..finding("disk", state, message)
    }
}

#[cfg(unix)]
fn free_bytes(path: &Path) -> Option<u64> {
    let at = path.ancestors().find(|it| it.exists())?;
    let found = rustix::fs::statvfs(at).ok()?;
    Some(found.f_bavail.saturating_mul(found.f_frsize))
}

#[cfg(not(unix))]
fn free_bytes(_path: &Path) -> Option<u64> {
    None
}

fn configuration(config: &Config) -> Finding {
    match config.failure() {
        Some(failure) => broken("config", failure.clone()),
        None => {
            let settings = config.settings();
            match (settings.provider.value, settings.model.value) {
                (Some(provider), Some(model)) => finding("config", FindingState::Ok, format!("{model} of {provider}")),
                _ => Finding {
                    hint: Some(
                        "Add a provider in the settings, or set model_provider and model in config.toml.".to_owned(),
                    ),
                    ..finding("config", FindingState::Warning, "no model is chosen yet")
                },
            }
        }
    }
}

/// Looks whether the store gives back what it has.
async fn secrets(secrets: &dyn Secrets) -> Finding {
    // Reading a name that is not there opens the store without asking for anything.
    match secrets.get("doctor").await {
        Ok(_) => finding("keys", FindingState::Ok, format!("kept in: {}", secrets.store_name())),
        Err(error) => broken("keys", error.into()),
    }
}

fn program(name: &str, path: &str, hint: &str) -> Finding {
    let file = if cfg!(windows) {
        format!("{name}.exe")
    } else {
        name.to_owned()
    };
    let found: Option<PathBuf> = std::env::split_paths(path)
        .map(|it| it.join(&file))
        .find(|it| it.is_file());
    match found {
        Some(path) => finding(name, FindingState::Ok, path.display().to_string()),
        None => Finding {
            hint: Some(hint.to_owned()),
            ..finding(name, FindingState::Warning, "not found")
        },
    }
}

async fn providers(config: &Config, secrets: &dyn Secrets, ask: Ask<'_>) -> Vec<Finding> {
    let asked = config
        .providers()
        .into_iter()
        .filter(|it| it.id != DEMO)
        .map(|provider| async move {
            let name = format!("provider {}", provider.id);
            if key_state(secrets, &provider, config.env()) == KeyState::Missing {
                return Finding {
                    hint: Some("Enter its key in the settings, or set its env_key.".to_owned()),
                    ..finding(&name, FindingState::Broken, "it has no key")
                };
            }
            match tokio::time::timeout(PATIENCE, ask(provider)).await {
                Ok(ProviderTest {
                    failure: Some(failure), ..
                }) => broken(&name, failure),
                Ok(ProviderTest {
                    ok: true,
                    first_word_ms: Some(ms),
                    ..
                }) => finding(&name, FindingState::Ok, format!("answers after {ms} ms")),
                Ok(ProviderTest { ok: true, .. }) => finding(&name, FindingState::Ok, "answers"),
                Ok(_) | Err(_) => Finding {
                    hint: Some("Check its address and your connection.".to_owned()),
                    ..finding(&name, FindingState::Broken, "it does not answer")
                },
            }
        });
    join_all(asked).await
}
