//! The loose reader: what some part of a line seems to run, substitutions and subshells included. It may be wrong in both directions, so
//! it serves warnings and deny rules only.

use super::{base_name, is_posix_shell};

/// What a line seems to do.
#[derive(Debug, Default)]
pub(super) struct Loose {
    /// Programs with their arguments, wrappers such as `sudo` and `env` taken off.
    pub(super) commands: Vec<Vec<String>>,
    /// Files that output is redirected into.
    pub(super) targets: Vec<String>,
    /// Some command ran under `sudo` or the like.
    pub(super) elevated: bool,
}

/// Programs that run the program named behind them.
const WRAPPERS: &[&str] = &[
    "builtin", "command", "doas", "env", "eval", "exec", "nice", "nohup", "setsid", "stdbuf", "sudo", "time",
    "timeout", "xargs",
];
/// Grammar that a command may follow.
const GRAMMAR: &[&str] = &["!", "do", "elif", "else", "if", "then", "until", "while", "{", "in"];
/// Scripts within scripts are followed this deep.
const DEPTH: usize = 4;

/// Reads a line.
pub(super) fn read(text: &str) -> Loose {
    let mut found = Loose::default();
    scan(text, &mut found, DEPTH);
    found
}

fn scan(text: &str, found: &mut Loose, depth: usize) {
    let mut words: Vec<String> = Vec::new();
    let mut word: Option<String> = None;
    let mut target = false;
    let mut quotes: Vec<char> = Vec::new();
    let mut rest = text.chars().peekable();
    let mut commands: Vec<Vec<String>> = Vec::new();
    while let Some(it) = rest.next() {
        let quoted = quotes.last() == Some(&'"');
        match it {
            '\'' if !quoted => {
                let word = word.get_or_insert_default();
                word.extend(rest.by_ref().take_while(|it| *it != '\''));
            }
            '"' if quoted => {
                quotes.pop();
            }
            '"' => {
                quotes.push('"');
                word.get_or_insert_default();
            }
            '\\' => word
                .get_or_insert_default()
                .extend(rest.next().filter(|it| *it != '\n')),
            '$' if rest.peek() == Some(&'(') => {
                rest.next();
                quotes.push('(');
                end(&mut word, &mut words, &mut target, found);
                commands.push(std::mem::take(&mut words));
            }
            '`' => {
                end(&mut word, &mut words, &mut target, found);
                commands.push(std::mem::take(&mut words));
            }
            _ if quoted => word.get_or_insert_default().push(it),
            '(' | ')' | ';' | '|' | '\n' | '&' => {
                if it == ')' && quotes.last() == Some(&'(') {
                    quotes.pop();
                }
                // `2>&1` and `&>` are redirections.
                let redirects = it == '&' && (rest.peek() == Some(&'>') || target);
                if redirects {
                    continue;
                }
                end(&mut word, &mut words, &mut target, found);
                commands.push(std::mem::take(&mut words));
            }
            '>' => {
                if word.as_ref().is_some_and(|it| it.chars().all(|it| it.is_ascii_digit())) {
                    word = None;
                }
                end(&mut word, &mut words, &mut target, found);
                target = true;
            }
            '<' => end(&mut word, &mut words, &mut target, found),
            it if it.is_whitespace() => end(&mut word, &mut words, &mut target, found),
            it => word.get_or_insert_default().push(it),
        }
    }
    end(&mut word, &mut words, &mut target, found);
    commands.push(words);
    for words in commands {
        keep(words, found, depth);
    }
}

fn end(word: &mut Option<String>, words: &mut Vec<String>, target: &mut bool, found: &mut Loose) {
    let Some(word) = word.take() else {
        return;
    };
    if std::mem::take(target) {
        let descriptor = word.chars().all(|it| it.is_ascii_digit()) || word == "-";
        if !descriptor && word != "/dev/null" {
            found.targets.push(word);
        }
    } else {
        words.push(word);
    }
}

/// Takes off what stands before the program, and looks into scripts.
fn keep(words: Vec<String>, found: &mut Loose, depth: usize) {
    let mut words = words.as_slice();
    let mut wrapped = false;
    while let Some((first, rest)) = words.split_first() {
        let name = base_name(first);
        let assigns = first.split_once('=').is_some_and(|(name, _)| {
            !name.is_empty() && name.chars().all(|it| it.is_ascii_alphanumeric() || it == '_')
        });
        let is_wrapper = WRAPPERS.contains(&name);
        // Options and durations of a wrapper.
        let belongs = wrapped && (first.starts_with('-') || first.starts_with(|it: char| it.is_ascii_digit()));
        if !(assigns || is_wrapper || belongs || GRAMMAR.contains(&name)) {
            break;
        }
        if is_wrapper {
            wrapped = true;
            found.elevated |= matches!(name, "sudo" | "doas");
            // `eval "git push"` runs its arguments as a script.
            if name == "eval" && depth > 0 {
                scan(&rest.join(" "), found, depth - 1);
                return;
            }
        }
        words = rest;
    }
    let Some(program) = words.first() else {
        return;
    };
    if is_posix_shell(program) && depth > 0 {
        let flag = words
            .iter()
            .position(|it| it.starts_with('-') && !it.starts_with("--") && it.ends_with('c'));
        if let Some(script) = flag.and_then(|at| words.get(at + 1)) {
            scan(script, found, depth - 1);
        }
    }
    found.commands.push(words.to_vec());
}
