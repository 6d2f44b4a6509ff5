//! Threads and their log: sharing, appending under a lease, reading from any place, questions, requests.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use server::clock::Clock;

use crate::world::{Person, World};

/// A workspace with a thread of Ada's, in which Bob is a member and Vic a viewer.
pub(crate) struct Desk {
    pub(crate) ada: Person,
    pub(crate) bob: Person,
    pub(crate) vic: Person,
    /// Owns another workspace, and knows nothing of this one.
    pub(crate) eve: Person,
    pub(crate) workspace: String,
    pub(crate) thread: String,
}

impl Desk {
    pub(crate) async fn new(world: &World) -> Self {
        Self::with(world, json!({"title": "Plans"})).await
    }

    pub(crate) async fn with(world: &World, thread: Value) -> Self {
        let (ada, bob, vic, eve) = (
            world.person("ada"),
            world.far_person("bob"),
            world.person("vic"),
            world.person("eve"),
        );
        let made = ada.post("/workspaces", json!({"name": "Lab"})).await;
        let workspace = format!("/workspaces/{}", made["id"].as_str().unwrap());
        for (person, role) in [(&bob, "member"), (&vic, "viewer")] {
            let invitation = ada
                .post(&format!("{workspace}/invitations"), json!({"role": role}))
                .await;
            person
                .post("/invitations/accept", json!({"token": invitation["token"]}))
                .await;
        }
        let made = ada.post(&format!("{workspace}/threads"), thread).await;
        Self {
            thread: format!("{workspace}/threads/{}", made["id"].as_str().unwrap()),
            workspace,
            ada,
            bob,
            vic,
            eve,
        }
    }

    pub(crate) fn at(&self, path: &str) -> String {
        format!("{}{path}", self.thread)
    }

    /// Ada's machine takes the lease, and answers it.
    pub(crate) async fn lease(&self, producer: &str) -> Value {
        let asks = json!({"producer_id": producer, "device_id": format!("device-of-{producer}")});
        self.ada.post(&self.at("/lease"), asks).await
    }

    pub(crate) async fn append(&self, who: &Person, epoch: u64, base: u64, events: Value) -> (StatusCode, Value) {
        let batch = json!({"producer_id": "mac", "lease_epoch": epoch, "base": base, "events": events});
        who.ask(Method::POST, &self.at("/events"), Some(batch)).await
    }
}

/// Events with names made of their numbers.
pub(crate) fn events(from: u64, payloads: &[Value]) -> Value {
    let numbered = payloads.iter().zip(from..);
    numbered
        .map(|(payload, number)| json!({"event_id": format!("e{number}"), "at_ms": 5, "payload": payload}))
        .collect()
}

pub(crate) fn turn(kind: &str, turn: &str) -> Value {
    let settings =
        json!({"provider": "demo", "model": "m1", "effort": null, "sandbox": "read-only", "approval": "on-request"});
    match kind {
        "turnStarted" => json!({"type": kind, "turnId": turn, "settings": settings}),
        _ => json!({"type": kind, "turnId": turn}),
    }
}

pub(crate) fn message(kind: &str, item: &str, status: &str, text: &str) -> Value {
    json!({"type": kind, "turnId": "t1", "item":
        {"id": item, "status": status, "startedMs": 1, "type": "agentMessage", "text": text}})
}

pub(crate) fn question(approval: &str, command: &str) -> Value {
    json!({"type": "approvalRequested", "approval": {"id": approval, "turnId": "t1", "itemId": "i1", "callId": "c1",
        "ask": {"type": "command", "command": command, "cwd": "/w", "escalated": false}, "risks": [], "atMs": 1}})
}

/// A clock that only the test moves.
#[derive(Clone)]
pub(crate) struct Hands(Arc<AtomicU64>);

impl Hands {
    pub(crate) fn new() -> (Self, Clock) {
        let hands = Self(Arc::new(AtomicU64::new(1_700_000_000_000)));
        let shown = hands.0.clone();
        (hands, Clock::new(move || shown.load(Ordering::SeqCst)))
    }

    pub(crate) fn on(&self, ms: u64) {
        self.0.fetch_add(ms, Ordering::SeqCst);
    }
}

fn code(answer: &(StatusCode, Value)) -> (u16, &str) {
    (answer.0.as_u16(), answer.1["code"].as_str().unwrap_or_default())
}

