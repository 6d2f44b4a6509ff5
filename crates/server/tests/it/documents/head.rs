//! How far a document is, which its updates say until they are folded, and its row after that.

use reqwest::Method;
use serde_json::Value;

use super::{Editor, lab, until_folded};
use crate::world::World;

#[tokio::test]
async fn it_is_the_same_before_and_after_updates_are_folded_and_goes_on_in_the_next_life() {
    for world in World::each().await {
        let ada = world.person("ada");
        let lab = lab(&ada).await;
        let path = format!("{lab}/docs/plan");
        let listed = async || {
            let documents = ada.get(&format!("{lab}/docs")).await;
            let alone = ada.get(&path).await;
            assert_eq!(documents["documents"], Value::from(vec![alone.clone()]));
            alone
        };
        let mut editor = Editor::sync(&ada, &format!("{path}?acks=1")).await;
        let made = listed().await;
        assert_eq!((made["head_seq"].as_u64(), made["size"].as_u64()), (Some(0), Some(0)));
        for _ in 0..30 {
            editor.write("one ").await;
        }
        editor.until_stored().await;
        let written = listed().await;
        assert_eq!(written["head_seq"].as_u64(), Some(30));
        assert!(written["size"].as_u64().unwrap() >= 30 * 4, "{written}");
        assert!(written["updated_at_ms"].as_u64() >= made["updated_at_ms"].as_u64());

        editor.socket.close(None).await.unwrap();
        until_folded(&world).await;
        let folded = listed().await;
        assert!(folded["size"].as_u64() < written["size"].as_u64(), "{folded}");
        for same in ["head_seq", "updated_at_ms", "created_at_ms", "epoch"] {
            assert_eq!(folded[same], written[same], "{same}");
        }

        let mut editor = Editor::sync(&ada, &format!("{path}?acks=1")).await;
        editor.write("two").await;
        editor.until_stored().await;
        let more = listed().await;
        assert_eq!(more["head_seq"].as_u64(), Some(31));
        assert!(more["size"].as_u64() > folded["size"].as_u64(), "{more}");

        assert_eq!(ada.ask(Method::DELETE, &path, None).await.0, 204);
        let mut editor = Editor::sync(&ada, &format!("{path}?acks=1")).await;
        assert_eq!(editor.text(), "");
        editor.write("anew").await;
        editor.until_stored().await;
        let anew = listed().await;
        // The end of its first life had a number too.
        assert_eq!((anew["epoch"].as_u64(), anew["head_seq"].as_u64()), (Some(2), Some(33)));
        world.stop().await;
    }
}
