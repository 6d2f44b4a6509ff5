//! Lists and searches, and an index that may be missing, damaged or shared.

use protocol::thread::ThreadStatus;
use protocol::{Code, EventKind, ItemKind, ThreadId};

use super::scene::{self, Scene};

#[tokio::test]
async fn words_are_found_in_any_language_and_place() {
    let scene = Scene::new();
    let log = scene.thread().await;
    let turn = scene::turn(&log);
    let prompt = scene::say(&log, &turn, "请把这个数据库的错误修好");
    let english = scene::add(
        &log,
        &turn,
        ItemKind::AgentMessage {
            text: "The Parser fails on naïve input.".to_owned(),
        },
    );
    let command = scene::add(&log, &turn, command("cargo test --package agent src/log_reader.rs"));
    scene::add(
        &log,
        &turn,
        ItemKind::Reasoning {
            text: "unsaid thoughts".to_owned(),
        },
    );
    let check = async |query: &str, expect: &[Option<&protocol::ItemId>]| {
        let hits = scene.logs.search(query).await.unwrap();
        let found: Vec<_> = hits.iter().map(|it| it.item_id.as_ref()).collect();
        assert_eq!(found, expect, "{query}");
        hits.into_iter().next().map(|it| it.snippet).unwrap_or_default()
    };
    // The first prompt is the title too, and titles come first.
    let both = [None, Some(&prompt)];
    assert_eq!(check("数据", &both).await, "请把这个\u{2}数据\u{3}库的错误修好");
    check("错", &both).await;
    check("数据库 修好", &both).await;
    check("据数", &[]).await;
    assert_eq!(
        check("parser fail", &[Some(&english)]).await,
        "The \u{2}Parser\u{3} \u{2}fail\u{3}s on naïve input."
    );
    check("naive", &[Some(&english)]).await;
    check("pars fails", &[]).await;
    check("log_reader", &[Some(&command)]).await;
    check("cargo \"test\" --package", &[Some(&command)]).await;
    check("thoughts", &[]).await;
    check("* OR (", &[]).await;

    log.append(EventKind::ThreadRenamed {
        title: "Repair".to_owned(),
    })
    .unwrap();
    check("repair", &[None]).await;
    check("数据", &[Some(&prompt)]).await;
    let hit = scene.logs.search("naive").await.unwrap().remove(0);
    assert_eq!((hit.seq, hit.thread.id), (Some(4), log.id().clone()));
    let id = log.id().clone();
    scene.logs.delete(&id).await.unwrap();
    check("naive", &[]).await;
}

