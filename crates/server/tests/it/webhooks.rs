//! Webhooks: who makes them, what they are told and when, and where the server never goes.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use protocol::id::WorkspaceId;
use protocol::workspace::webhook::DeliveryState;
use reqwest::Method;
use serde_json::{Value, json};
use server::clock::Clock;
use server::config::Config;
use server::store::webhooks::{KEPT, LEASE_MS, MOST, QUEUE, Tried};

use crate::membership::join;
use crate::world::{Person, World};

mod going_out;
mod receiver;

use receiver::{Arrival, Receiver, Say};

async fn lab(person: &Person) -> (String, WorkspaceId) {
    let made = person.post("/workspaces", json!({"name": "Lab"})).await;
    let id = made["id"].as_str().unwrap().to_owned();
    (format!("/workspaces/{id}"), WorkspaceId(id))
}

/// A webhook for lines with these verbs: its path, and the answer.
async fn hook(person: &Person, lab: &str, url: &str, verbs: &[&str]) -> (String, Value) {
    let made = person
        .post(&format!("{lab}/webhooks"), json!({"url": url, "verbs": verbs}))
        .await;
    (format!("{lab}/webhooks/{}", made["id"].as_str().unwrap()), made)
}

/// Shares a thread, which makes a line `thread.shared`.
async fn share(person: &Person, lab: &str, title: &str) -> String {
    let made = person.post(&format!("{lab}/threads"), json!({ "title": title })).await;
    format!("{lab}/threads/{}", made["id"].as_str().unwrap())
}

/// Both kinds of world with a receiver that they may reach.
async fn worlds(receiver: &Receiver, change: impl Fn(&mut Config)) -> [World; 2] {
    let change = |config: &mut Config| {
        receiver.reachable(config);
        change(config);
    };
    [World::with(change).await, World::team_with(change).await]
}

fn soon(times: usize) -> Vec<Duration> {
    vec![Duration::from_millis(10); times]
}

