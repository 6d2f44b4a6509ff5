//! The live socket, tried with real ones.

use std::time::Duration;

use futures::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use server::bus::Hint;
use server::node::Node;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, client_async_with_config};

use crate::world::{Person, World};

mod access;
mod door;
mod flow;
mod nodes;

/// After this a test has waited too long.
const LIMIT: Duration = Duration::from_secs(30);

type Stream = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// A client of the live socket.
pub(crate) struct Client {
    socket: Stream,
}

/// What a client is told next.
#[derive(Debug, PartialEq)]
enum Told {
    Frame(Value),
    Closed(u16, String),
}

impl Client {
    /// Opens one with the development identity's header, and hears the greeting.
    pub(crate) async fn open(person: &Person) -> Self {
        let mut client = Self::with(person, "", &[("x-domain-user", &person.name)]).await;
        client.until("hello").await;
        client
    }

    /// With these headers, and this behind the address.
    async fn with(person: &Person, query: &str, headers: &[(&str, &str)]) -> Self {
        Self::with_buffer(person, query, headers, None).await
    }

    /// With a receive buffer of so many bytes, so that the other side soon notices that nobody reads.
    async fn with_buffer(person: &Person, query: &str, headers: &[(&str, &str)], buffer: Option<u32>) -> Self {
        let url = format!("{}/live{query}", person.base.replace("http://", "ws://"));
        let mut request = url.into_client_request().unwrap();
        for (name, value) in headers {
            let name: reqwest::header::HeaderName = name.parse().unwrap();
            request.headers_mut().insert(name, value.parse().unwrap());
        }
        let address = person.base.trim_start_matches("http://").split('/').next().unwrap();
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        if let Some(bytes) = buffer {
            socket.set_recv_buffer_size(bytes).unwrap();
        }
        let stream = timeout(LIMIT, socket.connect(address.parse().unwrap()))
            .await
            .unwrap()
            .unwrap();
        let config = WebSocketConfig::default().max_message_size(None).max_frame_size(None);
        let opened = client_async_with_config(request, MaybeTlsStream::Plain(stream), Some(config));
        let (socket, _) = timeout(LIMIT, opened).await.unwrap().unwrap();
        Self { socket }
    }

    pub(crate) async fn say(&mut self, frame: Value) {
        self.say_raw(Message::text(frame.to_string())).await;
    }

    async fn say_raw(&mut self, message: Message) {
        timeout(LIMIT, self.socket.send(message)).await.unwrap().unwrap();
    }

    /// The next frame, or the end.
    async fn told(&mut self) -> Told {
        loop {
            let message = timeout(LIMIT, self.socket.next()).await.unwrap();
            match message {
                Some(Ok(Message::Text(text))) => return Told::Frame(serde_json::from_str(&text).unwrap()),
                Some(Ok(Message::Close(Some(frame)))) => {
                    return Told::Closed(frame.code.into(), frame.reason.as_str().to_owned());
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Told::Closed(1006, String::new()),
            }
        }
    }

    async fn next(&mut self) -> Value {
        match self.told().await {
            Told::Frame(frame) => frame,
            Told::Closed(code, reason) => panic!("closed with {code} {reason}"),
        }
    }

    /// The next frame of this kind; others are skipped.
    pub(crate) async fn until(&mut self, kind: &str) -> Value {
        let end = Instant::now() + LIMIT;
        loop {
            let frame = self.next().await;
            if frame["type"] == kind {
                return frame;
            }
            // Heads come forever.
            assert!(Instant::now() < end, "a frame of the kind {kind} comes in time");
        }
    }

    /// How it ends.
    async fn end(&mut self) -> (u16, String) {
        loop {
            if let Told::Closed(code, reason) = self.told().await {
                return (code, reason);
            }
        }
    }

    /// Everything that comes before the answer to a ping: a ping is answered after what was due before it.
    async fn now(&mut self) -> Vec<Value> {
        self.say(json!({"type": "ping"})).await;
        let mut frames = Vec::new();
        loop {
            let frame = self.next().await;
            if frame["type"] == "pong" {
                return frames;
            }
            frames.push(frame);
        }
    }

    async fn subscribe(&mut self, room: &Room, after: u64) {
        let (workspace, thread) = (&room.workspace, &room.thread);
        self.say(json!({"type": "subscribe", "workspace_id": workspace, "thread_id": thread, "after": after}))
            .await;
    }

    async fn watch(&mut self, room: &Room) {
        self.say(json!({"type": "watch", "workspace_id": room.workspace})).await;
    }

    /// The sequence numbers of the events that come, until this one.
    async fn events_to(&mut self, last: u64) -> Vec<u64> {
        let mut seen = Vec::new();
        while seen.last().is_none_or(|it| *it < last) {
            let frame = self.until("events").await;
            assert_eq!(frame["status"], "ok");
            seen.extend(
                frame["events"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|it| it["seq"].as_u64().unwrap()),
            );
        }
        seen
    }
}

/// A workspace of Ada's with a thread in it.
pub(crate) struct Room {
    workspace: String,
    thread: String,
}

impl Room {
    async fn new(world: &World) -> Self {
        let ada = world.person("ada");
        let made = ada.post("/workspaces", json!({"name": "Lab"})).await;
        let workspace = made["id"].as_str().unwrap().to_owned();
        let thread = share(&world.node, &workspace, &user(&ada).await, "workspace").await;
        Self { workspace, thread }
    }

