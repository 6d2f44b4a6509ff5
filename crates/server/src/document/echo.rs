//! Stock clients send back all awareness they hear. What comes back as it was written is known by that, without asking the room.

use std::collections::VecDeque;

use bytes::Bytes;
use sync::frame::is_awareness;

#[cfg(test)]
mod tests;

/// So many messages may be on their way there and back.
const KEPT: usize = 8;
/// Larger ones are asked about in the room.
const BYTES: usize = 512;

/// The awareness that was last written to a socket.
#[derive(Debug, Default)]
pub(crate) struct Echo {
    written: VecDeque<Bytes>,
}

impl Echo {
    /// Keeps in mind what is written.
    pub(crate) fn wrote(&mut self, message: &Bytes) {
        if message.len() > BYTES || !is_awareness(message) {
            return;
        }
        if self.written.len() == KEPT {
            self.written.pop_front();
        }
        self.written.push_back(message.clone());
    }

    /// Whether this is only what was written before.
    pub(crate) fn is(&self, message: &[u8]) -> bool {
        self.written.iter().any(|it| **it == *message)
    }
}
