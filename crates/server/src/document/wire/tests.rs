//! A socket that takes only so much, and what becomes of the rest.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::Waker;

use super::*;

/// The other side, in the test's hands.
#[derive(Debug, Default)]
pub(crate) struct Far {
    /// So many more messages go through.
    pub(crate) takes: usize,
    /// What went through.
    pub(crate) taken: Vec<Message>,
    /// What it says next.
    pub(crate) says: VecDeque<Message>,
    /// It is gone.
    pub(crate) gone: bool,
    given: VecDeque<Message>,
    /// Of who waits until it takes more.
    waker: Option<Waker>,
}

/// A socket to it.
#[derive(Debug, Default, Clone)]
pub(crate) struct Near(pub(crate) Arc<Mutex<Far>>);

impl Near {
    pub(crate) fn far<T>(&self, look: impl FnOnce(&mut Far) -> T) -> T {
        look(&mut self.0.lock().unwrap())
    }

    /// It takes so many messages more, and whoever waits for that is woken.
    pub(crate) fn takes(&self, count: usize) {
        let waker = self.far(|far| {
            far.takes += count;
            far.waker.take()
        });
        waker.into_iter().for_each(Waker::wake);
    }

    pub(crate) fn taken(&self) -> usize {
        self.far(|far| far.taken.len())
    }

    fn poll_through(&self, cx: &mut Context<'_>) -> Poll<Result<(), axum::Error>> {
        self.far(|far| {
            if far.gone {
                return Poll::Ready(Err(axum::Error::new("gone")));
            }
            while far.takes > 0
                && let Some(message) = far.given.pop_front()
            {
                far.takes -= 1;
                far.taken.push(message);
            }
            if far.given.is_empty() {
                return Poll::Ready(Ok(()));
            }
            far.waker = Some(cx.waker().clone());
            Poll::Pending
        })
    }
}

impl Sink<Message> for Near {
    type Error = axum::Error;

    fn poll_ready(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<Result<(), axum::Error>> {
        Poll::Ready(Ok(()))
    }

    fn start_send(self: Pin<&mut Self>, message: Message) -> Result<(), axum::Error> {
        self.far(|far| far.given.push_back(message));
        Ok(())
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), axum::Error>> {
        self.poll_through(cx)
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), axum::Error>> {
        self.poll_through(cx)
    }
}

impl Stream for Near {
    type Item = Result<Message, axum::Error>;

    fn poll_next(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.far(|far| match far.says.pop_front() {
            Some(message) => Poll::Ready(Some(Ok(message))),
            None if far.gone => Poll::Ready(None),
            // Tests look again by themselves.
            None => Poll::Pending,
        })
    }
}

fn context() -> Context<'static> {
    Context::from_waker(Waker::noop())
}

fn frames(count: usize, bytes: usize) -> VecDeque<Bytes> {
    (0..count).map(|_| Bytes::from(vec![2; bytes])).collect()
}

#[test]
fn what_is_not_taken_stays_and_goes_on_when_it_is() {
    let near = Near::default();
    let mut wire = Wire::new(near.clone());
    let mut waiting = frames(3, 10);
    near.takes(1);
    assert_eq!(wire.poll_write(&mut context(), || waiting.pop_front()), Poll::Pending);
    assert!(wire.is_stuck());
    assert_eq!(near.taken(), 1);
    near.takes(2);
    let wrote = wire.poll_write(&mut context(), || None);
    assert_eq!(wrote, Poll::Ready(Ok(Wrote::All)));
    assert!(!wire.is_stuck());
    assert_eq!(near.taken(), 3);
}

#[test]
fn a_turn_ends_after_so_many_bytes_and_only_when_they_were_taken() {
    let near = Near::default();
    let mut wire = Wire::new(near.clone());
    let mut waiting = frames(5, TURN_BYTES / 2);
    near.takes(1);
    assert_eq!(wire.poll_write(&mut context(), || waiting.pop_front()), Poll::Pending);
    assert_eq!(waiting.len(), 3, "no more is given to who takes none");
    assert_eq!(wire.poll_write(&mut context(), || waiting.pop_front()), Poll::Pending);
    assert_eq!(waiting.len(), 3);
    near.takes(1);
    let mut turn = || wire.poll_write(&mut context(), || waiting.pop_front());
    assert_eq!(turn(), Poll::Ready(Ok(Wrote::Some)));
    near.takes(10);
    assert_eq!(turn(), Poll::Ready(Ok(Wrote::Some)));
    assert_eq!(turn(), Poll::Ready(Ok(Wrote::All)));
    assert_eq!(near.taken(), 5);
}

#[test]
fn who_is_gone_stays_gone() {
    let near = Near::default();
    let mut wire = Wire::new(near.clone());
    near.far(|far| far.gone = true);
    assert_eq!(wire.poll_write(&mut context(), || None), Poll::Ready(Err(Broken)));
    near.far(|far| far.gone = false);
    assert_eq!(wire.poll_write(&mut context(), || None), Poll::Ready(Err(Broken)));
    assert!(!wire.is_stuck());
}

#[test]
fn being_here_is_shown_by_a_ping_and_by_what_stock_clients_see() {
    let near = Near::default();
    let mut wire = Wire::new(near.clone());
    near.takes(2);
    assert_eq!(wire.poll_still(&mut context()), Poll::Ready(Ok(())));
    let taken = near.far(|far| std::mem::take(&mut far.taken));
    assert_eq!(taken, [Message::Ping(Bytes::new()), Message::Binary(STILL_HERE)]);
    assert_eq!(wire.poll_still(&mut context()), Poll::Pending);
    assert!(wire.is_stuck());
}