#[tokio::test]
async fn what_is_appended_is_read_by_everybody_in_order() {
    for world in World::each().await {
        let desk = Desk::new(&world).await;
        let lease = desk.lease("mac").await;
        assert_eq!((&lease["epoch"], &lease["next_producer_seq"]), (&json!(1), &json!(1)));
        let sent = [
            turn("turnStarted", "t1"),
            message("itemStarted", "i1", "inProgress", ""),
            json!({"type": "itemAppended", "itemId": "i1", "at": 0, "text": "h€l😀"}),
            json!({"type": "itemAppended", "itemId": "i1", "at": 5, "text": "lo"}),
            json!({"type": "somethingNewer", "x": [1, 2.5, "😀\u{0}"]}),
        ];
        let (status, acked) = desk.append(&desk.ada, 1, 1, events(1, &sent)).await;
        assert_eq!((status, acked), (StatusCode::OK, json!({"acked": 5, "head_seq": 5})));
        let page = desk.bob.get(&desk.at("/events?after=0")).await;
        let read: Vec<_> = page["events"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| &it["payload"])
            .collect();
        assert_eq!(read, sent.iter().collect::<Vec<_>>());
        assert_eq!(
            (&page["status"], &page["next"], &page["head_seq"]),
            (&json!("ok"), &json!(5), &json!(5))
        );
        let part = desk.vic.get(&desk.at("/events?after=2&limit=2")).await;
        let seqs: Vec<_> = part["events"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| it["seq"].as_u64().unwrap())
            .collect();
        assert_eq!((seqs, &part["next"]), (vec![3, 4], &json!(4)));
        assert_eq!(desk.bob.get(&desk.at("/events?after=9")).await["status"], "ahead");
        let items = desk.bob.get(&desk.at("/items")).await;
        assert_eq!(items["items"][0]["payload"]["text"], "h€l😀lo");
        let thread = desk.bob.get(&desk.thread).await;
        assert_eq!(
            (&thread["activity"], &thread["model"]),
            (&json!("running"), &json!("m1"))
        );
        world.stop().await;
    }
}

#[tokio::test]
async fn a_batch_that_comes_again_changes_nothing_and_a_hole_is_refused() {
    for world in World::each().await {
        let desk = Desk::new(&world).await;
        desk.lease("mac").await;
        let sent = [
            turn("turnStarted", "t1"),
            message("itemStarted", "i1", "inProgress", ""),
            json!({"type": "itemAppended", "itemId": "i1", "at": 0, "text": "Hello "}),
            json!({"type": "itemAppended", "itemId": "i1", "at": 6, "text": "world"}),
        ];
        for _ in 0..3 {
            let answer = desk.append(&desk.ada, 1, 1, events(1, &sent)).await;
            assert_eq!(answer, (StatusCode::OK, json!({"acked": 4, "head_seq": 4})));
        }
        let answer = desk.append(&desk.ada, 1, 6, events(6, &sent)).await;
        assert_eq!((code(&answer), &answer.1["expected"]), ((409, "gap"), &json!(5)));
        // A suffix again with what follows.
        let more = [
            sent[2].clone(),
            sent[3].clone(),
            message("itemCompleted", "i1", "completed", "Hello world"),
        ];
        let answer = desk.append(&desk.ada, 1, 3, events(3, &more)).await;
        assert_eq!(answer, (StatusCode::OK, json!({"acked": 5, "head_seq": 5})));
        let items = desk.bob.get(&desk.at("/items")).await;
        assert_eq!(
            (&items["items"][0]["payload"]["text"], &items["items"][0]["completed"]),
            (&json!("Hello world"), &json!(true))
        );
        // Another event with a name that was used.
        let answer = desk
            .append(&desk.ada, 1, 6, events(5, &[turn("turnCompleted", "t1")]))
            .await;
        assert_eq!(code(&answer), (409, "conflict"));
        assert_eq!(desk.ada.get(&desk.thread).await["head_seq"], 5);
        world.stop().await;
    }
}

#[tokio::test]
async fn what_cannot_be_taken_is_named_and_nothing_of_its_batch_is_kept() {
    let world = World::new().await;
    let desk = Desk::new(&world).await;
    desk.lease("mac").await;
    let good = turn("turnStarted", "t1");
    let long = "x".repeat(256 * 1024);
    for (bad, expected) in [
        (json!("text"), (400, "invalid_request")),
        (json!({"no": "type"}), (400, "invalid_request")),
        (json!({"type": "workspace.leaseMoved"}), (400, "invalid_request")),
        (
            json!({"type": "contextAppended", "turnId": "t1", "entries": []}),
            (400, "invalid_request"),
        ),
        (json!({"type": "turnStarted"}), (400, "invalid_request")),
        (
            json!({"type": "turnCompleted", "turnId": "a b"}),
            (400, "invalid_request"),
        ),
        (json!({"type": "newer", "text": long}), (413, "too_large")),
    ] {
        let answer = desk.append(&desk.ada, 1, 1, events(1, &[good.clone(), bad])).await;
        assert_eq!(code(&answer), expected);
        assert!(answer.1["message"].as_str().unwrap().contains("e2"), "{}", answer.1);
    }
    let many: Vec<_> = (0..257).map(|_| good.clone()).collect();
    for (base, sent) in [(1, many), (1, Vec::new()), (0, vec![good.clone()])] {
        let answer = desk.append(&desk.ada, 1, base, events(1, &sent)).await;
        assert_eq!(code(&answer), (400, "invalid_request"));
    }
    let large: Vec<_> = (0..5)
        .map(|_| json!({"type": "newer", "text": "x".repeat(230 * 1024)}))
        .collect();
    assert_eq!(
        code(&desk.append(&desk.ada, 1, 1, events(1, &large)).await),
        (413, "too_large")
    );
    assert_eq!(desk.ada.get(&desk.thread).await["head_seq"], 0);
}
