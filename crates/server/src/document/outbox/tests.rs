//! Bounded, never with a hole, and written by whoever is there first.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::task::Wake;

use axum::extract::ws::Message;
use sync::frame::{Awareness, Frame, put_awareness};

use super::*;
use crate::document::wire::tests::Near;

fn bytes(count: usize) -> Bytes {
    Bytes::from(vec![7; count])
}

/// Lengths of what the other side got.
fn got(near: &Near) -> Vec<usize> {
    let taken = near.far(|far| std::mem::take(&mut far.taken));
    taken.into_iter().map(|it| it.into_data().len()).collect()
}

fn outbox(most: usize) -> (Near, Outbox<Near>) {
    let near = Near::default();
    (near.clone(), Outbox::new(near, most))
}

/// Counts how often the task was woken.
#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// The socket's task.
#[derive(Default)]
struct Task(Arc<Count>);

impl Task {
    fn turn(&self, outbox: &Outbox<Near>) -> Poll<Turn> {
        let waker = Waker::from(self.0.clone());
        outbox.poll_turn(&mut Context::from_waker(&waker), true)
    }

    fn rests(&self, outbox: &Outbox<Near>) -> bool {
        self.turn(outbox).is_pending()
    }

    fn woken(&self) -> usize {
        self.0.0.swap(0, Ordering::Relaxed)
    }
}

fn is_closed(turn: &Poll<Turn>, why: Close) -> bool {
    matches!(turn, Poll::Ready(Turn::Close(close)) if *close == why)
}

#[test]
fn who_does_not_read_is_closed_and_holds_nothing() {
    let (_, outbox) = outbox(100);
    let task = Task::default();
    assert!(outbox.push(bytes(60)));
    assert!(outbox.push(bytes(40)));
    assert!(task.rests(&outbox), "it takes nothing");
    // The socket itself has these; what waits is counted anew.
    assert!(outbox.push(bytes(60)));
    assert!(outbox.push(bytes(40)));
    assert!(!outbox.push(bytes(1)));
    assert_eq!(task.woken(), 1);
    assert!(is_closed(&task.turn(&outbox), Close::RESYNC));
    assert_eq!(outbox.lock().frames.capacity(), 0);
    // Nobody counts it again.
    assert!(outbox.push(bytes(1)));
}

#[test]
fn one_message_may_be_larger_than_the_bound() {
    let (_, outbox) = outbox(100);
    assert!(outbox.push(bytes(500)));
    assert!(!outbox.push(bytes(1)));
}

#[test]
fn answers_do_not_stand_in_the_way_of_news() {
    let (near, outbox) = outbox(100);
    assert!(outbox.answer([bytes(500), bytes(500)]));
    assert!(outbox.push(bytes(100)));
    near.takes(10);
    assert!(Task::default().rests(&outbox));
    assert_eq!(got(&near), [500, 500, 100]);
    assert!(outbox.answer([bytes(500)]));
    assert!(
        !outbox.answer([bytes(1)]),
        "who asks again before reading does not read"
    );
}

#[test]
fn the_first_reason_is_the_one_that_is_told() {
    let (_, outbox) = outbox(100);
    outbox.close(Close::FORBIDDEN);
    outbox.close(Close::RESTART);
    assert_eq!(outbox.closed(), Some(Close::FORBIDDEN));
}

#[test]
fn the_room_writes_what_is_little_and_wakes_nobody() {
    let (near, outbox) = outbox(1 << 20);
    let task = Task::default();
    assert!(task.rests(&outbox));
    near.takes(10);
    outbox.push(bytes(10));
    outbox.push(bytes(20));
    outbox.write_out(true);
    assert_eq!(got(&near), [10, 20]);
    outbox.write_out(true);
    assert_eq!(task.woken(), 0);
}

