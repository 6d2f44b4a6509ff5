//! Which variables the commands of the model see: `[shell_environment_policy]`, and never a provider's key.

use std::collections::{BTreeMap, BTreeSet};

use super::Stack;
use super::layer::Inherit;

/// What a command's environment is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvPolicy {
    inherit: Inherit,
    /// Drop everything that looks like a secret.
    guess_secrets: bool,
    exclude: Vec<String>,
    set: BTreeMap<String, String>,
    include_only: Vec<String>,
    /// Variables that hold keys. They go last, so that nothing brings them back.
    keys: BTreeSet<String>,
}

/// What `inherit = "core"` keeps.
const CORE: &[&str] = &[
    "HOME",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "LOGNAME",
    "PATH",
    "SHELL",
    "TMPDIR",
    "TEMP",
    "TMP",
    "TZ",
    "USER",
    "USERNAME",
    "USERPROFILE",
    "SYSTEMROOT",
    "COMSPEC",
    "PATHEXT",
    "WINDIR",
    "APPDATA",
    "LOCALAPPDATA",
];

/// Keys that zspark or the reference program read by themselves, whatever is configured.
const ALWAYS: &[&str] = &["OPENAI_API_KEY", "CODEX_API_KEY"];

impl EnvPolicy {
    pub(super) fn new(stack: &Stack<'_>, keys: impl Iterator<Item = String>) -> Self {
        Self {
            inherit: stack.or(Inherit::All, |it| it.shell_environment_policy.inherit).value,
            guess_secrets: !stack
                .or(true, |it| it.shell_environment_policy.ignore_default_excludes)
                .value,
            exclude: stack
                .or(Vec::new(), |it| it.shell_environment_policy.exclude.clone())
                .value,
            set: stack
                .or(BTreeMap::new(), |it| it.shell_environment_policy.set.clone())
                .value,
            include_only: stack
                .or(Vec::new(), |it| it.shell_environment_policy.include_only.clone())
                .value,
            keys: keys.chain(ALWAYS.iter().map(|it| (*it).to_owned())).collect(),
        }
    }

    /// The environment for a command, made from the program's own.
    #[must_use]
    pub fn apply(&self, env: &BTreeMap<String, String>) -> BTreeMap<String, String> {
        let mut kept: BTreeMap<String, String> = match self.inherit {
            Inherit::All => env.clone(),
            Inherit::Core => {
                let core = |name: &String| CORE.iter().any(|it| it.eq_ignore_ascii_case(name));
                env.iter()
                    .filter(|(name, _)| core(name))
                    .map(|(name, value)| (name.clone(), value.clone()))
                    .collect()
            }
            Inherit::None => BTreeMap::new(),
        };
        if self.guess_secrets {
            kept.retain(|name, _| !["*KEY*", "*SECRET*", "*TOKEN*"].iter().any(|it| matches(it, name)));
        }
        kept.retain(|name, _| !self.exclude.iter().any(|it| matches(it, name)));
        kept.extend(self.set.clone());
        if !self.include_only.is_empty() {
            kept.retain(|name, _| self.include_only.iter().any(|it| matches(it, name)));
        }
        kept.retain(|name, _| !self.keys.iter().any(|it| it.eq_ignore_ascii_case(name)));
        kept
    }
}

/// `*` stands for any text and `?` for one character; case does not matter.
fn matches(pattern: &str, name: &str) -> bool {
    let pattern: Vec<char> = pattern.to_lowercase().chars().collect();
    let name: Vec<char> = name.to_lowercase().chars().collect();
    let (mut p, mut n) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(it) if *it == '?' || *it == name[n] => {
                p += 1;
                n += 1;
            }
            _ => match star {
                // The star takes one character more, and the rest is tried again.
                Some((at, taken)) => {
                    star = Some((at, taken + 1));
                    p = at + 1;
                    n = taken + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|it| *it == '*')
}
