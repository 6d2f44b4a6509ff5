//! What the model is told besides the thread itself: instructions, permissions, the folder's AGENTS.md, the environment.
//!
//! Pure. The context only grows: a block is added when it is new or differs from the last one of its kind.

use std::path::Path;

use protocol::context::{Content, Entry, Role};
use protocol::setting::{ApprovalPolicy, SandboxMode};

use crate::instructions::Instruction;
use crate::sandbox::Policy;

/// The base instructions: the same text in every thread, so that providers can cache it.
#[must_use]
pub fn instructions() -> &'static str {
    include_str!("context/instructions/agent.md")
}

/// What the blocks before a turn are made from.
#[derive(Debug, Clone)]
pub struct Facts<'a> {
    /// What commands may touch.
    pub policy: &'a Policy,
    /// When the person is asked.
    pub approval: ApprovalPolicy,
    /// The AGENTS.md files, outermost first.
    pub documents: &'a [Instruction],
    /// Name of the shell, such as `bash`.
    pub shell: &'a str,
    /// `2026-11-21`.
    pub date: &'a str,
    /// IANA name of the time zone.
    pub timezone: &'a str,
}

/// The entries to append before the next message of the person.
#[must_use]
pub fn preamble(existing: &[Entry], facts: &Facts<'_>) -> Vec<Entry> {
    let mut blocks = vec![(
        Role::Developer,
        "permissions",
        permissions(facts.policy, facts.approval),
    )];
    if !facts.documents.is_empty() {
        blocks.push((Role::User, "agents_md", documents(facts.documents)));
    }
    blocks.push((Role::User, "environment", environment(facts)));
    blocks
        .into_iter()
        .map(|(role, tag, body)| (role, tag, format!("<{tag}>\n{body}\n</{tag}>")))
        .filter(|(_, tag, text)| last_block(existing, tag).as_deref() != Some(text.as_str()))
        .map(|(role, _, text)| Entry::text(role, text))
        .collect()
}

fn last_block(entries: &[Entry], tag: &str) -> Option<String> {
    let open = format!("<{tag}>\n");
    entries.iter().rev().find_map(|entry| match entry {
        Entry::Message { content, .. } => match content.first() {
            Some(Content::Text { text }) if text.starts_with(&open) => Some(text.clone()),
            _ => None,
        },
        Entry::Reasoning { .. } | Entry::Call { .. } | Entry::Output { .. } => None,
    })
}

fn permissions(policy: &Policy, approval: ApprovalPolicy) -> String {
    let mut text = match policy.mode {
        SandboxMode::ReadOnly => {
            "Sandbox: read-only. Commands can read files; they cannot write any file or reach the network.".to_owned()
        }
        SandboxMode::WorkspaceWrite => {
            let mut roots = vec![policy.cwd.display().to_string()];
            roots.extend(policy.writable_roots.iter().map(|it| it.display().to_string()));
            format!(
                "Sandbox: workspace-write. Commands can read files everywhere and write below {} and in the temporary folder. \
                 `.git`, `.zspark` and `.codex` there are read-only. Network access is {}.",
                roots.join(", "),
                if policy.network { "on" } else { "off" }
            )
        }
        SandboxMode::DangerFullAccess => "Sandbox: none. Commands can do whatever the person can do.".to_owned(),
    };
    text.push(' ');
    text.push_str(match approval {
        ApprovalPolicy::Never => {
            "Approvals: never. Nobody is there to be asked; a call that asks for escalation is refused. \
             Work within the sandbox and say what could not be done."
        }
        ApprovalPolicy::OnRequest => {
            "Approvals: on request. A command that needs more than the sandbox allows may ask for it with \
             `sandbox_permissions: \"require_escalated\"` and a justification; the person then decides. \
             A patch outside the writable folders asks by itself."
        }
        ApprovalPolicy::Untrusted => {
            "Approvals: the person is asked before every command that is not known to be harmless, and before every patch."
        }
    });
    text
}

fn documents(documents: &[Instruction]) -> String {
    let mut text = String::from("Instructions for work in this folder, outermost first; inner ones win.");
    for it in documents {
        text.push_str(&format!("\n\n# {}\n\n{}", it.path.display(), it.text.trim_end()));
    }
    text
}

