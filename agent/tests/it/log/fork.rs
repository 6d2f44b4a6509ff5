//! Forks share a beginning and are threads of their own from there on.

use protocol::thread::{ForkPoint, ThreadStatus};
use protocol::{EventKind, ItemStatus, ThreadId};

use super::scene::{self, Scene};

#[tokio::test]
async fn a_fork_before_a_turn_has_what_came_before_it() {
    let scene = Scene::new();
    let log = scene.thread().await;
    let first = scene::turn(&log);
    scene::say(&log, &first, "one");
    let context = scene::context(&log, &first, "one");
    scene::end(&log, &first);
    log.append_all(vec![
        EventKind::ThreadRenamed {
            title: "Mine".to_owned(),
        },
        EventKind::ThreadPinned { pinned: true },
    ])
    .unwrap();
    let second = scene::turn(&log);
    scene::say(&log, &second, "two");
    let shared = log.state().summary.head_seq - 2;

    let id = ThreadId::new();
    let fork = scene.logs.fork(log.id(), Some(&second), id.clone()).await.unwrap();
    let state = fork.state();
    assert_eq!(state.summary.id, id);
    assert_eq!((state.summary.title.as_str(), state.summary.pinned), ("one", false));
    let point = ForkPoint {
        thread_id: log.id().clone(),
        seq: shared,
    };
    assert_eq!(state.summary.forked_from, Some(point));
    assert_eq!((state.turns, state.open_turn.clone()), (1, None));
    assert_eq!(fork.context().unwrap(), context);
    let page = scene.logs.page(&id, None, None).await.unwrap();
    assert_eq!(page.events.iter().map(|it| it.seq).collect::<Vec<_>>(), [1, 2, 3, 5]);

    let missing = scene
        .logs
        .fork(log.id(), Some(&protocol::TurnId::new()), ThreadId::new())
        .await;
    assert!(matches!(missing, Err(agent::log::Error::NoSuchTurn(_))));
    let taken = scene.logs.fork(log.id(), None, id).await;
    assert!(matches!(taken, Err(agent::log::Error::Exists(_))));
}

#[tokio::test]
async fn what_is_open_in_a_thread_is_closed_in_its_fork() {
    let scene = Scene::new();
    let log = scene.thread().await;
    let turn = scene::turn(&log);
    let message = scene::begin_message(&log, &turn);
    log.append(EventKind::ItemAppended {
        item_id: message.clone(),
        at: 0,
        text: "half".to_owned(),
    })
    .unwrap();
    let mut output = log.blob(&message).unwrap();
    output.append(b"kept\n").unwrap();

    let fork = scene.logs.fork(log.id(), None, ThreadId::new()).await.unwrap();
    let state = fork.state();
    assert_eq!(state.summary.status, ThreadStatus::Idle);
    assert_eq!((&state.open_turn, state.open_items.len()), (&None, 0));
    assert_eq!(log.state().summary.status, ThreadStatus::Running);
    let page = scene.logs.page(fork.id(), None, None).await.unwrap();
    let closed = page.events.iter().find_map(|it| {
        let EventKind::ItemCompleted { item, .. } = &it.kind else {
            return None;
        };
        Some((item.status, item.kind.clone()))
    });
    let half = protocol::ItemKind::AgentMessage {
        text: "half".to_owned(),
    };
    assert_eq!(closed, Some((ItemStatus::Interrupted, half)));

    scene.logs.delete(log.id()).await.unwrap();
    let path = scene.logs.output(fork.id(), message.as_str()).unwrap();
    assert_eq!(agent::blob::read(&path, 0, 9, None).unwrap().lines, ["kept"]);
}
