//! Events reach everybody who follows: whole, in order, once.

use super::*;

#[tokio::test]
async fn what_there_is_comes_first_and_then_what_happens() {
    for world in World::each().await {
        let room = Room::new(&world).await;
        room.grow(&world.node, 600).await;
        let mut ada = Client::open(&world.person("ada")).await;
        ada.subscribe(&room, 0).await;
        assert_eq!(ada.events_to(600).await, (1..=600).collect::<Vec<u64>>());
        let mut late = Client::open(&world.far_person("ada")).await;
        late.subscribe(&room, 590).await;
        assert_eq!(late.events_to(600).await, (591..=600).collect::<Vec<u64>>());
        for _ in 0..20 {
            room.grow(&world.node, 3).await;
        }
        for client in [&mut ada, &mut late] {
            assert_eq!(client.events_to(660).await, (601..=660).collect::<Vec<u64>>());
        }
        drop((ada, late));
        world.stop().await;
    }
}

#[tokio::test]
async fn the_first_frame_says_where_a_thread_ends_and_a_cursor_from_beyond_is_told_so() {
    let world = World::new().await;
    let room = Room::new(&world).await;
    room.grow(&world.node, 5).await;
    let mut ada = Client::open(&world.person("ada")).await;
    ada.subscribe(&room, 5).await;
    let frame = ada.until("events").await;
    assert_eq!(
        (&frame["events"], &frame["head_seq"], &frame["next"]),
        (&json!([]), &json!(5), &json!(5))
    );
    ada.subscribe(&room, 50).await;
    assert_eq!(ada.until("events").await["status"], "ahead");
    room.grow(&world.node, 1).await;
    assert_eq!(ada.events_to(6).await, [6]);
    ada.say(json!({"type": "unsubscribe", "thread_id": room.thread})).await;
    ada.now().await;
    assert_eq!(world.node.app().follow.feeds(), 0, "nobody follows, so nobody reads");
    room.grow(&world.node, 1).await;
    assert_eq!(ada.now().await, Vec::<Value>::new());
}

#[tokio::test]
async fn a_crowd_shares_one_reading_of_each_page() {
    let world = World::with(|it| it.limits.sockets = 200).await;
    let room = Room::new(&world).await;
    let mut crowd = Vec::new();
    for _ in 0..100 {
        let mut client = Client::open(&world.person("ada")).await;
        client.subscribe(&room, 0).await;
        client.until("events").await;
        crowd.push(client);
    }
    let pages = world.node.app().metrics.live_pages.get();
    assert_eq!(pages, 100, "one page for each, when it began");
    for _ in 0..30 {
        room.grow(&world.node, 10).await;
    }
    for client in &mut crowd {
        assert_eq!(client.events_to(300).await, (1..=300).collect::<Vec<u64>>());
    }
    // Whoever was not called for a while may have read a page; most read none.
    assert!(world.node.app().metrics.live_pages.get() - pages < 100);
    assert_eq!(world.node.app().follow.feeds(), 1);
    assert_eq!(world.node.app().metrics.live_sockets.get(), 100);
    drop(crowd);
    holds("the sockets end", || world.node.app().metrics.live_sockets.get() == 0).await;
    assert_eq!(world.node.app().follow.feeds(), 0);
}

#[tokio::test]
async fn a_slow_reader_gets_everything_from_the_database_and_nothing_is_kept_for_it() {
    let world = World::new().await;
    let room = Room::new(&world).await;
    let ada = world.person("ada");
    let mut slow = Client::with_buffer(&ada, "", &[("x-domain-user", "ada")], Some(4096)).await;
    slow.until("hello").await;
    let mut quick = Client::open(&ada).await;
    slow.subscribe(&room, 0).await;
    slow.until("events").await;
    quick.subscribe(&room, 0).await;
    let pages = world.node.app().metrics.live_pages.get();
    // 40 MB, far more than the ring and the kernel's buffers hold.
    for _ in 0..40 {
        let head = room.grow_in_silence(&world.node, 16, 64 * 1024).await;
        world.node.app().bus.publish(Hint::Events {
            workspace: room.workspace.as_str().into(),
            thread: room.thread.as_str().into(),
            head_seq: head,
        });
        quick.events_to(head).await;
    }
    assert_eq!(slow.events_to(640).await, (1..=640).collect::<Vec<u64>>());
    assert!(
        world.node.app().metrics.live_pages.get() > pages + 1,
        "it read pages of its own"
    );
    assert_eq!(world.node.app().metrics.slow_sockets.get(), 0);
}

