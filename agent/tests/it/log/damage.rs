//! What crashes, full disks and other versions do to a rollout.

use std::io::Write;

use protocol::{EventKind, ThreadId};

use super::scene::{self, Scene};

#[tokio::test]
async fn a_crash_at_any_byte_of_an_append_loses_only_that_append() {
    let scene = Scene::new();
    let log = scene.thread().await;
    let turn = scene::turn(&log);
    let id = log.id().clone();
    let path = scene.rollout(&id);
    let whole = std::fs::read(&path).unwrap();
    let before = log.state();
    scene::say(&log, &turn, "the last word, 最后");
    let after = log.state();
    drop(log);
    let full = std::fs::read(&path).unwrap();

    for cut in whole.len()..=full.len() {
        std::fs::write(&path, &full[..cut]).unwrap();
        let torn = path.with_extension("torn");
        let _ = std::fs::remove_file(&torn);
        // Readers stop before what is not whole.
        let page = scene.logs.page(&id, None, None).await.unwrap();
        assert_eq!(page.next_seq, if cut == full.len() { 3 } else { 2 }, "cut at {cut}");

        let log = scene.logs.write(&id).await.unwrap();
        // Only a newline was missing: the event itself is whole.
        let survives = cut + 1 >= full.len();
        let expect = if survives { &after } else { &before };
        assert_eq!(&log.state(), expect, "cut at {cut}");
        let next = log.append(EventKind::ThreadPinned { pinned: true }).unwrap();
        assert_eq!(next, expect.summary.head_seq + 1);
        let kept = std::fs::read(&torn).unwrap_or_default();
        let rest = if survives { &[][..] } else { &full[whole.len()..cut] };
        assert_eq!(kept.strip_suffix(b"\n").unwrap_or(&kept), rest, "cut at {cut}");
        drop(log);
        let lines = std::fs::read_to_string(&path).unwrap();
        assert!(lines.ends_with('\n') && lines.lines().count() as u64 == next);
    }
}

#[tokio::test]
async fn what_cannot_be_read_in_the_middle_is_passed_over_and_stays() {
    let scene = Scene::new();
    let log = scene.thread().await;
    let turn = scene::turn(&log);
    let id = log.id().clone();
    drop(log);
    let path = scene.rollout(&id);
    let mut file = std::fs::OpenOptions::new().append(true).open(&path).unwrap();
    let strange: &[u8] = b"{\"seq\":3,\"atMs\":9,\"type\":\"somethingNewer\",\"x\":{\"y\":[1]}}\n\
        \0\0\0\xff not json\n\
        {\"seq\":5,\"atMs\":9,\"type\":\"itemCompleted\",\"turnId\":\"t\",\"item\":{\"id\":\"i\",\"type\":\"hologram\"}}\n";
    file.write_all(strange).unwrap();
    let before = std::fs::read(&path).unwrap();

    let log = scene.logs.write(&id).await.unwrap();
    assert_eq!(log.state().summary.head_seq, 5);
    scene::say(&log, &turn, "on we go");
    let page = scene.logs.page(&id, None, None).await.unwrap();
    assert_eq!(page.events.iter().map(|it| it.seq).collect::<Vec<_>>(), [1, 2, 6]);
    assert_eq!((page.before, page.next_seq), (None, 6));
    let frame = scene.logs.follow(&id, 4).next().await.unwrap();
    assert_eq!(frame.events.iter().map(|it| it.seq).collect::<Vec<_>>(), [6]);
    assert_eq!(scene.logs.search("on we").await.unwrap().len(), 2);
    assert!(std::fs::read(&path).unwrap().starts_with(&before));
}

#[tokio::test]
async fn a_rollout_that_was_replaced_is_taken_in_anew() {
    let scene = Scene::new();
    let log = scene.thread().await;
    scene::work(&log, 5);
    let id = log.id().clone();
    drop(log);
    assert_eq!(scene.logs.search("Prompt").await.unwrap().len(), 6);
    // A backup from earlier comes back.
    let path = scene.rollout(&id);
    let lines = std::fs::read_to_string(&path).unwrap();
    let short: String = lines.split_inclusive('\n').take(9).collect();
    std::fs::write(&path, short).unwrap();
    assert_eq!(scene.logs.search("Prompt").await.unwrap().len(), 2);
    assert_eq!(scene.logs.write(&id).await.unwrap().state().turns, 1);
}

