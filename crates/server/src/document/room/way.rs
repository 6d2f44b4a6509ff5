//! The way into a room, for all who have something to say to it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use super::Input;

/// So much that was said may wait for the room, in units of 1 KiB.
const WAITING: usize = 2 << 10;

/// The way into a room.
#[derive(Debug, Clone)]
pub(in crate::document) struct Way {
    inputs: mpsc::UnboundedSender<Input>,
    budget: Arc<Semaphore>,
    /// What the room shows of itself.
    pub(in crate::document) mark: Mark,
}

/// What a room shows of itself to those outside.
#[derive(Debug, Clone)]
pub(in crate::document) struct Mark {
    /// Which room: one document may have had several.
    pub(in crate::document) number: u64,
    position: Arc<AtomicU64>,
}

/// The document is not read yet.
const NOWHERE: u64 = u64::MAX;

impl Mark {
    /// All updates up to here are in the room; none is known while it is being opened. It may be further by now.
    pub(in crate::document) fn position(&self) -> Option<u64> {
        Some(self.position.load(Ordering::Relaxed)).filter(|it| *it != NOWHERE)
    }

    /// For the room itself.
    pub(super) fn is_at(&self, position: u64) {
        self.position.store(position, Ordering::Relaxed);
    }
}

impl Way {
    pub(in crate::document) fn new(number: u64) -> (Self, mpsc::UnboundedReceiver<Input>) {
        let (inputs, inbox) = mpsc::unbounded_channel();
        let budget = Arc::new(Semaphore::new(WAITING));
        let position = Arc::new(AtomicU64::new(NOWHERE));
        let mark = Mark { number, position };
        let way = Self { inputs, budget, mark };
        (way, inbox)
    }

    /// Whoever sends to a room that has ended hears nothing back.
    pub(in crate::document) fn send(&self, input: Input) -> bool {
        self.inputs.send(input).is_ok()
    }

    /// The room has not ended.
    pub(in crate::document) fn is_open(&self) -> bool {
        !self.inputs.is_closed()
    }

    /// Waits until the room has room for a message of so many bytes.
    pub(in crate::document) async fn ready(&self, bytes: usize) -> Option<OwnedSemaphorePermit> {
        let units = u32::try_from((bytes >> 10) + 1).unwrap_or(u32::MAX).min(WAITING as u32);
        self.budget.clone().acquire_many_owned(units).await.ok()
    }
}