#[tokio::test]
async fn lists_are_sorted_and_know_who_works() {
    let scene = Scene::new();
    let old = scene.thread().await;
    let pinned = scene.thread().await;
    let new = scene.thread().await;
    let away = scene.thread().await;
    pinned.append(EventKind::ThreadPinned { pinned: true }).unwrap();
    away.append(EventKind::ThreadArchived { archived: true }).unwrap();
    let turn = scene::turn(&new);
    let ids = |list: Vec<protocol::thread::ThreadSummary>| list.into_iter().map(|it| it.id).collect::<Vec<_>>();
    let list = scene.logs.list(false).await.unwrap();
    assert_eq!(list[1].status, ThreadStatus::Running);
    assert_eq!(ids(list), [pinned.id().clone(), new.id().clone(), old.id().clone()]);
    assert_eq!(ids(scene.logs.list(true).await.unwrap()), [away.id().clone()]);

    // Nobody works in this other process.
    let elsewhere = scene.again();
    assert!(
        elsewhere
            .list(false)
            .await
            .unwrap()
            .iter()
            .all(|it| it.status == ThreadStatus::Idle)
    );
    // What is appended here is found there the next time it looks.
    scene::say(&new, &turn, "news from here");
    let mut changes = elsewhere.changes();
    let mut reader = elsewhere.follow(new.id(), 2);
    assert_eq!(elsewhere.list(false).await.unwrap()[1].title, "news from here");
    assert_eq!(changes.recv().await.unwrap(), *new.id());
    assert_eq!(reader.next().await.unwrap().next_seq, 3);
    assert_eq!(elsewhere.search("news").await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_thread_has_one_writer() {
    let scene = Scene::new();
    let log = scene.thread().await;
    let id = log.id().clone();
    assert!(matches!(
        scene.again().write(&id).await,
        Err(agent::log::Error::Busy(_))
    ));
    assert!(matches!(
        scene.again().delete(&id).await,
        Err(agent::log::Error::Busy(_))
    ));
    let same = scene.logs.write(&id).await.unwrap();
    assert_eq!(same.append(EventKind::ThreadPinned { pinned: true }).unwrap(), 2);
    assert!(log.state().summary.pinned);
    drop((log, same));
    let other = scene.again().write(&id).await.unwrap();
    assert_eq!(other.append(EventKind::ThreadPinned { pinned: false }).unwrap(), 3);
    let failure = protocol::Failure::from(scene.logs.write(&id).await.err().unwrap());
    assert_eq!(failure.code, Code::Conflict);
    let unknown = scene.logs.write(&ThreadId::from("../../x")).await.err().unwrap();
    assert_eq!(protocol::Failure::from(unknown).code, Code::NotFound);
}

#[tokio::test]
async fn a_damaged_index_is_kept_aside_and_built_anew() {
    let scene = Scene::new();
    let log = scene.thread().await;
    let turn = scene::turn(&log);
    scene::say(&log, &turn, "find me");
    scene::end(&log, &turn);
    let before = scene.logs.list(false).await.unwrap();
    let page = scene.logs.page(log.id(), None, None).await.unwrap();
    assert_eq!(scene.logs.damage(), None);
    let id = log.id().clone();
    drop(log);

    let garbage = b"SQLite format 3\0 but not really".repeat(1_000);
    for (damage, opens_first) in [(&garbage[..], true), (b"text", false), (&garbage[..16], false)] {
        let damaged = Scene::new();
        let rollout = damaged.rollout(&id);
        std::fs::create_dir_all(rollout.parent().unwrap()).unwrap();
        std::fs::copy(scene.rollout(&id), &rollout).unwrap();
        std::fs::write(damaged.home.index(), damage).unwrap();
        // Whoever comes first mends it: an opened thread, or a list.
        if opens_first {
            assert_eq!(damaged.logs.page(&id, None, None).await.unwrap(), page);
        }
        assert_eq!(damaged.logs.list(false).await.unwrap(), before);
        assert_eq!(damaged.logs.search("find").await.unwrap().len(), 2);
        let failure = damaged.logs.damage().unwrap();
        assert_eq!(failure.code, Code::StoreDamaged);
        let kept: Vec<_> = std::fs::read_dir(damaged.home.root())
            .unwrap()
            .map(|it| it.unwrap().path())
            .filter(|it| it.to_string_lossy().contains(".damaged-"))
            .collect();
        assert_eq!(kept.len(), 1);
        assert!(std::fs::read(&kept[0]).unwrap() == damage);
    }
}

#[tokio::test]
async fn an_index_that_is_missing_or_of_another_version_is_no_damage() {
    let scene = Scene::new();
    let log = scene.thread().await;
    scene::work(&log, 3);
    let before = scene.logs.list(false).await.unwrap();
    scene.logs.rebuild().await;
    assert_eq!(scene.logs.list(false).await.unwrap(), before);
    assert_eq!(scene.logs.search("Prompt").await.unwrap().len(), 4);
    assert_eq!(scene.logs.damage(), None);
}

#[tokio::test]
async fn without_an_index_threads_still_open() {
    let scene = Scene::new();
    // Nothing can be a file where a folder is.
    std::fs::create_dir_all(scene.home.index()).unwrap();
    let log = scene.thread().await;
    scene::work(&log, 3);
    let id = log.id().clone();
    let head = log.state().summary.head_seq;
    drop(log);
    scene.logs.settled().await;
    let page = scene.again().page(&id, None, None).await.unwrap();
    assert_eq!((page.next_seq, page.turns.len()), (head, 3));
    assert_eq!(scene.again().list(false).await.unwrap().len(), 1);
    assert!(scene.again().search("Prompt").await.is_err());
    assert_eq!(scene.again().write(&id).await.unwrap().state().turns, 3);
}

fn command(command: &str) -> ItemKind {
    ItemKind::Command {
        command: command.to_owned(),
        cwd: "/work".to_owned(),
        tail: String::new(),
        output: None,
        exit_code: Some(0),
        escalated: false,
        process: None,
        sandbox_denied: false,
    }
}
