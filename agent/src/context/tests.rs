//! What the model is told, and in which order.

use super::*;

fn policy() -> Policy {
    Policy {
        mode: SandboxMode::WorkspaceWrite,
        cwd: "/w".into(),
        writable_roots: Vec::new(),
        network: false,
        temporary: crate::sandbox::Temporary::default(),
    }
}

fn facts<'a>(policy: &'a Policy, documents: &'a [Instruction]) -> Facts<'a> {
    Facts {
        policy,
        approval: ApprovalPolicy::OnRequest,
        documents,
        shell: "bash",
        date: "2026-01-02",
        timezone: "UTC",
    }
}

fn call(id: &str) -> Entry {
    Entry::Call {
        call_id: id.to_owned(),
        name: "t".to_owned(),
        arguments: "{}".to_owned(),
        freeform: false,
        id: None,
    }
}

fn output(id: &str) -> Entry {
    Entry::Output {
        call_id: id.to_owned(),
        content: Vec::new(),
        freeform: false,
        ok: true,
    }
}

fn said(text: &str) -> Entry {
    Entry::text(Role::User, text)
}

/// One letter an entry, so that an order reads as a word.
fn letters(entries: &[Entry]) -> String {
    entries
        .iter()
        .map(|it| match it {
            Entry::Message { .. } => "m".to_owned(),
            Entry::Reasoning { .. } => "r".to_owned(),
            Entry::Call { call_id, .. } => format!("+{call_id}"),
            Entry::Output { call_id, ok, .. } => format!("{}{call_id}", if *ok { "-" } else { "x" }),
        })
        .collect::<Vec<_>>()
        .join(" ")
}

#[test]
fn every_call_is_followed_by_its_output() {
    let table = [
        (vec![said("a"), call("1"), output("1")], "m +1 -1"),
        (vec![call("1"), said("steer"), output("1")], "+1 -1 m"),
        (
            vec![call("1"), call("2"), output("2"), said("steer"), output("1")],
            "+1 +2 -2 -1 m",
        ),
        (vec![call("1")], "+1 x1"),
        (vec![call("1"), said("next")], "+1 x1 m"),
        (vec![call("1"), call("2"), output("2"), said("next")], "+1 +2 -2 x1 m"),
    ];
    for (entries, expected) in table {
        assert_eq!(letters(&ordered(entries.clone())), expected, "{}", letters(&entries));
    }
}

#[test]
fn a_block_is_said_once_and_again_only_when_it_changed() {
    let policy = policy();
    let documents = [Instruction {
        path: "/w/AGENTS.md".into(),
        text: "Use tabs.".to_owned(),
    }];
    let first = preamble(&[], &facts(&policy, &documents));
    assert_eq!(first.len(), 3);
    assert_eq!(preamble(&first, &facts(&policy, &documents)), []);
    let read_only = Policy {
        mode: SandboxMode::ReadOnly,
        ..policy.clone()
    };
    let changed = preamble(&first, &facts(&read_only, &documents));
    assert_eq!(changed.len(), 1, "{changed:?}");
}

#[test]
fn the_prompt_of_each_mode_is_a_reviewed_text() {
    let mut seen = String::new();
    for mode in [
        SandboxMode::ReadOnly,
        SandboxMode::WorkspaceWrite,
        SandboxMode::DangerFullAccess,
    ] {
        for approval in [
            ApprovalPolicy::Untrusted,
            ApprovalPolicy::OnRequest,
            ApprovalPolicy::Never,
        ] {
            let policy = Policy { mode, ..policy() };
            seen.push_str(&format!(
                "## {mode:?}, {approval:?}\n\n{}\n\n",
                permissions(&policy, approval)
            ));
        }
    }
    seen.push_str("## Instructions\n\n");
    seen.push_str(instructions());
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/context/prompt.snapshot.md");
    let stored = std::fs::read_to_string(path).unwrap_or_default();
    if stored != seen {
        std::fs::write(path, &seen).unwrap();
        panic!("the prompt changed: look at the difference in {path} and commit it");
    }
}

#[test]
fn tokens_are_guessed_by_kind_of_script() {
    assert_eq!(estimate_tokens(&[said("abcdefgh")]), 2);
    assert_eq!(estimate_tokens(&[said("你好世界")]), 6);
}
