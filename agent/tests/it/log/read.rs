//! Pages and readers: whoever reads, from wherever, sees the same thread.

use agent::log::State;
use protocol::{Event, EventKind, Frame, Live};

use super::scene::{self, Scene};

#[tokio::test]
async fn what_is_appended_is_on_the_page_and_reaches_a_reader() {
    let scene = Scene::new();
    let log = scene.thread().await;
    let turn = scene::turn(&log);
    scene::say(&log, &turn, "Hello");
    scene::end(&log, &turn);

    let page = scene.logs.page(log.id(), None, None).await.unwrap();
    let seqs: Vec<u64> = page.events.iter().map(|it| it.seq).collect();
    assert_eq!(seqs, [1, 2, 3, 4]);
    assert_eq!((page.before, page.next_seq), (None, 4));
    assert_eq!(page.thread, log.state().summary);
    assert_eq!(page.thread.title, "Hello");
    let turns: Vec<_> = page.turns.iter().map(|it| (&it.id, it.prompt.as_str())).collect();
    assert_eq!(turns, [(&turn, "Hello")]);

    let frame = scene.logs.follow(log.id(), 0).next().await.unwrap();
    let expect = Frame {
        events: page.events,
        next_seq: 4,
        ..Frame::default()
    };
    assert_eq!(frame, expect);
}

#[tokio::test]
async fn a_page_and_what_follows_it_fold_to_the_whole_from_any_place() {
    let scene = Scene::new();
    let log = scene.thread().await;
    scene::work(&log, 12);
    let id = log.id().clone();
    let head = log.state().summary.head_seq;
    let all = follow_to(&scene, &id, 0, head).await;
    let whole = fold(&id, &all);
    assert_eq!(without_head(&whole), without_head(&log.state()));

    for after in 0..=head {
        let mut events: Vec<Event> = all.iter().filter(|it| it.seq <= after).cloned().collect();
        if after < all.last().unwrap().seq {
            events.extend(follow_to(&scene, &id, after, head).await);
        }
        assert!(events == all, "following after {after}");

        let page = scene.logs.page(&id, Some(after + 1), Some(1)).await.unwrap();
        let mut events = page.events;
        assert_eq!(page.next_seq, after);
        if after < all.last().unwrap().seq {
            events.extend(follow_to(&scene, &id, page.next_seq, head).await);
        }
        assert!(events == all, "a page up to {after} and what follows");
    }
}

#[tokio::test]
async fn what_only_the_model_reads_reaches_nobody_else() {
    let scene = Scene::new();
    let log = scene.thread().await;
    let turn = scene::turn(&log);
    let entries = scene::context(&log, &turn, "secret");
    scene::say(&log, &turn, "seen");
    let page = scene.logs.page(log.id(), None, None).await.unwrap();
    assert_eq!(page.events.iter().map(|it| it.seq).collect::<Vec<_>>(), [1, 2, 4]);
    let frame = scene.logs.follow(log.id(), 2).next().await.unwrap();
    assert_eq!(frame.events.iter().map(|it| it.seq).collect::<Vec<_>>(), [4]);
    assert_eq!(frame.next_seq, 4);

    // Read when first asked for, kept from then on, and read again by the next process.
    assert_eq!(log.context().unwrap(), entries);
    let more = scene::context(&log, &turn, "more");
    let both = [entries, more].concat();
    assert_eq!(log.context().unwrap(), both);
    let id = log.id().clone();
    drop(log);
    assert_eq!(scene.again().write(&id).await.unwrap().context().unwrap(), both);
}

