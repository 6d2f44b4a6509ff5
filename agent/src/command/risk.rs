//! What could go wrong with a command, for the card that asks. Warns rather once too often; nothing is allowed because of it.

use std::path::{Component, Path, PathBuf};

use protocol::approval::Risk;

use super::loose;
use super::{Line, base_name};

/// Where a command would run.
#[derive(Debug, Clone, Copy)]
pub struct Reach<'a> {
    /// Its folder, absolute.
    pub cwd: &'a Path,
    /// Further folders that the thread may write.
    pub writable_roots: &'a [PathBuf],
    /// Without the sandbox.
    pub escalated: bool,
}

const NETWORK: &[&str] = &[
    "apt",
    "apt-get",
    "aria2c",
    "brew",
    "curl",
    "dnf",
    "ftp",
    "gh",
    "helm",
    "http",
    "https",
    "kubectl",
    "nc",
    "ncat",
    "netcat",
    "nmap",
    "npx",
    "pacman",
    "ping",
    "pip",
    "pip3",
    "pipx",
    "rclone",
    "rsync",
    "scp",
    "sftp",
    "ssh",
    "telnet",
    "wget",
    "yum",
    "aws",
    "gcloud",
    "az",
    "dig",
    "nslookup",
    "host",
    "traceroute",
];
const NETWORK_SUBCOMMANDS: &[(&str, &[&str])] = &[
    ("bun", &["add", "install", "publish", "x"]),
    (
        "cargo",
        &["add", "fetch", "install", "login", "publish", "search", "update"],
    ),
    ("docker", &["build", "login", "pull", "push", "run"]),
    ("git", &["clone", "fetch", "ls-remote", "pull", "push", "submodule"]),
    ("go", &["get", "install"]),
    (
        "npm",
        &["add", "ci", "exec", "i", "install", "login", "publish", "update"],
    ),
    ("pnpm", &["add", "dlx", "i", "install", "publish", "update"]),
    ("uv", &["add", "pip", "sync"]),
    ("yarn", &["add", "dlx", "install", "publish", "upgrade"]),
];
const DELETERS: &[&str] = &[
    "del", "erase", "rd", "rm", "rmdir", "shred", "srm", "trash", "truncate", "unlink", "wipe",
];
/// Programs whose arguments are paths that they change.
const WRITERS: &[&str] = &[
    "chgrp", "chmod", "chown", "cp", "dd", "install", "ln", "mkdir", "mkfifo", "mv", "patch", "rsync", "sed", "tar",
    "tee", "touch", "unzip",
];

/// The risks of a line, each once.
#[must_use]
pub fn risks(line: &Line, reach: Reach<'_>) -> Vec<Risk> {
    let found = loose::read(&line.text);
    let mut risks = Vec::new();
    let mut add = |risk: Risk| {
        if !risks.contains(&risk) {
            risks.push(risk);
        }
    };
    if reach.escalated {
        add(Risk::Unsandboxed);
    }
    let mut touched: Vec<&str> = found.targets.iter().map(String::as_str).collect();
    for words in &found.commands {
        let Some((program, arguments)) = words.split_first() else {
            continue;
        };
        let name = base_name(program);
        let subcommand = arguments.iter().find(|it| !it.starts_with('-')).map(String::as_str);
        let on_network = NETWORK.contains(&name)
            || NETWORK_SUBCOMMANDS
                .iter()
                .any(|(it, all)| *it == name && subcommand.is_some_and(|it| all.contains(&it)))
            || arguments
                .iter()
                .any(|it| it.starts_with("http://") || it.starts_with("https://"));
        if on_network && !matches!(name, "echo" | "printf" | "grep" | "rg") {
            add(Risk::Network);
        }
        let deletes = DELETERS.contains(&name)
            || (name == "find" && arguments.iter().any(|it| it == "-delete"))
            || (name == "rsync" && arguments.iter().any(|it| it.starts_with("--delete")))
            || (name == "git" && deletes_with_git(subcommand, arguments));
        if deletes {
            add(Risk::Deletes);
        }
        let writes = deletes || WRITERS.contains(&name);
        if writes {
            touched.extend(
                arguments
                    .iter()
                    .map(|it| it.strip_prefix("of=").unwrap_or(it))
                    .filter(|it| !it.starts_with('-')),
            );
        }
    }
    for path in touched {
        let absolute = lexical(&reach.cwd.join(path));
        if path.starts_with('~') || !inside(&absolute, reach) {
            add(Risk::WritesOutside);
        }
        let protected = |it: Component<'_>| matches!(it.as_os_str().to_str(), Some(".git" | ".zspark" | ".codex"));
        if absolute.components().any(protected) {
            add(Risk::ProtectedPath);
        }
    }
    risks
}

fn deletes_with_git(subcommand: Option<&str>, arguments: &[String]) -> bool {
    let has = |flag: &str| arguments.iter().any(|it| it == flag);
    match subcommand {
        Some("clean" | "rm" | "restore" | "prune") => true,
        Some("reset") => has("--hard"),
        Some("checkout") => has("--") || has("-f") || has("."),
        Some("branch") => has("-d") || has("-D") || has("--delete"),
        Some("stash") => has("drop") || has("clear"),
        Some("push") => has("--delete") || has("-f") || has("--force") || has("--force-with-lease"),
        _ => false,
    }
}

fn inside(path: &Path, reach: Reach<'_>) -> bool {
    path.starts_with(reach.cwd)
        || reach.writable_roots.iter().any(|it| path.starts_with(it))
        || path.starts_with("/tmp")
        || path.starts_with("/dev/null")
}

/// Without `.` and `..`, as far as text alone can tell.
pub(crate) fn lexical(path: &Path) -> PathBuf {
    let mut clean = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                clean.pop();
            }
            Component::Prefix(_) | Component::RootDir | Component::Normal(_) => clean.push(part),
        }
    }
    clean
}
