//! What stays of many versions, and which documents changed since the last one.

use super::*;
use crate::auth::development::of_name;
use crate::store::documents::{Addition, NewUpdate};

const HOUR_MS: u64 = 3_600_000;

/// Keeps one an hour for so many hours, thinning out each time, and answers how many hours ago each was that is left.
fn left_after(hours: u64) -> Vec<u64> {
    let begin = 20_000 * DAY_MS;
    let mut times: Vec<u64> = Vec::new();
    for hour in 0..hours {
        times.insert(0, begin + hour * HOUR_MS);
        for place in surplus(&times).into_iter().rev() {
            times.remove(place);
        }
    }
    let now = begin + (hours - 1) * HOUR_MS;
    times.iter().map(|it| (now - it) / HOUR_MS).collect()
}

#[test]
fn the_newest_stay_whatever_their_day() {
    assert_eq!(left_after(1), [0]);
    assert_eq!(left_after(24), (0..24).collect::<Vec<_>>());
}

#[test]
fn of_older_ones_the_last_of_each_day_stays() {
    // Two whole days and one hour: the last hour of the first day is 25 hours ago.
    let mut expected: Vec<u64> = (0..24).collect();
    expected.push(25);
    assert_eq!(left_after(49), expected);
}

#[test]
fn of_a_year_thirty_days_are_left() {
    let left = left_after(365 * 24);
    assert_eq!(left.len(), HOURLY + DAILY - 1, "the newest is one of both");
    assert_eq!(left.last(), Some(&(29 * 24)));
}

#[test]
fn pauses_cost_nothing() {
    // One a month for three years.
    let times: Vec<u64> = (0..36).rev().map(|it| it * 30 * DAY_MS).collect();
    assert_eq!(surplus(&times), [30, 31, 32, 33, 34, 35]);
}

#[tokio::test]
async fn what_is_added_while_a_state_is_being_kept_is_a_change_since_then() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}/server.sqlite?mode=rwc", folder.path().display());
    let store = Store::open(&url).await.unwrap();
    let user = store.user(&of_name("ada").unwrap(), HOUR_MS).await.unwrap();
    let mut tx = store.begin().await.unwrap();
    let workspace = store
        .create_workspace(&mut tx, "Lab", "t", &user, HOUR_MS)
        .await
        .unwrap();
    let scope = Scope::of(workspace.id);
    let place = store.within(&scope);
    place.make_document(&mut tx, "plan", &user, HOUR_MS).await.unwrap();
    tx.commit().await.unwrap();
    let update = NewUpdate {
        user: user.clone(),
        body: Bytes::from_static(&[1]),
    };
    let write = async || {
        let addition = Addition {
            scope: &scope,
            document: "plan",
            epoch: 1,
            updates: vec![&update],
        };
        assert!(store.append_updates(&[addition], HOUR_MS).await.unwrap()[0].is_some());
    };
    let kept = async |meanwhile: bool| {
        let changed = store.changed_documents(HOUR_MS, 10).await.unwrap();
        for it in &changed {
            if meanwhile {
                write().await;
            }
            let mut tx = store.begin().await.unwrap();
            assert!(place.look_after(&mut tx, it, HOUR_MS, HOUR_MS).await.unwrap());
            tx.commit().await.unwrap();
        }
        changed.len()
    };
    assert_eq!(kept(false).await, 0, "nothing was written");
    write().await;
    assert_eq!(kept(true).await, 1);
    assert_eq!(kept(false).await, 1, "the second one came too late for the first state");
    assert_eq!(kept(false).await, 0);
    write().await;
    assert_eq!(kept(false).await, 1);
}
