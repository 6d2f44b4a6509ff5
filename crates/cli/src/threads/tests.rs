use protocol::setting::{ApprovalPolicy, SandboxMode};
use protocol::thread::{ThreadSettings, ThreadStatus};

use super::*;

fn thread(id: &str, title: &str, cwd: &str, updated_ms: u64) -> ThreadSummary {
    ThreadSummary {
        id: id.into(),
        title: title.into(),
        cwd: cwd.into(),
        created_ms: 0,
        updated_ms,
        pinned: id == "b",
        archived: false,
        status: ThreadStatus::Idle,
        head_seq: 1,
        settings: ThreadSettings {
            provider: "p".into(),
            model: "m".into(),
            effort: None,
            sandbox: SandboxMode::ReadOnly,
            approval: ApprovalPolicy::Never,
        },
        forked_from: None,
    }
}

#[test]
fn a_thread_is_a_line() {
    let now = 10 * 86_400_000;
    let threads = [
        thread("a", "Fix the build\nplease", "/home/me/app", now - 5 * 60_000),
        thread("b", "", "/w", now - 86_400_000),
    ];
    let expect = "\
THREAD  UPDATED    FOLDER        TITLE
a       5 min ago  /home/me/app  Fix the build
b       yesterday  /w            *
";
    assert_eq!(table(&threads, now), expect);
}

#[test]
fn times_and_folders_are_short() {
    let check = |ms, expect| assert_eq!(ago(ms), expect);
    check(59_999, "just now");
    check(60_000, "1 min ago");
    check(3_600_000, "1 h ago");
    check(86_399_999, "23 h ago");
    check(3 * 86_400_000, "3 days ago");
    let long = format!("/home/{}/end", "x".repeat(40));
    assert_eq!(end_of(&long).chars().count(), FOLDER);
    assert!(end_of(&long).ends_with("/end"));
}
