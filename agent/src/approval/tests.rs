//! The table of judgements.

use super::*;

fn policy(mode: SandboxMode) -> Policy {
    Policy {
        mode,
        cwd: "/home/me/work".into(),
        writable_roots: vec!["/data".into()],
        network: false,
        temporary: crate::sandbox::Temporary::default(),
    }
}

fn command(text: &str, escalated: bool) -> Access {
    Access::Command(CommandAccess {
        command: text.to_owned(),
        shell: "bash".to_owned(),
        cwd: "/home/me/work".into(),
        escalated,
        justification: Some("because".to_owned()),
        prefix_rule: None,
    })
}

fn write(path: &str) -> Access {
    Access::Write(vec![FileChange {
        path: path.to_owned(),
        kind: protocol::change::ChangeKind::Update,
        moved_from: None,
        added: 1,
        removed: 0,
        diff: String::new(),
        binary: false,
        truncated: false,
    }])
}

fn word(judgement: &Judgement) -> &'static str {
    match judgement {
        Judgement::Allowed(Grant::Sandboxed) => "yes",
        Judgement::Allowed(Grant::Unsandboxed) => "yes, free",
        Judgement::Asks(_, Grant::Sandboxed) => "asks",
        Judgement::Asks(_, Grant::Unsandboxed) => "asks, free",
        Judgement::Refused(_) => "no",
    }
}

#[test]
fn sandbox_mode_and_policy_decide_together() {
    use ApprovalPolicy::{Never, OnRequest, Untrusted};
    use SandboxMode::{DangerFullAccess, ReadOnly, WorkspaceWrite};
    let table = [
        (WorkspaceWrite, OnRequest, command("make", false), "yes"),
        (WorkspaceWrite, OnRequest, command("make", true), "asks, free"),
        (WorkspaceWrite, Never, command("make", false), "yes"),
        (WorkspaceWrite, Never, command("make", true), "no"),
        (WorkspaceWrite, Untrusted, command("ls", false), "yes"),
        (WorkspaceWrite, Untrusted, command("make", false), "asks"),
        (ReadOnly, OnRequest, command("make", false), "yes"),
        (DangerFullAccess, OnRequest, command("make", true), "yes, free"),
        (DangerFullAccess, Never, command("make", true), "yes, free"),
        (DangerFullAccess, Untrusted, command("make", false), "asks, free"),
        (WorkspaceWrite, OnRequest, write("/home/me/work/a"), "yes"),
        (WorkspaceWrite, OnRequest, write("/data/a"), "yes"),
        (WorkspaceWrite, OnRequest, write("/home/me/work/../other"), "asks, free"),
        (
            WorkspaceWrite,
            OnRequest,
            write("/home/me/work/.git/hooks/post-commit"),
            "asks, free",
        ),
        (
            WorkspaceWrite,
            OnRequest,
            write("/home/me/work/.GIT/config"),
            "asks, free",
        ),
        (WorkspaceWrite, Never, write("/etc/passwd"), "no"),
        (WorkspaceWrite, Untrusted, write("/home/me/work/a"), "asks"),
        (ReadOnly, OnRequest, write("/home/me/work/a"), "asks, free"),
        (ReadOnly, Never, write("/home/me/work/a"), "no"),
        (DangerFullAccess, OnRequest, write("/etc/passwd"), "yes, free"),
        (ReadOnly, Untrusted, Access::Nothing, "yes"),
        (ReadOnly, Never, Access::Read(vec!["/etc/passwd".into()]), "yes"),
    ];
    for (mode, approval, access, expected) in table {
        let judged = judge(&policy(mode), approval, &access);
        assert_eq!(word(&judged), expected, "{mode:?} {approval:?} {access:?}");
    }
}

fn asked(access: &Access) -> Question {
    match judge(&policy(SandboxMode::WorkspaceWrite), ApprovalPolicy::OnRequest, access) {
        Judgement::Asks(question, _) => question,
        other @ (Judgement::Allowed(_) | Judgement::Refused(_)) => panic!("{other:?} is no question"),
    }
}

fn granted(access: &Access) -> Approval {
    let question = asked(access);
    Approval {
        id: "a".into(),
        turn_id: "t".into(),
        item_id: "i".into(),
        call_id: "c".into(),
        ask: question.ask,
        reason: None,
        risks: question.risks,
        proposed_rule: question.proposed,
        at_ms: 0,
    }
}

#[test]
fn a_yes_for_the_thread_covers_the_like_and_nothing_else() {
    let table = [
        (command("cargo test", true), command("cargo test", true), true),
        (command("cargo test", true), command("rm -rf target", true), false),
        (command("rm -rf target", true), command("rm -rf target", true), true),
        (command("rm -rf target", true), command("rm -rf /", true), false),
        (write("/etc/app/a"), write("/etc/app/b"), true),
        (write("/etc/app/a"), write("/etc/other"), false),
        (write("/etc/app/a"), write("/etc/app/../passwd"), false),
        (write("/etc/app/a"), command("cargo test", true), false),
    ];
    for (earlier, now, covered) in table {
        assert_eq!(
            covered_by_thread_grant(&asked(&now), &granted(&earlier)),
            covered,
            "{earlier:?} then {now:?}"
        );
    }
}

#[test]
fn a_question_names_what_could_go_wrong() {
    assert_eq!(asked(&write("/etc/app/a")).risks, [Risk::WritesOutside]);
    assert_eq!(asked(&write("/home/me/work/.git/config")).risks, [Risk::ProtectedPath]);
    assert!(asked(&command("make", true)).risks.contains(&Risk::Unsandboxed));
}
