//! Which rule "always" would make: as narrow as it can be and still be of use, and none at all for programs that can run
//! anything.

use std::path::Path;

use protocol::approval::{RuleDraft, RuleEffect, RuleSubject};

use super::{Line, Segment, base_name, known_safe_unsandboxed, safe};

/// Programs that run what their arguments say, or that destroy: a prefix of theirs says nothing about what follows.
const NEVER: &[&str] = &[
    ".",
    "awk",
    "bash",
    "chgrp",
    "chmod",
    "chown",
    "cmd",
    "command",
    "cp",
    "curl",
    "dash",
    "dd",
    "del",
    "doas",
    "env",
    "eval",
    "exec",
    "expect",
    "fdisk",
    "find",
    "fish",
    "gawk",
    "install",
    "kill",
    "killall",
    "ksh",
    "launchctl",
    "ln",
    "mawk",
    "mkfs",
    "mount",
    "mv",
    "nc",
    "ncat",
    "nice",
    "nohup",
    "nsenter",
    "osascript",
    "parallel",
    "perl",
    "php",
    "pkill",
    "powershell",
    "pwsh",
    "reboot",
    "rm",
    "rmdir",
    "rsync",
    "scp",
    "screen",
    "script",
    "sed",
    "setsid",
    "sh",
    "shred",
    "shutdown",
    "source",
    "ssh",
    "strace",
    "su",
    "sudo",
    "systemctl",
    "tar",
    "tcsh",
    "tee",
    "time",
    "timeout",
    "tmux",
    "truncate",
    "umount",
    "unshare",
    "vi",
    "vim",
    "watch",
    "wget",
    "xargs",
    "zsh",
    "csh",
    "busybox",
    "chroot",
    "crontab",
    "at",
    "gdb",
    "lldb",
    "ed",
    "emacs",
    "nano",
    "alias",
    "export",
    "set",
    "trap",
    "unset",
];
/// Programs that run a script file, or code given to them.
const INTERPRETERS: &[&str] = &[
    "bun", "deno", "java", "julia", "lua", "node", "nodejs", "pypy", "pypy3", "python", "python2", "python3",
    "Rscript", "ruby", "tclsh",
];
/// Programs of many commands, and how many words name one of them.
const FAMILIES: &[(&str, usize)] = &[
    ("cargo", 2),
    ("dotnet", 2),
    ("gh", 3),
    ("git", 2),
    ("go", 2),
    ("gradle", 2),
    ("gradlew", 2),
    ("just", 2),
    ("make", 2),
    ("mvn", 2),
    ("npm", 2),
    ("pnpm", 2),
    ("poetry", 2),
    ("yarn", 2),
];
/// Commands of families that run any program or change what others do.
const NEVER_IN_FAMILIES: &[(&str, &[&str])] = &[
    ("cargo", &["run", "install", "xtask"]),
    (
        "git",
        &[
            "bisect",
            "config",
            "filter-branch",
            "rebase",
            "submodule",
            "difftool",
            "mergetool",
            "clean",
            "reset",
            "rm",
            "checkout",
            "restore",
        ],
    ),
    ("go", &["run", "generate", "tool"]),
    ("npm", &["exec", "x", "explore", "config"]),
    ("pnpm", &["dlx", "exec", "config"]),
    ("yarn", &["dlx", "exec", "config", "node"]),
    ("poetry", &["run", "shell"]),
    ("gh", &["api", "alias", "extension"]),
];
/// Tools that only check or test: their arguments are files and options of their own.
const CHECKERS: &[&str] = &[
    "black",
    "eslint",
    "jest",
    "mypy",
    "prettier",
    "pyright",
    "pytest",
    "ruff",
    "rustfmt",
    "shellcheck",
    "stylelint",
    "tsc",
    "vitest",
];
/// A rule longer than this is nothing that comes again.
const LONGEST: usize = 12;

/// The rule for the one part of the line that is not harmless. What the model proposes is taken where it is at least as
/// narrow as ours. The rule holds in `folder` and below.
#[must_use]
pub fn propose_rule(line: &Line, folder: &Path, escalated: bool, proposed: Option<&[String]>) -> Option<RuleDraft> {
    let harmless = |it: &Segment| {
        if escalated {
            known_safe_unsandboxed(it)
        } else {
            safe::segment_is_safe(it)
        }
    };
    let mut open = line.segments.as_ref()?.iter().filter(|it| !harmless(it));
    let segment = open.next()?;
    let ours = prefix(segment, escalated)?;
    // One rule cannot cover two different commands.
    if !open.all(|it| it.starts_with(&ours)) {
        return None;
    }
    let prefix = match proposed {
        Some(theirs) if theirs.len() >= ours.len() && segment.starts_with(theirs) => theirs.to_vec(),
        _ => ours,
    };
    Some(RuleDraft {
        subject: RuleSubject::CommandPrefix { prefix, escalated },
        effect: RuleEffect::Allow,
        folder: Some(folder.to_string_lossy().into_owned()),
        expires_ms: None,
    })
}

fn prefix(segment: &Segment, escalated: bool) -> Option<Vec<String>> {
    let words = segment.literal_words();
    let (program, arguments) = words.split_first()?;
    let name = base_name(program);
    let take = |count: usize| -> Option<Vec<String>> {
        let named = words.get(..count)?;
        // An option in the place of a subcommand, such as `git -c`, can change everything behind it.
        (!named.iter().skip(1).any(|it| it.starts_with(['-', '+'])))
            .then(|| named.iter().map(|it| (*it).to_owned()).collect())
    };
    if NEVER.contains(&name) {
        return None;
    }
    if INTERPRETERS.iter().any(|it| {
        name == *it
            || name
                .strip_prefix(it)
                .is_some_and(|rest| rest.starts_with(['.', '2', '3']))
    }) {
        return match arguments {
            ["-m", module, ..] if CHECKERS.contains(module) => {
                Some(words[..3].iter().map(|it| (*it).to_owned()).collect())
            }
            // The model can change the script, so without the sandbox the rule would allow anything.
            [script, ..] if !escalated && !script.starts_with('-') && script.contains('.') => take(2),
            _ => None,
        };
    }
    if let Some((_, count)) = FAMILIES.iter().find(|it| it.0 == name) {
        let subcommand = arguments.first()?;
        let never = NEVER_IN_FAMILIES
            .iter()
            .any(|(it, all)| *it == name && all.contains(subcommand));
        let count = if *subcommand == "run" { 3 } else { *count };
        return if never { None } else { take(count) };
    }
    if CHECKERS.contains(&name) {
        return take(1);
    }
    // Anything else: exactly this command.
    let whole = words.len() == segment.words.len() && words.len() <= LONGEST;
    whole.then(|| words.iter().map(|it| (*it).to_owned()).collect())
}
