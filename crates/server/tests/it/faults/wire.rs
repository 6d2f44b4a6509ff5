//! A line to a server that the test can cut.

use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// Passes on what comes until it is cut; then nobody gets through any more.
pub(super) struct Wire {
    address: String,
    tasks: JoinSet<()>,
}

impl Wire {
    pub(super) async fn to(server: &str) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let mut tasks = JoinSet::new();
        let server = server.to_owned();
        tasks.spawn(async move {
            let mut lines = JoinSet::new();
            while let Ok((mut client, _)) = listener.accept().await {
                let server = server.clone();
                lines.spawn(async move {
                    let mut server = TcpStream::connect(server).await.unwrap();
                    // Either side may end it.
                    let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
                });
            }
        });
        Self { address, tasks }
    }

    pub(super) fn address(&self) -> &str {
        &self.address
    }

    pub(super) fn cut(&mut self) {
        self.tasks.abort_all();
    }
}
