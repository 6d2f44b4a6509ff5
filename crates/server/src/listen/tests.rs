//! Connections within limits. The clock is paused: it goes on by itself when everybody waits.

use axum::routing::get;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::*;

/// What comes back until the server closes.
async fn send(bytes: &[u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = Router::new().route("/", get(|| async { "here" }));
    let mut tasks = JoinSet::new();
    tasks.spawn(serve(listener, router, CancellationToken::new()));
    let mut stream = TcpStream::connect(address).await.unwrap();
    // The server may close before it has read all of it.
    let _ = stream.write_all(bytes).await;
    let mut answer = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(300), stream.read_to_end(&mut answer));
    let _ = read.await.expect("the server keeps the connection open");
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test(start_paused = true)]
async fn checklist_resources_headers_that_never_end_do_not_hold_a_connection() {
    let answer = send(b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ").await;
    assert!(!answer.contains("here"), "{answer}");
}

#[tokio::test(start_paused = true)]
async fn checklist_resources_an_idle_connection_is_closed() {
    let answer = send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    assert!(answer.ends_with("here"), "{answer}");
}

#[tokio::test(start_paused = true)]
async fn checklist_resources_headers_without_bounds_are_refused() {
    let mut request = b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Long: ".to_vec();
    request.resize(request.len() + 2 * READ_AHEAD, b'x');
    let answer = send(&request).await;
    assert!(!answer.contains("here"), "{answer}");
}
