//! Documents, over real websockets with `yrs` on the other side.

use std::time::Duration;

use bytes::Bytes;
use futures::{SinkExt as _, StreamExt as _};
use serde_json::json;
use sync::frame::Frame;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};
use yrs::updates::decoder::Decode as _;
use yrs::updates::encoder::Encode as _;
use yrs::{Doc, GetString as _, ReadTxn as _, StateVector, Text as _, Transact as _, Update};

use crate::world::{Person, World};

mod access;
mod durable;
mod head;
mod hostile;
mod several;
pub(crate) mod stock;
mod versions;

/// Whoever waits longer than this waits for ever.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A workspace of this person's, as its path.
pub(crate) async fn lab(owner: &Person) -> String {
    let made = owner.post("/workspaces", json!({"name": "Lab"})).await;
    format!("/workspaces/{}", made["id"].as_str().unwrap())
}

/// Waits until snapshots have all updates in them, as when the last one leaves. That shows in the database only.
async fn until_folded(world: &World) {
    let rows = async || {
        let (rows,): (i64,) = sqlx::query_as("SELECT COUNT(*) FROM doc_updates")
            .fetch_one(&mut *world.node.app().store.begin().await.unwrap())
            .await
            .unwrap();
        rows
    };
    let folded = tokio::time::timeout(PATIENCE, async {
        while rows().await > 0 {
            tokio::task::yield_now().await;
        }
    });
    assert!(folded.await.is_ok(), "the updates are never folded");
}

/// A socket of a document with a replica behind it.
pub(crate) struct Editor {
    pub(crate) socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    pub(crate) doc: Doc,
    /// Updates that were sent, and those that are on the disk.
    pub(crate) sent: u64,
    pub(crate) stored: u64,
    pub(crate) epoch: Option<u64>,
    pub(crate) denied: Vec<String>,
    pub(crate) heard: Vec<Frame>,
}

/// How a socket ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Closed(pub(crate) u16, pub(crate) String);

impl Editor {
    /// Opens a document, `path` such as `/workspaces/…/docs/plan?acks=1`.
    pub(crate) async fn open(person: &Person, path: &str) -> Self {
        let url = format!("{}{path}", person.base.replacen("http", "ws", 1));
        let mut request = url.into_client_request().unwrap();
        request
            .headers_mut()
            .insert("x-domain-user", person.name.parse().unwrap());
        let (socket, _) = tokio::time::timeout(PATIENCE, connect_async(request))
            .await
            .unwrap_or_else(|_| panic!("the socket of {path} never opened"))
            .unwrap();
        Self::on(socket)
    }

    /// Takes up a socket that is open.
    pub(crate) fn on(socket: WebSocketStream<MaybeTlsStream<TcpStream>>) -> Self {
        Self {
            socket,
            doc: Doc::new(),
            sent: 0,
            stored: 0,
            epoch: None,
            denied: Vec::new(),
            heard: Vec::new(),
        }
    }

    /// Opens it and brings both sides together.
    pub(crate) async fn sync(person: &Person, path: &str) -> Self {
        let mut editor = Self::open(person, path).await;
        editor.ask().await;
        editor
    }

    /// Asks for what is missing here, and waits for it.
    pub(crate) async fn ask(&mut self) {
        let vector = self.doc.transact().state_vector().encode_v1();
        self.send(Frame::Step1(vector.into())).await;
        while !matches!(self.next().await, Ok(Frame::Step2(_))) {}
    }

    pub(crate) async fn send(&mut self, frame: Frame) {
        self.sent += u64::from(matches!(frame, Frame::Step2(_) | Frame::Update(_)));
        self.socket.send(Message::Binary(frame.encode())).await.unwrap();
    }

    /// Writes text at the end, here and there.
    pub(crate) async fn write(&mut self, text: &str) {
        let update = self.edit(text);
        self.send(Frame::Update(update)).await;
    }

    /// Writes text at the end, only here.
    pub(crate) fn edit(&mut self, text: &str) -> Bytes {
        let root = self.doc.get_or_insert_text("t");
        let mut tx = self.doc.transact_mut();
        root.push(&mut tx, text);
        tx.encode_update_v1().into()
    }

    pub(crate) fn text(&self) -> String {
        let root = self.doc.get_or_insert_text("t");
        root.get_string(&self.doc.transact())
    }

    /// The next message, taken in; or how it ended.
    pub(crate) async fn next(&mut self) -> Result<Frame, Closed> {
        loop {
            let message = tokio::time::timeout(PATIENCE, self.socket.next()).await;
            let Ok(message) = message else {
                panic!("no message came; the last ones were {:?}", self.heard.last_chunk::<3>());
            };
            match message {
                Some(Ok(Message::Binary(bytes))) => {
                    let frame = Frame::decode(&bytes).unwrap();
                    self.take(&frame).await;
                    self.heard.push(frame.clone());
                    return Ok(frame);
                }
                Some(Ok(Message::Close(Some(close)))) => {
                    return Err(Closed(close.code.into(), close.reason.to_string()));
                }
                Some(Ok(_)) => {}
                Some(Err(Error::ConnectionClosed)) | None => return Err(Closed(1006, String::new())),
                Some(Err(error)) => return Err(Closed(1006, error.to_string())),
            }
        }
    }

