//! Against a server that says what the test wants: what a line's end leads to.

use std::error::Error;
use std::sync::Mutex;

use async_trait::async_trait;
use futures::SinkExt as _;
use protocol::id::WorkspaceId;
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::{WebSocketStream, accept_hdr_async};
use yrs::{Text as _, WriteTxn as _};

use super::super::shared::Shared;
use super::*;
use crate::client::door::{Credential as Token, Credentials};
use crate::frame::{NOTHING_NEW, NOTHING_SEEN, STILL_HERE};

/// Whoever waits longer than this waits for ever.
const PATIENCE: Duration = Duration::from_secs(30);

/// Gives the next token whenever a fresh one is asked for.
#[derive(Debug, Default)]
struct Tokens(Mutex<u32>);

#[async_trait]
impl Credentials for Tokens {
    async fn credential(&self, fresh: bool) -> Result<Token, Box<dyn Error + Send + Sync>> {
        let mut number = self.0.lock().unwrap();
        *number += u32::from(fresh);
        Ok(Token::Bearer(format!("token-{number}")))
    }
}

/// A server, and one document at it.
struct Stage {
    listener: TcpListener,
    shared: Shared,
    _folder: tempfile::TempDir,
}

/// One line, and what it was opened with.
struct Visit {
    line: WebSocketStream<TcpStream>,
    token: String,
    query: String,
}

impl Stage {
    async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let node = format!("http://{}", listener.local_addr().unwrap());
        let door = Door::new(vec![node.parse().unwrap()], Arc::new(Tokens::default())).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let place = Place {
            workspace: WorkspaceId("lab".to_owned()),
            document: "plan".to_owned(),
            file: folder.path().join("plan"),
        };
        let shared = Shared::open(Arc::new(door), place).await.unwrap();
        Self {
            listener,
            shared,
            _folder: folder,
        }
    }

    async fn visit(&self) -> Visit {
        let visited = timeout(PATIENCE, async {
            let (stream, _) = self.listener.accept().await.unwrap();
            let (mut token, mut query) = (String::new(), String::new());
            #[expect(
                clippy::result_large_err,
                reason = "what refuses would be a whole answer, as the callback has it"
            )]
            let look = |request: &Request, response: Response| {
                token = request.headers()["authorization"].to_str().unwrap().to_owned();
                query = request.uri().query().unwrap_or_default().to_owned();
                Ok(response)
            };
            let line = accept_hdr_async(stream, look).await.unwrap();
            Visit { line, token, query }
        });
        visited.await.unwrap_or_else(|_| panic!("nobody comes"))
    }

    async fn until(&self, what: &str, so: impl FnMut(&Standing) -> bool) {
        let mut standing = self.shared.standing();
        let seen = timeout(PATIENCE, standing.wait_for(so)).await.is_ok();
        assert!(seen, "{what}: never; {:?}", *self.shared.standing().borrow());
    }
}

impl Visit {
    async fn say(&mut self, frame: Frame) {
        self.line.send(Message::Binary(frame.encode())).await.unwrap();
    }

    async fn greet(&mut self, epoch: u64) {
        self.say(Frame::Hello { epoch }).await;
        self.say(Frame::Step1(Bytes::from_static(NOTHING_SEEN))).await;
        self.say(Frame::Step2(Bytes::from_static(NOTHING_NEW))).await;
    }

    async fn hear(&mut self, what: &str, so: impl Fn(&Frame) -> bool) -> Frame {
        let heard = timeout(PATIENCE, async {
            loop {
                let message = self.line.next().await.unwrap().unwrap();
                if let Message::Binary(bytes) = message
                    && let Some(frame) = Some(Frame::decode(&bytes).unwrap()).filter(&so)
                {
                    return frame;
                }
            }
        });
        heard.await.unwrap_or_else(|_| panic!("{what} is never said"))
    }

    /// Closes, and waits until the other side has gone as well.
    async fn close(mut self, code: u16, reason: &'static str) {
        let close = CloseFrame {
            code: code.into(),
            reason: reason.into(),
        };
        self.line.close(Some(close)).await.unwrap();
        let gone = timeout(PATIENCE, async { while let Some(Ok(_)) = self.line.next().await {} });
        assert!(gone.await.is_ok(), "the line stays open");
    }
}

