//! Rules: standing answers to the question whether something may be done. Kept in `state.sqlite`, and read from
//! `rules/*.rules` files.

mod file;
mod store;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use protocol::approval::{Rule, RuleDraft, RuleEffect, RuleSubject};
use protocol::{Code, Failure, RuleId};

use self::file::Files;
use self::store::Store;
use crate::clock::Clock;
use crate::command::{Line, Segment, known_safe_unsandboxed};
use crate::command::{lexical, names_a_program, segment_is_safe};
use crate::home::Home;

/// All rules of one home. Cheap to clone; opens nothing until asked.
#[derive(Clone)]
pub struct Rules(Arc<Inner>);

struct Inner {
    store: Store,
    files: Files,
    clock: Clock,
}

/// What is about to happen.
#[derive(Debug, Clone)]
pub struct RuleQuery {
    /// The command line, if a command is to run.
    pub line: Option<Line>,
    /// The folder of the command or thread, absolute.
    pub cwd: PathBuf,
    /// Without the sandbox.
    pub escalated: bool,
    /// Files to be changed, absolute.
    pub write_paths: Vec<PathBuf>,
    /// Now, for rules that end.
    pub now_ms: u64,
}

/// Why rules cannot be read or kept.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A rules file is wrong.
    #[error("{path}, line {line}: {why}")]
    File {
        /// The file.
        path: String,
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        why: String,
    },
    /// A rules file cannot be read.
    #[error("{path} cannot be read")]
    Unreadable {
        /// The file.
        path: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The database failed.
    #[error("the database of rules cannot be used")]
    Database(#[from] sqlx::Error),
    /// A file operation beside the database failed.
    #[error("the database of rules cannot be opened")]
    Io(#[from] std::io::Error),
    /// A newer zspark wrote the database.
    #[error("the database of rules was written by a newer version of zspark")]
    Newer,
    /// There is no such rule.
    #[error("there is no such rule")]
    NotFound,
    /// The rule comes from a file.
    #[error("this rule is kept in {0}")]
    InFile(String),
    /// The rule would cover everything, or nothing.
    #[error("{0}")]
    Senseless(&'static str),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let (code, hint) = match &error {
            Error::File { .. } | Error::Unreadable { .. } => (
                Code::ConfigBroken,
                "Correct the file. Until then commands that would need a rule are not run.",
            ),
            Error::Database(_) | Error::Io(_) => (
                Code::StoreDamaged,
                "Check that the disk has room, and run `zspark doctor`.",
            ),
            Error::Newer => (Code::StoreDamaged, "Update zspark."),
            Error::NotFound => (Code::NotFound, "It may have been removed in another window."),
            Error::InFile(_) => (Code::Conflict, "Change the file instead."),
            Error::Senseless(_) => (
                Code::InvalidRequest,
                "Name at least one word of the command, or an absolute folder.",
            ),
        };
        let details = std::error::Error::source(&error).map(ToString::to_string);
        let mut failure = Self::new(code, error.to_string()).hint(hint);
        failure.details = details;
        failure
    }
}

impl Rules {
    /// The rules of a home.
    #[must_use]
    pub fn open(home: &Home, clock: Clock) -> Self {
        Self(Arc::new(Inner {
            store: Store::new(home),
            files: Files::new(home.root().join("rules")),
            clock,
        }))
    }

    /// All rules, newest first, those of files last.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn list(&self) -> Result<Vec<Rule>, Error> {
        let mut all = self.0.store.all().await?.as_ref().clone();
        all.reverse();
        all.extend(self.0.files.read()?.iter().cloned());
        Ok(all)
    }

    /// Ends the use of the database, so that all of it is in its file.
    pub async fn close(&self) {
        self.0.store.close().await;
    }

    /// What the person should know: the saved rules were damaged and set aside.
    #[must_use]
    pub fn damage(&self) -> Option<Failure> {
        self.0.store.damage()
    }

    /// Makes a rule, or changes the one of this id.
    ///
    /// # Errors
    /// When the rule makes no sense, is kept in a file, is not there, or cannot be written.
    pub async fn save(&self, id: Option<&RuleId>, draft: RuleDraft, origin: &str) -> Result<Rule, Error> {
        check(&draft)?;
        if let Some(id) = id {
            self.in_file(id)?;
        }
        self.0.store.save(id, draft, origin, self.0.clock.now_ms()).await
    }

    /// Removes a rule.
    ///
    /// # Errors
    /// When it is kept in a file, is not there, or cannot be removed.
    pub async fn delete(&self, id: &RuleId) -> Result<(), Error> {
        self.in_file(id)?;
        self.0.store.delete(id).await
    }

    /// The rule that answers, counted as a match. `None` where none does.
    ///
    /// # Errors
    /// When the rules cannot be read: then nothing may be taken for allowed.
    pub async fn decide(&self, query: &RuleQuery) -> Result<Option<Rule>, Error> {
        let matched = self.matching(query).await?;
        let ids: Vec<RuleId> = matched.iter().map(|it| it.id.clone()).collect();
        self.0.store.count(&ids, query.now_ms).await?;
        Ok(matched.into_iter().next())
    }

    /// The rule that would answer. Counts nothing.
    ///
    /// # Errors
    /// As [`Rules::decide`].
    pub async fn test(&self, query: &RuleQuery) -> Result<Option<Rule>, Error> {
        Ok(self.matching(query).await?.into_iter().next())
    }

    async fn matching(&self, query: &RuleQuery) -> Result<Vec<Rule>, Error> {
        let kept = self.0.store.all().await?;
        let files = self.0.files.read()?;
        if kept.is_empty() && files.is_empty() {
            return Ok(Vec::new());
        }
        Ok(decide(kept.iter().chain(files.iter()), query)
            .into_iter()
            .cloned()
            .collect())
    }

    fn in_file(&self, id: &RuleId) -> Result<(), Error> {
        match self.0.files.read()?.iter().find(|it| it.id == *id) {
            Some(rule) => Err(Error::InFile(rule.origin.clone())),
            None => Ok(()),
        }
    }
}

