//! Which connection is handed out.

use sqlx::any::AnyPoolOptions;

use super::*;

async fn pool() -> AnyPool {
    sqlx::any::install_default_drivers();
    AnyPoolOptions::new()
        .max_connections(3)
        .connect("sqlite::memory:")
        .await
        .unwrap()
}

/// Marks a connection: temporary tables are its own.
async fn mark(held: &mut Held) {
    sqlx::query("CREATE TEMP TABLE mark (n BIGINT)")
        .execute(&mut *held.connection)
        .await
        .unwrap();
}

async fn is_marked(held: &mut Held) -> bool {
    sqlx::query("SELECT n FROM mark")
        .fetch_optional(&mut *held.connection)
        .await
        .is_ok()
}

#[tokio::test]
async fn the_one_that_answered_last_is_asked_next() {
    let (pool, warm) = (pool().await, Warm::default());
    let mut first = warm.take(&pool).await.unwrap();
    let mut second = warm.take(&pool).await.unwrap();
    mark(&mut second).await;
    assert!(!is_marked(&mut first).await);
    warm.give(first);
    warm.give(second);
    for _ in 0..3 {
        let mut last = warm.take(&pool).await.unwrap();
        assert!(is_marked(&mut last).await);
        warm.give(last);
    }
    // Nothing is kept from a pool that closes.
    let late = warm.take(&pool).await.unwrap();
    warm.close();
    warm.give(late);
    pool.close().await;
}

#[tokio::test]
async fn no_more_are_kept_than_two_and_none_that_rested() {
    let (pool, warm) = (pool().await, Warm::default());
    let mut all = Vec::new();
    for _ in 0..3 {
        all.push(warm.take(&pool).await.unwrap());
    }
    all.into_iter().for_each(|it| warm.give(it));
    assert_eq!(warm.kept().held.len(), MOST as usize);
    for held in warm.kept().held.iter_mut() {
        held.used -= BELIEVED;
    }
    let fresh = warm.take(&pool).await.unwrap();
    assert!(
        fresh.taken.elapsed() < BELIEVED && fresh.used == fresh.taken,
        "the pool gave it"
    );
    assert_eq!(warm.kept().held.len(), MOST as usize - 1);
}
