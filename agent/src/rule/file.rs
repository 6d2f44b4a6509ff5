//! Rules files: `rules/*.rules` in the form that Codex's execpolicy uses, `prefix_rule(pattern=[…], decision="allow")`.
//!
//! Only this form is read, not all of Starlark. A file that says anything else is an error, because a rule against something
//! that is skipped is worse than a question.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use protocol::RuleId;
use protocol::approval::{Rule, RuleDraft, RuleEffect, RuleSubject};

use super::Error;
use crate::command::{Segment, Word};

/// The rules of all files of a folder, read again when one changed.
pub(super) struct Files {
    folder: PathBuf,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    seen: Vec<(PathBuf, Option<SystemTime>, u64)>,
    rules: Arc<Vec<Rule>>,
}

impl Files {
    pub(super) fn new(folder: PathBuf) -> Self {
        Self {
            folder,
            known: Mutex::default(),
        }
    }

    pub(super) fn read(&self) -> Result<Arc<Vec<Rule>>, Error> {
        let seen = self.seen()?;
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.seen != seen {
            let mut rules = Vec::new();
            for (path, ..) in &seen {
                let text = std::fs::read_to_string(path).map_err(|source| unreadable(path, source))?;
                rules.extend(parse(&text, path)?);
            }
            *known = Known {
                seen,
                rules: Arc::new(rules),
            };
        }
        Ok(Arc::clone(&known.rules))
    }

    fn seen(&self) -> Result<Vec<(PathBuf, Option<SystemTime>, u64)>, Error> {
        let entries = match std::fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(source) => return Err(unreadable(&self.folder, source)),
        };
        let mut seen = Vec::new();
        for entry in entries {
            let path = entry.map_err(|source| unreadable(&self.folder, source))?.path();
            if path.extension().is_some_and(|it| it == "rules") {
                let metadata = std::fs::metadata(&path).map_err(|source| unreadable(&path, source))?;
                seen.push((path, metadata.modified().ok(), metadata.len()));
            }
        }
        seen.sort();
        Ok(seen)
    }
}

fn unreadable(path: &Path, source: std::io::Error) -> Error {
    Error::Unreadable {
        path: path.display().to_string(),
        source,
    }
}

/// Reads the text of one file.
pub(super) fn parse(text: &str, path: &Path) -> Result<Vec<Rule>, Error> {
    let wrong = |(line, why): (usize, String)| Error::File {
        path: path.display().to_string(),
        line,
        why,
    };
    let tokens = tokens(text).map_err(wrong)?;
    let mut reader = Reader { tokens: &tokens, at: 0 };
    let mut rules = Vec::new();
    while let Some((name, line)) = reader.statement().map_err(wrong)? {
        let arguments = reader.arguments().map_err(wrong)?;
        match name.as_str() {
            "prefix_rule" => rules.extend(prefix_rule(arguments, line, path).map_err(|why| wrong((line, why)))?),
            // They speak of hosts and of where programs lie, which no rule of ours is about.
            "network_rule" | "host_executable" => {}
            other => {
                return Err(wrong((
                    line,
                    format!("`{other}` is not known here; only prefix_rule(…) is read"),
                )));
            }
        }
    }
    Ok(rules)
}

fn prefix_rule(arguments: Vec<(String, Value)>, line: usize, path: &Path) -> Result<Vec<Rule>, String> {
    let mut pattern = None;
    let mut effect = RuleEffect::Allow;
    let (mut matching, mut unmatching) = (Vec::new(), Vec::new());
    for (name, value) in arguments {
        match (name.as_str(), value) {
            ("pattern", Value::List(words)) => pattern = Some(words),
            ("decision", Value::Text(decision)) => {
                effect = match decision.as_str() {
                    "allow" => RuleEffect::Allow,
                    "prompt" => RuleEffect::Ask,
                    "forbidden" => RuleEffect::Deny,
                    other => return Err(format!("decision is allow, prompt or forbidden, not {other:?}")),
                };
            }
            ("justification", Value::Text(_)) => {}
            ("match", Value::List(examples)) => matching = examples,
            ("not_match", Value::List(examples)) => unmatching = examples,
            (name, _) => return Err(format!("argument `{name}` is unknown or has a wrong type")),
        }
    }
    let prefixes = prefixes(&pattern.ok_or("argument `pattern` is missing")?)?;
    let matches = |example: &Value| -> Result<bool, String> {
        let words = match example {
            Value::Text(text) => shell_words::split(text).map_err(|error| error.to_string())?,
            Value::List(words) => words.iter().map(Value::text).collect::<Result<_, _>>()?,
        };
        let segment = Segment {
            words: words.into_iter().map(|text| Word { text, literal: true }).collect(),
        };
        Ok(prefixes.iter().any(|it| segment.starts_with(it)))
    };
    for example in &matching {
        if !matches(example)? {
            return Err(format!("the pattern does not match its example {example:?}"));
        }
    }
    for example in &unmatching {
        if matches(example)? {
            return Err(format!("the pattern matches {example:?}, which it should not"));
        }
    }
    let file = path.file_name().unwrap_or_default().to_string_lossy();
    let rule = |(number, prefix): (usize, Vec<String>)| Rule {
        id: RuleId(format!("{file}:{line}:{number}")),
        draft: RuleDraft {
            subject: RuleSubject::CommandPrefix {
                prefix,
                escalated: true,
            },
            effect,
            folder: None,
            expires_ms: None,
        },
        created_ms: 0,
        origin: path.display().to_string(),
        matched: 0,
        last_matched_ms: None,
    };
    Ok(prefixes.iter().cloned().enumerate().map(rule).collect())
}

