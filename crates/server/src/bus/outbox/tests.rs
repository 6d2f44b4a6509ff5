use super::*;

fn events(thread: &str, head_seq: u64) -> Hint {
    Hint::Events {
        workspace: "w".into(),
        thread: thread.into(),
        head_seq,
    }
}

#[test]
fn the_newest_hint_about_a_thing_is_the_one_that_is_sent() {
    let mut outbox = Outbox::default();
    for hint in [events("a", 1), events("b", 1), events("a", 2), events("a", 3)] {
        outbox.push(hint);
    }
    assert_eq!(outbox.take(10), [events("a", 3), events("b", 1)]);
    assert_eq!(outbox.take(10), []);
}

#[test]
fn the_outbox_does_not_grow_without_bound_and_says_what_it_lost() {
    let mut outbox = Outbox::default();
    for number in 0..=MOST {
        assert!(!outbox.lost);
        outbox.push(events(&number.to_string(), 1));
    }
    assert!(outbox.lost);
    assert_eq!((outbox.order.len(), outbox.newest.len()), (MOST, MOST));
    assert_eq!(outbox.take(1), [events("1", 1)]);
}
