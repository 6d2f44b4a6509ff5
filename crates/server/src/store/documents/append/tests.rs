//! What is left after a transaction that was refused in its middle.

use bytes::Bytes;

use super::*;
use crate::auth::development::of_name;

const NOW_MS: u64 = 1_000_000;

#[tokio::test]
async fn nothing_of_a_refused_transaction_stays_and_the_next_one_goes_through() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}/server.sqlite?mode=rwc", folder.path().display());
    let store = Store::open(&url).await.unwrap();
    let user = store.user(&of_name("ada").unwrap(), NOW_MS).await.unwrap();
    let mut tx = store.begin().await.unwrap();
    let workspace = store
        .create_workspace(&mut tx, "Lab", "t", &user, NOW_MS)
        .await
        .unwrap();
    let scope = Scope::of(workspace.id);
    let place = store.within(&scope);
    place.make_document(&mut tx, "plan", &user, NOW_MS).await.unwrap();
    tx.commit().await.unwrap();
    let before = place.document_head("plan").await.unwrap().unwrap();
    // Its number is taken, so the heads are moved and then the update is refused.
    sqlx::query(
        "INSERT INTO doc_updates (workspace_id, doc_id, seq, user_id, created_at_ms, body) VALUES ($1, 'plan', $2, 'u', 1, $3)",
    )
    .bind(scope.workspace().as_str())
    .bind(int(before.seq + 1))
    .bind(vec![0_u8])
    .execute(store.write())
    .await
    .unwrap();
    let update = NewUpdate {
        user: user.clone(),
        body: Bytes::from_static(&[1, 2, 3]),
    };
    let additions = [Addition {
        scope: &scope,
        document: "plan",
        epoch: before.epoch,
        updates: vec![&update],
    }];
    assert!(store.append_updates(&additions, NOW_MS).await.unwrap_err().is_taken());
    let after = place.document_head("plan").await.unwrap().unwrap();
    assert_eq!((after.seq, after.epoch), (before.seq, before.epoch));
    sqlx::query("DELETE FROM doc_updates")
        .execute(store.write())
        .await
        .unwrap();
    let heads = store.append_updates(&additions, NOW_MS).await.unwrap();
    assert_eq!(heads.len(), 1);
    assert_eq!(heads[0].as_ref().map(|it| it.seq), Some(before.seq + 1));
}
