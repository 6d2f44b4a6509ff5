//! What the window tells its page: drops, a second start, a clicked notification.
//!
//! The page may be reloading just then, so what must not be lost waits for the next listener.

use std::sync::{Mutex, PoisonError};

use protocol::host::HostEvent;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

#[cfg(test)]
mod tests;

/// One page listens at a time; the newest listener gets everything.
#[derive(Default)]
pub(crate) struct News(Mutex<State>);

#[derive(Default)]
struct State {
    listener: Option<UnboundedSender<HostEvent>>,
    waiting: Vec<HostEvent>,
}

impl News {
    /// Tells it to whoever listens.
    pub(crate) fn tell(&self, event: HostEvent) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let unheard = match &state.listener {
            Some(listener) => listener.send(event).err().map(|it| it.0),
            None => Some(event),
        };
        match unheard {
            Some(event @ (HostEvent::Drop { .. } | HostEvent::OpenFolder { .. } | HostEvent::OpenThread { .. })) => {
                state.waiting.push(event);
            }
            // Where the pointer was is of no interest later.
            Some(HostEvent::DragOver { .. } | HostEvent::DragLeave {}) | None => {}
        }
    }

    /// Listens from now on, beginning with what waited.
    pub(crate) fn listen(&self) -> UnboundedReceiver<HostEvent> {
        let (sender, receiver) = unbounded_channel();
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for event in state.waiting.drain(..) {
            // The receiver is right here, so sending cannot fail.
            let _ = sender.send(event);
        }
        state.listener = Some(sender);
        receiver
    }
}
