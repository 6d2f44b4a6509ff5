//! Several documents, each from its own place.

use bytes::Bytes;
use protocol::id::UserId;

use super::*;
use crate::auth::development::of_name;
use crate::store::Scope;
use crate::store::documents::{Addition, Fold, NewUpdate};

const NOW_MS: u64 = 1_000_000;

/// The head, and updates with their numbers.
type Found = (u64, Vec<(u64, u8)>);

async fn write(store: &Store, scope: &Scope, document: &str, user: &UserId, bodies: &[u8]) {
    let updates: Vec<NewUpdate> = bodies
        .iter()
        .map(|it| NewUpdate {
            user: user.clone(),
            body: Bytes::copy_from_slice(&[*it]),
        })
        .collect();
    let addition = Addition {
        scope,
        document,
        epoch: 1,
        updates: updates.iter().collect(),
    };
    assert!(store.append_updates(&[addition], NOW_MS).await.unwrap()[0].is_some());
}

#[tokio::test]
async fn each_document_goes_on_where_it_is_known_to_and_what_is_not_simple_is_left_to_its_room() {
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
    for name in ["plan", "list", "folded", "quiet"] {
        place.make_document(&mut tx, name, &user, NOW_MS).await.unwrap();
    }
    tx.commit().await.unwrap();
    write(&store, &scope, "plan", &user, &[1, 2, 3]).await;
    write(&store, &scope, "list", &user, &[4]).await;
    write(&store, &scope, "folded", &user, &[5, 6]).await;
    let fold = Fold {
        epoch: 1,
        seq: 1,
        vector: Bytes::from_static(&[0]),
        state: Bytes::from_static(&[0, 0]),
    };
    assert!(place.fold_document("folded", &fold).await.unwrap());

    let known: Vec<Known> = [("list", 0), ("plan", 1), ("folded", 0), ("quiet", 0), ("nowhere", 0)]
        .into_iter()
        .map(|(name, seq)| Known {
            key: (scope.workspace().clone(), name.to_owned()),
            seq,
        })
        .collect();
    let later = store.documents_after(&known).await.unwrap();
    let found: Vec<Option<Found>> = later
        .iter()
        .map(|it| {
            let it = it.as_ref()?;
            Some((
                it.head.seq,
                it.updates.iter().map(|(seq, body)| (*seq, body[0])).collect(),
            ))
        })
        .collect();
    assert_eq!(
        found,
        [
            Some((1, vec![(1, 4)])),
            Some((3, vec![(2, 2), (3, 3)])),
            // Its first update is in a snapshot by now.
            None,
            None,
            None,
        ]
    );
}