fn environment(facts: &Facts<'_>) -> String {
    format!(
        "folder: {}\nshell: {}\nplatform: {}\ndate: {}\ntime zone: {}",
        facts.policy.cwd.display(),
        facts.shell,
        std::env::consts::OS,
        facts.date,
        facts.timezone
    )
}

/// The entries in the order a provider accepts: every call is followed by its output before anything else is said.
/// A call that has no output gets one that says so.
#[must_use]
pub fn ordered(entries: Vec<Entry>) -> Vec<Entry> {
    let unanswered: Vec<(String, bool)> = unanswered(&entries);
    let mut out = Vec::with_capacity(entries.len() + unanswered.len());
    let mut open: Vec<String> = Vec::new();
    let mut held = Vec::new();
    for entry in entries {
        match &entry {
            Entry::Call { call_id, freeform, .. } => {
                if unanswered.iter().any(|(id, _)| id == call_id) {
                    let output = aborted(call_id.clone(), *freeform);
                    out.push(entry);
                    // Kept behind the other outputs of this step, so that parallel calls stay together.
                    held.insert(0, output);
                    continue;
                }
                open.push(call_id.clone());
                out.push(entry);
            }
            Entry::Output { call_id, .. } => {
                open.retain(|it| it != call_id);
                out.push(entry);
                if open.is_empty() {
                    out.append(&mut held);
                }
            }
            Entry::Message { .. } => {
                if open.is_empty() {
                    out.append(&mut held);
                    out.push(entry);
                } else {
                    held.push(entry);
                }
            }
            Entry::Reasoning { .. } => out.push(entry),
        }
    }
    out.append(&mut held);
    out
}

/// Calls without an output, with whether they are freeform.
#[must_use]
pub fn unanswered(entries: &[Entry]) -> Vec<(String, bool)> {
    let mut open: Vec<(String, bool)> = Vec::new();
    for entry in entries {
        match entry {
            Entry::Call { call_id, freeform, .. } => open.push((call_id.clone(), *freeform)),
            Entry::Output { call_id, .. } => open.retain(|(id, _)| id != call_id),
            Entry::Message { .. } | Entry::Reasoning { .. } => {}
        }
    }
    open
}

/// The output of a call that never ended.
#[must_use]
pub fn aborted(call_id: String, freeform: bool) -> Entry {
    Entry::Output {
        call_id,
        content: vec![Content::Text {
            text: "aborted: the turn ended before this call did".to_owned(),
        }],
        freeform,
        ok: false,
    }
}

/// A rough count of tokens, for providers that report none: four bytes each, CJK one and a half each character.
#[must_use]
pub fn estimate_tokens(entries: &[Entry]) -> u64 {
    let text = |it: &str| {
        let wide = it.chars().filter(|c| *c >= '\u{2E80}').count();
        let narrow = it.len().saturating_sub(wide * 3);
        (narrow / 4 + wide * 3 / 2) as u64
    };
    let parts = |content: &[Content]| {
        content
            .iter()
            .map(|it| match it {
                Content::Text { text: it } => text(it),
                // Providers bill an image of common size at about this much.
                Content::Image { .. } => 1_000,
            })
            .sum::<u64>()
    };
    entries
        .iter()
        .map(|entry| match entry {
            Entry::Message { content, .. } | Entry::Output { content, .. } => parts(content),
            Entry::Reasoning {
                summary,
                encrypted,
                raw,
                ..
            } => {
                summary.iter().map(|it| text(it)).sum::<u64>()
                    + encrypted.as_deref().map_or(0, |it| it.len() as u64 / 4)
                    + raw.as_deref().map_or(0, text)
            }
            Entry::Call { arguments, name, .. } => text(arguments) + text(name),
        })
        .sum()
}

/// Name of the shell in `path`, as the model should read it.
#[must_use]
pub fn shell_name(path: &Path) -> &str {
    path.file_stem().and_then(|it| it.to_str()).unwrap_or("sh")
}

#[cfg(test)]
mod tests;