#[test]
fn what_is_much_and_what_the_room_does_not_want_to_write_is_left_to_the_task() {
    let (near, outbox) = outbox(1 << 20);
    let task = Task::default();
    near.takes(10);
    for (size, at_once) in [(10, false), (AT_ONCE + 1, true)] {
        assert!(task.rests(&outbox));
        outbox.push(bytes(size));
        outbox.write_out(at_once);
        assert_eq!((got(&near), task.woken()), (vec![], 1));
        assert!(task.rests(&outbox));
        assert_eq!(got(&near), [size]);
    }
    outbox.answer([bytes(10)]);
    assert_eq!((got(&near), task.woken()), (vec![], 1));
}

#[test]
fn the_task_goes_on_where_the_room_could_not_and_nothing_overtakes() {
    let (near, outbox) = outbox(1 << 20);
    let task = Task::default();
    assert!(task.rests(&outbox));
    near.takes(1);
    outbox.push(bytes(1));
    outbox.push(bytes(2));
    outbox.write_out(true);
    assert_eq!(
        (got(&near), task.woken()),
        (vec![1], 1),
        "the room cannot wait, the task is told"
    );
    outbox.push(bytes(3));
    outbox.write_out(true);
    near.far(|far| far.says.push_back(Message::Binary(bytes(9))));
    assert!(task.rests(&outbox), "who takes nothing is not heard");
    assert!(outbox.is_stuck());
    near.takes(10);
    assert_eq!(task.woken(), 1);
    assert!(matches!(
        task.turn(&outbox),
        Poll::Ready(Turn::Read(Read::Message(Some(Ok(_)))))
    ));
    assert_eq!(got(&near), [2, 3]);
    assert!(!outbox.is_stuck());
}

#[test]
fn while_the_task_is_at_it_the_room_tells_it_that_there_is_more() {
    let (near, outbox) = outbox(1 << 20);
    let task = Task::default();
    assert!(task.rests(&outbox));
    near.takes(10);
    let wire = outbox.wire();
    outbox.push(bytes(10));
    outbox.write_out(true);
    drop(wire);
    assert_eq!((got(&near), task.woken()), (vec![], 1));
    assert!(task.rests(&outbox));
    assert_eq!(got(&near), [10]);
}

#[test]
fn who_is_gone_is_found_by_the_room_and_ended_by_the_task() {
    let (near, outbox) = outbox(1 << 20);
    let task = Task::default();
    assert!(task.rests(&outbox));
    near.far(|far| far.gone = true);
    outbox.push(bytes(10));
    outbox.write_out(true);
    assert_eq!(task.woken(), 1);
    assert!(matches!(task.turn(&outbox), Poll::Ready(Turn::Broken)));
    assert!(!outbox.still_here(Duration::ZERO));
}

#[test]
fn nothing_is_written_to_a_socket_whose_task_has_ended() {
    let (near, outbox) = outbox(1 << 20);
    near.takes(10);
    assert!(outbox.hang_up().is_some());
    outbox.push(bytes(10));
    outbox.write_out(true);
    assert!(got(&near).is_empty());
    assert!(!outbox.still_here(Duration::MAX));
}

#[test]
fn awareness_that_comes_back_as_the_room_wrote_it_is_an_echo() {
    let (near, outbox) = outbox(1 << 20);
    let task = Task::default();
    let said = Awareness {
        client: 7,
        clock: 1,
        state: "{}",
    };
    let said = Frame::Awareness(put_awareness(std::iter::once(said))).encode();
    near.takes(10);
    outbox.push(said.clone());
    outbox.write_out(true);
    near.far(|far| far.says.push_back(Message::Binary(said)));
    assert!(matches!(task.turn(&outbox), Poll::Ready(Turn::Read(Read::Echo))));
}

#[test]
fn the_other_side_may_take_nothing_only_for_so_long() {
    let (near, outbox) = outbox(1 << 20);
    near.takes(2);
    assert!(outbox.still_here(Duration::ZERO));
    outbox.push(bytes(10));
    outbox.write_out(true);
    assert!(outbox.is_stuck());
    assert!(outbox.still_here(Duration::MAX), "it is not given more");
    assert!(!outbox.still_here(Duration::ZERO));
}
