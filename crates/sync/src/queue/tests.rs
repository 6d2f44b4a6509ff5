//! What a queue keeps, over restarts and crashes.

use serde_json::json;

use super::*;

fn event(number: u64) -> NewEvent {
    NewEvent {
        event_id: format!("e{number}"),
        at_ms: number,
        payload: json!({"type": "unheardOf", "n": number}),
    }
}

fn names(events: &[NewEvent]) -> Vec<String> {
    events.iter().map(|it| it.event_id.clone()).collect()
}

#[test]
fn ten_thousand_events_are_there_after_a_restart_in_batches_that_fit() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("thread");
    let mut queue = Queue::open(&path).unwrap();
    let day: Vec<_> = (1..=10_000).map(event).collect();
    for part in day.chunks(1000) {
        queue.push(part).unwrap();
    }
    drop(queue);
    let mut queue = Queue::open(&path).unwrap();
    queue.anchor(0).unwrap();
    let (mut next, mut sent) = (1, Vec::new());
    while next <= queue.last() {
        let batch = queue.batch(next).unwrap();
        assert!((1..=BATCH_EVENTS).contains(&batch.len()));
        next += batch.len() as u64;
        sent.extend(batch);
        queue.forget(next - 1).unwrap();
    }
    assert_eq!(sent, day);
    drop(queue);
    // All are forgotten, and the numbers go on.
    let mut queue = Queue::open(&path).unwrap();
    assert_eq!((queue.forgotten(), queue.last()), (10_000, 10_000));
    assert!(queue.batch(10_001).unwrap().is_empty());
    assert_eq!(queue.push(&[event(10_001)]).unwrap(), 10_001);
    assert!(std::fs::metadata(&path).unwrap().len() < SMALL_BYTES);
}

#[test]
fn a_crash_at_any_byte_leaves_the_queue_as_before_or_after() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("whole");
    let mut queue = Queue::open(&path).unwrap();
    let mut ends = Vec::new();
    for number in 1..=4 {
        queue.push(&[event(number)]).unwrap();
        ends.push(queue.journal.length());
    }
    let whole = std::fs::read(&path).unwrap();
    for cut in 0..=whole.len() {
        let path = folder.path().join(format!("cut-{cut}"));
        std::fs::write(&path, &whole[..cut]).unwrap();
        let kept = ends.iter().filter(|it| **it <= cut as u64).count() as u64;
        let mut queue = Queue::open(&path).unwrap();
        assert_eq!(queue.last(), kept, "cut at {cut}");
        queue.push(&[event(kept + 1)]).unwrap();
        let expected: Vec<_> = (1..=kept + 1).map(|it| format!("e{it}")).collect();
        assert_eq!(names(&queue.batch(1).unwrap()), expected);
    }
}

#[test]
fn a_batch_is_no_larger_than_the_server_takes() {
    let folder = tempfile::tempdir().unwrap();
    let mut queue = Queue::open(&folder.path().join("thread")).unwrap();
    let large = |number| NewEvent {
        payload: json!({"type": "unheardOf", "text": "x".repeat(250 * 1024)}),
        ..event(number)
    };
    queue.push(&(1..=9).map(large).collect::<Vec<_>>()).unwrap();
    assert_eq!(names(&queue.batch(1).unwrap()), ["e1", "e2", "e3", "e4"]);
    assert_eq!(names(&queue.batch(9).unwrap()), ["e9"]);
}

#[test]
fn what_the_server_would_never_take_is_refused_with_all_that_came_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut queue = Queue::open(&folder.path().join("thread")).unwrap();
    let bad = |payload| NewEvent { payload, ..event(2) };
    for unfit in [
        bad(json!("text")),
        bad(json!({"type": "contextAppended"})),
        bad(json!({"type": "workspace.leaseMoved"})),
        bad(json!({"type": "unheardOf", "text": "x".repeat(PAYLOAD_BYTES)})),
        NewEvent {
            event_id: "server-1".into(),
            ..event(2)
        },
        NewEvent {
            event_id: "a b".into(),
            ..event(2)
        },
        NewEvent {
            at_ms: u64::MAX,
            ..event(2)
        },
    ] {
        let error = queue.push(&[event(1), unfit]).unwrap_err();
        assert!(matches!(error, QueueError::Unfit { .. }), "{error}");
        assert_eq!(queue.last(), 0);
    }
}

#[test]
fn a_new_queue_goes_on_from_the_number_that_the_server_has() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("thread");
    let mut queue = Queue::open(&path).unwrap();
    queue.push(&[event(1)]).unwrap();
    assert!(!queue.is_anchored());
    queue.anchor(41).unwrap();
    assert_eq!(queue.push(&[event(2)]).unwrap(), 43);
    // What the server says later is about these numbers.
    queue.anchor(7).unwrap();
    drop(queue);
    let mut queue = Queue::open(&path).unwrap();
    assert_eq!((queue.forgotten(), queue.last(), queue.is_anchored()), (41, 43, true));
    assert_eq!(names(&queue.batch(42).unwrap()), ["e1", "e2"]);
    queue.forget(42).unwrap();
    assert_eq!(names(&queue.batch(43).unwrap()), ["e2"]);
}
