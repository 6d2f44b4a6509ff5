//! The plainest thing that could tell many at once: whatever one websocket says is sent to all of them, as it is. A process of
//! its own, as the server is.

use std::convert::Infallible;

use anyhow::Result;
use futures::{SinkExt as _, StreamExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::broadcast::{self, Sender};
use tokio::task::JoinSet;
use tokio_tungstenite::accept_async;
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

/// Messages that may wait for a socket.
const WAITING: usize = 1024;

/// Prints where it listens, and goes on until it is ended.
pub(crate) async fn broadcast() -> Result<Infallible> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    println!("{}", listener.local_addr()?);
    let (sender, _) = broadcast::channel(WAITING);
    let mut sockets = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        sockets.spawn(serve(stream, sender.clone()));
    }
}

/// One socket. It ends when either side does, which is nobody's concern here.
async fn serve(stream: TcpStream, sender: Sender<Utf8Bytes>) -> Result<()> {
    let mut all = sender.subscribe();
    let (mut out, mut said) = accept_async(stream).await?.split();
    loop {
        tokio::select! {
            text = all.recv() => out.send(Message::Text(text?)).await?,
            message = said.next() => match message {
                Some(Ok(Message::Text(text))) => {
                    // There is a receiver: this one.
                    sender.send(text)?;
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Ok(()),
            },
        }
    }
}
