//! What breaks around the server: its disk, its database, its Redis, and the node itself in the worst moment.

use std::time::Duration;

use reqwest::StatusCode;
use serde_json::{Value, json};
use server::clock::Clock;
use server::node::Node;

use crate::documents::Editor;
use crate::live::Client;
use crate::program::Program;
use crate::threads::{Desk, events};
use crate::world::{Person, World, development};

mod wire;

use wire::Wire;

/// After this a test has waited too long.
const LIMIT: Duration = Duration::from_secs(30);
/// Longer than any test: what comes in time did not come by a look at everything.
const NEVER: Duration = Duration::from_secs(3600);

fn note(number: u64) -> Value {
    json!({"type": "note", "n": number, "text": "x".repeat(4000)})
}

/// What a thread has, number by number.
async fn notes(person: &Person, thread: &str) -> Vec<u64> {
    let (mut after, mut read) = (0, Vec::new());
    loop {
        let page = person.get(&format!("{thread}/events?after={after}")).await;
        let found = page["events"].as_array().unwrap();
        if found.is_empty() {
            return read;
        }
        read.extend(found.iter().map(|it| it["payload"]["n"].as_u64().unwrap()));
        after = page["next"].as_u64().unwrap();
    }
}

async fn follow(person: &Person, thread: &str) -> Client {
    let mut parts = thread.split('/');
    let (workspace, thread) = (parts.nth(2).unwrap(), parts.nth(1).unwrap());
    let mut client = Client::open(person).await;
    client
        .say(json!({"type": "subscribe", "workspace_id": workspace, "thread_id": thread, "after": 0}))
        .await;
    client.until("events").await;
    client
}

/// Another node of the same team, with another configuration.
async fn another(world: &World, change: impl FnOnce(&mut server::config::Config)) -> (Node, Person) {
    let mut config = world.node.app().config.clone();
    change(&mut config);
    let node = Node::start(config, Clock::system()).await.unwrap();
    let person = Person {
        base: format!("http://{}/api/v1", node.address()),
        ..world.person("ada")
    };
    (node, person)
}

#[tokio::test]
async fn a_node_that_loses_redis_alone_is_still_heard_by_the_others() {
    let world = World::team_with(|it| it.rhythm.heartbeat = NEVER).await;
    let redis = world.redis.as_ref().unwrap().url();
    let mut wire = Wire::to(redis.trim_start_matches("redis://")).await;
    let (lonely, ada) = another(&world, |it| it.redis_url = Some(format!("redis://{}", wire.address()))).await;
    let healthy = async |node: &Node, word: &str| {
        let mut healths = node.app().bus.healths();
        let is = healths.wait_for(|it| it.word() == word);
        let _ = tokio::time::timeout(LIMIT, is)
            .await
            .expect("its bus gets there")
            .unwrap();
    };
    let desk = Desk::new(&world).await;
    desk.lease("mac").await;
    let document = format!("{}/docs/plan", desk.workspace);
    let mut here = Editor::sync(&ada, &document).await;
    let mut there = Editor::sync(&desk.bob, &document).await;
    let mut client = follow(&desk.bob, &desk.thread).await;
    for node in [&lonely, &world.node, world.others.last().unwrap()] {
        healthy(node, "connected").await;
    }
    let (status, body) = desk.append(&ada, 1, 1, events(1, &[note(1)])).await;
    assert_eq!(status, 200, "{body}");
    assert_eq!(client.until("events").await["next"], 1);

    wire.cut();
    // While it has not noticed yet, and once it has.
    for number in 2..=3 {
        let (status, body) = desk.append(&ada, 1, number, events(number, &[note(number)])).await;
        assert_eq!(status, 200, "{body}");
        assert_eq!(client.until("events").await["next"], number);
        here.write(&number.to_string()).await;
        there
            .until("it is there all the same", |it| {
                it.text().ends_with(&number.to_string())
            })
            .await;
        healthy(&lonely, "away").await;
    }
    healthy(&world.node, "connected").await;
    drop((client, here, there));
    lonely.stop().await;
    world.stop().await;
}

