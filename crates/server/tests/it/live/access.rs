//! Who is told what, and since when no more.

use super::*;

/// Longer than a removed member may still be told something.
const A_SECOND: Duration = Duration::from_secs(1);

#[tokio::test]
async fn checklist_05_what_may_be_followed_is_asked_for_each_thing_not_only_at_the_door() {
    for world in World::each().await {
        let room = Room::new(&world).await;
        let other = Room::new(&world).await;
        let bob = world.far_person("bob");
        room.admit(&world, &bob, "viewer").await;
        let mut bob = Client::open(&bob).await;
        bob.subscribe(&room, 0).await;
        bob.until("events").await;
        let foreign = [
            (&other.workspace, &other.thread),
            // A thread of one workspace in another.
            (&room.workspace, &other.thread),
            (&other.workspace, &room.thread),
        ];
        for (workspace, thread) in foreign {
            bob.say(json!({"type": "subscribe", "workspace_id": workspace, "thread_id": thread, "after": 0}))
                .await;
            let refused = bob.until("refused").await;
            assert_eq!(
                (&refused["problem"]["code"], &refused["thread_id"]),
                (&json!("not_found"), &json!(thread))
            );
        }
        for kind in ["watch", "presence"] {
            bob.say(json!({"type": kind, "workspace_id": other.workspace, "state": {}}))
                .await;
            // A watch has no state, so that frame is not understood; both are refused.
            let refused = bob.until("refused").await["problem"]["code"].clone();
            assert_eq!(
                refused,
                if kind == "watch" {
                    "invalid_request"
                } else {
                    "not_found"
                }
            );
        }
        bob.say(json!({"type": "watch", "workspace_id": other.workspace})).await;
        assert_eq!(bob.until("refused").await["problem"]["code"], "not_found");
        let batch = json!({"producer_id": "p", "lease_epoch": 1, "base": 1, "events": []});
        for (workspace, thread, code) in [
            (&room.workspace, &room.thread, "forbidden"),
            (&other.workspace, &other.thread, "not_found"),
        ] {
            let append =
                json!({"type": "append", "id": 7, "workspace_id": workspace, "thread_id": thread, "batch": batch});
            bob.say(append).await;
            let refused = bob.until("refused").await;
            assert_eq!((&refused["id"], &refused["problem"]["code"]), (&json!(7), &json!(code)));
        }
        // What was refused is not followed.
        other.grow(&world.node, 1).await;
        room.grow(&world.node, 1).await;
        assert_eq!(bob.until("events").await["thread_id"], room.thread);
        drop(bob);
        world.stop().await;
    }
}

#[tokio::test]
async fn checklist_07_a_removed_member_is_told_nothing_more_within_a_second_on_every_node() {
    for world in World::each().await {
        let room = Room::new(&world).await;
        let bob = world.far_person("bob");
        room.admit(&world, &bob, "member").await;
        let mut near = Client::open(&world.person("bob")).await;
        let mut far = Client::open(&bob).await;
        for client in [&mut near, &mut far] {
            client.watch(&room).await;
            client.subscribe(&room, 0).await;
            client.until("events").await;
        }
        room.remove(&world, &bob).await;
        let removed = Instant::now();
        for client in [&mut near, &mut far] {
            let ended = client.until("ended").await;
            assert_eq!(
                (&ended["workspace_id"], &ended["thread_id"]),
                (&json!(room.workspace), &Value::Null)
            );
            assert_eq!(ended["problem"]["code"], "not_found");
        }
        assert!(removed.elapsed() < A_SECOND, "{:?}", removed.elapsed());
        room.grow(&world.node, 1).await;
        for client in [&mut near, &mut far] {
            assert_eq!(client.now().await, Vec::<Value>::new());
        }
        assert_eq!(world.node.app().follow.feeds(), 0);
        drop((near, far));
        world.stop().await;
    }
}

#[tokio::test]
async fn checklist_07_tickets_of_a_removed_member_open_nothing() {
    let world = World::new().await;
    let room = Room::new(&world).await;
    let bob = world.person("bob");
    room.admit(&world, &bob, "member").await;
    let live = bob.post("/ws-tickets", json!({"purpose": "live"})).await;
    let wanted = json!({"workspace": room.workspace, "doc": "notes"});
    bob.post("/ws-tickets", wanted.clone()).await;
    room.remove(&world, &bob).await;
    let (status, _) = bob.ask(reqwest::Method::POST, "/ws-tickets", Some(wanted)).await;
    assert_eq!(status, 404);
    // The person is still a person; the workspace is not there for them.
    let query = format!("?ticket={}", live["ticket"].as_str().unwrap());
    let mut client = Client::with(&bob, &query, &[]).await;
    client.until("hello").await;
    client.subscribe(&room, 0).await;
    assert_eq!(client.until("refused").await["problem"]["code"], "not_found");
}

