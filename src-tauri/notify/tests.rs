use protocol::Frame;
use protocol::setting::{ApprovalPolicy, SandboxMode};
use protocol::thread::{ThreadSettings, ThreadStatus, ThreadSummary};

use super::Watch;

fn frame(status: ThreadStatus) -> Frame {
    let thread = ThreadSummary {
        id: "t".into(),
        title: "Tidy up".to_owned(),
        cwd: "/work".to_owned(),
        created_ms: 1,
        updated_ms: 1,
        pinned: false,
        archived: false,
        status,
        head_seq: 1,
        settings: ThreadSettings {
            provider: "demo".to_owned(),
            model: "demo".to_owned(),
            effort: None,
            sandbox: SandboxMode::WorkspaceWrite,
            approval: ApprovalPolicy::OnRequest,
        },
        forked_from: None,
    };
    Frame {
        threads: vec![thread],
        ..Frame::default()
    }
}

#[test]
fn a_turn_is_told_when_it_asks_and_when_it_ends() {
    use ThreadStatus::{Idle, Running, Waiting};
    let told = |chinese: bool| {
        let mut watch = Watch {
            chinese,
            ..Watch::default()
        };
        [Idle, Running, Running, Waiting, Waiting, Running, Idle, Idle]
            .map(|status| watch.take(frame(status)).pop().map(|it| it.body))
    };
    let (asks, ends) = (Some("Needs your answer to go on"), Some("Has ended"));
    assert_eq!(told(false), [None, None, None, asks, None, None, ends, None]);
    let (asks, ends) = (Some("需要你的许可才能继续"), Some("已结束"));
    assert_eq!(told(true), [None, None, None, asks, None, None, ends, None]);
}

#[test]
fn a_thread_that_is_gone_is_forgotten() {
    let mut watch = Watch::default();
    watch.take(frame(ThreadStatus::Running));
    watch.take(Frame {
        removed: vec!["t".into()],
        ..Frame::default()
    });
    assert_eq!(watch.take(frame(ThreadStatus::Idle)), []);
}