/// The rules that answer, the ruling one first; empty where the question stays open. One that denies beats one that
/// asks, and that one beats all that allow.
pub fn decide<'a>(rules: impl Iterator<Item = &'a Rule>, query: &RuleQuery) -> Vec<&'a Rule> {
    let in_force: Vec<&Rule> = rules
        .filter(|it| it.draft.expires_ms.is_none_or(|end| query.now_ms < end))
        .filter(|it| {
            it.draft
                .folder
                .as_ref()
                .is_none_or(|folder| lexical(&query.cwd).starts_with(folder))
        })
        .collect();
    for effect in [RuleEffect::Deny, RuleEffect::Ask] {
        let against = in_force
            .iter()
            .find(|it| it.draft.effect == effect && touches(&it.draft.subject, query));
        if let Some(rule) = against {
            return vec![rule];
        }
    }
    let allowing: Vec<&Rule> = in_force
        .into_iter()
        .filter(|it| it.draft.effect == RuleEffect::Allow)
        .collect();
    let command = match &query.line {
        Some(line) => covering(&allowing, line, query),
        None => Some(Vec::new()),
    };
    let writes: Option<Vec<&Rule>> = query
        .write_paths
        .iter()
        .map(|path| {
            allowing
                .iter()
                .copied()
                .find(|it| writes_below(&it.draft.subject, path))
        })
        .collect();
    let (Some(mut all), Some(writes)) = (command, writes) else {
        return Vec::new();
    };
    for rule in writes {
        if !all.iter().any(|it| it.id == rule.id) {
            all.push(rule);
        }
    }
    all
}

