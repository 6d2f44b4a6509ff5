//! What was said to be on the disk is on the disk, whenever the program dies.

use std::time::Duration;

use super::{Editor, lab};
use crate::program::Program;

#[tokio::test]
async fn acknowledged_edits_survive_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let mut path = None;
    let mut acknowledged = 0;
    for life in 0..3_u64 {
        let program = Program::start(folder.path());
        let ada = program.person("ada");
        let path = match &path {
            Some(path) => String::clone(path),
            None => {
                let made = format!("{}/docs/plan?acks=1", lab(&ada).await);
                path.insert(made).clone()
            }
        };
        let mut editor = Editor::sync(&ada, &path).await;
        let text = editor.text();
        let kept: Vec<u64> = text.split_whitespace().map(|it| it.parse().unwrap()).collect();
        assert!(
            kept.len() as u64 >= acknowledged && kept.iter().copied().eq(0..kept.len() as u64),
            "{acknowledged} edits were acknowledged, {} are there",
            kept.len()
        );
        // More than one snapshot's worth, and the end comes while updates are under way.
        let before = kept.len() as u64;
        let mut next = before;
        let sent = editor.sent;
        let target = 230 + 40 * life;
        while editor.stored.saturating_sub(sent) < target {
            for _ in 0..10 {
                editor.write(&format!("{next} ")).await;
                next += 1;
            }
            while editor.sent - editor.stored > 30 {
                editor.next().await.unwrap();
            }
        }
        acknowledged = before + editor.stored - sent;
        for _ in 0..5 {
            editor.write(&format!("{next} ")).await;
            next += 1;
        }
        program.kill();
    }
    let program = Program::start(folder.path());
    let editor = Editor::sync(&program.person("ada"), path.as_deref().unwrap()).await;
    assert!(editor.text().split_whitespace().count() as u64 >= acknowledged);
}

#[tokio::test]
async fn who_stops_in_order_leaves_everything_and_says_when_to_come_back() {
    let world = crate::world::World::new().await;
    let ada = world.person("ada");
    let path = format!("{}/docs/plan", lab(&ada).await);
    let mut editor = Editor::sync(&ada, &path).await;
    editor.write("the last word").await;
    editor.ask().await;
    let (store, address) = (world.folder.path().join("server.sqlite"), world.node.address());
    let kept = async {
        let closed = editor.until_closed().await;
        assert_eq!((closed.0, closed.1.as_str()), (1012, "restart"));
    };
    let crate::world::World { node, folder, .. } = world;
    let stopped = tokio::time::timeout(Duration::from_secs(30), async { tokio::join!(node.stop(), kept) });
    assert!(stopped.await.is_ok(), "the node at {address} does not stop");
    assert!(store.exists());
    let program = Program::start(folder.path());
    let again = Editor::sync(&program.person("ada"), &path).await;
    assert_eq!(again.text(), "the last word");
}
