//! Who may do what to a thread, and until when: the checklist's lines about threads, leases and questions.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use server::job;

use crate::threads::{Desk, Hands, events, message, question, turn};
use crate::world::{Person, World};

fn code(answer: &(StatusCode, Value)) -> (u16, &str) {
    (answer.0.as_u16(), answer.1["code"].as_str().unwrap_or_default())
}

async fn ask(who: &Person, method: Method, path: &str, body: Value) -> (StatusCode, Value) {
    who.ask(method, path, Some(body)).await
}

/// A thread with a running turn and a question, of which the hash is answered.
async fn asked(desk: &Desk) -> String {
    desk.lease("mac").await;
    let sent = [turn("turnStarted", "t1"), question("a1", "rm -r build")];
    let (status, body) = desk.append(&desk.ada, 1, 1, events(1, &sent)).await;
    assert_eq!(status, StatusCode::OK, "{body}");
    let found = desk.ada.get(&desk.at("/approvals?status=pending")).await;
    found["items"][0]["payload_hash"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn checklist_01_a_thread_is_reached_through_its_own_workspace_only() {
    for world in World::each().await {
        let desk = Desk::new(&world).await;
        let other = desk.eve.post("/workspaces", json!({"name": "Elsewhere"})).await;
        let thread = desk.thread.rsplit('/').next().unwrap();
        let crossed = format!("/workspaces/{}/threads/{thread}", other["id"].as_str().unwrap());
        for path in [&desk.thread, &crossed] {
            let answer = desk.eve.ask(Method::GET, path, None).await;
            assert_eq!(code(&answer), (404, "not_found"), "{path}");
        }
        // The same id may be used in another workspace, and is another thread there.
        let all = crossed.rsplit_once('/').unwrap().0;
        desk.eve.post(all, json!({"id": thread, "title": "Mine"})).await;
        assert_eq!(desk.eve.get(&crossed).await["title"], "Mine");
        assert_eq!(desk.ada.get(&desk.thread).await["title"], "Plans");
        world.stop().await;
    }
}

#[tokio::test]
async fn checklist_02_ids_in_a_body_cannot_name_another_place_than_the_path() {
    let world = World::new().await;
    let desk = Desk::new(&world).await;
    desk.lease("mac").await;
    let other = desk
        .ada
        .post(&format!("{}/threads", desk.workspace), json!({"title": "Other"}))
        .await;
    let batch =
        json!({"producer_id": "mac", "lease_epoch": 1, "base": 1, "events": events(1, &[turn("turnStarted", "t1")])});
    for (path, body) in [
        ("/events", batch),
        ("/lease", json!({"producer_id": "p", "device_id": "d"})),
    ] {
        for (field, value) in [("thread_id", &other["id"]), ("workspace_id", &other["workspace_id"])] {
            let mut body = body.clone();
            body[field] = value.clone();
            let answer = ask(&desk.ada, Method::POST, &desk.at(path), body).await;
            assert_eq!(code(&answer), (400, "invalid_request"), "{path} with {field}");
        }
    }
    let all = format!(
        "{}/threads/{}/events?after=0",
        desk.workspace,
        other["id"].as_str().unwrap()
    );
    assert_eq!(desk.ada.get(&all).await["events"], json!([]));
}

#[tokio::test]
async fn checklist_03_what_is_in_a_thread_is_not_reached_through_another_one() {
    for world in World::each().await {
        let desk = Desk::new(&world).await;
        asked(&desk).await;
        let asks = json!({"idempotency_key": "k1", "input": "Tidy up"});
        let request = desk.bob.post(&desk.at("/turn-requests"), asks).await;
        let other = desk
            .ada
            .post(&format!("{}/threads", desk.workspace), json!({"title": "Other"}))
            .await;
        let other = format!("{}/threads/{}", desk.workspace, other["id"].as_str().unwrap());
        for list in ["/items", "/approvals", "/turn-requests"] {
            assert_eq!(
                desk.ada.get(&format!("{other}{list}")).await["items"],
                json!([]),
                "{list}"
            );
            let answer = desk.eve.ask(Method::GET, &desk.at(list), None).await;
            assert_eq!(code(&answer), (404, "not_found"), "{list}");
        }
        let one = format!("{other}/turn-requests/{}", request["id"].as_str().unwrap());
        let answer = ask(&desk.ada, Method::PATCH, &one, json!({"status": "cancelled"})).await;
        assert_eq!(code(&answer), (404, "not_found"));
        world.stop().await;
    }
}

#[tokio::test]
async fn checklist_08_nothing_of_a_private_thread_shows() {
    for world in World::each().await {
        let desk = Desk::with(&world, json!({"title": "Secret", "visibility": "private"})).await;
        let hash = asked(&desk).await;
        for path in [
            "",
            "/events?after=0",
            "/items",
            "/approvals",
            "/turn-requests",
            "/cursors/d1",
        ] {
            let answer = desk.bob.ask(Method::GET, &desk.at(path), None).await;
            assert_eq!(code(&answer), (404, "not_found"), "GET {path}");
        }
        let batch = json!({"producer_id": "mac", "lease_epoch": 1, "base": 3, "events": events(3, &[turn("turnCompleted", "t1")])});
        for (method, path, body) in [
            (Method::POST, "/events", batch),
            (Method::POST, "/lease", json!({"producer_id": "p", "device_id": "d"})),
            (Method::DELETE, "/lease", json!({"producer_id": "mac", "epoch": 1})),
            (
                Method::POST,
                "/approvals/a1/decision",
                json!({"accept": true, "payload_hash": hash}),
            ),
            (
                Method::POST,
                "/turn-requests",
                json!({"idempotency_key": "k", "input": "x"}),
            ),
            (Method::PUT, "/cursors/d1", json!({"seq": 1})),
            (Method::PATCH, "", json!({"title": "x"})),
        ] {
            let answer = ask(&desk.bob, method.clone(), &desk.at(path), body).await;
            assert_eq!(code(&answer), (404, "not_found"), "{method} {path}");
        }
        let all = format!("{}/threads", desk.workspace);
        assert_eq!(desk.bob.get(&all).await["items"], json!([]));
        assert_eq!(desk.bob.get(&format!("{all}?search=Secret")).await["items"], json!([]));
        assert_eq!(desk.ada.get(&all).await["items"][0]["title"], "Secret");
        let feed = desk.bob.get(&format!("{}/activity", desk.workspace)).await;
        assert!(!feed.to_string().contains("Secret"), "{feed}");
        // It stays hidden who has the id, too.
        let id = desk.thread.rsplit('/').next().unwrap();
        let answer = ask(&desk.bob, Method::POST, &all, json!({"id": id, "title": "Mine"})).await;
        assert_eq!(code(&answer), (409, "conflict"));
        world.stop().await;
    }
}

#[tokio::test]
async fn checklist_04_a_cursor_is_a_number_or_nothing_and_each_has_their_own() {
    let world = World::new().await;
    let desk = Desk::new(&world).await;
    asked(&desk).await;
    let all = format!("{}/threads", desk.workspace);
    for path in [
        format!("{all}?before=1.x'%20OR%201=1"),
        format!("{all}?before=1"),
        desk.at("/events?after=-1"),
        desk.at("/events?after=1;DROP%20TABLE%20events"),
        desk.at("/items?after=x"),
    ] {
        let answer = desk.bob.ask(Method::GET, &path, None).await;
        assert_eq!(code(&answer), (400, "invalid_request"), "{path}");
    }
    let cursor = desk.at("/cursors/phone");
    for (seq, kept) in [(2, 2), (1, 2)] {
        let answer = ask(&desk.bob, Method::PUT, &cursor, json!({"seq": seq})).await;
        assert_eq!(answer, (StatusCode::OK, json!({"seq": kept})));
    }
    assert_eq!(
        code(&ask(&desk.bob, Method::PUT, &cursor, json!({"seq": 99})).await),
        (400, "invalid_request")
    );
    // Another person's device of the same name is another one.
    assert_eq!(desk.vic.get(&cursor).await["seq"], 0);
}

#[tokio::test]
async fn checklist_09_only_the_machine_with_the_lease_appends_and_an_old_epoch_is_fenced() {
    for world in World::each().await {
        let desk = Desk::new(&world).await;
        let one = || events(1, &[turn("turnStarted", "t1")]);
        // Nobody has it yet.
        assert_eq!(code(&desk.append(&desk.ada, 1, 1, one()).await), (409, "fenced"));
        assert_eq!(code(&desk.append(&desk.bob, 1, 1, one()).await), (403, "forbidden"));
        desk.lease("mac").await;
        assert_eq!(code(&desk.append(&desk.bob, 1, 1, one()).await), (403, "forbidden"));
        assert_eq!(code(&desk.append(&desk.vic, 1, 1, one()).await), (403, "forbidden"));
        assert_eq!(code(&desk.append(&desk.eve, 1, 1, one()).await), (404, "not_found"));
        // Another machine of hers has to take it; the first one's epoch is old then.
        let other = json!({"producer_id": "pc", "device_id": "pc"});
        assert_eq!(
            code(&ask(&desk.ada, Method::POST, &desk.at("/lease"), other.clone()).await),
            (409, "conflict")
        );
        let theirs = json!({"producer_id": "bobs", "device_id": "bobs", "take": true});
        assert_eq!(
            code(&ask(&desk.bob, Method::POST, &desk.at("/lease"), theirs).await),
            (403, "forbidden")
        );
        let mut take = other;
        take["take"] = json!(true);
        let lease = desk.ada.post(&desk.at("/lease"), take).await;
        assert_eq!(lease["epoch"], 2);
        let answer = desk.append(&desk.ada, 1, 1, one()).await;
        assert_eq!((code(&answer), &answer.1["epoch"]), ((409, "fenced"), &json!(2)));
        // Handed over: Bob's machine goes on, and what moved is in the log.
        let bob = desk.bob.get("/me").await["user_id"].clone();
        let gives = json!({"producer_id": "pc", "epoch": 2, "hand_to": bob});
        assert_eq!(
            ask(&desk.ada, Method::DELETE, &desk.at("/lease"), gives).await.0,
            StatusCode::NO_CONTENT
        );
        let asks = json!({"producer_id": "bobs", "device_id": "bobs"});
        let stolen = json!({"producer_id": "mac", "device_id": "bobs"});
        assert_eq!(
            code(&ask(&desk.bob, Method::POST, &desk.at("/lease"), stolen).await),
            (403, "forbidden")
        );
        assert_eq!(desk.bob.post(&desk.at("/lease"), asks).await["epoch"], 3);
        let batch = json!({"producer_id": "bobs", "lease_epoch": 3, "base": 1, "events": one()});
        assert_eq!(
            ask(&desk.bob, Method::POST, &desk.at("/events"), batch).await.0,
            StatusCode::OK
        );
        let page = desk.ada.get(&desk.at("/events?after=0")).await;
        let log: Vec<_> = page["events"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| (&it["seq"], &it["payload"]["type"]))
            .collect();
        let moved = json!("workspace.leaseMoved");
        assert_eq!(
            log,
            [
                (&json!(1), &moved),
                (&json!(2), &moved),
                (&json!(3), &json!("turnStarted"))
            ]
        );
        world.stop().await;
    }
}

#[tokio::test]
async fn a_lease_ends_by_the_servers_clock() {
    let (hands, clock) = Hands::new();
    let world = World::at(clock, |_| ()).await;
    let desk = Desk::new(&world).await;
    desk.lease("mac").await;
    hands.on(29_999);
    let one = || events(1, &[turn("turnStarted", "t1")]);
    assert_eq!(desk.append(&desk.ada, 1, 1, one()).await.0, StatusCode::OK);
    hands.on(1);
    assert_eq!(code(&desk.append(&desk.ada, 1, 1, one()).await), (409, "fenced"));
    hands.on(60_000);
    job::log::once(world.node.app()).await.unwrap();
    assert_eq!(desk.ada.get(&desk.thread).await["lease"], Value::Null);
    assert_eq!(desk.lease("pc").await["epoch"], 2);
}

#[tokio::test]
async fn checklist_10_a_question_is_answered_once_by_whoever_may_and_as_it_was_asked() {
    for world in World::each().await {
        let desk = Desk::new(&world).await;
        let hash = asked(&desk).await;
        let path = desk.at("/approvals/a1/decision");
        let yes = json!({"accept": true, "payload_hash": hash});
        // Bob was not let, Vic is a viewer, Eve is nobody; another thread has no such question.
        assert_eq!(
            code(&ask(&desk.bob, Method::POST, &path, yes.clone()).await),
            (403, "forbidden")
        );
        assert_eq!(
            code(&ask(&desk.vic, Method::POST, &path, yes.clone()).await),
            (403, "forbidden")
        );
        assert_eq!(
            code(&ask(&desk.eve, Method::POST, &path, yes.clone()).await),
            (404, "not_found")
        );
        let other = desk
            .ada
            .post(&format!("{}/threads", desk.workspace), json!({"title": "Other"}))
            .await;
        let elsewhere = format!(
            "{}/threads/{}/approvals/a1/decision",
            desk.workspace,
            other["id"].as_str().unwrap()
        );
        assert_eq!(
            code(&ask(&desk.ada, Method::POST, &elsewhere, yes.clone()).await),
            (404, "not_found")
        );
        ask(&desk.ada, Method::PATCH, &desk.thread, json!({"approvers": "member"})).await;
        assert_eq!(
            code(&ask(&desk.vic, Method::POST, &path, yes.clone()).await),
            (403, "forbidden")
        );
        let changed = json!({"accept": true, "payload_hash": "0".repeat(64)});
        assert_eq!(
            code(&ask(&desk.bob, Method::POST, &path, changed).await),
            (409, "conflict")
        );
        // Both at once: one is first, the other one is told who.
        let no = json!({"accept": false, "payload_hash": hash, "note": "not today"});
        let (first, second) = tokio::join!(
            ask(&desk.bob, Method::POST, &path, yes.clone()),
            ask(&desk.ada, Method::POST, &path, no)
        );
        let (won, lost) = if first.0.is_success() {
            (first, second)
        } else {
            (second, first)
        };
        assert_eq!((won.0, code(&lost)), (StatusCode::OK, (409, "conflict")));
        assert_eq!(
            (&lost.1["decided_by"], &lost.1["status"]),
            (&won.1["decided_by"], &won.1["status"])
        );
        let page = desk.ada.get(&desk.at("/events?after=2")).await;
        assert_eq!(page["events"][0]["payload"]["type"], "workspace.approvalDecided");
        assert_eq!(page["events"].as_array().unwrap().len(), 1);
        // Asked again it stays answered; the machine's own word settles it and leaves who decided.
        let resolved = json!({"type": "approvalResolved", "approvalId": "a1", "decision": {"type": "decline"}, "by": {"type": "person"}});
        let more = [
            question("a1", "rm -r build"),
            resolved,
            question("a2", "ls"),
            turn("turnCompleted", "t1"),
        ];
        assert_eq!(desk.append(&desk.ada, 1, 3, events(3, &more)).await.0, StatusCode::OK);
        let found = desk.ada.get(&desk.at("/approvals")).await;
        assert_eq!(
            (&found["items"][0]["status"], &found["items"][0]["decided_by"]),
            (&json!("declined"), &won.1["decided_by"])
        );
        // Its turn ended first.
        assert_eq!(found["items"][1]["status"], "cancelled");
        let late = json!({"accept": true, "payload_hash": found["items"][1]["payload_hash"]});
        assert_eq!(
            code(&ask(&desk.ada, Method::POST, &desk.at("/approvals/a2/decision"), late).await),
            (409, "conflict")
        );
        world.stop().await;
    }
}

#[tokio::test]
async fn checklist_10_a_question_is_not_answered_after_its_time() {
    let (hands, clock) = Hands::new();
    let world = World::at(clock, |it| it.limits.approval_ttl_s = 60).await;
    let desk = Desk::new(&world).await;
    let hash = asked(&desk).await;
    hands.on(60_000);
    let yes = json!({"accept": true, "payload_hash": hash});
    let answer = ask(&desk.ada, Method::POST, &desk.at("/approvals/a1/decision"), yes).await;
    assert_eq!(
        (code(&answer), &answer.1["status"]),
        ((409, "conflict"), &json!("expired"))
    );
    job::log::once(world.node.app()).await.unwrap();
    job::log::once(world.node.app()).await.unwrap();
    let found = desk.ada.get(&desk.at("/approvals?status=expired")).await;
    assert_eq!(found["items"].as_array().unwrap().len(), 1);
    let page = desk.ada.get(&desk.at("/events?after=2")).await;
    assert_eq!(page["events"].as_array().unwrap().len(), 1);
    assert_eq!(
        page["events"][0]["payload"],
        json!({"type": "workspace.approvalExpired", "approval_id": "a1"})
    );
}

#[tokio::test]
async fn old_pieces_go_and_a_reader_from_before_them_gets_a_snapshot() {
    let (hands, clock) = Hands::new();
    let world = World::at(clock, |it| it.limits.pieces_ttl_s = 100).await;
    let desk = Desk::new(&world).await;
    let hash = asked(&desk).await;
    let sent = [
        message("itemStarted", "i1", "inProgress", ""),
        json!({"type": "itemAppended", "itemId": "i1", "at": 0, "text": "Hel"}),
        json!({"type": "itemAppended", "itemId": "i1", "at": 3, "text": "lo"}),
        message("itemCompleted", "i1", "completed", "Hello"),
    ];
    assert_eq!(desk.append(&desk.ada, 1, 3, events(3, &sent)).await.0, StatusCode::OK);
    let app = world.node.app();
    hands.on(99_000);
    job::log::once(app).await.unwrap();
    assert_eq!(
        desk.bob.get(&desk.at("/events?after=0")).await["events"]
            .as_array()
            .unwrap()
            .len(),
        6
    );
    hands.on(1_000);
    job::log::once(app).await.unwrap();
    assert_eq!(desk.bob.get(&desk.thread).await["floor_seq"], 5);
    let page = desk.bob.get(&desk.at("/events?after=0")).await;
    assert_eq!(
        (&page["status"], &page["next"], &page["events"]),
        (&json!("rebased"), &json!(6), &json!([]))
    );
    let snapshot = &page["snapshot"];
    assert_eq!(
        (&snapshot["snapshot_seq"], &snapshot["turns"][0]["status"]),
        (&json!(6), &json!("running"))
    );
    assert_eq!(snapshot["items"][0]["payload"]["text"], "Hello");
    assert_eq!(snapshot["approvals"][0]["payload_hash"], hash);
    let page = desk.bob.get(&desk.at("/events?after=5")).await;
    assert_eq!((&page["status"], &page["events"][0]["seq"]), (&json!("ok"), &json!(6)));
}

#[tokio::test]
async fn a_request_for_a_turn_is_one_however_often_it_is_asked_and_one_machine_takes_it() {
    for world in World::each().await {
        let desk = Desk::new(&world).await;
        desk.lease("mac").await;
        let asks = json!({"idempotency_key": "k1", "input": "Tidy up"});
        let all = desk.at("/turn-requests");
        let first = desk.bob.post(&all, asks.clone()).await;
        assert_eq!(desk.bob.post(&all, asks.clone()).await, first);
        assert_ne!(desk.ada.post(&all, asks.clone()).await["id"], first["id"]);
        assert_eq!(
            code(&ask(&desk.vic, Method::POST, &all, asks).await),
            (403, "forbidden")
        );
        let one = format!("{all}/{}", first["id"].as_str().unwrap());
        let taken = json!({"status": "taken", "producer_id": "mac", "lease_epoch": 1});
        assert_eq!(
            code(&ask(&desk.bob, Method::PATCH, &one, taken.clone()).await),
            (403, "forbidden")
        );
        let mut old = taken.clone();
        old["lease_epoch"] = json!(0);
        assert_eq!(code(&ask(&desk.ada, Method::PATCH, &one, old).await), (409, "fenced"));
        assert_eq!(
            ask(&desk.ada, Method::PATCH, &one, taken.clone()).await.0,
            StatusCode::OK
        );
        assert_eq!(
            code(&ask(&desk.ada, Method::PATCH, &one, taken).await),
            (409, "conflict")
        );
        let started = json!({"status": "started", "producer_id": "mac", "lease_epoch": 1, "turn_id": "t9"});
        assert_eq!(ask(&desk.ada, Method::PATCH, &one, started).await.1["turn_id"], "t9");
        assert_eq!(
            code(&ask(&desk.bob, Method::PATCH, &one, json!({"status": "cancelled"})).await),
            (409, "conflict")
        );
        let page = desk.bob.get(&desk.at("/events?after=0")).await;
        let kinds: Vec<_> = page["events"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| it["payload"]["type"].as_str().unwrap())
            .collect();
        let (requested, changed) = ("workspace.turnRequested", "workspace.turnRequestChanged");
        assert_eq!(kinds, [requested, requested, changed, changed]);
        world.stop().await;
    }
}

#[tokio::test]
async fn a_deleted_thread_is_gone_and_its_rows_go_later() {
    let (hands, clock) = Hands::new();
    let world = World::at(clock, |_| ()).await;
    let desk = Desk::new(&world).await;
    asked(&desk).await;
    assert_eq!(
        code(&desk.bob.ask(Method::DELETE, &desk.thread, None).await),
        (403, "forbidden")
    );
    assert_eq!(
        desk.ada.ask(Method::DELETE, &desk.thread, None).await.0,
        StatusCode::NO_CONTENT
    );
    assert_eq!(
        code(&desk.ada.ask(Method::GET, &desk.thread, None).await),
        (404, "not_found")
    );
    let all = format!("{}/threads", desk.workspace);
    let again = json!({"id": desk.thread.rsplit('/').next().unwrap(), "title": "Again"});
    assert_eq!(
        code(&ask(&desk.ada, Method::POST, &all, again.clone()).await),
        (409, "conflict")
    );
    hands.on(10 * 60 * 1000);
    job::log::once(world.node.app()).await.unwrap();
    desk.ada.post(&all, again).await;
    assert_eq!(desk.ada.get(&desk.at("/events?after=0")).await["events"], json!([]));
}
