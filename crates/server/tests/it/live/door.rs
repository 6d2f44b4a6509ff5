//! Coming in, staying, and being shown out.

use futures::FutureExt as _;
use server::auth::Verified;
use server::gate::Caller;
use server::gate::ticket::{Purpose, issue};

use super::*;

async fn ticket(person: &Person, body: Value) -> String {
    let ticket = person.post("/ws-tickets", body).await;
    assert!(ticket["expires_at_ms"].as_u64().is_some());
    format!("?ticket={}", ticket["ticket"].as_str().unwrap())
}

#[tokio::test]
async fn a_ticket_opens_one_socket_on_any_node() {
    for world in World::each().await {
        let ada = world.person("ada");
        let query = ticket(&ada, json!({"purpose": "live", "device_id": "laptop"})).await;
        let far = world.far_person("ada");
        let mut client = Client::with(&far, &query, &[]).await;
        assert_eq!(client.until("hello").await["user_id"], user(&ada).await);
        for person in [&ada, &far] {
            let mut again = Client::with(person, &query, &[]).await;
            assert_eq!(again.end().await.0, 4401, "once is enough");
        }
        drop(client);
        world.stop().await;
    }
}

#[tokio::test]
async fn a_ticket_is_bound_to_its_purpose_its_page_and_its_time() {
    let world = World::new().await;
    let ada = world.person("ada");
    let made = ada.post("/workspaces", json!({"name": "Lab"})).await;
    let document = ticket(&ada, json!({"workspace": made["id"], "doc": "notes"})).await;
    let mut client = Client::with(&ada, &document, &[]).await;
    assert_eq!(client.end().await.0, 4401, "for a document");
    let page = "http://tauri.localhost";
    for (origin, code) in [(None, 4401), (Some("tauri://localhost"), 4401), (Some(page), 1000)] {
        let query = ticket(&ada, json!({"origin": page})).await;
        let headers: Vec<(&str, &str)> = origin.map(|it| ("origin", it)).into_iter().collect();
        let mut client = Client::with(&ada, &query, &headers).await;
        match client.told().await {
            Told::Frame(frame) => assert_eq!((&frame["type"], code), (&json!("hello"), 1000)),
            Told::Closed(closed, _) => assert_eq!(closed, code, "{origin:?}"),
        }
    }
    for body in [
        json!({"purpose": "live", "workspace": made["id"], "doc": "notes"}),
        json!({"purpose": "document"}),
        json!({"workspace": made["id"], "doc": "../notes"}),
        json!({"purpose": "live", "device_id": "a b"}),
        json!({"purpose": "live", "user_id": "somebody"}),
    ] {
        let (status, problem) = ada.ask(reqwest::Method::POST, "/ws-tickets", Some(body.clone())).await;
        assert_eq!(
            (status.as_u16(), &problem["code"]),
            (400, &json!("invalid_request")),
            "{body}"
        );
    }
    let foreign = json!({"workspace": made["id"], "doc": "notes"});
    let (status, _) = world
        .person("bob")
        .ask(reqwest::Method::POST, "/ws-tickets", Some(foreign))
        .await;
    assert_eq!(status, 404);
}

/// A ticket of somebody whose credentials end in so many milliseconds.
async fn passing(world: &World, life_ms: i64) -> String {
    let app = world.node.app();
    let ends = i64::try_from(app.clock.now_ms()).unwrap() + life_ms;
    let verified = Verified {
        expires_at_ms: Some(u64::try_from(ends).unwrap()),
        ..app.identity.of_token("ada").await.unwrap()
    };
    let caller = Caller {
        user: app.store.user(&verified, app.clock.now_ms()).await.unwrap(),
        verified,
        address: [127, 0, 0, 1].into(),
    };
    let ticket = issue(app, &caller, None, None, &Purpose::Live).await.unwrap();
    format!("?ticket={}", ticket.ticket)
}

#[tokio::test]
async fn a_token_that_ends_is_asked_for_anew_and_then_the_socket_is_closed() {
    let world = World::with(|it| it.auth.clock_skew_s = 0).await;
    let ada = world.person("ada");
    let mut client = Client::with(&ada, &passing(&world, 1500).await, &[]).await;
    let ends = client.until("hello").await["expires_at_ms"].clone();
    assert_eq!(
        client.next().await,
        json!({"type": "reauthenticate", "expires_at_ms": ends})
    );
    assert_eq!(client.end().await.0, 4401);
    assert!(
        world.node.app().clock.now_ms() >= ends.as_u64().unwrap(),
        "not before its time"
    );
}

#[tokio::test]
async fn a_fresh_token_of_the_same_person_keeps_the_socket_and_anothers_closes_it() {
    let world = World::with(|it| it.auth.clock_skew_s = 0).await;
    let ada = world.person("ada");
    let mut client = Client::with(&ada, &passing(&world, 1000).await, &[]).await;
    client.until("reauthenticate").await;
    client.say(json!({"type": "authenticate", "token": "no name!"})).await;
    assert_eq!(client.until("refused").await["problem"]["code"], "unauthenticated");
    client.say(json!({"type": "authenticate", "token": "ada"})).await;
    assert_eq!(client.until("hello").await["expires_at_ms"], Value::Null);
    client.say(json!({"type": "authenticate", "token": "bob"})).await;
    assert_eq!(client.end().await.0, 4403);
}

