//! What no stock client sends, what is too much, and who does not read.

use bytes::Bytes;
use futures::SinkExt as _;
use sync::frame::Frame;
use tokio_tungstenite::tungstenite::Message;

use super::{Closed, Editor, lab};
use crate::world::World;

fn closed(code: u16, reason: &str) -> Closed {
    Closed(code, reason.to_owned())
}

#[tokio::test]
async fn checklist_resources_hostile_messages_end_their_socket_and_nothing_else() {
    let world = World::new().await;
    let ada = world.person("ada");
    let path = format!("{}/docs/plan", lab(&ada).await);
    let mut good = Editor::sync(&ada, &path).await;
    good.write("good").await;
    good.ask().await;
    let update = |bytes: &[u8]| Message::Binary(Frame::Update(Bytes::copy_from_slice(bytes)).encode());
    let client = [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10];
    let vector = Frame::Step1(Bytes::copy_from_slice(&[&[1], &client[..], &[1]].concat())).encode();
    for message in [
        Message::Binary(Bytes::from_static(b"")),
        Message::Binary(Bytes::from_static(&[0, 2, 200, 1])),
        Message::text("hello"),
        update(b"rubbish"),
        update(&[1, 0xff, 0xff, 0xff, 0x7f, 1, 0]),
        update(&[&[1, 1], &client[..], &[0, 4, 1, 1, b't', 1, b'a', 0]].concat()),
        Message::Binary(vector),
        Message::Binary(Frame::Awareness(Bytes::from_static(&[9])).encode()),
    ] {
        let mut bad = Editor::sync(&ada, &path).await;
        bad.socket.send(message.clone()).await.unwrap();
        assert_eq!(bad.until_closed().await, closed(4400, "invalid_request"), "{message:?}");
    }
    // What is only unknown is skipped, as stock clients do.
    good.socket
        .send(Message::Binary(Bytes::from_static(&[102, 1])))
        .await
        .unwrap();
    good.write("!").await;
    good.ask().await;
    assert_eq!(Editor::sync(&ada, &path).await.text(), "good!");
    world.stop().await;
}

#[tokio::test]
async fn checklist_resources_what_is_too_large_is_refused_for_good() {
    let world = World::with(|config| {
        config.limits.message_bytes = 100_000;
        config.limits.document_bytes = 250_000;
    })
    .await;
    let ada = world.person("ada");
    let lab = lab(&ada).await;
    let path = format!("{lab}/docs/plan");
    let mut one = Editor::sync(&ada, &path).await;
    one.write(&"x".repeat(100_001)).await;
    assert_eq!(one.until_closed().await, closed(4413, "too_large"));
    let mut two = Editor::sync(&ada, &path).await;
    for _ in 0..2 {
        two.write(&"y".repeat(90_000)).await;
    }
    two.ask().await;
    two.write(&"z".repeat(90_000)).await;
    assert_eq!(two.until_closed().await, closed(4413, "too_large"));
    assert_eq!(Editor::sync(&ada, &path).await.text().len(), 180_000);
    // What was deleted makes room.
    let mut three = Editor::sync(&ada, &path).await;
    let root = three.doc.get_or_insert_text("t");
    let update = {
        use yrs::{Text as _, Transact as _};
        let mut tx = three.doc.transact_mut();
        root.remove_range(&mut tx, 0, 180_000);
        tx.encode_update_v1()
    };
    three.send(Frame::Update(update.into())).await;
    three.write(&"z".repeat(90_000)).await;
    three.ask().await;
    assert_eq!(Editor::sync(&ada, &path).await.text().len(), 90_000);
    world.stop().await;
}

#[tokio::test]
async fn checklist_resources_who_does_not_read_is_closed_and_comes_back_whole() {
    let world = World::with(|config| config.limits.queue_bytes = 200_000).await;
    let ada = world.person("ada");
    let path = format!("{}/docs/plan", lab(&ada).await);
    let mut stopped = Editor::sync(&ada, &path).await;
    let mut writer = Editor::sync(&ada, &path).await;
    let slow = world.node.app().metrics.slow_sockets.clone();
    let mut sent = 0;
    while slow.get() == 0 {
        writer.write(&"x".repeat(50_000)).await;
        writer.ask().await;
        sent += 50_000;
        assert!(sent < 50 << 20, "it is never closed");
    }
    // What it has already got is whole, then it hears why there is no more.
    assert_eq!(stopped.until_closed().await, closed(4508, "resync"));
    let doc = stopped.doc.clone();
    let mut back = Editor::open(&ada, &path).await;
    back.doc = doc;
    back.ask().await;
    assert_eq!(back.text().len(), sent);
    world.stop().await;
}

#[tokio::test]
async fn checklist_resources_who_is_too_quick_waits_and_loses_nothing() {
    let world = World::with(|config| config.limits.updates_per_s = 20).await;
    let ada = world.person("ada");
    let path = format!("{}/docs/plan?acks=1", lab(&ada).await);
    let mut one = Editor::sync(&ada, &path).await;
    let start = std::time::Instant::now();
    for _ in 0..80 {
        one.write("x").await;
    }
    one.until_stored().await;
    // Forty at once, and twenty a second after that.
    let took = start.elapsed();
    assert!(took > std::time::Duration::from_millis(1_500), "it took {took:?}");
    assert_eq!(one.text().len(), 80);
    world.stop().await;
}

#[tokio::test]
async fn checklist_resources_a_person_has_so_many_sockets() {
    let world = World::with(|config| config.limits.sockets = 3).await;
    let ada = world.person("ada");
    let path = format!("{}/docs/plan", lab(&ada).await);
    let mut held = Vec::new();
    for _ in 0..3 {
        held.push(Editor::sync(&ada, &path).await);
    }
    let refused = Editor::open(&ada, &path).await.until_closed().await;
    assert_eq!(refused, closed(4529, "rate_limited"));
    world.stop().await;
}