#[tokio::test]
async fn a_writer_that_was_killed_leaves_a_thread_that_goes_on() {
    let scene = Scene::new();
    let id = ThreadId::new();
    let mut child = std::process::Command::new(std::env::current_exe().unwrap())
        .args([
            "--ignored",
            "--exact",
            "log::damage::a_writer_for_another_test",
            "--nocapture",
        ])
        .env("ZSPARK_TEST_HOME", scene.home.root())
        .env("ZSPARK_TEST_THREAD", id.as_str())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    // The child says how far it is; it is killed in the middle of its work.
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(child.stdout.take().unwrap()));
    let far = lines.find_map(|it| {
        it.unwrap()
            .split_once("appended ")
            .map(|it| it.1.parse::<u64>().unwrap())
    });
    let busy = scene.logs.write(&id).await;
    assert!(matches!(busy, Err(agent::log::Error::Busy(_))));
    child.kill().unwrap();
    child.wait().unwrap();

    let log = scene.logs.write(&id).await.unwrap();
    let head = log.state().summary.head_seq;
    assert!(head >= far.unwrap());
    assert_eq!(log.append(EventKind::ThreadPinned { pinned: true }).unwrap(), head + 1);
    let text = std::fs::read_to_string(scene.rollout(&id)).unwrap();
    for (line, seq) in text.lines().zip(1..) {
        assert_eq!(serde_json::from_str::<protocol::Event>(line).unwrap().seq, seq);
    }
}

/// Not a test of its own: the child of the one above.
#[tokio::test]
#[ignore = "run by a_writer_that_was_killed_leaves_a_thread_that_goes_on"]
async fn a_writer_for_another_test() {
    #[expect(
        clippy::disallowed_methods,
        reason = "a test process is told by its parent what to do"
    )]
    let (home, id) = (std::env::var("ZSPARK_TEST_HOME"), std::env::var("ZSPARK_TEST_THREAD"));
    let (Ok(home), Ok(id)) = (home, id) else { return };
    let logs = agent::log::Logs::open(&agent::home::Home::new(home), agent::clock::Clock::new(|| 1));
    let log = logs.create(scene::started(ThreadId(id))).await.unwrap();
    loop {
        let title = "x".repeat(3_000);
        let seq = log.append(EventKind::ThreadRenamed { title }).unwrap();
        if seq == 200 {
            println!("appended {seq}");
        }
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_full_disk_says_so_and_takes_nothing_half() {
    let scene = Scene::new();
    let small = tempfile::tempdir().unwrap();
    let mounted = std::process::Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=64k", "tmpfs"])
        .arg(small.path())
        .status();
    if !mounted.is_ok_and(|it| it.success()) {
        // Only root may mount; elsewhere the rule is kept by the same code.
        return;
    }
    let home = agent::home::Home::new(small.path().join("home"));
    let logs = agent::log::Logs::open(&home, agent::clock::Clock::new(|| 1));
    let log = logs.create(scene::started(ThreadId::new())).await.unwrap();
    let path = scene::rollout(&home, log.id());
    let title = "x".repeat(3_000);
    let mut last = 1;
    let error = loop {
        match log.append(EventKind::ThreadRenamed { title: title.clone() }) {
            Ok(seq) => last = seq,
            Err(error) => break error,
        }
    };
    let failure = protocol::Failure::from(error);
    assert_eq!(failure.code, protocol::Code::DiskFull);
    let lines = std::fs::read_to_string(&path).unwrap();
    assert!(lines.ends_with('\n'));
    assert_eq!(lines.lines().count() as u64, last);
    assert_eq!(log.state().summary.head_seq, last);

    // Room is made, and the thread goes on where it was.
    let output = std::process::Command::new("mount")
        .args(["-o", "remount,size=4m"])
        .arg(small.path())
        .status();
    assert!(output.unwrap().success());
    assert_eq!(log.append(EventKind::ThreadRenamed { title }).unwrap(), last + 1);
    drop((log, logs));
    let _ = std::process::Command::new("umount")
        .arg("-l")
        .arg(small.path())
        .status();
    drop(scene);
}