#[tokio::test]
async fn without_credentials_the_first_frame_must_bring_them_in_time() {
    let world = World::with(|it| it.rhythm.authenticate = Duration::from_millis(300)).await;
    let ada = world.person("ada");
    let mut client = Client::with(&ada, "", &[]).await;
    client.say(json!({"type": "authenticate", "token": "ada"})).await;
    client.until("hello").await;
    for frame in [
        json!({"type": "ping"}),
        json!({"type": "authenticate", "token": ""}),
        json!(1),
    ] {
        let mut client = Client::with(&ada, "", &[]).await;
        client.say(frame).await;
        assert_eq!(client.end().await.0, 4401);
    }
    let mut silent = Client::with(&ada, "", &[]).await;
    assert_eq!(silent.end().await.0, 4401);
}

#[tokio::test]
async fn checklist_resources_waiting_sockets_of_an_address_and_sockets_of_a_person_are_limited() {
    let world = World::with(|it| {
        it.limits.pending_sockets = 2;
        it.limits.sockets = 1;
    })
    .await;
    let ada = world.person("ada");
    let waiting = [Client::with(&ada, "", &[]).await, Client::with(&ada, "", &[]).await];
    let third = reqwest::Client::new()
        .get(format!("{}/live", ada.base))
        .header("connection", "upgrade")
        .header("upgrade", "websocket")
        .header("sec-websocket-version", "13")
        .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")
        .send()
        .await
        .unwrap();
    assert_eq!(third.status(), 429);
    for mut client in waiting {
        client.say(json!({"type": "authenticate", "token": "bob"})).await;
        match client.told().await {
            Told::Frame(frame) => assert_eq!(frame["type"], "hello"),
            Told::Closed(code, _) => assert_eq!(code, 1013),
        }
    }
    let _first = Client::open(&ada).await;
    let mut second = Client::with(&ada, "", &[("x-domain-user", "ada")]).await;
    assert_eq!(second.end().await.0, 1013);
}

#[tokio::test]
async fn checklist_resources_a_message_that_is_too_large_closes_the_socket() {
    let world = World::with(|it| it.limits.message_bytes = 10_000).await;
    let mut ada = Client::open(&world.person("ada")).await;
    ada.say_raw(Message::text("x".repeat(20_000))).await;
    assert_eq!(ada.end().await.0, 1009);
}

#[tokio::test]
async fn what_is_no_frame_is_refused_and_the_socket_goes_on() {
    let world = World::new().await;
    let mut ada = Client::open(&world.person("ada")).await;
    for text in ["", "{", "[]", r#"{"type":"shout"}"#, r#"{"type":"ping","loud":true}"#] {
        ada.say_raw(Message::text(text)).await;
        assert_eq!(ada.next().await["problem"]["code"], "invalid_request", "{text}");
    }
    ada.say_raw(Message::binary(vec![0, 1, 2])).await;
    assert_eq!(ada.next().await["problem"]["code"], "invalid_request");
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    ada.say_raw(Message::text(deep)).await;
    assert_eq!(ada.next().await["problem"]["code"], "invalid_request");
    assert_eq!(ada.now().await, Vec::<Value>::new());
}

#[tokio::test]
async fn one_socket_follows_so_much_and_no_more() {
    let world = World::new().await;
    let room = Room::new(&world).await;
    let ada = user(&world.person("ada")).await;
    let mut client = Client::open(&world.person("ada")).await;
    for number in 0..257 {
        let thread = share(&world.node, &room.workspace, &ada, "workspace").await;
        client
            .say(json!({"type": "subscribe", "workspace_id": room.workspace, "thread_id": thread, "after": 0}))
            .await;
        let told = client.next().await;
        if number < 256 {
            assert_eq!(told["type"], "events", "{told}");
        } else {
            assert_eq!(told["problem"]["code"], "rate_limited", "{told}");
        }
    }
}

#[tokio::test]
async fn checklist_resources_a_node_that_stops_says_so_and_when_to_come_back() {
    let world = World::new().await;
    let mut ada = Client::open(&world.person("ada")).await;
    let mut waiting = Client::with(&world.person("ada"), "", &[]).await;
    let ((), ends) = tokio::join!(timeout(LIMIT, world.node.stop()).map(|it| it.unwrap()), async {
        [ada.end().await, waiting.end().await]
    });
    for (code, reason) in ends {
        assert_eq!(code, 1012);
        let hint: Value = serde_json::from_str(&reason).unwrap();
        assert!((200..3200).contains(&hint["retry_after_ms"].as_u64().unwrap()));
    }
}

#[tokio::test]
async fn checklist_resources_a_socket_that_says_nothing_is_closed() {
    let world = World::with(|it| {
        it.rhythm.heartbeat = Duration::from_millis(200);
        it.rhythm.dead = Duration::from_secs(1);
    })
    .await;
    // This client answers pings when it is polled, and so stays.
    let mut lively = Client::open(&world.person("ada")).await;
    // This one is never polled, so its pongs are never sent.
    let dead = Client::open(&world.person("bob")).await;
    let metrics = &world.node.app().metrics;
    assert_eq!(metrics.live_sockets.get(), 2);
    let end = Instant::now() + LIMIT;
    while metrics.live_sockets.get() == 2 {
        assert!(Instant::now() < end, "the dead one is closed, in time");
        lively.now().await;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    lively.now().await;
    drop(dead);
}