#[tokio::test]
async fn a_reader_who_joins_in_mid_stream_gets_the_text_so_far() {
    let scene = Scene::new();
    let log = scene.thread().await;
    let turn = scene::turn(&log);
    let item = scene::begin_message(&log, &turn);
    let piece = |at, text: &str| Live::Text {
        item_id: item.clone(),
        at,
        text: text.to_owned(),
    };
    log.live(piece(0, "One 𝕏 "));
    log.live(piece(7, "two "));
    log.live(piece(11, "three"));
    let head = log.state().summary.head_seq;
    let mut reader = scene.logs.follow(log.id(), head);
    let expect = |live| Frame {
        live: vec![live],
        next_seq: head,
        ..Frame::default()
    };
    assert_eq!(reader.next().await.unwrap(), expect(piece(0, "One 𝕏 two three")));
    log.live(piece(16, " four"));
    log.live(piece(21, " five"));
    assert_eq!(reader.next().await.unwrap(), expect(piece(16, " four five")));

    // Once the item ended, only its event counts.
    log.live(piece(26, " six"));
    scene::end_message(&log, &turn, &item, "One");
    log.live(piece(30, " seven"));
    let frame = reader.next().await.unwrap();
    assert_eq!((frame.events.len(), frame.live.len()), (1, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_comes_in_few_frames() {
    let scene = Scene::new();
    let log = scene.thread().await;
    let turn = scene::turn(&log);
    let item = scene::begin_message(&log, &turn);
    let mut reader = scene.logs.follow(log.id(), log.state().summary.head_seq);
    let begin = std::time::Instant::now();
    let writer = {
        let (log, item) = (log.clone(), item.clone());
        tokio::task::spawn_blocking(move || {
            let mut text = String::new();
            while begin.elapsed().as_millis() < 300 {
                let piece = format!("{} ", text.len());
                let at = text.len() as u64;
                text.push_str(&piece);
                let item_id = item.clone();
                log.live(Live::Text {
                    item_id,
                    at,
                    text: piece,
                });
                std::thread::yield_now();
            }
            scene::end_message(&log, &turn, &item, &text);
            text.len()
        })
    };
    let (mut small, mut text) = (0, String::new());
    loop {
        let frame = reader.next().await.unwrap();
        let mut bytes = 0;
        for live in frame.live {
            let Live::Text { at, text: piece, .. } = live else {
                unreachable!()
            };
            assert_eq!(at, text.len() as u64);
            bytes += piece.len();
            text.push_str(&piece);
        }
        assert!(bytes <= 8 * 1024);
        // Full frames follow each other at once; what comes as it is written is gathered.
        small += u128::from(bytes < 7 * 1024);
        if !frame.events.is_empty() {
            break;
        }
    }
    let most = begin.elapsed().as_millis() / 25 + 2;
    assert!(small >= 2 && small <= most, "{small} frames, at most {most}");
    assert!(text.len() <= writer.await.unwrap());
}

#[tokio::test]
async fn a_reader_given_up_in_the_middle_loses_nothing() {
    let scene = Scene::new();
    let log = scene.thread().await;
    scene::work(&log, 20);
    let head = log.state().summary.head_seq;
    let all = follow_to(&scene, log.id(), 0, head).await;
    let mut given_up = 0;
    // A read that is done at once cannot be given up, so there may have to be another reader.
    while given_up == 0 {
        let mut reader = scene.logs.follow(log.id(), 0);
        let mut events = Vec::new();
        while events.len() < all.len() {
            // Every other time the reader is dropped in the middle of its read.
            tokio::select! {
                biased;
                frame = reader.next() => {
                    events.extend(frame.unwrap().events);
                    // That may have been the last: nothing would follow.
                    continue;
                }
                () = std::future::ready(()) => given_up += 1,
            }
            events.extend(reader.next().await.unwrap().events);
        }
        assert!(events == all);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_keep_up_with_a_writer_that_never_waits() {
    let scene = Scene::new();
    let log = scene.thread().await;
    let mut readers = tokio::task::JoinSet::new();
    for after in [0, 1, 300] {
        let mut reader = scene.logs.follow(log.id(), after);
        readers.spawn(async move {
            let mut seen = after;
            while seen < 4_001 {
                let frame = reader.next().await.unwrap();
                for event in &frame.events {
                    assert_eq!(event.seq, seen + 1);
                    seen = event.seq;
                }
                let bytes = serde_json::to_string(&frame).unwrap().len();
                assert!(bytes < 12 * 1024, "a frame has {bytes} bytes");
            }
        });
    }
    let writer = {
        let log = log.clone();
        tokio::task::spawn_blocking(move || {
            for count in 0..4_000 {
                let title = format!("title {count}");
                log.append(EventKind::ThreadRenamed { title }).unwrap();
            }
        })
    };
    writer.await.unwrap();
    while let Some(reader) = readers.join_next().await {
        reader.unwrap();
    }
}

#[tokio::test]
async fn a_long_thread_is_opened_by_its_end() {
    let scene = Scene::new();
    let log = scene.thread().await;
    scene::work(&log, 2_500);
    let id = log.id().clone();
    let state = log.state();
    drop(log);
    scene.logs.settled().await;
    let path = scene.rollout(&id);
    let size = std::fs::metadata(&path).unwrap().len();
    assert!(size > 2_000_000);

    // All but the end is made unreadable: whoever reads it fails.
    let mut bytes = std::fs::read(&path).unwrap();
    let spoiled = bytes.len() * 9 / 10;
    bytes[..spoiled].fill(b'#');
    std::fs::write(&path, &bytes).unwrap();

    let logs = scene.again();
    let page = logs.page(&id, None, None).await.unwrap();
    assert_eq!(page.next_seq, state.summary.head_seq);
    assert_eq!(page.thread.title, state.summary.title);
    assert!((200..=220).contains(&page.events.len()));
    assert_eq!(page.before, Some(page.events[0].seq).filter(|_| page.before.is_some()));
    assert!(page.turns[0].first_seq <= page.events[0].seq);
    assert!(
        page.turns
            .iter()
            .all(|it| it.ended_ms.is_some() && it.prompt.starts_with("Prompt "))
    );
    assert_eq!(logs.outline(&id).await.unwrap().len(), 2_500);
}

#[tokio::test]
async fn pages_lead_from_the_end_to_the_beginning() {
    let scene = Scene::new();
    let log = scene.thread().await;
    scene::work(&log, 200);
    let all = follow_to(&scene, log.id(), 0, log.state().summary.head_seq).await;
    let (mut before, mut pages, mut turns) = (None, Vec::new(), 0);
    loop {
        let page = scene.logs.page(log.id(), before, None).await.unwrap();
        assert!(page.events.len() <= 200);
        turns += page.turns.len();
        before = page.before;
        pages.push(page.events);
        if before.is_none() {
            break;
        }
    }
    pages.reverse();
    assert!(pages.len() > 3);
    assert!(turns >= 200 && turns <= 200 + pages.len());
    assert!(pages.concat() == all);
    let far = scene.logs.page(log.id(), None, Some(10)).await.unwrap();
    assert!(far.events[0].seq <= 10);
}

#[tokio::test]
async fn a_deleted_thread_ends_its_readers_and_comes_back_whole() {
    let scene = Scene::new();
    let log = scene.thread().await;
    let turn = scene::turn(&log);
    let command = scene::begin_message(&log, &turn);
    let mut output = log.blob(&command).unwrap();
    output.append(b"out\n").unwrap();
    let id = log.id().clone();
    let events = follow_to(&scene, &id, 0, 3).await;
    let mut reader = scene.logs.follow(&id, 3);
    scene.logs.delete(&id).await.unwrap();
    assert_eq!(reader.next().await, None);
    assert!(log.append(EventKind::ThreadPinned { pinned: true }).is_err());
    assert!(scene.logs.page(&id, None, None).await.is_err());
    assert_eq!(scene.logs.list(false).await.unwrap(), []);

    scene.logs.restore(&id).await.unwrap();
    assert!(follow_to(&scene, &id, 0, 3).await == events);
    let path = scene.logs.output(&id, &output.reference().blob).unwrap();
    assert_eq!(agent::blob::read(&path, 0, 10, None).unwrap().lines, ["out"]);
    // The old writer is still held, and stays dead; a new one works.
    let again = scene.logs.write(&id).await.unwrap();
    assert_eq!(again.append(EventKind::ThreadPinned { pinned: true }).unwrap(), 4);
    assert!(log.append(EventKind::ThreadPinned { pinned: false }).is_err());
}

/// All visible events after `after`, up to `head` or the last visible one before it.
async fn follow_to(scene: &Scene, id: &protocol::ThreadId, after: u64, head: u64) -> Vec<Event> {
    let mut reader = scene.logs.follow(id, after);
    let mut events = Vec::new();
    let mut seen = after;
    while seen < head {
        let frame = reader.next().await.unwrap();
        seen = frame.next_seq;
        events.extend(frame.events);
    }
    events
}

fn fold(id: &protocol::ThreadId, events: &[Event]) -> State {
    let mut state = State::new(id.clone());
    for event in events {
        state.apply(event);
    }
    state
}

/// Without what invisible events move on.
fn without_head(state: &State) -> State {
    let mut state = state.clone();
    (state.summary.head_seq, state.summary.updated_ms) = (0, 0);
    state
}