    async fn take(&mut self, frame: &Frame) {
        match frame {
            Frame::Step1(vector) => {
                let vector = StateVector::decode_v1(vector).unwrap();
                let update = self.doc.transact().encode_state_as_update_v1(&vector);
                self.send(Frame::Step2(update.into())).await;
            }
            Frame::Step2(update) | Frame::Update(update) => {
                let update = Update::decode_v1(update).unwrap();
                self.doc.transact_mut().apply_update(update).unwrap();
            }
            Frame::Hello { epoch } => self.epoch = Some(*epoch),
            Frame::Stored { count } => self.stored = *count,
            Frame::Denied(reason) => self.denied.push(reason.clone()),
            Frame::Awareness(_) | Frame::QueryAwareness => {}
        }
    }

    /// Takes messages in until something is so.
    pub(crate) async fn until(&mut self, what: &str, so: impl Fn(&Self) -> bool) {
        let waited = tokio::time::timeout(PATIENCE, async {
            while !so(self) {
                if let Err(closed) = self.next().await {
                    panic!("waiting until {what}: {closed:?}");
                }
            }
        });
        if waited.await.is_err() {
            panic!("it never came to it that {what}; the text is {:?}", self.text());
        }
    }

    /// Waits until everything that was sent is on the disk.
    pub(crate) async fn until_stored(&mut self) {
        let sent = self.sent;
        self.until("all is on the disk", |it| it.stored >= sent).await;
    }

    /// Takes messages in until it ends.
    pub(crate) async fn until_closed(&mut self) -> Closed {
        loop {
            if let Err(closed) = self.next().await {
                return closed;
            }
        }
    }
}

#[tokio::test]
async fn what_one_writes_the_other_reads_at_once_and_later() {
    for world in World::each().await {
        let ada = world.person("ada");
        let path = format!("{}/docs/plan", lab(&ada).await);
        let mut one = Editor::sync(&ada, &format!("{path}?acks=1")).await;
        let mut two = Editor::sync(&world.far_person("ada"), &path).await;
        one.write("hello ").await;
        two.until("the greeting is there", |it| it.text() == "hello ").await;
        two.write("world").await;
        one.until("the answer is there", |it| it.text() == "hello world").await;
        one.until_stored().await;
        drop((one, two));
        let three = Editor::sync(&ada, &path).await;
        assert_eq!(three.text(), "hello world");
        let about = ada.get(&path).await;
        assert_eq!((&about["id"], &about["epoch"]), (&json!("plan"), &json!(1)));
        world.stop().await;
    }
}

#[tokio::test]
async fn who_was_offline_merges_and_nobody_hears_an_echo() {
    let world = World::new().await;
    let ada = world.person("ada");
    let path = format!("{}/docs/plan", lab(&ada).await);
    let mut one = Editor::sync(&ada, &path).await;
    one.write("a").await;
    let mut two = Editor::open(&ada, &path).await;
    // Edits that were made before the socket was there come with the answer to the server's question.
    two.edit("b");
    two.ask().await;
    one.until("both are there", |it| it.text().len() == 2).await;
    two.until("both are there", |it| it.text().len() == 2).await;
    assert_eq!(one.text(), two.text());
    one.heard.clear();
    one.write("c").await;
    one.ask().await;
    assert!(
        one.heard.iter().all(|it| !matches!(it, Frame::Update(_))),
        "an echo: {:?}",
        one.heard
    );
    world.stop().await;
}

#[tokio::test]
async fn a_long_document_is_folded_and_still_all_there() {
    let world = World::new().await;
    let ada = world.person("ada");
    let path = format!("{}/docs/long", lab(&ada).await);
    let mut one = Editor::sync(&ada, &format!("{path}?acks=1")).await;
    for round in 0..5 {
        for letter in 0..100 {
            one.write(&format!("{round}.{letter} ")).await;
        }
        one.until_stored().await;
    }
    let text = one.text();
    one.socket.close(None).await.unwrap();
    until_folded(&world).await;
    let two = Editor::sync(&ada, &path).await;
    assert_eq!(two.text(), text);
    world.stop().await;
}

#[tokio::test]
async fn a_version_is_kept_and_brought_back_as_an_edit() {
    let world = World::new().await;
    let ada = world.person("ada");
    let path = format!("{}/docs/plan", lab(&ada).await);
    let mut one = Editor::sync(&ada, &path).await;
    one.write("good").await;
    one.ask().await;
    let kept = ada.post(&format!("{path}/versions"), json!({"label": "first"})).await;
    let root = one.doc.get_or_insert_text("t");
    let update = {
        let mut tx = one.doc.transact_mut();
        root.remove_range(&mut tx, 0, 4);
        root.push(&mut tx, "bad");
        tx.encode_update_v1()
    };
    one.send(Frame::Update(update.into())).await;
    one.ask().await;
    assert_eq!(one.text(), "bad");
    let restore = format!("{path}/versions/{}/restore", kept["id"].as_str().unwrap());
    ada.post(&restore, json!({})).await;
    one.until("it is good again", |it| it.text() == "good").await;
    let listed = ada.get(&format!("{path}/versions")).await;
    assert_eq!(listed["versions"][0]["label"], "first");
    let two = Editor::sync(&ada, &path).await;
    assert_eq!(two.text(), "good");
    world.stop().await;
}
