//! May this call happen? Policy first, then rules, then the person; nobody to ask means no.
//!
//! This file is the pure part: it judges. Asking is the thread's, because a question lives in the log.

use std::path::{Component, Path, PathBuf};

use protocol::approval::{Approval, Ask, Risk, RuleDraft, RuleEffect, RuleSubject};
use protocol::change::{ChangeKind, FileChange};
use protocol::setting::{ApprovalPolicy, SandboxMode};

use crate::command::{self, Reach};
use crate::sandbox::{PROTECTED, Policy};
use crate::tool::{Access, CommandAccess, Grant};

/// What the policy says of a call, before rules and people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Judgement {
    /// Goes ahead.
    Allowed(Grant),
    /// Needs a yes; with it, goes ahead like this.
    Asks(Question, Grant),
    /// Never goes ahead; the model reads why.
    Refused(String),
}

/// What the person would be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// What for.
    pub ask: Ask,
    /// Why, in the model's words.
    pub reason: Option<String>,
    /// What could go wrong.
    pub risks: Vec<Risk>,
    /// The rule that "always" would make.
    pub proposed: Option<RuleDraft>,
}

/// Judges a call by sandbox mode and approval policy alone.
#[must_use]
pub fn judge(policy: &Policy, approval: ApprovalPolicy, access: &Access) -> Judgement {
    let (needs_more, harmless) = match access {
        Access::Nothing | Access::Read(_) => return Judgement::Allowed(Grant::Sandboxed),
        Access::Command(it) => (it.escalated, command::known_safe(&it.line())),
        Access::Write(changes) => {
            let free = |it: &Path| policy.may_write(&command::lexical(it)) && !is_protected(it);
            (!paths(changes).all(free), false)
        }
    };
    let unconfined = policy.mode == SandboxMode::DangerFullAccess;
    let needs_more = needs_more && !unconfined;
    let grant = if needs_more || unconfined {
        Grant::Unsandboxed
    } else {
        Grant::Sandboxed
    };
    let asks = match approval {
        ApprovalPolicy::Never if needs_more => return Judgement::Refused(refusal(access)),
        ApprovalPolicy::Never => false,
        ApprovalPolicy::OnRequest => needs_more,
        ApprovalPolicy::Untrusted => needs_more || !harmless,
    };
    match question(policy, access, grant) {
        Some(question) if asks => Judgement::Asks(question, grant),
        _ => Judgement::Allowed(grant),
    }
}

fn refusal(access: &Access) -> String {
    let what = match access {
        Access::Command(_) => "nobody can allow running outside the sandbox. Work within it",
        Access::Write(_) => "the sandbox does not allow writing there. Write below the writable folders",
        Access::Nothing | Access::Read(_) => "this needs a yes",
    };
    format!("the approval policy is `never`: {what}, or say what is missing.")
}

/// What the person would be asked about a call; `None` for calls that touch nothing.
#[must_use]
pub fn question(policy: &Policy, access: &Access, grant: Grant) -> Option<Question> {
    match access {
        Access::Nothing | Access::Read(_) => None,
        Access::Command(it) => Some(command_question(policy, it, grant)),
        Access::Write(changes) => Some(write_question(policy, changes)),
    }
}

fn command_question(policy: &Policy, it: &CommandAccess, grant: Grant) -> Question {
    let escalated = grant == Grant::Unsandboxed;
    let line = it.line();
    let reach = Reach {
        cwd: &it.cwd,
        writable_roots: &policy.writable_roots,
        escalated,
    };
    Question {
        ask: Ask::Command {
            command: it.command.clone(),
            cwd: it.cwd.display().to_string(),
            escalated,
        },
        reason: it.justification.clone(),
        risks: command::risks(&line, reach),
        proposed: command::propose_rule(&line, &policy.cwd, escalated, it.prefix_rule.as_deref()),
    }
}

fn write_question(policy: &Policy, changes: &[FileChange]) -> Question {
    let mut risks = Vec::new();
    let roots = || std::iter::once(&policy.cwd).chain(&policy.writable_roots);
    if !paths(changes).all(|it| roots().any(|root| command::lexical(it).starts_with(root))) {
        risks.push(Risk::WritesOutside);
    }
    if paths(changes).any(is_protected) {
        risks.push(Risk::ProtectedPath);
    }
    if changes.iter().any(|it| it.kind == ChangeKind::Delete) {
        risks.push(Risk::Deletes);
    }
    let proposed = common_folder(paths(changes)).map(|folder| RuleDraft {
        subject: RuleSubject::Write {
            folder: folder.display().to_string(),
        },
        effect: RuleEffect::Allow,
        folder: Some(policy.cwd.display().to_string()),
        expires_ms: None,
    });
    Question {
        ask: Ask::Patch {
            changes: changes.to_vec(),
        },
        reason: None,
        risks,
        proposed,
    }
}

/// All paths a patch touches: where files are, and where they were.
pub(crate) fn paths(changes: &[FileChange]) -> impl Iterator<Item = &Path> {
    changes
        .iter()
        .flat_map(|it| std::iter::once(&it.path).chain(it.moved_from.as_ref()))
        .map(Path::new)
}

fn is_protected(path: &Path) -> bool {
    path.components()
        .any(|it| matches!(it, Component::Normal(name) if PROTECTED.iter().any(|p| name.eq_ignore_ascii_case(p))))
}

fn common_folder<'a>(paths: impl Iterator<Item = &'a Path>) -> Option<PathBuf> {
    let mut common: Option<PathBuf> = None;
    for path in paths {
        let folder = path.parent()?;
        common = Some(match common {
            None => folder.to_path_buf(),
            Some(so_far) => so_far.ancestors().find(|it| folder.starts_with(it))?.to_path_buf(),
        });
    }
    // A rule for the whole disk is never what somebody meant.
    common.filter(|it| it.parent().is_some())
}

/// Whether a yes "for this thread" given to `earlier` covers `question` too.
#[must_use]
pub fn covered_by_thread_grant(question: &Question, earlier: &Approval) -> bool {
    match (&question.ask, &earlier.ask) {
        (
            Ask::Command {
                command,
                cwd,
                escalated,
            },
            Ask::Command {
                command: allowed,
                cwd: allowed_cwd,
                escalated: allowed_escalated,
            },
        ) => {
            if *escalated && !*allowed_escalated {
                return false;
            }
            if command == allowed && cwd == allowed_cwd {
                return true;
            }
            match earlier.proposed_rule.as_ref().map(|it| &it.subject) {
                Some(RuleSubject::CommandPrefix { prefix, .. }) => covered_by_prefix(command, prefix),
                Some(RuleSubject::Write { .. }) | None => false,
            }
        }
        (Ask::Patch { changes }, Ask::Patch { .. }) => match earlier.proposed_rule.as_ref().map(|it| &it.subject) {
            Some(RuleSubject::Write { folder }) => paths(changes).all(|it| command::lexical(it).starts_with(folder)),
            Some(RuleSubject::CommandPrefix { .. }) | None => false,
        },
        (Ask::Command { .. }, Ask::Patch { .. }) | (Ask::Patch { .. }, Ask::Command { .. }) => false,
    }
}

fn covered_by_prefix(text: &str, prefix: &[String]) -> bool {
    command::parse(text).segments.is_some_and(|it| {
        it.iter()
            .all(|it| it.starts_with(prefix) || command::known_safe_unsandboxed(it))
    })
}

#[cfg(test)]
mod tests;
