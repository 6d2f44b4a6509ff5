//! Bounded, and never with a hole.

use super::*;

fn bytes(count: usize) -> Bytes {
    Bytes::from(vec![7; count])
}

#[test]
fn who_does_not_read_is_closed_and_holds_nothing() {
    let outbox = Outbox::new(100);
    assert!(outbox.push(bytes(60)));
    assert!(outbox.push(bytes(40)));
    assert!(!outbox.push(bytes(1)));
    assert_eq!(outbox.take(1000), Next::Close(Close::RESYNC));
    assert_eq!(outbox.lock().frames.capacity(), 0);
    // Nobody counts it again.
    assert!(outbox.push(bytes(1)));
}

#[test]
fn one_message_may_be_larger_than_the_bound() {
    let outbox = Outbox::new(100);
    assert!(outbox.push(bytes(500)));
    assert!(!outbox.push(bytes(1)));
}

#[test]
fn answers_do_not_stand_in_the_way_of_news() {
    let outbox = Outbox::new(100);
    assert!(outbox.answer([bytes(500), bytes(500)]));
    assert!(outbox.push(bytes(100)));
    assert_eq!(outbox.take(600), Next::Write(vec![bytes(500), bytes(500)]));
    assert_eq!(outbox.take(1), Next::Write(vec![bytes(100)]));
    assert_eq!(outbox.take(1), Next::Wait);
    assert!(outbox.answer([bytes(500)]));
    assert!(
        !outbox.answer([bytes(1)]),
        "who asks again before reading does not read"
    );
}

#[test]
fn the_first_reason_is_the_one_that_is_told() {
    let outbox = Outbox::new(100);
    outbox.close(Close::FORBIDDEN);
    outbox.close(Close::RESTART);
    assert_eq!(outbox.closed(), Some(Close::FORBIDDEN));
}
