//! The log keeps what was appended, gives it to whoever asks, and survives what happens to files.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod scene;

use protocol::{EventKind, Frame, Live};

use scene::Scene;

#[tokio::test]
async fn what_is_appended_is_on_the_page_and_reaches_a_reader() {
    let scene = Scene::new();
    let log = scene.thread().await;
    let turn = scene::turn(&log);
    let item = scene::say(&log, &turn, "Hello");
    log.append(EventKind::TurnCompleted { turn_id: turn.clone() }).unwrap();

    let page = scene.logs.page(log.id(), None, None).await.unwrap();
    let seqs: Vec<u64> = page.events.iter().map(|it| it.seq).collect();
    assert_eq!(seqs, (1..=page.next_seq).collect::<Vec<_>>());
    assert_eq!(page.before, None);
    assert_eq!(page.turns.iter().map(|it| &it.id).collect::<Vec<_>>(), [&turn]);

    let mut reader = scene.logs.follow(log.id(), 0);
    let frame = reader.next().await.unwrap();
    assert_eq!(frame.events, page.events);
    assert_eq!(frame.next_seq, page.next_seq);
    assert_eq!(log.state().open_items, []);
    drop(item);
}

#[tokio::test]
async fn a_reader_who_joins_in_mid_stream_gets_the_text_so_far() {
    let scene = Scene::new();
    let log = scene.thread().await;
    let turn = scene::turn(&log);
    let item = scene::begin_message(&log, &turn);
    for (at, text) in [(0, "One 𝕏 "), (7, "two "), (11, "three")] {
        let text = text.to_owned();
        log.live(Live::Text {
            item_id: item.clone(),
            at,
            text,
        });
    }
    let head = log.state().summary.head_seq;
    let mut reader = scene.logs.follow(log.id(), head);
    let expect = |at, text: &str| Frame {
        live: vec![Live::Text {
            item_id: item.clone(),
            at,
            text: text.to_owned(),
        }],
        next_seq: head,
        ..Frame::default()
    };
    assert_eq!(reader.next().await.unwrap(), expect(0, "One 𝕏 two three"));
    log.live(Live::Text {
        item_id: item.clone(),
        at: 16,
        text: " four".to_owned(),
    });
    assert_eq!(reader.next().await.unwrap(), expect(16, " four"));
}
