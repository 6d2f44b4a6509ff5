//! The strict reader: a small part of the shell's grammar, understood exactly. Everything else is `None`.

use std::iter::Peekable;
use std::str::Chars;

use super::{Segment, Word, is_posix_shell};

/// Nested `sh -c` this deep is nothing a person reads.
const DEPTH: usize = 3;

/// Words that are grammar when they come first.
const RESERVED: &[&str] = &[
    "!",
    "[[",
    "]]",
    "case",
    "coproc",
    "do",
    "done",
    "elif",
    "else",
    "esac",
    "fi",
    "for",
    "foreach",
    "function",
    "if",
    "in",
    "repeat",
    "select",
    "then",
    "time",
    "until",
    "while",
    "noglob",
    "nocorrect",
    "always",
];

/// The simple commands of a line, joined by `&&`, `||`, `;`, `|` and newlines.
pub(super) fn segments(text: &str) -> Option<Vec<Segment>> {
    nested(text, DEPTH)
}

fn nested(text: &str, depth: usize) -> Option<Vec<Segment>> {
    let mut all = Vec::new();
    for segment in Reader::new(text).line()? {
        match inner_script(&segment) {
            Some(script) if depth > 0 => all.extend(nested(script, depth - 1)?),
            Some(_) => return None,
            None => all.push(segment),
        }
    }
    (!all.is_empty()).then_some(all)
}

/// The script of `bash -c SCRIPT`, which is as good as the script itself.
fn inner_script(segment: &Segment) -> Option<&str> {
    let [shell, flag, script] = segment.words.as_slice() else {
        return None;
    };
    let is_script = is_posix_shell(&shell.text) && matches!(flag.text.as_str(), "-c" | "-lc") && flag.literal;
    (is_script && script.literal).then_some(script.text.as_str())
}

struct Reader<'a> {
    rest: Peekable<Chars<'a>>,
    segments: Vec<Segment>,
    words: Vec<Word>,
    word: Option<Word>,
    /// The word so far has a quote or a backslash in it.
    quoted: bool,
    /// The segment has a redirection.
    redirected: bool,
}

impl<'a> Reader<'a> {
    fn new(text: &'a str) -> Self {
        Self {
            rest: text.chars().peekable(),
            segments: Vec::new(),
            words: Vec::new(),
            word: None,
            quoted: false,
            redirected: false,
        }
    }

    fn line(mut self) -> Option<Vec<Segment>> {
        // After `&&`, `||` and `|` there must come something.
        let mut open = false;
        while let Some(it) = self.rest.next() {
            match it {
                '\'' => self.single_quoted()?,
                '"' => self.double_quoted()?,
                '\\' => match self.rest.next()? {
                    '\n' => {}
                    escaped if escaped.is_control() => return None,
                    escaped => self.push_quoted(escaped),
                },
                '$' => self.dollar(false)?,
                ' ' | '\t' => self.end_word(),
                '\n' => {
                    self.end_word();
                    if !self.words.is_empty() || self.redirected {
                        self.end_segment()?;
                        open = false;
                    }
                }
                ';' => {
                    if matches!(self.rest.peek(), Some(';' | '&' | '|')) {
                        return None;
                    }
                    self.end_segment()?;
                    open = false;
                }
                '&' => match self.rest.next() {
                    Some('&') => {
                        self.end_segment()?;
                        open = true;
                    }
                    Some('>') => {
                        self.end_word();
                        self.redirection('>')?;
                    }
                    _ => return None,
                },
                '|' => {
                    if self.rest.next_if_eq(&'|').is_none() && self.rest.peek() == Some(&'&') {
                        return None;
                    }
                    self.end_segment()?;
                    open = true;
                }
                '<' | '>' => {
                    let descriptor = self.word.as_ref().is_some_and(|word| {
                        !self.quoted && word.literal && word.text.chars().all(|it| it.is_ascii_digit())
                    });
                    if descriptor {
                        self.word = None;
                    } else {
                        self.end_word();
                    }
                    self.redirection(it)?;
                }
                '{' if self.word.is_none() && self.rest.next_if_eq(&'}').is_some() => {
                    if !self.at_boundary() {
                        return None;
                    }
                    self.push_quoted('{');
                    self.push_quoted('}');
                }
                '`' | '(' | ')' | '{' | '}' => return None,
                '#' if self.word.is_none() => return None,
                '*' | '?' | '[' => self.push(it, false),
                '~' | '=' if self.word.is_none() => self.push(it, false),
                it if it.is_control() => return None,
                it => self.push(it, true),
            }
        }
        self.end_word();
        if !self.words.is_empty() || self.redirected {
            self.end_segment()?;
            open = false;
        }
        (!open).then_some(self.segments)
    }

