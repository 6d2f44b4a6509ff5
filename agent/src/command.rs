//! Shell command lines, read without running them: what they are made of, whether they are harmless, what could go wrong, and which
//! rule would cover the like.
//!
//! A line is either understood completely or not at all. Whatever this module does not understand is opaque, and an opaque
//! line is covered by no rule but one for exactly this line.

mod heredoc;
mod loose;
mod parse;
mod propose;
mod risk;
mod safe;
#[cfg(test)]
mod tests;

pub use self::heredoc::{Heredoc, heredoc_patch};
pub use self::propose::propose_rule;
pub(crate) use self::risk::lexical;
pub use self::risk::{Reach, risks};
pub use self::safe::{known_safe, known_safe_unsandboxed};
pub(crate) use self::safe::{names_a_program, segment_is_safe};

/// A command line and what was understood of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// As the shell gets it.
    pub text: String,
    /// The simple commands in it; `None` when it is opaque.
    pub segments: Option<Vec<Segment>>,
}

/// A simple command: a program and its arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// At least the program.
    pub words: Vec<Word>,
}

/// A word with its quotes removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// What it says.
    pub text: String,
    /// The shell passes exactly this; false where it expands a variable, a pattern or `~` first.
    pub literal: bool,
}

/// Reads a line for a POSIX shell.
#[must_use]
pub fn parse(text: &str) -> Line {
    Line {
        text: text.to_owned(),
        segments: parse::segments(text),
    }
}

/// Reads a line for a given shell. Lines for anything but a POSIX shell are opaque: its quotes mean something else.
#[must_use]
pub fn parse_for(shell: &str, text: &str) -> Line {
    if is_posix_shell(shell) {
        parse(text)
    } else {
        Line {
            text: text.to_owned(),
            segments: None,
        }
    }
}

impl Segment {
    /// The words as far as the shell passes them unchanged, from the first one on.
    #[must_use]
    pub fn literal_words(&self) -> Vec<&str> {
        self.words
            .iter()
            .take_while(|it| it.literal)
            .map(|it| it.text.as_str())
            .collect()
    }

    /// The command begins with these words, and the shell changes none of them.
    #[must_use]
    pub fn starts_with(&self, prefix: &[String]) -> bool {
        !prefix.is_empty()
            && prefix.len() <= self.words.len()
            && prefix
                .iter()
                .zip(&self.words)
                .all(|(want, word)| word.literal && word.text == *want)
    }

    fn program(&self) -> &str {
        self.words.first().map_or("", |it| it.text.as_str())
    }
}

impl Line {
    /// Simple commands that some part of the line seems to run, opaque or not: for warnings and for refusing, never for allowing.
    #[must_use]
    pub fn loose(&self) -> Vec<Vec<String>> {
        loose::read(&self.text).commands
    }
}

/// The file name of a program given with or without a path.
fn base_name(program: &str) -> &str {
    program.rsplit(['/', '\\']).next().unwrap_or(program)
}

/// Where the system keeps its shells. Anybody can call a file `bash`, so elsewhere the name says nothing.
const SHELL_FOLDERS: [&str; 4] = ["/bin", "/usr/bin", "/usr/local/bin", "/opt/homebrew/bin"];

fn is_posix_shell(program: &str) -> bool {
    let name = match program.rsplit_once('/') {
        Some((folder, _)) if !SHELL_FOLDERS.contains(&folder) => return false,
        Some((_, name)) => name,
        None => program,
    };
    matches!(name, "sh" | "bash" | "zsh" | "dash" | "ksh" | "ash")
}

/// A command line of these words for a POSIX shell, as a person would write it.
#[must_use]
pub fn quoted<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let plain = |it: char| it.is_ascii_alphanumeric() || "-_./=:@%+,".contains(it);
    let quote = |word: &str| {
        if !word.is_empty() && word.chars().all(plain) {
            word.to_owned()
        } else {
            format!("'{}'", word.replace('\'', r"'\''"))
        }
    };
    words.into_iter().map(quote).collect::<Vec<_>>().join(" ")
}
