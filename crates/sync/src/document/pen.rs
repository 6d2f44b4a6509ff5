//! What waits to be written to a document's websocket. It is written while other things happen, so that two who both write a
//! lot never wait for one another to read.

use std::collections::VecDeque;
use std::future::{pending, poll_fn};
use std::pin::Pin;

use bytes::Bytes;
use futures::stream::SplitSink;
use futures::{Sink as _, SinkExt as _};
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::client::door::Socket;
use crate::frame::Frame;

/// See the [module](self).
pub(super) struct Pen {
    sink: SplitSink<Socket, Message>,
    queue: VecDeque<Bytes>,
    bytes: usize,
    is_flushed: bool,
}

impl Pen {
    pub(super) fn new(sink: SplitSink<Socket, Message>) -> Self {
        Self {
            sink,
            queue: VecDeque::new(),
            bytes: 0,
            is_flushed: true,
        }
    }

    pub(super) fn put(&mut self, frames: impl IntoIterator<Item = Frame>) {
        for frame in frames {
            let bytes = frame.encode();
            self.bytes += bytes.len();
            self.queue.push_back(bytes);
        }
    }

    /// Bytes that wait.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn is_idle(&self) -> bool {
        self.queue.is_empty() && self.is_flushed
    }

    /// Writes what waits, and answers when all of it is written; never when there is nothing. It can be dropped at any time,
    /// and asked again.
    pub(super) async fn write(&mut self) -> Result<(), Error> {
        if self.is_idle() {
            return pending().await;
        }
        while !self.queue.is_empty() {
            poll_fn(|cx| Pin::new(&mut self.sink).poll_ready(cx)).await?;
            if let Some(bytes) = self.queue.pop_front() {
                self.bytes -= bytes.len();
                self.is_flushed = false;
                Pin::new(&mut self.sink).start_send(Message::Binary(bytes))?;
            }
        }
        poll_fn(|cx| Pin::new(&mut self.sink).poll_flush(cx)).await?;
        self.is_flushed = true;
        Ok(())
    }

    /// Writes what waits, and closes.
    pub(super) async fn end(mut self) -> Result<(), Error> {
        while let Some(bytes) = self.queue.pop_front() {
            self.sink.feed(Message::Binary(bytes)).await?;
        }
        self.sink.close().await
    }
}
