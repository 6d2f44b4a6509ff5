use tokio::sync::oneshot;

use super::Followers;

/// A task that never ends, and what tells when it was dropped.
fn endless() -> (impl Future<Output = ()> + Send + 'static, oneshot::Receiver<()>) {
    let (held, dropped) = oneshot::channel::<()>();
    let task = async move {
        let _held = held;
        std::future::pending::<()>().await;
    };
    (task, dropped)
}

#[tokio::test]
async fn a_key_follows_one_thing_at_a_time() {
    let followers = Followers::default();
    let (first, first_dropped) = endless();
    let (second, mut second_dropped) = endless();
    followers.begin("a".to_owned(), first);
    followers.begin("a".to_owned(), second);
    assert!(first_dropped.await.is_err());
    assert!(second_dropped.try_recv() == Err(oneshot::error::TryRecvError::Empty));
    followers.end("a".to_owned());
    assert!(second_dropped.await.is_err());
}

#[tokio::test]
async fn an_end_that_overtakes_its_beginning_still_ends_it() {
    let followers = Followers::default();
    let (task, dropped) = endless();
    followers.end("a".to_owned());
    followers.begin("a".to_owned(), task);
    assert!(dropped.await.is_err());
}

#[tokio::test]
async fn a_new_page_inherits_nothing_but_the_window_lives_on() {
    let followers = Followers::default();
    let (page, page_dropped) = endless();
    let (window, mut window_dropped) = endless();
    followers.begin("a".to_owned(), page);
    followers.spawn(window);
    followers.forget_page();
    assert!(page_dropped.await.is_err());
    assert!(window_dropped.try_recv() == Err(oneshot::error::TryRecvError::Empty));
    followers.stop();
    assert!(window_dropped.await.is_err());
}