/// The rules that together allow every part of a line.
fn covering<'a>(allowing: &[&'a Rule], line: &Line, query: &RuleQuery) -> Option<Vec<&'a Rule>> {
    let exact = |prefix: &[String]| matches!(prefix, [shell, flag, text] if shell == "bash" && flag == "-lc" && *text == line.text);
    let covers_mode = |it: bool| it || !query.escalated;
    let whole = allowing.iter().copied().find(|it| match &it.draft.subject {
        RuleSubject::CommandPrefix { prefix, escalated } => covers_mode(*escalated) && exact(prefix),
        RuleSubject::Write { .. } => false,
    });
    if let Some(rule) = whole {
        return Some(vec![rule]);
    }
    let segments = line.segments.as_ref()?;
    let mut used: Vec<&Rule> = Vec::new();
    let mut here = lexical(&query.cwd);
    for segment in segments {
        let rule = allowing.iter().copied().find(|it| match &it.draft.subject {
            RuleSubject::CommandPrefix { prefix, escalated } => {
                covers_mode(*escalated)
                    && segment.starts_with(prefix)
                    && means_the_same(prefix, &here, query)
                    && !names_a_program(segment, prefix)
            }
            RuleSubject::Write { .. } => false,
        });
        match rule {
            Some(rule) if !used.iter().any(|it| it.id == rule.id) => used.push(rule),
            Some(_) => {}
            None if harmless(segment, query.escalated) => {}
            None => return None,
        }
        here = after(segment, &here, &query.cwd)?;
    }
    // A line of nothing but harmless commands is for the policy to judge, not for rules.
    (!used.is_empty()).then_some(used)
}

fn harmless(segment: &Segment, escalated: bool) -> bool {
    if escalated {
        known_safe_unsandboxed(segment)
    } else {
        segment_is_safe(segment)
    }
}

/// The folder that the next part runs in. Who leaves the folder leaves what the rule was made for.
fn after(segment: &Segment, here: &Path, cwd: &Path) -> Option<PathBuf> {
    match segment.words.first().map(|it| it.text.as_str()) {
        Some("cd" | "chdir") => {}
        Some("pushd" | "popd") => return None,
        _ => return Some(here.to_path_buf()),
    }
    match segment.words.as_slice() {
        [_, folder] if folder.literal && !folder.text.starts_with('-') => {
            let there = lexical(&here.join(&folder.text));
            there.starts_with(lexical(cwd)).then_some(there)
        }
        _ => None,
    }
}

/// `./build` is another program in another folder.
fn means_the_same(prefix: &[String], here: &Path, query: &RuleQuery) -> bool {
    let relative = prefix
        .first()
        .is_some_and(|it| it.contains('/') && !it.starts_with('/'));
    !relative || here == lexical(&query.cwd)
}

/// A rule against something matches whatever seems to do it, hidden in a substitution or a script too.
fn touches(subject: &RuleSubject, query: &RuleQuery) -> bool {
    match subject {
        RuleSubject::CommandPrefix { prefix, .. } => query.line.as_ref().is_some_and(|line| {
            let strict = line.segments.iter().flatten().any(|it| it.starts_with(prefix));
            strict || line.loose().iter().any(|words| begins(words, prefix))
        }),
        RuleSubject::Write { .. } => query.write_paths.iter().any(|path| writes_below(subject, path)),
    }
}

fn begins(words: &[String], prefix: &[String]) -> bool {
    let Some(((program, rest), (want, wanted))) = words.split_first().zip(prefix.split_first()) else {
        return false;
    };
    let name = program.rsplit(['/', '\\']).next().unwrap_or(program);
    (program == want || name == want) && rest.starts_with(wanted)
}

fn writes_below(subject: &RuleSubject, path: &Path) -> bool {
    match subject {
        RuleSubject::Write { folder } => lexical(path).starts_with(folder),
        RuleSubject::CommandPrefix { .. } => false,
    }
}

fn check(draft: &RuleDraft) -> Result<(), Error> {
    match &draft.subject {
        RuleSubject::CommandPrefix { prefix, .. } if prefix.first().is_none_or(|it| it.trim().is_empty()) => {
            return Err(Error::Senseless(
                "a rule for commands needs the words that they begin with",
            ));
        }
        RuleSubject::Write { folder } if !Path::new(folder).is_absolute() => {
            return Err(Error::Senseless("a rule for files needs an absolute folder"));
        }
        RuleSubject::CommandPrefix { .. } | RuleSubject::Write { .. } => {}
    }
    if draft.folder.as_ref().is_some_and(|it| !Path::new(it).is_absolute()) {
        return Err(Error::Senseless("a rule's folder must be absolute"));
    }
    Ok(())
}