#[tokio::test]
async fn what_a_node_commits_as_it_dies_is_seen_at_the_next_heartbeat() {
    let world = World::team_with(|it| it.rhythm.heartbeat = Duration::from_millis(200)).await;
    let (dying, ada) = another(&world, |it| it.silent = true).await;
    let desk = Desk::new(&world).await;
    desk.lease("mac").await;
    let document = format!("{}/docs/plan", desk.workspace);
    let mut client = follow(&desk.bob, &desk.thread).await;
    let mut there = Editor::sync(&desk.bob, &document).await;
    let mut here = Editor::sync(&ada, &format!("{document}?acks=1")).await;
    let (status, body) = desk.append(&ada, 1, 1, events(1, &[note(1)])).await;
    assert_eq!(status, 200, "{body}");
    here.write("last words").await;
    here.until_stored().await;
    drop((here, dying));
    assert_eq!(client.until("events").await["next"], 1);
    there.until("the others see them", |it| it.text() == "last words").await;
    drop((client, there));
    world.stop().await;
}

/// Sends events until `until` of them are acknowledged, whatever comes in between.
async fn produce(person: &Person, thread: &str, until: u64) -> u64 {
    let (mut acked, mut refused) = (0, 0);
    while acked < until {
        let batch = json!({"producer_id": person.name, "lease_epoch": 1, "base": acked + 1,
            "events": [{"event_id": format!("{}{}", person.name, acked + 1), "at_ms": 1, "payload": note(acked + 1)}]});
        let (status, body) = person
            .ask(reqwest::Method::POST, &format!("{thread}/events"), Some(batch))
            .await;
        match status {
            StatusCode::OK => acked = body["acked"].as_u64().unwrap(),
            StatusCode::SERVICE_UNAVAILABLE => {
                assert_eq!(body["code"], "unavailable", "{body}");
                refused += 1;
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            other => panic!("{other} {body}"),
        }
    }
    refused
}

#[tokio::test]
async fn postgres_that_restarts_under_load_costs_time_and_nothing_else() {
    let postgres = tokio::task::spawn_blocking(|| testkit::daemon::Postgres::start().unwrap())
        .await
        .unwrap();
    let url = postgres.database().unwrap();
    let world = World::with(|it| it.database_url = Some(url)).await;
    let ada = world.person("ada");
    let made = ada.post("/workspaces", json!({"name": "Lab"})).await;
    let threads = format!("/workspaces/{}/threads", made["id"].as_str().unwrap());
    let mut producers = tokio::task::JoinSet::new();
    let mut shared = Vec::new();
    for _ in 0..3 {
        let made = ada.post(&threads, json!({"title": "Plans"})).await;
        let thread = format!("{threads}/{}", made["id"].as_str().unwrap());
        ada.post(
            &format!("{thread}/lease"),
            json!({"producer_id": "ada", "device_id": thread.rsplit('/').next(), "ttl_s": 300}),
        )
        .await;
        let (ada, at) = (ada.clone(), thread.clone());
        producers.spawn(async move { produce(&ada, &at, 300).await });
        shared.push(thread);
    }
    for violent in [true, false] {
        // In the middle of it: some of it is written, and more is on its way.
        let head = ada.get(&shared[0]).await["head_seq"].as_u64().unwrap();
        let grows = async {
            while ada.get(&shared[0]).await["head_seq"].as_u64().unwrap() < head + 20 {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(LIMIT, grows).await.expect("it grows");
        if violent {
            postgres.kill().unwrap();
        } else {
            postgres.stop().unwrap();
        }
        let (status, ready) = ask_ready(&ada).await;
        assert_eq!(status, 503, "{ready}");
        postgres.begin().unwrap();
        let back = async {
            while ask_ready(&ada).await.0 != 200 {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(LIMIT, back).await.expect("it is ready again");
    }
    let mut refused = 0;
    let all = async {
        while let Some(done) = producers.join_next().await {
            refused += done.unwrap();
        }
    };
    tokio::time::timeout(LIMIT, all).await.expect("all of it is taken");
    assert!(refused > 0, "nobody was told to come back: nothing was under way");
    for thread in &shared {
        assert_eq!(notes(&ada, thread).await, (1..=300).collect::<Vec<_>>());
    }
    world.stop().await;
}

async fn ask_ready(person: &Person) -> (StatusCode, String) {
    let root = person.base.trim_end_matches("/api/v1");
    let answer = person.http.get(format!("{root}/readyz")).send().await.unwrap();
    (answer.status(), answer.text().await.unwrap())
}

#[tokio::test]
async fn a_full_disk_is_said_and_loses_nothing_and_it_goes_on_when_there_is_room() {
    let folder = tempfile::tempdir().unwrap();
    let program = Program::start_limited(folder.path());
    let ada = program.person("ada");
    let made = ada.post("/workspaces", json!({"name": "Lab"})).await;
    let lab = format!("/workspaces/{}", made["id"].as_str().unwrap());
    let made = ada.post(&format!("{lab}/threads"), json!({"title": "Plans"})).await;
    let thread = format!("{lab}/threads/{}", made["id"].as_str().unwrap());
    let lease = json!({"producer_id": "ada", "device_id": "d", "ttl_s": 300});
    ada.post(&format!("{thread}/lease"), lease).await;
    let file = vec![b'x'; 3 << 20];
    let new = json!({"name": "a.bin", "size": file.len(), "sha256": crate::artifacts::sha256(&file)});
    let upload = crate::artifacts::begin(&ada, &lab, new).await;
    let append = async |acked: u64| {
        let batch = json!({"producer_id": "ada", "lease_epoch": 1, "base": acked + 1,
            "events": [{"event_id": format!("e{}", acked + 1), "at_ms": 1, "payload": note(acked + 1)}]});
        ada.ask(reqwest::Method::POST, &format!("{thread}/events"), Some(batch))
            .await
    };
    let largest = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|it| it.unwrap().metadata().unwrap().len())
        .max()
        .unwrap();
    program.limit_files(Some(largest + (256 << 10)));
    let mut acked = 0;
    let problem = loop {
        assert!(acked < 10_000, "the disk never gets full");
        let (status, body) = append(acked).await;
        if status == StatusCode::OK {
            acked = body["acked"].as_u64().unwrap();
        } else {
            assert_eq!(status, 503, "{body}");
            break body;
        }
    };
    assert_eq!(problem["code"], "unavailable");
    assert_eq!(
        problem["message"],
        "The database cannot take this right now. Nothing was changed."
    );
    assert!(acked > 0);
    for _ in 0..5 {
        assert_eq!(append(acked).await.0, 503, "it stays full");
    }
    assert_eq!(
        notes(&ada, &thread).await,
        (1..=acked).collect::<Vec<_>>(),
        "all can be read"
    );
    let (status, body) = crate::artifacts::send(&ada, &upload, 0, file.clone()).await;
    assert_eq!((status.as_u16(), &body["code"]), (503, &json!("unavailable")), "{body}");
    assert_eq!(
        ada.get(&upload).await["offset"],
        0,
        "nothing was taken that is not there"
    );

    program.limit_files(None);
    for _ in 0..5 {
        let (status, body) = append(acked).await;
        assert_eq!(status, 200, "{body}");
        acked = body["acked"].as_u64().unwrap();
    }
    let (status, body) = crate::artifacts::send(&ada, &upload, 0, file).await;
    assert_eq!(status, 200, "{body}");
    program.kill();
    let program = Program::start(folder.path());
    let ada = program.person("ada");
    assert_eq!(notes(&ada, &thread).await, (1..=acked).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_node_that_is_dropped_takes_its_documents_along() {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::start(development(folder.path().to_owned()), Clock::system())
        .await
        .unwrap();
    let ada = Person {
        name: "ada".to_owned(),
        base: format!("http://{}/api/v1", node.address()),
        http: reqwest::Client::new(),
    };
    let path = format!("{}/docs/plan", crate::documents::lab(&ada).await);
    let mut editor = Editor::sync(&ada, &path).await;
    let open = node.app().metrics.documents.clone();
    assert_eq!(open.get(), 1);
    drop(node);
    let gone = async {
        while open.get() > 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(LIMIT, gone).await.expect("the room ends");
    let close = async { while editor.next().await.is_ok() {} };
    tokio::time::timeout(LIMIT, close)
        .await
        .expect("the socket ends with its room");
}