/// Every combination of a pattern's alternatives.
fn prefixes(pattern: &[Value]) -> Result<Vec<Vec<String>>, String> {
    const MOST: usize = 1000;
    if pattern.is_empty() {
        return Err("the pattern is empty and would match every command".to_owned());
    }
    let mut all: Vec<Vec<String>> = vec![Vec::new()];
    for part in pattern {
        let alternatives = match part {
            Value::Text(word) => vec![word.clone()],
            Value::List(words) if !words.is_empty() => words.iter().map(Value::text).collect::<Result<_, _>>()?,
            Value::List(_) => return Err("a list of alternatives is empty".to_owned()),
        };
        all = all
            .iter()
            .flat_map(|head| {
                alternatives
                    .iter()
                    .map(move |word| head.iter().chain([word]).cloned().collect())
            })
            .collect();
        if all.len() > MOST {
            return Err(format!("the pattern has more than {MOST} combinations"));
        }
    }
    Ok(all)
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Value {
    Text(String),
    List(Vec<Value>),
}

impl Value {
    fn text(&self) -> Result<String, String> {
        match self {
            Self::Text(text) => Ok(text.clone()),
            Self::List(_) => Err("a list stands where a word should".to_owned()),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Name(String),
    Text(String),
    Mark(char),
}

type Mistake = (usize, String);

fn tokens(text: &str) -> Result<Vec<(Token, usize)>, Mistake> {
    let mut tokens = Vec::new();
    let mut line = 1;
    let mut rest = text.chars().peekable();
    while let Some(it) = rest.next() {
        match it {
            '\n' => line += 1,
            it if it.is_whitespace() => {}
            '#' => while rest.next_if(|it| *it != '\n').is_some() {},
            '(' | ')' | '[' | ']' | ',' | '=' => tokens.push((Token::Mark(it), line)),
            '"' | '\'' => {
                let mut word = String::new();
                loop {
                    match rest.next() {
                        Some(end) if end == it => break,
                        Some('\\') => match rest.next() {
                            Some('n') => word.push('\n'),
                            Some('t') => word.push('\t'),
                            Some(it @ ('\\' | '"' | '\'')) => word.push(it),
                            _ => return Err((line, "this escape is not known".to_owned())),
                        },
                        Some('\n') | None => return Err((line, "a text is not closed".to_owned())),
                        Some(it) => word.push(it),
                    }
                }
                tokens.push((Token::Text(word), line));
            }
            it if it.is_ascii_alphabetic() || it == '_' => {
                let mut name = String::from(it);
                while let Some(it) = rest.next_if(|it| it.is_ascii_alphanumeric() || *it == '_') {
                    name.push(it);
                }
                tokens.push((Token::Name(name), line));
            }
            other => return Err((line, format!("`{other}` is not expected here"))),
        }
    }
    Ok(tokens)
}

struct Reader<'a> {
    tokens: &'a [(Token, usize)],
    at: usize,
}

impl Reader<'_> {
    fn next(&mut self) -> Option<(Token, usize)> {
        let token = self.tokens.get(self.at).cloned();
        self.at += 1;
        token
    }

    fn take(&mut self, mark: char) -> bool {
        let found = self.tokens.get(self.at).is_some_and(|it| it.0 == Token::Mark(mark));
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, mark: char) -> Result<(), Mistake> {
        if self.take(mark) {
            Ok(())
        } else {
            Err((self.line(), format!("`{mark}` is expected here")))
        }
    }

    fn line(&self) -> usize {
        self.tokens.get(self.at).or(self.tokens.last()).map_or(1, |it| it.1)
    }

    fn statement(&mut self) -> Result<Option<(String, usize)>, Mistake> {
        match self.next() {
            None => Ok(None),
            Some((Token::Name(name), line)) => {
                self.expect('(')?;
                Ok(Some((name, line)))
            }
            Some((_, line)) => Err((line, "a rule is expected here, such as prefix_rule(…)".to_owned())),
        }
    }

    fn arguments(&mut self) -> Result<Vec<(String, Value)>, Mistake> {
        let mut arguments = Vec::new();
        while !self.take(')') {
            let line = self.line();
            let Some((Token::Name(name), _)) = self.next() else {
                return Err((line, "an argument with a name is expected here".to_owned()));
            };
            self.expect('=')?;
            arguments.push((name, self.value(8)?));
            if !self.take(',') {
                self.expect(')')?;
                break;
            }
        }
        Ok(arguments)
    }

    fn value(&mut self, depth: usize) -> Result<Value, Mistake> {
        let line = self.line();
        match self.next() {
            Some((Token::Text(text), _)) => Ok(Value::Text(text)),
            Some((Token::Mark('['), _)) if depth > 0 => {
                let mut list = Vec::new();
                while !self.take(']') {
                    list.push(self.value(depth - 1)?);
                    if !self.take(',') {
                        self.expect(']')?;
                        break;
                    }
                }
                Ok(Value::List(list))
            }
            _ => Err((line, "a text or a list of texts is expected here".to_owned())),
        }
    }
}
