//! Changes to the person's own `config.toml`: comments and unknown keys kept, replaced in one step, never over a broken file.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use protocol::setting::{ProviderDraft, SettingsPatch, WireApi};
use protocol::{Code, Failure};
use serde::Serialize;
use toml_edit::{DocumentMut, Item, Table, value};

use super::{Config, DEMO, base_url, layer, provider, recent};

/// Two requests that change the file take turns, so that neither loses the other's change.
static WRITING: Mutex<()> = Mutex::new(());

impl Config {
    /// Changes the person's own file. The snapshot stays as it is: load again.
    ///
    /// # Errors
    /// [`Code::ConfigBroken`] where the file as it stands cannot be read, [`Code::InvalidRequest`] where a value passes a ceiling.
    pub fn write(&self, patch: &SettingsPatch) -> Result<(), Failure> {
        self.0.ceilings.check(patch.sandbox, patch.approval)?;
        self.edit(|root| {
            set(root, &["model_provider"], patch.provider.as_ref())?;
            set(root, &["model"], patch.model.as_ref())?;
            set(root, &["model_reasoning_effort"], patch.effort.as_ref())?;
            set(root, &["sandbox_mode"], patch.sandbox.as_ref())?;
            set(root, &["approval_policy"], patch.approval.as_ref())?;
            set(
                root,
                &["sandbox_workspace_write", "network_access"],
                patch.network_access.as_ref(),
            )?;
            set(
                root,
                &["sandbox_workspace_write", "writable_roots"],
                patch.writable_roots.as_ref(),
            )?;
            set(root, &["desktop", "language"], patch.language.as_ref())?;
            set(root, &["desktop", "theme"], patch.theme.as_ref())?;
            set(root, &["desktop", "density"], patch.density.as_ref())
        })
    }

    /// Adds or changes a provider and, with a model, makes it the one in use. The key is not in here: store it under
    /// [`crate::secret::provider_name`] of the id that comes back.
    ///
    /// # Errors
    /// As [`Config::write`]; [`Code::InvalidRequest`] for a draft without a usable URL or name.
    pub fn save_provider(&self, draft: &ProviderDraft) -> Result<String, Failure> {
        let url = base_url(&draft.base_url);
        let host = url.split_once("://").map_or("", |it| it.1);
        if host.is_empty() || url.contains(char::is_whitespace) || !url.starts_with("http") {
            return Err(
                Failure::new(Code::InvalidRequest, "this is no address of a model provider")
                    .hint("It looks like https://api.example.com/v1."),
            );
        }
        let name = draft.name.trim();
        let name = if name.is_empty() {
            host.split('/').next().unwrap_or(host)
        } else {
            name
        };
        let taken: BTreeSet<String> = self.providers().into_iter().map(|it| it.id).collect();
        let id = match draft.id.as_deref() {
            Some(DEMO) => {
                return Err(Failure::new(
                    Code::InvalidRequest,
                    "the demo model has nothing to configure",
                ));
            }
            Some(id) if !id.is_empty() => id.to_owned(),
            _ => provider::new_id(name, &taken),
        };
        self.edit(|root| {
            set(root, &["model_providers", &id, "name"], Some(&name))?;
            set(root, &["model_providers", &id, "base_url"], Some(&url))?;
            let wire = match draft.wire_api {
                WireApi::Responses => "responses",
                WireApi::Chat => "chat",
            };
            set(root, &["model_providers", &id, "wire_api"], Some(&wire))?;
            if let Some(model) = draft.model.as_deref().filter(|it| !it.trim().is_empty()) {
                set(root, &["model_provider"], Some(&id))?;
                set(root, &["model"], Some(&model.trim()))?;
            }
            Ok(())
        })?;
        Ok(id)
    }

    /// Removes a provider and, where it is in use, the choice of it. The stored key is the caller's to remove.
    ///
    /// # Errors
    /// As [`Config::write`]; [`Code::NotFound`] where the person's own file has no such provider.
    pub fn delete_provider(&self, id: &str) -> Result<(), Failure> {
        self.edit(|root| {
            let table = root.get_mut("model_providers").and_then(Item::as_table_like_mut);
            if table.and_then(|it| it.remove(id)).is_none() {
                return Err(
                    Failure::new(Code::NotFound, format!("config.toml has no provider “{id}”"))
                        .hint("What is built in or set by an administrator cannot be removed here."),
                );
            }
            if root.get("model_provider").and_then(Item::as_str) == Some(id) {
                root.remove("model_provider");
                root.remove("model");
            }
            Ok(())
        })
    }

