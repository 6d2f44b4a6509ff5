//! Which commands are harmless: they only read, whatever their arguments, or with the arguments checked here.

use super::{Line, Segment, base_name};

/// Every part of the line is known to do nothing but read.
#[must_use]
pub fn known_safe(line: &Line) -> bool {
    line.segments.as_ref().is_some_and(|it| it.iter().all(segment_is_safe))
}

/// The part is harmless even without the sandbox, beside a command that a rule covers: it follows no configuration that
/// the model could have written, as git does.
#[must_use]
pub fn known_safe_unsandboxed(segment: &Segment) -> bool {
    const PLAIN: &[&str] = &[
        "cat", "cd", "cut", "echo", "false", "grep", "head", "ls", "nl", "pwd", "tail", "tr", "true", "uniq", "wc",
    ];
    PLAIN.contains(&segment.program()) && segment_is_safe(segment)
}

/// Programs that only read, whatever their arguments.
const READERS: &[&str] = &[
    "basename",
    "cat",
    "cd",
    "cksum",
    "cmp",
    "comm",
    "cut",
    "df",
    "dirname",
    "du",
    "echo",
    "expr",
    "false",
    "fold",
    "grep",
    "egrep",
    "fgrep",
    "groups",
    "head",
    "id",
    "join",
    "ls",
    "md5sum",
    "nl",
    "nproc",
    "od",
    "paste",
    "printf",
    "pwd",
    "readlink",
    "realpath",
    "rev",
    "seq",
    "sha1sum",
    "sha256sum",
    "sha512sum",
    "sleep",
    "stat",
    "strings",
    "sum",
    "tac",
    "tail",
    "test",
    "tr",
    "true",
    "tsort",
    "type",
    "uname",
    "uptime",
    "wc",
    "which",
    "whoami",
];

pub(crate) fn segment_is_safe(segment: &Segment) -> bool {
    let Some((program, words)) = segment.words.split_first() else {
        return false;
    };
    // A path could lead to a program of the same name.
    if !program.literal {
        return false;
    }
    if READERS.contains(&program.text.as_str()) {
        // These two evaluate subscripts, and in some shells numbers too, which can run commands.
        let evaluates = |it: &str| it == "-v" || it.contains(['[', '`', '(']);
        return !(matches!(program.text.as_str(), "printf" | "test") && words.iter().any(|it| evaluates(&it.text)));
    }
    // From here on arguments decide, so each must be what it looks like.
    if words.iter().any(|it| !it.literal) {
        return false;
    }
    let arguments: Vec<&str> = words.iter().map(|it| it.text.as_str()).collect();
    match program.text.as_str() {
        "base64" => !arguments.iter().any(|it| short(it, 'o') || long(it, "--output")),
        "date" => !arguments
            .iter()
            .any(|it| short(it, 's') || long(it, "--set") || it.starts_with(|it: char| it.is_ascii_digit())),
        "diff" => !arguments.iter().any(|it| long(it, "--output")),
        "file" => !arguments.iter().any(|it| short(it, 'C') || long(it, "--compile")),
        "find" => !arguments.iter().any(|it| {
            matches!(
                *it,
                "-exec" | "-execdir" | "-ok" | "-okdir" | "-delete" | "-fls" | "-fprint" | "-fprint0" | "-fprintf"
            )
        }),
        "rg" => !arguments
            .iter()
            .any(|it| long(it, "--pre") || long(it, "--hostname-bin") || long(it, "--search-zip") || short(it, 'z')),
        "sed" => sed_prints(&arguments),
        "sort" => !arguments.iter().any(|it| {
            short(it, 'o')
                || short(it, 'T')
                || long(it, "--output")
                || long(it, "--compress-program")
                || long(it, "--temporary-directory")
        }),
        "tree" => !arguments.iter().any(|it| short(it, 'o') || long(it, "--output")),
        // The second file name is written to.
        "uniq" => {
            arguments
                .iter()
                .filter(|it| !it.starts_with('-') || **it == "-")
                .count()
                <= 1
        }
        "git" => git_reads(&arguments),
        "cargo" | "rustc" | "node" | "npm" | "python" | "python3" | "go" | "java" => {
            matches!(arguments.as_slice(), ["--version" | "-V"]) && base_name(&program.text) == program.text
        }
        _ => false,
    }
}

/// `-x`, alone or in a bundle such as `-ax`.
fn short(argument: &str, flag: char) -> bool {
    argument
        .strip_prefix('-')
        .is_some_and(|it| !it.starts_with('-') && it.contains(flag))
}

/// `--flag`, `--flag=value`, or an abbreviation that the program would accept.
fn long(argument: &str, flag: &str) -> bool {
    let name = argument.split('=').next().unwrap_or_default();
    name.len() > 2 && name.starts_with("--") && flag.starts_with(name)
}

/// `sed -n 10,20p file…`: the one script that does nothing but print lines.
fn sed_prints(arguments: &[&str]) -> bool {
    let ["-n", script, files @ ..] = arguments else {
        return false;
    };
    let Some(range) = script.strip_suffix('p') else {
        return false;
    };
    let bound = |it: &str| it == "$" || (!it.is_empty() && it.chars().all(|it| it.is_ascii_digit()));
    let range = range
        .split_once(',')
        .map_or_else(|| bound(range), |(from, to)| bound(from) && bound(to));
    range && !files.iter().any(|it| it.starts_with('-'))
}

/// Subcommands of git that only read. Global options come before the subcommand and can name programs, so none is accepted.
fn git_reads(arguments: &[&str]) -> bool {
    let Some((subcommand, rest)) = arguments.split_first() else {
        return false;
    };
    let writes = rest.iter().any(|it| {
        long(it, "--output")
            || long(it, "--output-directory")
            || long(it, "--ext-diff")
            || long(it, "--textconv")
            || long(it, "--filters")
            || long(it, "--exec")
            || long(it, "--paginate")
            || long(it, "--open-files-in-pager")
            || long(it, "--contents")
            || long(it, "--upload-pack")
    });
    if writes {
        return false;
    }
    match *subcommand {
        "status" | "log" | "diff" | "show" | "blame" | "describe" | "ls-files" | "ls-tree" | "rev-parse"
        | "rev-list" | "shortlog" | "cat-file" | "merge-base" | "name-rev" | "show-ref" | "count-objects" => true,
        "grep" => !rest.iter().any(|it| it.starts_with("-O")),
        "branch" => rest.iter().all(|it| {
            matches!(
                *it,
                "--show-current" | "--list" | "-l" | "-a" | "--all" | "-r" | "--remotes" | "-v" | "-vv" | "--verbose"
            )
        }),
        "remote" => rest.iter().all(|it| matches!(*it, "-v" | "--verbose")),
        "tag" => rest.iter().all(|it| matches!(*it, "-l" | "--list")),
        "stash" => matches!(rest, ["list"]),
        "worktree" => matches!(rest, ["list"]),
        _ => false,
    }
}

/// Options of git that name a program to run. Whoever allows `git push` does not mean these, wherever they stand.
pub(crate) fn names_a_program(segment: &Segment, prefix: &[String]) -> bool {
    const OPTIONS: &[&str] = &[
        "--receive-pack",
        "--upload-pack",
        "--exec",
        "--ext-diff",
        "--open-files-in-pager",
    ];
    segment.program() == "git"
        && segment
            .words
            .iter()
            .skip(prefix.len())
            .any(|word| OPTIONS.iter().any(|it| long(&word.text, it)))
}
