//! What a login shell makes of the environment. Profiles can take half a second, so they are read once a thread and
//! not for every command.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

/// Comes before the variables, after whatever a profile prints.
const MARK: &[u8] = b"--zspark-environment--\0";
/// A profile that takes longer waits for something.
const PATIENCE: Duration = Duration::from_secs(10);
/// What belongs to the shell that was asked, not to its environment.
const ITS_OWN: [&str; 4] = ["PWD", "OLDPWD", "SHLVL", "_"];
/// Variables that a profile adds under such names were kept from commands on purpose.
const SECRET: [&str; 4] = ["KEY", "SECRET", "TOKEN", "PASSWORD"];

/// The environment after the profiles, `None` where the shell does not say.
pub(super) async fn environment(shell: &Path, env: &BTreeMap<String, String>) -> Option<BTreeMap<String, String>> {
    if cfg!(windows) {
        return None;
    }
    let mut command = tokio::process::Command::new(shell);
    command
        .args(["-lc", "printf '%s\\0' --zspark-environment--; exec env -0"])
        .current_dir(
            env.get("HOME")
                .filter(|it| Path::new(it).is_dir())
                .map_or("/", String::as_str),
        )
        .env_clear()
        .envs(env)
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true);
    #[cfg(unix)]
    command.process_group(0);
    let output = tokio::time::timeout(PATIENCE, command.output()).await.ok()?.ok()?;
    if !output.status.success() {
        return None;
    }
    parse(&output.stdout, env)
}

fn parse(output: &[u8], env: &BTreeMap<String, String>) -> Option<BTreeMap<String, String>> {
    let from = output.windows(MARK.len()).rposition(|it| it == MARK)? + MARK.len();
    let text = String::from_utf8_lossy(&output[from..]);
    let variables = text.split('\0').filter_map(|it| it.split_once('='));
    let kept = variables.filter(|(name, _)| {
        let upper = name.to_uppercase();
        !ITS_OWN.contains(name) && (env.contains_key(*name) || !SECRET.iter().any(|it| upper.contains(it)))
    });
    Some(kept.map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
}

#[cfg(test)]
mod tests;