/// The deliveries, newest first, once all of them are in these states. Pending ones were tried by then, and wait.
async fn settled(person: &Person, hook: &str, states: &[&str]) -> Vec<Value> {
    let all = async {
        loop {
            let items = person.get(&format!("{hook}/deliveries")).await["items"].clone();
            let items = items.as_array().unwrap().clone();
            let found = items.iter().map(|it| it["state"].as_str().unwrap());
            let untried = |it: &Value| it["state"] == "pending" && it.get("last_at_ms").is_none();
            if found.eq(states.iter().copied()) && !items.iter().any(untried) {
                return items;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let all = tokio::time::timeout(Duration::from_secs(30), all).await;
    all.unwrap_or_else(|_| panic!("the deliveries do not become {states:?}"))
}

/// What a receiver does: makes the signature anew from the secret that it was given once.
fn is_signed(arrival: &Arrival, secret: &str) -> bool {
    use hmac::Mac as _;
    let given = arrival.headers["zspark-signature"].strip_prefix("v1=").unwrap();
    let mut mac = hmac::Hmac::<sha2::Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(format!("{}.{}", arrival.headers["zspark-timestamp"], arrival.text).as_bytes());
    let own: String = mac
        .finalize()
        .into_bytes()
        .iter()
        .map(|it| format!("{it:02x}"))
        .collect();
    own == given
}

#[tokio::test]
async fn a_delivery_is_signed_and_holds_the_line_as_the_feed_shows_it_and_nothing_else() {
    let mut receiver = Receiver::start(|_| Say::Status(204)).await;
    for world in worlds(&receiver, |_| ()).await {
        let ada = world.person("ada");
        let (lab, id) = lab(&ada).await;
        let (path, made) = hook(&ada, &lab, &receiver.url(), &["thread.shared"]).await;
        let secret = made["secret"].as_str().unwrap();
        assert_eq!(secret.len(), 43, "256 bits");
        // A title is in the feed. What is said in the thread is not.
        let thread = share(&world.far_person("ada"), &lab, "Moon").await;
        let ask = json!({"input": "the content of a request", "idempotency_key": "1"});
        ada.post(&format!("{thread}/turn-requests"), ask).await;
        let arrival = receiver.next().await;
        let feed = ada.get(&format!("{lab}/activity")).await;
        let line = feed["items"].as_array().unwrap().iter();
        let line = line.clone().find(|it| it["verb"] == "thread.shared").unwrap();
        let body = arrival.body();
        assert_eq!(body["activity"], *line);
        assert_eq!(body["workspace_id"], id.as_str());
        assert_eq!(body["webhook_id"], made["id"]);
        let deliveries = settled(&ada, &path, &["delivered"]).await;
        assert_eq!(body["delivery_id"], deliveries[0]["id"]);
        assert_eq!(
            (&deliveries[0]["attempts"], &deliveries[0]["last_status"]),
            (&json!(1), &json!(204))
        );
        assert_eq!(body.as_object().unwrap().len(), 5, "{body}");
        assert!(is_signed(&arrival, secret), "{arrival:?}");
        assert!(!is_signed(&arrival, "another"));
        let sent_at = body["sent_at_ms"].as_u64().unwrap() / 1000;
        assert_eq!(arrival.headers["zspark-timestamp"], sent_at.to_string());
        assert_eq!(arrival.line, "POST /hook?for=lab HTTP/1.1");
        let names: Vec<&str> = arrival.headers.keys().map(String::as_str).collect();
        assert_eq!(
            names,
            [
                "accept",
                "content-length",
                "content-type",
                "host",
                "user-agent",
                "zspark-signature",
                "zspark-timestamp",
                "zspark-webhook-id"
            ],
            "nothing of a caller's is passed on"
        );
        assert_eq!(
            arrival.headers["user-agent"],
            concat!("zspark-server/", env!("CARGO_PKG_VERSION"))
        );
        assert_eq!(arrival.headers["zspark-webhook-id"], made["id"].as_str().unwrap());
        // The secret is shown once; the audit log and the feed have neither it nor the whole address.
        let listed = ada.get(&format!("{lab}/webhooks")).await;
        assert_eq!(listed["items"][0]["url"], receiver.url());
        let audit = ada.get(&format!("{lab}/audit")).await;
        assert!(audit.to_string().contains("webhook.made"));
        for text in [listed.to_string(), audit.to_string(), feed.to_string()] {
            assert!(!text.contains(secret), "{text}");
        }
        for text in [audit.to_string(), feed.to_string()] {
            assert!(!text.contains("for=lab"), "{text}");
        }
        world.stop().await;
        assert_eq!(receiver.came().len(), 0, "the other verbs were not asked for");
    }
}

#[tokio::test]
async fn what_was_not_taken_is_tried_again_then_given_up_and_sent_again_by_hand() {
    let taken = Arc::new(AtomicUsize::new(usize::MAX));
    let from = taken.clone();
    let mut receiver =
        Receiver::start(move |it| Say::Status(if it >= from.load(Ordering::SeqCst) { 200 } else { 500 })).await;
    for world in worlds(&receiver, |it| it.egress.retries = soon(2)).await {
        taken.store(usize::MAX, Ordering::SeqCst);
        let ada = world.person("ada");
        let (lab, _) = lab(&ada).await;
        let (path, made) = hook(&ada, &lab, &receiver.url(), &["thread.shared"]).await;
        share(&ada, &lab, "Moon").await;
        let first = receiver.next().await.body();
        for _ in 0..2 {
            let again = receiver.next().await;
            assert_eq!(again.body()["delivery_id"], first["delivery_id"]);
            assert!(is_signed(&again, made["secret"].as_str().unwrap()));
        }
        let dead = settled(&ada, &path, &["dead"]).await;
        assert_eq!(dead[0]["attempts"], 3);
        assert_eq!(dead[0]["last_status"], 500);
        assert_eq!(dead[0]["last_error"], "the answer was 500, not 2xx");
        assert!(dead[0].get("due_at_ms").is_none());
        let again = format!("{path}/deliveries/{}/redeliver", dead[0]["id"].as_str().unwrap());
        taken.store(0, Ordering::SeqCst);
        let far = world.far_person("ada");
        assert_eq!(far.post(&again, json!({})).await["state"], "pending");
        assert_eq!(receiver.next().await.body()["delivery_id"], first["delivery_id"]);
        let done = settled(&ada, &path, &["delivered"]).await;
        assert_eq!(done[0]["attempts"], 1);
        assert!(done[0].get("last_error").is_none());
        assert_eq!(ada.ask(Method::POST, &again, None).await.0, 409, "it was delivered");
        let audit = ada.get(&format!("{lab}/audit")).await.to_string();
        assert!(audit.contains("webhook.redelivered"));
        let (other, _) = self::lab(&ada).await;
        let (elsewhere, _) = hook(&ada, &other, &receiver.url(), &["x"]).await;
        let stranger = format!("{elsewhere}/deliveries/{}/redeliver", dead[0]["id"].as_str().unwrap());
        assert_eq!(ada.ask(Method::POST, &stranger, None).await.0, 404);
        let stranger = path.replace(&lab, &other);
        for (method, path) in [
            (Method::GET, format!("{stranger}/deliveries")),
            (Method::DELETE, stranger),
        ] {
            assert_eq!(ada.ask(method, &path, None).await.0, 404, "a foreign webhook");
        }
        world.stop().await;
        assert!(receiver.came().is_empty());
    }
}

#[tokio::test]
async fn several_nodes_deliver_each_line_once() {
    let mut receiver = Receiver::start(|_| Say::Status(200)).await;
    let world = World::team_with(|it| receiver.reachable(it)).await;
    let (ada, far) = (world.person("ada"), world.far_person("ada"));
    let (lab, _) = lab(&ada).await;
    let mut paths = Vec::new();
    for _ in 0..3 {
        paths.push(hook(&ada, &lab, &receiver.url(), &["thread.shared"]).await.0);
    }
    for turn in 0..10 {
        share(&ada, &lab, &format!("near {turn}")).await;
        share(&far, &lab, &format!("far {turn}")).await;
    }
    for path in &paths {
        let done = settled(&ada, path, &["delivered"; 20]).await;
        assert!(done.iter().all(|it| it["attempts"] == 1), "{done:?}");
    }
    world.stop().await;
    let mut came: Vec<_> = receiver
        .came()
        .iter()
        .map(|it| it.body()["delivery_id"].to_string())
        .collect();
    assert_eq!(came.len(), 60);
    came.sort();
    came.dedup();
    assert_eq!(came.len(), 60, "none twice");
}

#[tokio::test]
async fn checklist_08_a_webhook_is_told_nothing_of_private_threads_not_even_of_what_was_shared_before() {
    let mut receiver = Receiver::start(|it| Say::Status(if it == 0 { 500 } else { 200 })).await;
    let now = Arc::new(AtomicU64::new(1_700_000_000_000));
    let told = now.clone();
    let clock = Clock::new(move || told.load(Ordering::SeqCst));
    let world = World::at(clock, |it| receiver.reachable(it)).await;
    let ada = world.person("ada");
    let (lab, _) = lab(&ada).await;
    let path = ada
        .post(&format!("{lab}/webhooks"), json!({ "url": receiver.url() }))
        .await;
    let path = format!("{lab}/webhooks/{}", path["id"].as_str().unwrap());
    // The line of its own making fails, and waits.
    assert_eq!(receiver.next().await.body()["activity"]["verb"], "webhook.made");
    settled(&ada, &path, &["pending"]).await;
    let private = json!({"title": "Diary", "visibility": "private"});
    ada.post(&format!("{lab}/threads"), private).await;
    let thread = share(&ada, &lab, "Plan").await;
    assert_eq!(receiver.next().await.body()["activity"]["data"]["title"], "Plan");
    settled(&ada, &path, &["delivered", "pending"]).await;
    // A delivery that waits when its thread is taken back from the others.
    let mut tx = world.node.app().store.begin().await.unwrap();
    sqlx::query(
        "UPDATE webhook_deliveries SET state = 'pending', due_at_ms = due_at_ms + 60000 WHERE state = 'delivered'",
    )
    .execute(&mut *tx)
    .await
    .unwrap();
    tx.commit().await.unwrap();
    ada.ask(Method::PATCH, &thread, Some(json!({"visibility": "private"})))
        .await;
    now.fetch_add(3_600_000, Ordering::SeqCst);
    let ended = settled(&ada, &path, &["dead", "delivered"]).await;
    assert_eq!(ended[0]["last_error"], "not everybody may see this line any more");
    let came = receiver.next().await.body();
    assert_eq!(came["activity"]["verb"], "webhook.made", "{came}");
    world.stop().await;
    assert!(receiver.came().is_empty());
}

#[tokio::test]
async fn the_node_that_sends_dies_and_another_goes_on_while_the_dead_one_can_write_no_more() {
    let mut receiver = Receiver::start(|it| Say::Status(if it == 0 { 503 } else { 200 })).await;
    let now = Arc::new(AtomicU64::new(1_700_000_000_000));
    let told = now.clone();
    let clock = Clock::new(move || told.load(Ordering::SeqCst));
    let world = World::at(clock, |it| receiver.reachable(it)).await;
    let ada = world.person("ada");
    let (lab, _) = lab(&ada).await;
    let (path, _) = hook(&ada, &lab, &receiver.url(), &["thread.shared"]).await;
    share(&ada, &lab, "Moon").await;
    let first = receiver.next().await.body();
    settled(&ada, &path, &["pending"]).await;
    // A node whose clock is ahead takes it up, and is not heard of again.
    let store = &world.node.app().store;
    let ahead = now.load(Ordering::SeqCst) + 20_000;
    let claim = store.claim_webhook(ahead).await.unwrap().expect("it is due by then");
    let due = store
        .due_delivery(&claim, ahead)
        .await
        .unwrap()
        .expect("it is due by then");
    assert!(store.claim_webhook(ahead).await.unwrap().is_none(), "one node has it");
    // Its lease ends; another one has the webhook, and from then on the dead one can say nothing of the delivery.
    let another = store.claim_webhook(ahead + LEASE_MS).await.unwrap();
    assert!(another.is_some(), "the lease has ended");
    let late = Tried {
        state: DeliveryState::Dead,
        attempts: 9,
        at_ms: ahead,
        due_at_ms: ahead,
        status: None,
        error: None,
    };
    assert!(!store.settle_delivery(&claim, &due.id, &late).await.unwrap());
    assert_eq!(settled(&ada, &path, &["pending"]).await[0]["attempts"], 1);
    // That one is not heard of either. The node here goes on.
    now.fetch_add(20_000 + 2 * LEASE_MS, Ordering::SeqCst);
    assert_eq!(receiver.next().await.body()["delivery_id"], first["delivery_id"]);
    let done = settled(&ada, &path, &["delivered"]).await;
    assert_eq!(done[0]["attempts"], 2);
    assert!(!store.settle_delivery(&claim, &due.id, &late).await.unwrap());
    assert_eq!(settled(&ada, &path, &["delivered"]).await, done);
    world.stop().await;
}

/// As if so many lines had gone by.
async fn pass_lines(world: &World, workspace: &WorkspaceId, count: u64) {
    let mut tx = world.node.app().store.begin().await.unwrap();
    sqlx::query("UPDATE workspaces SET activity_seq = activity_seq + $2 WHERE id = $1")
        .bind(workspace.as_str())
        .bind(i64::try_from(count).unwrap())
        .execute(&mut *tx)
        .await
        .unwrap();
    tx.commit().await.unwrap();
}

/// As if a delivery of each of these lines waited for its next attempt, some day.
async fn fill(world: &World, workspace: &WorkspaceId, hook: &Value, lines: std::ops::Range<u64>) {
    let mut tx = world.node.app().store.begin().await.unwrap();
    for seq in lines {
        sqlx::query(
            "INSERT INTO webhook_deliveries (id, workspace_id, webhook_id, seq, state, attempts, created_at_ms, due_at_ms) \
             VALUES ($1, $2, $3, $4, 'pending', 1, 1, 9000000000000)",
        )
        .bind(format!("filled-{seq}"))
        .bind(workspace.as_str())
        .bind(hook["id"].as_str().unwrap())
        .bind(i64::try_from(seq).unwrap())
        .execute(&mut *tx)
        .await
        .unwrap();
    }
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn checklist_resources_a_queue_has_an_end_and_so_have_lists_and_what_is_kept() {
    let receiver = Receiver::start(|_| Say::Status(200)).await;
    for world in [
        World::with(|it| receiver.reachable_by(it, |_| Vec::new())).await,
        World::team_with(|it| receiver.reachable_by(it, |_| Vec::new())).await,
    ] {
        let ada = world.person("ada");
        let (lab, id) = lab(&ada).await;
        let (path, made) = hook(&ada, &lab, &receiver.url(), &["thread.shared"]).await;
        // Enough of them wait.
        fill(&world, &id, &made, 100..100 + QUEUE).await;
        pass_lines(&world, &id, 100 + QUEUE).await;
        for _ in 0..3 {
            share(&ada, &lab, "Moon").await;
        }
        let dead = ada.get(&format!("{path}/deliveries?state=dead")).await;
        let dead = dead["items"].as_array().unwrap();
        let given_up: Vec<_> = dead.iter().map(|it| it["seq"].as_u64().unwrap()).collect();
        assert_eq!(given_up, [102, 101, 100], "the oldest ones");
        assert!(
            dead.iter()
                .all(|it| it["last_error"] == "more than 1000 deliveries were waiting")
        );
        let newest = ada.get(&format!("{path}/deliveries?state=pending&limit=500")).await;
        let page = newest["items"].as_array().unwrap();
        assert_eq!(
            (page.len(), &newest["next"]),
            (100, &json!(page[99]["seq"].to_string()))
        );
        let older = ada
            .get(&format!("{path}/deliveries?before={}&limit=2", page[99]["seq"]))
            .await;
        let line = page[99]["seq"].as_u64().unwrap();
        assert_eq!(older["items"][0]["seq"], line - 1);
        assert_eq!(older["items"].as_array().unwrap().len(), 2);
        let again = format!("{path}/deliveries/{}/redeliver", dead[0]["id"].as_str().unwrap());
        assert_eq!(ada.ask(Method::POST, &again, None).await.0, 409, "the queue is full");
        for wrong in ["state=gone", "before=x", "limit=-1", "after=1"] {
            assert_eq!(
                ada.ask(Method::GET, &format!("{path}/deliveries?{wrong}"), None)
                    .await
                    .0,
                400
            );
        }
        // What ended long ago is forgotten with the next line.
        pass_lines(&world, &id, KEPT).await;
        share(&ada, &lab, "Moon").await;
        let dead = ada.get(&format!("{path}/deliveries?state=dead")).await;
        assert_eq!(dead["items"], json!([]));
        for _ in 1..MOST {
            hook(&ada, &lab, "https://example.com/", &["x.happened"]).await;
        }
        let more = json!({"url": "https://example.com/"});
        assert_eq!(
            ada.ask(Method::POST, &format!("{lab}/webhooks"), Some(more)).await.0,
            409
        );
        assert_eq!(
            ada.get(&format!("{lab}/webhooks")).await["items"]
                .as_array()
                .unwrap()
                .len(),
            MOST
        );
        world.stop().await;
    }
}

#[tokio::test]
async fn a_webhook_that_makes_no_sense_is_refused_with_the_reason() {
    let world = World::new().await;
    let ada = world.person("ada");
    let (lab, _) = lab(&ada).await;
    let url = "https://example.com/";
    let long = "x".repeat(65);
    let many = vec!["x"; 65];
    for (body, word) in [
        (json!({"url": "http://example.com/"}), "https://"),
        (json!({"url": "https://ada:secret@example.com/"}), "password"),
        (json!({"url": "https://169.254.169.254/"}), "public"),
        (json!({"url": "https://[::ffff:10.0.0.1]/"}), "public"),
        (json!({"url": "https://localhost:8787/"}), "public"),
        (json!({"url": "example.com"}), "URL"),
        (json!({"url": url, "verbs": []}), "verbs"),
        (json!({"url": url, "verbs": ["Thread Shared"]}), "verbs"),
        (json!({"url": url, "verbs": [long]}), "verbs"),
        (json!({"url": url, "verbs": many}), "verbs"),
        (json!({"url": url, "secret": "mine"}), "secret"),
    ] {
        let (status, said) = ada
            .ask(Method::POST, &format!("{lab}/webhooks"), Some(body.clone()))
            .await;
        assert_eq!(status, 400, "{body}");
        assert!(said["message"].as_str().unwrap().contains(word), "{body}: {said}");
    }
    assert_eq!(ada.get(&format!("{lab}/webhooks")).await["items"], json!([]));
    world.stop().await;
}

#[tokio::test]
async fn a_webhook_goes_when_it_is_taken_away_and_with_its_workspace() {
    let mut receiver = Receiver::start(|_| Say::Status(200)).await;
    for world in worlds(&receiver, |_| ()).await {
        let (ada, bob) = (world.person("ada"), world.far_person("bob"));
        let (lab, id) = lab(&ada).await;
        join(&ada, &bob, &lab, "admin").await;
        let (path, _) = hook(&ada, &lab, &receiver.url(), &["thread.shared"]).await;
        let (other, _) = hook(&bob, &lab, &receiver.url(), &["thread.shared"]).await;
        share(&ada, &lab, "Moon").await;
        let came = [receiver.next().await, receiver.next().await];
        assert_eq!(came[0].body()["activity"], came[1].body()["activity"]);
        for path in [&path, &other] {
            settled(&ada, path, &["delivered"]).await;
        }
        let archive = json!({"archived": true});
        ada.ask(Method::PATCH, &lab, Some(archive)).await;
        let (status, _) = bob.ask(Method::DELETE, &path, None).await;
        assert_eq!(status, 204, "even in an archived workspace");
        assert_eq!(ada.ask(Method::GET, &format!("{path}/deliveries"), None).await.0, 404);
        assert_eq!(bob.ask(Method::DELETE, &path, None).await.0, 404);
        let end = json!({"target": "workspace", "id": id, "delay_s": 1});
        ada.ask(Method::PATCH, &lab, Some(json!({"archived": false}))).await;
        ada.post(&format!("{lab}/deletions"), end).await;
        let app = world.node.app();
        let gone = async {
            loop {
                let mut tx = app.store.begin().await.unwrap();
                let (left,): (i64,) = sqlx::query_as(
                    "SELECT (SELECT COUNT(*) FROM webhooks WHERE workspace_id = $1) + \
                     (SELECT COUNT(*) FROM webhook_deliveries WHERE workspace_id = $1)",
                )
                .bind(id.as_str())
                .fetch_one(&mut *tx)
                .await
                .unwrap();
                tx.rollback().await.unwrap();
                if left == 0 {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), gone)
            .await
            .expect("webhooks outlive their workspace");
        world.stop().await;
        assert!(receiver.came().is_empty());
    }
}

/// An address that is not the receiver's, in a notation in which it would still reach it.
fn mapped() -> IpAddr {
    "::ffff:127.0.0.1".parse().unwrap()
}
