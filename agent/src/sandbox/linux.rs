//! Linux: a mount namespace where everything but the writable roots is read-only, Landlock on top of it, seccomp
//! against sockets and against reaching into other processes, and a process namespace so that nothing outlives its
//! command. No root and no extra program: our own binary is started again as the *stage*.
//!
//! Landlock alone can neither take `.git` out of a writable folder nor stop `chmod`; the mount namespace can. Where
//! user namespaces are forbidden, Landlock grants the entries of a root one by one instead, all but the protected
//! ones. That is narrower for the command (no new entries at the top of a root), never wider.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use protocol::setting::SandboxMode;

use super::{Error, Launcher, PROTECTED, Policy, Sandbox, Spawn};

mod filter;
mod mounts;
mod rights;
pub mod stage;

/// The sandbox of Linux.
#[derive(Debug)]
pub struct Linux {
    launcher: Launcher,
    checked: OnceLock<Result<Force, String>>,
}

/// What the stage can enforce on this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Force {
    /// Namespaces, Landlock and seccomp.
    Full,
    /// Landlock and seccomp.
    LandlockOnly,
}

/// What the stage is told: which folders are writable, and what in them is not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Plan {
    pub(crate) network: bool,
    pub(crate) parent: u32,
    /// Writable folders, parents before children.
    pub(crate) roots: Vec<PathBuf>,
    /// Read-only paths below them; those that do not exist are held by an empty folder while the command runs.
    pub(crate) protected: Vec<PathBuf>,
    pub(crate) program: OsString,
    pub(crate) args: Vec<OsString>,
}

/// The first argument of a process that is asked to be the stage.
pub(crate) const ASK: &str = "--run-as-sandbox-stage";

impl Linux {
    /// Stages are started from `launcher`.
    #[must_use]
    pub fn new(launcher: Launcher) -> Self {
        Self {
            launcher,
            checked: OnceLock::new(),
        }
    }

    fn probe(&self) -> &Result<Force, String> {
        self.checked.get_or_init(|| {
            let output = std::process::Command::new(&self.launcher.exe)
                .arg(ASK)
                .arg("probe")
                .env_clear()
                .stdin(std::process::Stdio::null())
                .output()
                .map_err(|error| format!("{} cannot be started: {error}", self.launcher.exe.display()))?;
            match String::from_utf8_lossy(&output.stdout).trim() {
                "full" => Ok(Force::Full),
                "landlock" => Ok(Force::LandlockOnly),
                other => Err(if other.is_empty() {
                    String::from_utf8_lossy(&output.stderr).trim().to_owned()
                } else {
                    other.to_owned()
                }),
            }
        })
    }
}

impl Sandbox for Linux {
    fn confine(&self, spawn: Spawn, policy: &Policy) -> Result<Spawn, Error> {
        if policy.mode == SandboxMode::DangerFullAccess {
            return Ok(spawn);
        }
        let plan = plan(&spawn, policy)?;
        Ok(Spawn {
            program: self.launcher.exe.clone(),
            args: plan.to_args(),
            supervised: true,
            ..spawn
        })
    }

    fn check(&self) -> Result<(), Error> {
        match self.probe() {
            Ok(_) => Ok(()),
            Err(why) => Err(Error::Unavailable {
                why: why.clone(),
                remedy:
                    "zspark needs a Linux kernel with Landlock (5.13 or newer, `lsm=landlock` in the boot options). \
                         Without it, choose \"full access\" and let every command ask."
                        .to_owned(),
            }),
        }
    }

    fn describe(&self) -> String {
        match self.probe() {
            Ok(Force::Full) => "Commands are confined by namespaces, Landlock and seccomp.".to_owned(),
            Ok(Force::LandlockOnly) => {
                "Commands are confined by Landlock and seccomp only, because this system forbids \
                 user namespaces: a command cannot create new entries directly in a writable folder, can change modes \
                 and times of files elsewhere, and background processes may outlive it. Allow user namespaces for \
                 zspark (on Ubuntu: an AppArmor profile with `userns,`) to lift that."
                    .to_owned()
            }
            Err(why) => format!("Commands cannot be confined: {why}"),
        }
    }
}

fn plan(spawn: &Spawn, policy: &Policy) -> Result<Plan, Error> {
    let mut roots = Vec::new();
    let mut protected = Vec::new();
    for root in policy.roots() {
        let real = root.canonicalize().map_err(|source| Error::Root {
            path: root.clone(),
            source,
        })?;
        for name in PROTECTED {
            protected.push(real.join(name));
        }
        // A worktree's or submodule's `.git` is a file that names the real one, which may lie in another root.
        protected.extend(git_folder(&real));
        roots.push(real);
    }
    if policy.mode == SandboxMode::WorkspaceWrite {
        for folder in policy.temporary.folders(&spawn.env) {
            // A temporary folder that is not there is nothing to write to.
            if let Ok(real) = Path::new(folder).canonicalize() {
                protected.extend(
                    PROTECTED
                        .map(|it| real.join(it))
                        .into_iter()
                        .filter(|it| it.symlink_metadata().is_ok()),
                );
                roots.push(real);
            }
        }
    }
    roots.sort();
    roots.dedup();
    protected.sort();
    protected.dedup();
    Ok(Plan {
        network: policy.network_allowed(),
        parent: std::process::id(),
        roots,
        protected,
        program: spawn.program.clone().into_os_string(),
        args: spawn.args.clone(),
    })
}

/// Where a `.git` file points to.
fn git_folder(root: &Path) -> Option<PathBuf> {
    let file = root.join(".git");
    if !file.symlink_metadata().ok()?.is_file() {
        return None;
    }
    let text = std::fs::read_to_string(&file).ok()?;
    let target = text.strip_prefix("gitdir:")?.trim();
    root.join(target).canonicalize().ok()
}

impl Plan {
    fn to_args(&self) -> Vec<OsString> {
        let mut args = vec![
            OsString::from(ASK),
            OsString::from(if self.network { "network" } else { "no-network" }),
            self.parent.to_string().into(),
            self.roots.len().to_string().into(),
        ];
        args.extend(self.roots.iter().map(|it| it.clone().into_os_string()));
        args.push(self.protected.len().to_string().into());
        args.extend(self.protected.iter().map(|it| it.clone().into_os_string()));
        args.push(self.program.clone());
        args.extend(self.args.iter().cloned());
        args
    }

    /// Reads what `to_args` wrote, without the first.
    fn from_args(mut args: impl Iterator<Item = OsString>) -> Option<Self> {
        let network = match args.next()?.to_str()? {
            "network" => true,
            "no-network" => false,
            _ => return None,
        };
        let parent = args.next()?.to_str()?.parse().ok()?;
        let mut list = || -> Option<Vec<PathBuf>> {
            let count: usize = args.next()?.to_str()?.parse().ok()?;
            (0..count).map(|_| args.next().map(PathBuf::from)).collect()
        };
        let roots = list()?;
        let protected = list()?;
        Some(Self {
            network,
            parent,
            roots,
            protected,
            program: args.next()?,
            args: args.collect(),
        })
    }
}

/// Finds a program as a shell would.
fn lookup(program: &OsStr, path: Option<&OsStr>) -> PathBuf {
    let direct = PathBuf::from(program);
    if direct.components().count() > 1 {
        return direct;
    }
    std::env::split_paths(path.unwrap_or_default())
        .map(|it| it.join(&direct))
        .find(|it| it.is_file())
        .unwrap_or(direct)
}

#[cfg(test)]
mod tests;
