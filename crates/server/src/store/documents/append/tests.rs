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
    // What was inserted before the refused one stays in the transaction, until that is given up.
    sqlx::query(
        "CREATE TRIGGER refuse BEFORE INSERT ON doc_updates WHEN NEW.body = x'09' BEGIN SELECT RAISE(FAIL, 'no'); END",
    )
    .execute(store.write())
    .await
    .unwrap();
    let update = |body: &'static [u8]| NewUpdate {
        user: user.clone(),
        body: Bytes::from_static(body),
    };
    let (taken, refused) = (update(&[1, 2, 3]), update(&[9]));
    let additions = |updates| {
        [Addition {
            scope: &scope,
            document: "plan",
            epoch: before.epoch,
            updates,
        }]
    };
    let both = additions(vec![&taken, &refused]);
    store.append_updates(&both, NOW_MS).await.unwrap_err();
    let after = place.document_head("plan").await.unwrap().unwrap();
    assert_eq!(after, before);
    let added = store.append_updates(&additions(vec![&taken]), NOW_MS).await.unwrap();
    assert_eq!(
        added,
        [Some(Added {
            last: before.seq + 1,
            snapshot: 0
        })]
    );
}
