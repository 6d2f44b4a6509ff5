//! What may be written without asking.

use std::path::{Path, PathBuf};

use protocol::setting::SandboxMode;

use super::Policy;

#[test]
fn a_policy_says_what_may_be_written() {
    let check = |mode, path: &str, expect| {
        let policy = Policy {
            mode,
            cwd: PathBuf::from("/work"),
            writable_roots: vec![PathBuf::from("/more/deep"), PathBuf::from("/more")],
            network: true,
            temporary: crate::sandbox::Temporary::default(),
        };
        assert_eq!(policy.may_write(Path::new(path)), expect, "{mode:?} {path}");
    };
    check(SandboxMode::ReadOnly, "/work/a", false);
    check(SandboxMode::WorkspaceWrite, "/work/a", true);
    check(SandboxMode::WorkspaceWrite, "/workshop/a", false);
    check(SandboxMode::WorkspaceWrite, "/more/a/.git/config", true);
    check(SandboxMode::WorkspaceWrite, "/work/.git/config", false);
    check(SandboxMode::WorkspaceWrite, "/work/.GIT/config", false);
    check(SandboxMode::WorkspaceWrite, "/work/.zspark", false);
    check(SandboxMode::WorkspaceWrite, "/work/.gitignore", true);
    check(SandboxMode::WorkspaceWrite, "/more/deep/.codex/a", false);
    check(SandboxMode::DangerFullAccess, "/etc/passwd", true);
}