    /// Gives somebody a role.
    async fn admit(&self, world: &World, person: &Person, role: &str) {
        let ada = world.person("ada");
        let invitations = format!("/workspaces/{}/invitations", self.workspace);
        let invitation = ada.post(&invitations, json!({"role": role})).await;
        person
            .post("/invitations/accept", json!({"token": invitation["token"]}))
            .await;
    }

    /// Takes it away.
    async fn remove(&self, world: &World, person: &Person) {
        let path = format!("/workspaces/{}/members/{}", self.workspace, user(person).await);
        let (status, body) = world.person("ada").ask(reqwest::Method::DELETE, &path, None).await;
        assert!(status.is_success(), "{status} {body}");
    }

    /// So many events more, told.
    async fn grow(&self, node: &Node, events: u64) -> u64 {
        let head = self.grow_in_silence(node, events, 20).await;
        node.app().bus.publish(Hint::Events {
            workspace: self.workspace.as_str().into(),
            thread: self.thread.as_str().into(),
            head_seq: head,
        });
        head
    }

    /// So many events more, of so many bytes, in the database alone: as when a node dies between commit and hint.
    async fn grow_in_silence(&self, node: &Node, events: u64, bytes: usize) -> u64 {
        let mut tx = node.app().store.begin().await.unwrap();
        let (log, head): (i64, i64) = sqlx::query_as(
            "UPDATE threads SET head_seq = head_seq + $3 WHERE workspace_id = $1 AND id = $2 RETURNING log_id, head_seq",
        )
        .bind(&self.workspace)
        .bind(&self.thread)
        .bind(i64::try_from(events).unwrap())
        .fetch_one(&mut *tx)
        .await
        .unwrap();
        let head = u64::try_from(head).unwrap();
        let payload = json!({"type": "note", "text": "x".repeat(bytes)}).to_string();
        for seq in head - events + 1..=head {
            sqlx::query(
                "INSERT INTO events (log_id, seq, event_id, at_ms, received_at_ms, producer_id, producer_seq, payload) \
                 VALUES ($1, $2, $3, 0, 0, 'test', $2, $4)",
            )
            .bind(log)
            .bind(i64::try_from(seq).unwrap())
            .bind(format!("e{seq}"))
            .bind(&payload)
            .execute(&mut *tx)
            .await
            .unwrap();
        }
        tx.commit().await.unwrap();
        head
    }

    /// Makes the thread private or shows it again, told or not.
    async fn make(&self, node: &Node, visibility: &str, told: bool) {
        let mut tx = node.app().store.begin().await.unwrap();
        sqlx::query(
            "UPDATE threads SET visibility = $3, updated_at_ms = updated_at_ms + 1 WHERE workspace_id = $1 AND id = $2",
        )
        .bind(&self.workspace)
        .bind(&self.thread)
        .bind(visibility)
        .execute(&mut *tx)
        .await
        .unwrap();
        tx.commit().await.unwrap();
        if told {
            node.app().bus.publish(Hint::Thread {
                workspace: self.workspace.as_str().into(),
                thread: self.thread.as_str().into(),
            });
        }
    }
}

/// Shares a thread, as its row alone, and tells nobody.
async fn share(node: &Node, workspace: &str, owner: &str, visibility: &str) -> String {
    let id = protocol::id::ThreadId::new().0;
    let mut tx = node.app().store.begin().await.unwrap();
    sqlx::query(
        "INSERT INTO threads (workspace_id, id, log_id, owner, title, visibility, turn_status, head_seq, floor_seq, \
         lease_epoch, lease_until_ms, hand_until_ms, created_at_ms, updated_at_ms) \
         SELECT $1, $2, COALESCE(MAX(log_id), 0) + 1, $3, 'Title', $4, 'idle', 0, 0, 0, 0, 0, 1, 1 FROM threads",
    )
    .bind(workspace)
    .bind(&id)
    .bind(owner)
    .bind(visibility)
    .execute(&mut *tx)
    .await
    .unwrap();
    tx.commit().await.unwrap();
    id
}

/// A person's id.
async fn user(person: &Person) -> String {
    person.get("/me").await["user_id"].as_str().unwrap().to_owned()
}

/// Waits until something holds that no frame tells.
async fn holds(what: &str, mut check: impl FnMut() -> bool) {
    let end = Instant::now() + LIMIT;
    while !check() {
        assert!(Instant::now() < end, "{what}, in time");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