    /// Says that a folder's own configuration may be read, or that it may not.
    ///
    /// # Errors
    /// As [`Config::write`].
    pub fn trust_folder(&self, folder: &Path, trusted: bool) -> Result<(), Failure> {
        let path = super::text(folder);
        let level = if trusted { "trusted" } else { "untrusted" };
        self.edit(|root| set(root, &["projects", &path, "trust_level"], Some(&level)))
    }

    /// Puts a folder on top of the recent ones.
    ///
    /// # Errors
    /// When the home cannot be written.
    pub fn remember_folder(&self, folder: &str) -> Result<(), Failure> {
        recent::remember(&self.0.home, folder).map_err(|error| unwritable(self.0.home.root(), &error))
    }

    fn edit(&self, change: impl FnOnce(&mut Table) -> Result<(), Failure>) -> Result<(), Failure> {
        if let Some(failure) = &self.0.broken {
            return Err(failure.clone());
        }
        let _turn = WRITING.lock().unwrap_or_else(PoisonError::into_inner);
        let home = &self.0.home;
        home.prepare().map_err(|error| unwritable(home.root(), &error))?;
        let path = target(&home.config());
        let before = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(unwritable(&path, &error)),
        };
        layer::parse(&before, &path)?;
        let mut document: DocumentMut = before.parse().map_err(|error: toml_edit::TomlError| {
            layer::wrong(&path, &before, error.span().map_or(0, |it| it.start), error.message())
        })?;
        let blank = document.is_empty();
        change(document.as_table_mut())?;
        let mut after = document.to_string();
        // toml_edit puts new keys above the comments of a file that has nothing else.
        if blank {
            let end = if before.is_empty() || before.ends_with('\n') {
                ""
            } else {
                "\n"
            };
            document.set_trailing("");
            after = format!("{before}{end}{document}");
        }
        if after == before {
            return Ok(());
        }
        layer::parse(&after, &path)?;
        replace(&path, after.as_bytes()).map_err(|error| unwritable(&path, &error))
    }
}

/// Sets a value at a path of keys, making tables on the way; an absent value leaves everything as it is.
fn set<T: Serialize + ?Sized>(root: &mut Table, path: &[&str], new: Option<&T>) -> Result<(), Failure> {
    let (Some(new), Some((last, tables))) = (new, path.split_last()) else {
        return Ok(());
    };
    let defect = |why: &dyn std::fmt::Display| {
        Failure::new(Code::Internal, "a setting could not be written").details(why.to_string())
    };
    let mut here: &mut dyn toml_edit::TableLike = root;
    for (depth, name) in tables.iter().enumerate() {
        let item = here.entry(name).or_insert_with(|| {
            let mut table = Table::new();
            // `[model_providers.x]` needs no empty `[model_providers]` above it.
            table.set_implicit(depth + 1 < tables.len());
            Item::Table(table)
        });
        here = item
            .as_table_like_mut()
            .ok_or_else(|| defect(&format!("`{name}` is no table")))?;
    }
    let json = serde_json::to_value(new).map_err(|error| defect(&error))?;
    let mut fresh = match json {
        serde_json::Value::String(it) => value(it),
        serde_json::Value::Bool(it) => value(it),
        serde_json::Value::Array(all) => value(all.iter().filter_map(|it| it.as_str()).collect::<toml_edit::Array>()),
        serde_json::Value::Null | serde_json::Value::Number(_) | serde_json::Value::Object(_) => {
            return Err(defect(&"a value of this type is not written"));
        }
    };
    if let Some(old) = here.get_mut(last) {
        // The comment behind the value stays behind the new one.
        if let (Some(old), Some(fresh)) = (old.as_value(), fresh.as_value_mut()) {
            *fresh.decor_mut() = old.decor().clone();
        }
        *old = fresh;
    } else {
        here.insert(last, fresh);
    }
    Ok(())
}

/// Where the file really is: people link it into their dotfiles, and the link must stay one.
fn target(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_path_buf())
}

/// All or nothing, readable by its owner only.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}

fn unwritable(path: &Path, error: &std::io::Error) -> Failure {
    let code = if error.kind() == std::io::ErrorKind::StorageFull {
        Code::DiskFull
    } else {
        Code::Internal
    };
    Failure::new(code, format!("{} cannot be written", path.display()))
        .hint("Check that the disk has room and that you may write there.")
        .details(error.to_string())
}
