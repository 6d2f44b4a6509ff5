//! A line between a client and a node that a test can cut, and lead elsewhere.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, copy, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// An address that stays, and what is behind it now. It ends with this.
pub(crate) struct Line {
    address: SocketAddr,
    behind: Arc<Mutex<Behind>>,
    _accepting: JoinSet<()>,
}

struct Behind {
    /// None: nobody is there, and whoever connects is hung up on.
    address: Option<String>,
    /// The next connections carry so many bytes one way and break; the first that does is the last.
    room: Option<u64>,
    connections: JoinSet<()>,
}

impl Line {
    /// A line to an address.
    pub(crate) async fn to(address: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let here = listener.local_addr().unwrap();
        let behind = Arc::new(Mutex::new(Behind {
            address: Some(address.to_owned()),
            room: None,
            connections: JoinSet::new(),
        }));
        let shown = behind.clone();
        let mut accepting = JoinSet::new();
        accepting.spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let mut behind = shown.lock().unwrap();
                while behind.connections.try_join_next().is_some() {}
                let Some(address) = behind.address.clone() else {
                    continue;
                };
                let (room, of) = (behind.room, shown.clone());
                behind.connections.spawn(async move {
                    let Ok(mut server) = TcpStream::connect(address).await else {
                        return;
                    };
                    let Some(room) = room else {
                        let _ = copy_bidirectional(&mut client, &mut server).await;
                        return;
                    };
                    let ((mut hears, mut says), (mut answers, mut asks)) = (client.split(), server.split());
                    tokio::select! {
                        full = carry(&mut hears, &mut asks, room) => if full { of.lock().unwrap().room = None },
                        full = carry(&mut answers, &mut says, room) => if full { of.lock().unwrap().room = None },
                    }
                });
            }
        });
        Self {
            address: here,
            behind,
            _accepting: accepting,
        }
    }

    /// What a client is told.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Breaks every connection, and every new one until it is led somewhere again.
    pub(crate) fn cut(&self) {
        let mut behind = self.behind.lock().unwrap();
        behind.address = None;
        behind.connections = JoinSet::new();
    }

    /// Leads to an address from now on.
    pub(crate) fn lead(&self, address: &str) {
        self.behind.lock().unwrap().address = Some(address.to_owned());
    }

    /// Breaks every connection, and the first new one that has carried so many bytes one way.
    pub(crate) fn break_after(&self, bytes: u64) {
        let mut behind = self.behind.lock().unwrap();
        behind.room = Some(bytes);
        behind.connections = JoinSet::new();
    }

    /// Whether one did.
    pub(crate) fn broke(&self) -> bool {
        self.behind.lock().unwrap().room.is_none()
    }
}

/// Carries bytes one way; true when it carried all it may.
async fn carry(from: &mut (impl AsyncRead + Unpin), to: &mut (impl AsyncWrite + Unpin), room: u64) -> bool {
    let carried = copy(&mut from.take(room), to).await;
    let _ = to.flush().await;
    carried.is_ok_and(|it| it == room)
}
