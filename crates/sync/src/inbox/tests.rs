//! Pages in every order.

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn event(seq: u64) -> SharedEvent {
    SharedEvent {
        seq,
        event_id: format!("e{seq}"),
        at_ms: 0,
        received_at_ms: 0,
        producer_id: "mac".into(),
        producer_seq: seq,
        payload: json!({"type": "unheardOf"}),
    }
}

fn page(from: u64, to: u64, head_seq: u64) -> Page {
    Page {
        status: PageStatus::Ok,
        snapshot: None,
        events: (from..=to).map(event).collect(),
        head_seq,
    }
}

#[test]
fn a_hole_is_asked_for_again_and_nothing_is_told_twice() {
    let mut inbox = Inbox::default();
    let mut told = Vec::new();
    assert_eq!(inbox.page(page(1, 3, 9), |it| told.push(it)), Fit::Whole);
    assert_eq!(inbox.page(page(5, 6, 9), |it| told.push(it)), Fit::AskAgain);
    assert_eq!((inbox.cursor(), inbox.head()), (3, 9));
    assert_eq!(inbox.page(page(2, 4, 9), |it| told.push(it)), Fit::Whole);
    assert_eq!(told, (1..=4).map(|it| Told::Event(event(it))).collect::<Vec<_>>());
    assert!(inbox.head_is(9));
    assert_eq!(inbox.page(page(5, 9, 9), |_| ()), Fit::Whole);
    assert!(!inbox.head_is(9));
}

#[test]
fn a_snapshot_takes_the_place_of_what_was_told_once() {
    let snapshot = Snapshot {
        snapshot_seq: 40,
        ..Snapshot::default()
    };
    let rebased = Page {
        status: PageStatus::Rebased,
        snapshot: Some(snapshot.clone()),
        events: vec![event(41)],
        head_seq: 41,
    };
    let mut inbox = Inbox::new(7);
    let mut told = Vec::new();
    for _ in 0..2 {
        assert_eq!(inbox.page(rebased.clone(), |it| told.push(it)), Fit::Whole);
    }
    assert_eq!(told, [Told::Rebased(snapshot), Told::Event(event(41))]);
}

#[test]
fn a_server_that_has_less_is_read_from_the_start() {
    let mut inbox = Inbox::new(7);
    let mut told = Vec::new();
    let ahead = Page {
        status: PageStatus::Ahead,
        ..page(1, 0, 3)
    };
    assert_eq!(inbox.page(ahead, |it| told.push(it)), Fit::AskAgain);
    assert_eq!((told, inbox.cursor()), (vec![Told::Reset], 0));
}

proptest! {
    /// Whatever windows of a log come, what is told is the log from its start without holes or repeats; and asking again
    /// from the cursor always gets further.
    #[test]
    fn what_is_told_is_always_the_beginning_of_the_log(windows in prop::collection::vec((1_u64..60, 0_u64..20), 0..40)) {
        let mut inbox = Inbox::default();
        let mut told = Vec::new();
        for (from, count) in windows {
            let before = inbox.cursor();
            inbox.page(page(from, (from + count).min(60), 60), |it| told.push(it));
            prop_assert!(inbox.cursor() >= before);
        }
        prop_assert_eq!(inbox.page(page(inbox.cursor() + 1, 60, 60), |it| told.push(it)), Fit::Whole);
        prop_assert_eq!(told, (1..=60).map(|it| Told::Event(event(it))).collect::<Vec<_>>());
    }
}