#[tokio::test]
async fn checklist_resources_a_reader_that_stops_is_closed_and_the_others_go_on() {
    let world = World::with(|it| {
        it.rhythm.heartbeat = Duration::from_millis(500);
        it.rhythm.dead = Duration::from_secs(3);
    })
    .await;
    let room = Room::new(&world).await;
    let ada = world.person("ada");
    let mut stopped = Client::with_buffer(&ada, "", &[("x-domain-user", "ada")], Some(4096)).await;
    stopped.until("hello").await;
    stopped.subscribe(&room, 0).await;
    stopped.until("events").await;
    let mut quick = Client::open(&ada).await;
    quick.subscribe(&room, 0).await;
    for _ in 0..20 {
        let head = room.grow_in_silence(&world.node, 16, 64 * 1024).await;
        world.node.app().bus.publish(Hint::Events {
            workspace: room.workspace.as_str().into(),
            thread: room.thread.as_str().into(),
            head_seq: head,
        });
        quick.events_to(head).await;
    }
    let metrics = &world.node.app().metrics;
    let end = Instant::now() + LIMIT;
    while metrics.slow_sockets.get() == 0 {
        assert!(Instant::now() < end, "the one that stopped is closed, in time");
        quick.now().await;
    }
    quick.now().await;
}

#[tokio::test]
async fn a_head_comes_now_and_then_so_that_a_lost_hint_shows() {
    let world = World::with(|it| it.rhythm.heartbeat = Duration::from_millis(200)).await;
    let room = Room::new(&world).await;
    let mut ada = Client::open(&world.person("ada")).await;
    ada.subscribe(&room, 0).await;
    assert_eq!(ada.until("head").await["head_seq"], 0);
    room.grow_in_silence(&world.node, 4, 10).await;
    assert_eq!(ada.events_to(4).await, [1, 2, 3, 4]);
    loop {
        if ada.until("head").await["head_seq"] == 4 {
            return;
        }
    }
}

#[tokio::test]
async fn who_is_there_is_seen_by_those_who_watch_with_the_servers_name() {
    for world in World::each().await {
        let room = Room::new(&world).await;
        let bob = world.far_person("Bob");
        room.admit(&world, &bob, "viewer").await;
        let mut ada = Client::open(&world.person("ada")).await;
        ada.watch(&room).await;
        let mut there = Client::with(&bob, "?device_id=laptop", &[("x-domain-user", "Bob")]).await;
        there.until("hello").await;
        let state = json!({"thread_id": room.thread, "name": "Ada"});
        there
            .say(json!({"type": "presence", "workspace_id": room.workspace, "state": state}))
            .await;
        let people = loop {
            let frame = ada.until("presence").await;
            if frame["people"] != json!([]) {
                break frame["people"].clone();
            }
        };
        let expected = json!([{"user_id": user(&bob).await, "name": "Bob", "device_id": "laptop", "state": state}]);
        assert_eq!(people, expected);
        let asked = world
            .person("ada")
            .get(&format!("/workspaces/{}/presence", room.workspace))
            .await;
        assert_eq!(asked, expected);
        drop(there);
        while ada.until("presence").await["people"] != json!([]) {}
        drop(ada);
        world.stop().await;
    }
}

#[tokio::test]
async fn a_state_that_is_too_long_and_a_device_of_another_person_are_refused() {
    let world = World::new().await;
    let room = Room::new(&world).await;
    let bob = world.person("bob");
    room.admit(&world, &bob, "member").await;
    let mut ada = Client::with(&world.person("ada"), "?device_id=d1", &[("x-domain-user", "ada")]).await;
    let mut bob = Client::with(&bob, "?device_id=d1", &[("x-domain-user", "bob")]).await;
    let say = |state: Value| json!({"type": "presence", "workspace_id": room.workspace, "state": state});
    ada.say(say(json!("x".repeat(5000)))).await;
    assert_eq!(ada.until("refused").await["problem"]["code"], "too_large");
    ada.say(say(json!({}))).await;
    ada.now().await;
    bob.say(say(json!({}))).await;
    assert_eq!(bob.until("refused").await["problem"]["code"], "conflict");
}
