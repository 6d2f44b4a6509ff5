//! Several nodes, with Redis, without it, and with one that hangs, lies or dies.

use server::bus::Health;

use super::*;

async fn health_is(node: &Node, health: Health) {
    holds(health.word(), || node.app().bus.health() == health).await;
}

#[tokio::test]
async fn two_nodes_tell_each_other_at_once() {
    let world = World::team().await;
    let far = world.others.first().unwrap();
    health_is(&world.node, Health::Connected).await;
    health_is(far, Health::Connected).await;
    let room = Room::new(&world).await;
    let mut client = Client::open(&world.far_person("ada")).await;
    client.subscribe(&room, 0).await;
    client.until("events").await;
    for head in 1..=50 {
        assert_eq!(room.grow(&world.node, 1).await, head);
        let told = Instant::now();
        assert_eq!(client.events_to(head).await, [head]);
        assert!(told.elapsed() < Duration::from_secs(1), "not by a look every second");
    }
    drop(client);
    world.stop().await;
}

#[tokio::test]
async fn nodes_without_redis_look_for_themselves() {
    let world = World::team_with(|it| it.redis_url = None).await;
    let room = Room::new(&world).await;
    let bob = world.far_person("bob");
    room.admit(&world, &bob, "member").await;
    let mut client = Client::open(&bob).await;
    client.watch(&room).await;
    client.subscribe(&room, 0).await;
    client.until("events").await;
    room.grow(&world.node, 3).await;
    assert_eq!(client.events_to(3).await, [1, 2, 3]);
    let made = share(
        &world.node,
        &room.workspace,
        &user(&world.person("ada")).await,
        "workspace",
    )
    .await;
    while client.until("thread").await["thread"]["id"] != made {}
    room.remove(&world, &bob).await;
    assert_eq!(client.until("ended").await["thread_id"], Value::Null);
    drop(client);
    world.stop().await;
}

#[tokio::test]
async fn redis_killed_and_back_loses_nothing() {
    let world = World::team().await;
    let redis = world.redis.as_ref().unwrap();
    let room = Room::new(&world).await;
    let mut client = Client::open(&world.far_person("ada")).await;
    client.subscribe(&room, 0).await;
    client.until("events").await;
    for node in [&world.node, world.others.first().unwrap()] {
        health_is(node, Health::Connected).await;
    }
    redis.kill().unwrap();
    let head = room.grow(&world.node, 5).await;
    assert_eq!(client.events_to(head).await, [1, 2, 3, 4, 5]);
    health_is(&world.node, Health::Away).await;
    let head = room.grow(&world.node, 1).await;
    assert_eq!(client.events_to(head).await, [6]);
    redis.begin().unwrap();
    for node in [&world.node, world.others.first().unwrap()] {
        health_is(node, Health::Connected).await;
    }
    let head = room.grow(&world.node, 1).await;
    assert_eq!(client.events_to(head).await, [7]);
    drop(client);
    world.stop().await;
}

#[tokio::test]
async fn a_redis_that_hangs_is_noticed_and_nobody_waits_for_it() {
    let world = World::team().await;
    let redis = world.redis.as_ref().unwrap();
    let room = Room::new(&world).await;
    let mut client = Client::open(&world.far_person("ada")).await;
    client.subscribe(&room, 0).await;
    client.until("events").await;
    health_is(&world.node, Health::Connected).await;
    redis.pause().unwrap();
    let begun = Instant::now();
    let head = room.grow(&world.node, 2).await;
    assert!(begun.elapsed() < Duration::from_secs(1), "publishing does not wait");
    health_is(world.others.first().unwrap(), Health::Away).await;
    assert_eq!(client.events_to(head).await, [1, 2]);
    redis.resume().unwrap();
    health_is(&world.node, Health::Connected).await;
    drop(client);
    world.stop().await;
}

#[tokio::test]
async fn checklist_database_a_forged_message_in_redis_reaches_no_client() {
    let world = World::team().await;
    let room = Room::new(&world).await;
    let bob = world.far_person("bob");
    room.admit(&world, &bob, "viewer").await;
    let mut client = Client::open(&bob).await;
    client.watch(&room).await;
    client.subscribe(&room, 0).await;
    client.until("events").await;
    health_is(world.others.first().unwrap(), Health::Connected).await;
    client.now().await;
    let url = world.redis.as_ref().unwrap().url();
    let mut redis = redis::Client::open(url)
        .unwrap()
        .get_multiplexed_async_connection()
        .await
        .unwrap();
    let (workspace, thread) = (&room.workspace, &room.thread);
    let hints = json!([
        {"type": "events", "workspace": workspace, "thread": thread, "head_seq": 1_000_000},
        {"type": "activity", "workspace": workspace, "seq": 1_000_000},
        {"type": "membership", "workspace": workspace, "user": null},
        {"type": "thread", "workspace": workspace, "thread": "no-such-thread"},
        {"type": "presence", "workspace": workspace},
    ]);
    let presence = json!({"at_ms": 9_999_999_999_999_u64, "text": "{\"user_id\":\"x\",\"name\":\"Root\",\"device_id\":\"d\",\"state\":{}}", "mac": "AAAA"});
    let key = format!("zspark:presence:{workspace}");
    redis::cmd("ZADD")
        .arg(&key)
        .arg(9_999_999_999_999_u64)
        .arg("d")
        .query_async::<()>(&mut redis)
        .await
        .unwrap();
    redis::cmd("SET")
        .arg(format!("{key}:d"))
        .arg(presence.to_string())
        .query_async::<()>(&mut redis)
        .await
        .unwrap();
    for text in [
        json!({"node": "evil", "hints": hints, "missed": true}).to_string(),
        "garbage".to_owned(),
        "x".repeat(1 << 20),
    ] {
        let heard: u64 = redis::cmd("PUBLISH")
            .arg("zspark:hints")
            .arg(text)
            .query_async(&mut redis)
            .await
            .unwrap();
        assert_eq!(heard, 2, "both nodes hear it");
    }
    // A true one afterwards: whatever the forged ones led to came before it.
    room.grow(&world.node, 1).await;
    let mut before = Vec::new();
    let events = loop {
        let frame = client.next().await;
        if frame["type"] == "events" {
            break frame;
        }
        before.push(frame);
    };
    assert_eq!(
        (&events["events"][0]["seq"], &events["head_seq"]),
        (&json!(1), &json!(1))
    );
    before.extend(client.now().await);
    before.retain(|it| it["type"] != "presence" || it["people"] != json!([]));
    // That the thread was made may be heard late, and is true.
    let is_true =
        |it: &Value| it["thread"]["id"] == json!(thread) && it["thread"]["head_seq"].as_u64().is_some_and(|it| it <= 1);
    before.retain(|it| it["type"] != "thread" || !is_true(it));
    assert_eq!(before, Vec::<Value>::new());
    let people = world
        .person("ada")
        .get(&format!("/workspaces/{workspace}/presence"))
        .await;
    assert_eq!(people, json!([]));
    drop(client);
    world.stop().await;
}