#[tokio::test]
async fn a_credential_that_ended_is_renewed_once_and_a_refused_one_is_the_end() {
    let stage = Stage::new().await;
    let mut first = stage.visit().await;
    assert_eq!(
        (first.token.as_str(), first.query.as_str()),
        ("Bearer token-0", "acks=1")
    );
    first.greet(3).await;
    stage.until("it is synced", |it| it.link == Link::Synced).await;
    first.close(4401, "unauthenticated").await;
    let mut second = stage.visit().await;
    assert_eq!(
        (second.token.as_str(), second.query.as_str()),
        ("Bearer token-1", "acks=1&epoch=3")
    );
    second.greet(3).await;
    stage.until("it is synced again", |it| it.link == Link::Synced).await;
    second.close(4401, "unauthenticated").await;
    let third = stage.visit().await;
    assert_eq!(third.token, "Bearer token-2");
    third.close(4401, "unauthenticated").await;
    let over = Link::Over(Why::Closed {
        code: 4401,
        reason: "unauthenticated".to_owned(),
    });
    stage.until("it is over", |it| it.link == over).await;
    stage.shared.again().await.unwrap();
    stage.visit().await.greet(3).await;
}

#[tokio::test]
async fn who_is_too_slow_or_was_sent_away_for_a_while_comes_back() {
    let stage = Stage::new().await;
    for (code, reason) in [
        (4508, "resync"),
        (4503, "unavailable"),
        (4529, "rate_limited"),
        (1012, "restart"),
        (1013, "later"),
    ] {
        let mut visit = stage.visit().await;
        visit.greet(1).await;
        stage.until("it is synced", |it| it.link == Link::Synced).await;
        visit.close(code, reason).await;
        stage.until("it is away", |it| it.link == Link::Away).await;
    }
    let mut last = stage.visit().await;
    last.greet(1).await;
    stage.until("it is synced", |it| it.link == Link::Synced).await;
}

#[tokio::test]
async fn what_makes_no_sense_ends_it_and_edits_are_still_kept() {
    for nonsense in [
        Message::Binary(Bytes::from_static(&[0, 0, 99])),
        Message::Binary(Frame::Update(Bytes::from_static(b"rubbish")).encode()),
        Message::Binary(Frame::Stored { count: 9 }.encode()),
    ] {
        let stage = Stage::new().await;
        let mut visit = stage.visit().await;
        visit.greet(1).await;
        // What a newer server says is passed over.
        visit
            .line
            .send(Message::Binary(Bytes::from_static(&[119, 1])))
            .await
            .unwrap();
        visit.line.send(nonsense).await.unwrap();
        stage
            .until("it is over", |it| matches!(it.link, Link::Over(Why::Failed(_))))
            .await;
        let edit = stage.shared.edit(|tx| tx.get_or_insert_text("t").push(tx, "kept"));
        edit.await.unwrap();
        assert_eq!(stage.shared.pending().await.unwrap().len(), 1);
    }
}

#[tokio::test]
async fn edits_go_out_beside_what_one_says_of_oneself_and_goodbye_is_said() {
    let stage = Stage::new().await;
    let mut visit = stage.visit().await;
    visit.greet(1).await;
    stage.until("it is synced", |it| it.link == Link::Synced).await;
    stage
        .shared
        .be_present(Some(&serde_json::json!({"at": 1})))
        .await
        .unwrap();
    visit.hear("the presence", |it| matches!(it, Frame::Awareness(_))).await;
    // The server's beat is answered, so that others go on seeing one.
    visit.line.send(Message::Binary(STILL_HERE)).await.unwrap();
    visit
        .hear("the presence again", |it| matches!(it, Frame::Awareness(_)))
        .await;
    let edit = stage.shared.edit(|tx| tx.get_or_insert_text("t").push(tx, "word"));
    edit.await.unwrap();
    visit.hear("the edit", |it| matches!(it, Frame::Update(_))).await;
    // The answer to the server's question was the first message with an update, the edit the second.
    visit.say(Frame::Stored { count: 2 }).await;
    timeout(PATIENCE, stage.shared.settled()).await.unwrap().unwrap();
    let goodbye = async {
        visit
            .hear("goodbye", |it| match it {
                Frame::Awareness(said) => crate::frame::awareness(said, 1).unwrap()[0].state == "null",
                Frame::Step1(_)
                | Frame::Step2(_)
                | Frame::Update(_)
                | Frame::QueryAwareness
                | Frame::Denied(_)
                | Frame::Hello { .. }
                | Frame::Stored { .. } => false,
            })
            .await;
    };
    let (closed, _) = tokio::join!(stage.shared.close(), goodbye);
    closed.unwrap();
}
