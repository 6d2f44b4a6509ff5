//! Items that earlier versions kept, and items that are being deleted.

use protocol::id::WorkspaceId;
use serde_json::json;

use super::*;
use crate::store::{Scope, Store};

const LOG: LogId = LogId(1);

async fn store(folder: &tempfile::TempDir) -> Store {
    let url = format!("sqlite://{}/server.sqlite?mode=rwc", folder.path().display());
    Store::open(&url).await.unwrap()
}

async fn event(store: &Store, seq: i64, piece_of: Option<&str>, payload: Value) {
    sqlx::query(
        "INSERT INTO events (log_id, seq, event_id, at_ms, received_at_ms, producer_id, producer_seq, piece_of, payload) \
         VALUES ($1, $2, $3, 1, 1, 'p', $2, $4, $5)",
    )
    .bind(LOG.0)
    .bind(seq)
    .bind(format!("e{seq}"))
    .bind(piece_of)
    .bind(payload.to_string())
    .execute(store.write())
    .await
    .unwrap();
}

async fn item(store: &Store, id: &str, kept: &str, at: i64, applied: i64) {
    sqlx::query(
        "INSERT INTO items (log_id, item_id, turn_id, first_seq, payload, payload_seq, pieces, applied_seq) \
         VALUES ($1, $2, 't', $3, $4, $3, 1, $5)",
    )
    .bind(LOG.0)
    .bind(id)
    .bind(at)
    .bind(kept)
    .bind(applied)
    .execute(store.write())
    .await
    .unwrap();
}

fn piece(id: &str, at: u64, text: &str) -> Value {
    json!({"type": "itemAppended", "itemId": id, "at": at, "text": text})
}

#[tokio::test]
async fn an_item_is_what_its_event_says_and_the_pieces_after_it() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(&folder).await;
    // As an earlier version kept it: with the pieces up to event 2.
    event(&store, 2, Some("old"), piece("old", 0, "ab")).await;
    item(&store, "old", r#"{"type":"agentMessage","text":"ab"}"#, 2, 3).await;
    event(&store, 3, Some("old"), piece("old", 2, "c")).await;
    let said = json!({"type": "agentMessage", "text": "x"});
    event(
        &store,
        4,
        None,
        json!({"type": "itemStarted", "turnId": "t", "item": said}),
    )
    .await;
    event(&store, 5, Some("other"), piece("other", 0, "?")).await;
    event(&store, 6, Some("new"), piece("new", 1, "y")).await;
    event(&store, 7, Some("new"), piece("new", 2, "not yet")).await;
    item(&store, "new", "", 4, 6).await;
    // Its turn is being deleted: the event is gone already.
    event(&store, 8, None, json!({"type": "workspace.removed"})).await;
    item(&store, "gone", "", 8, 8).await;

    let scope = Scope::of(WorkspaceId("w".to_owned()));
    let place = store.within(&scope);
    let texts = |items: &[SharedItem]| -> Vec<(String, Value)> {
        let text = |it: &SharedItem| (it.item_id.0.clone(), it.payload["text"].clone());
        items.iter().map(text).collect()
    };
    let expected = [("old".to_owned(), json!("abc")), ("new".to_owned(), json!("xy"))];
    let all = place.items(LOG, 0, 10, 1 << 20).await.unwrap();
    assert_eq!(texts(&all.items), expected);
    assert_eq!(all.next, None);
    let first = place.items(LOG, 0, 1, 1 << 20).await.unwrap();
    assert_eq!(
        (texts(&first.items), first.next.as_deref()),
        (expected[..1].to_vec(), Some("2"))
    );

    let mut tx = store.still().await.unwrap();
    let (newest, earlier) = newest(&mut tx, LOG, 1 << 20).await.unwrap();
    assert_eq!((texts(&newest), earlier), (expected.to_vec(), 0));
    let (newest, earlier) = super::newest(&mut tx, LOG, 1).await.unwrap();
    assert_eq!((texts(&newest), earlier), (expected[1..].to_vec(), 1));
}
