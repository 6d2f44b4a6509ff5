//! `-c key=value`, and what flags say of configuration, as configuration values.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use protocol::{Code, Failure};
use toml::Value;

/// One `key=value`. What does not parse as TOML is text, so that `-c model=o3` needs no quotes.
pub(crate) fn parse(text: &str) -> Result<(String, Value), Failure> {
    let (key, value) = text.split_once('=').unwrap_or(("", ""));
    let (key, value) = (key.trim(), value.trim());
    if key.is_empty() {
        return Err(Failure::new(
            Code::InvalidRequest,
            format!("`-c {text}` is not of the form key=value"),
        )
        .hint("For example: -c model_reasoning_effort=high"));
    }
    Ok((key.to_owned(), value_of(value)))
}

fn value_of(text: &str) -> Value {
    toml::from_str::<BTreeMap<String, Value>>(&format!("value = {text}"))
        .ok()
        .and_then(|mut it| (it.len() == 1).then(|| it.remove("value")).flatten())
        .unwrap_or_else(|| Value::String(text.to_owned()))
}

/// The SDK's `baseUrl` comes as `openai_base_url` and means "talk to this one", whatever provider is configured.
pub(crate) fn sdk_provider(overrides: &mut Vec<(String, Value)>) {
    let given = |key: &str| overrides.iter().any(|(it, _)| it == key);
    if given("openai_base_url") && !given("model_provider") {
        overrides.push(("model_provider".to_owned(), text("openai")));
    }
}

/// The writable folders with those of `--add-dir`.
pub(crate) fn writable_roots(configured: &[PathBuf], added: &[PathBuf], cwd: &Path) -> Value {
    let roots = configured
        .iter()
        .chain(added)
        .map(|it| text(&cwd.join(it).to_string_lossy()));
    Value::Array(roots.collect())
}

fn text(value: &str) -> Value {
    Value::String(value.to_owned())
}

#[cfg(test)]
mod tests;