#[tokio::test]
async fn checklist_07_a_member_made_viewer_reads_on_and_appends_no_more() {
    let world = World::new().await;
    let room = Room::new(&world).await;
    let bob = world.person("bob");
    room.admit(&world, &bob, "member").await;
    let mut client = Client::open(&bob).await;
    client.subscribe(&room, 0).await;
    client.until("events").await;
    let path = format!("/workspaces/{}/members/{}", room.workspace, user(&bob).await);
    let (status, body) = world
        .person("ada")
        .ask(reqwest::Method::PATCH, &path, Some(json!({"role": "viewer"})))
        .await;
    assert!(status.is_success(), "{status} {body}");
    let batch = json!({"producer_id": "p", "lease_epoch": 1, "base": 1, "events": []});
    client
        .say(json!({"type": "append", "id": 1, "workspace_id": room.workspace, "thread_id": room.thread, "batch": batch}))
        .await;
    assert_eq!(client.until("refused").await["problem"]["code"], "forbidden");
    room.grow(&world.node, 1).await;
    assert_eq!(client.events_to(1).await, [1]);
}

#[tokio::test]
async fn checklist_08_a_private_thread_is_invisible_in_every_frame() {
    for world in World::each().await {
        let room = Room::new(&world).await;
        let bob = world.far_person("bob");
        room.admit(&world, &bob, "admin").await;
        let secret = Room {
            workspace: room.workspace.clone(),
            thread: share(
                &world.node,
                &room.workspace,
                &user(&world.person("ada")).await,
                "private",
            )
            .await,
        };
        let mut bob = Client::open(&bob).await;
        bob.watch(&room).await;
        bob.subscribe(&secret, 0).await;
        assert_eq!(bob.until("refused").await["problem"]["code"], "not_found");
        let mut ada = Client::open(&world.person("ada")).await;
        ada.watch(&room).await;
        ada.subscribe(&secret, 0).await;
        let state = json!({"at": {"thread": secret.thread}});
        ada.say(json!({"type": "presence", "workspace_id": room.workspace, "state": state}))
            .await;
        secret.grow(&world.node, 2).await;
        secret.make(&world.node, "private", true).await;
        assert_eq!(ada.events_to(2).await, [1, 2]);
        assert_eq!(ada.until("thread").await["thread"]["id"], secret.thread);
        // Bob is told that Ada is there, and of the shared thread, and never of the private one.
        let people = loop {
            let frame = bob.until("presence").await;
            assert!(!frame.to_string().contains(&secret.thread), "{frame}");
            if frame["people"] != json!([]) {
                break frame["people"].clone();
            }
        };
        assert_eq!(people[0]["state"], json!({}));
        room.make(&world.node, "workspace", true).await;
        loop {
            let frame = bob.next().await;
            assert!(!frame.to_string().contains(&secret.thread), "{frame}");
            if frame["type"] == "thread" {
                break;
            }
        }
        drop((ada, bob));
        world.stop().await;
    }
}

#[tokio::test]
async fn checklist_08_a_thread_made_private_ends_for_the_others_and_for_nobody_else() {
    for world in World::each().await {
        let room = Room::new(&world).await;
        let bob = world.far_person("bob");
        room.admit(&world, &bob, "admin").await;
        let mut bob = Client::open(&bob).await;
        let mut ada = Client::open(&world.person("ada")).await;
        for client in [&mut ada, &mut bob] {
            client.watch(&room).await;
            client.subscribe(&room, 0).await;
            client.until("events").await;
        }
        room.make(&world.node, "private", true).await;
        let made = Instant::now();
        assert_eq!(bob.until("ended").await["thread_id"], room.thread);
        assert_eq!(bob.until("thread_gone").await["thread_id"], room.thread);
        assert!(made.elapsed() < A_SECOND, "{:?}", made.elapsed());
        room.grow(&world.node, 1).await;
        assert_eq!(ada.events_to(1).await, [1]);
        let mut more = bob.now().await;
        more.retain(|it| it["type"] != "presence");
        assert_eq!(more, Vec::<Value>::new());
        drop((ada, bob));
        world.stop().await;
    }
}

#[tokio::test]
async fn checklist_08_events_of_a_thread_made_private_do_not_go_out_even_when_the_hint_is_lost() {
    let world = World::new().await;
    let room = Room::new(&world).await;
    let bob = world.person("bob");
    room.admit(&world, &bob, "member").await;
    let mut bob = Client::open(&bob).await;
    bob.subscribe(&room, 0).await;
    bob.until("events").await;
    room.make(&world.node, "private", false).await;
    room.grow(&world.node, 1).await;
    // The very next frame ends it: no events in between.
    assert_eq!(bob.next().await["type"], "ended");
}
