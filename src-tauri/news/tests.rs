use protocol::host::HostEvent;

use super::News;

fn folder(name: &str) -> HostEvent {
    HostEvent::OpenFolder { cwd: name.to_owned() }
}

#[test]
fn what_must_not_be_lost_waits_for_the_next_page() {
    let news = News::default();
    news.tell(folder("/a"));
    news.tell(HostEvent::DragLeave {});
    let mut first = news.listen();
    news.tell(HostEvent::DragLeave {});
    assert_eq!(first.try_recv(), Ok(folder("/a")));
    assert_eq!(first.try_recv(), Ok(HostEvent::DragLeave {}));
    drop(first);
    news.tell(folder("/b"));
    let mut second = news.listen();
    assert_eq!(second.try_recv(), Ok(folder("/b")));
    assert!(second.try_recv().is_err());
}

#[test]
fn the_newest_listener_gets_everything() {
    let news = News::default();
    let mut first = news.listen();
    let mut second = news.listen();
    news.tell(folder("/a"));
    assert!(first.try_recv().is_err());
    assert_eq!(second.try_recv(), Ok(folder("/a")));
}