    fn push(&mut self, it: char, literal: bool) {
        let word = self.word.get_or_insert_with(|| Word {
            text: String::new(),
            literal: true,
        });
        word.text.push(it);
        word.literal &= literal;
    }

    fn push_quoted(&mut self, it: char) {
        self.quoted = true;
        self.push(it, true);
    }

    fn open_quote(&mut self) {
        self.quoted = true;
        self.word.get_or_insert_with(|| Word {
            text: String::new(),
            literal: true,
        });
    }

    fn single_quoted(&mut self) -> Option<()> {
        self.open_quote();
        loop {
            match self.rest.next()? {
                '\'' => return Some(()),
                '\0' => return None,
                it => self.push(it, true),
            }
        }
    }

    fn double_quoted(&mut self) -> Option<()> {
        self.open_quote();
        loop {
            match self.rest.next()? {
                '"' => return Some(()),
                '`' | '\0' => return None,
                '$' => self.dollar(true)?,
                '\\' => match self.rest.next()? {
                    '\n' => {}
                    it @ ('$' | '`' | '"' | '\\') => self.push(it, true),
                    it => {
                        self.push('\\', true);
                        self.push(it, true);
                    }
                },
                it => self.push(it, true),
            }
        }
    }

    /// `$NAME`, `${NAME}` and `$?` become a word that is not literal. A dollar that means nothing stays one.
    fn dollar(&mut self, in_quotes: bool) -> Option<()> {
        match self.rest.peek().copied() {
            Some(it) if it.is_ascii_alphabetic() || it == '_' => {
                self.push('$', false);
                // `$name[…]` is a subscript in zsh, and subscripts are evaluated.
                while let Some(it) = self.rest.next_if(|it| it.is_ascii_alphanumeric() || *it == '_') {
                    self.push(it, false);
                }
                (!matches!(self.rest.peek(), Some('[' | ':'))).then_some(())
            }
            Some('{') => {
                self.rest.next();
                self.push('$', false);
                let first = self.rest.next_if(|it| it.is_ascii_alphabetic() || *it == '_')?;
                self.push(first, false);
                while let Some(it) = self.rest.next_if(|it| it.is_ascii_alphanumeric() || *it == '_') {
                    self.push(it, false);
                }
                self.rest.next_if_eq(&'}').map(|_| ())
            }
            Some('?') => {
                self.rest.next();
                self.push('$', false);
                self.push('?', false);
                Some(())
            }
            Some('"' | ' ' | '|' | ')' | '/' | '.' | ',') if in_quotes => {
                self.push('$', true);
                Some(())
            }
            None | Some(' ' | '\t' | '\n') if !in_quotes => {
                self.push('$', true);
                Some(())
            }
            _ => None,
        }
    }

    /// Only redirections that neither read nor write a file: `2>&1`, `>/dev/null`, `</dev/null`.
    fn redirection(&mut self, direction: char) -> Option<()> {
        self.redirected = true;
        if direction == '>' {
            self.rest.next_if_eq(&'>');
        }
        if self.rest.next_if_eq(&'&').is_some() {
            let target = self.bare_word();
            let descriptor = !target.is_empty() && target.chars().all(|it| it.is_ascii_digit());
            // `>&1x` and `>&1*` are files.
            return ((descriptor || target == "-") && self.at_boundary()).then_some(());
        }
        while self.rest.next_if(|it| matches!(it, ' ' | '\t')).is_some() {}
        (self.bare_word() == "/dev/null" && self.at_boundary()).then_some(())
    }

    /// Plain characters up to the next blank or operator; anything special makes it end early, and thus differ.
    fn bare_word(&mut self) -> String {
        let mut word = String::new();
        while let Some(it) = self
            .rest
            .next_if(|it| it.is_ascii_alphanumeric() || matches!(it, '/' | '-' | '_' | '.'))
        {
            word.push(it);
        }
        word
    }

    fn at_boundary(&mut self) -> bool {
        matches!(self.rest.peek(), None | Some(' ' | '\t' | '\n' | ';' | '&' | '|'))
    }

    fn end_word(&mut self) {
        self.words.extend(self.word.take());
        self.quoted = false;
    }

    fn end_segment(&mut self) -> Option<()> {
        self.end_word();
        let words = std::mem::take(&mut self.words);
        self.redirected = false;
        let program = words.first()?;
        let assigns = program.text.contains('=');
        if !program.literal || program.text.is_empty() || assigns || RESERVED.contains(&program.text.as_str()) {
            return None;
        }
        self.segments.push(Segment { words });
        Some(())
    }
}
