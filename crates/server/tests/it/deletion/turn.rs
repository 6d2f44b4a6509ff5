//! A turn that is deleted alone: its places in the log stay, what it said does not.

use reqwest::Method;
use serde_json::{Value, json};

use super::{over, rows};
use crate::live::Client;
use crate::threads::{Desk, events, message, question, turn};
use crate::world::World;

/// A thread in which Bob asked for a turn, which said things in every way there is, and then another one.
async fn told(desk: &Desk) -> u64 {
    desk.lease("mac").await;
    let asks = json!({"idempotency_key": "k1", "input": "SECRET wish"});
    let request = desk.bob.post(&desk.at("/turn-requests"), asks).await;
    let path = desk.at(&format!("/turn-requests/{}", request["id"].as_str().unwrap()));
    for change in [
        json!({"status": "taken"}),
        json!({"status": "started", "turn_id": "t1"}),
    ] {
        let mut change = change;
        change["producer_id"] = json!("mac");
        change["lease_epoch"] = json!(1);
        let (status, body) = desk.ada.ask(Method::PATCH, &path, Some(change)).await;
        assert_eq!(status, 200, "{body}");
    }
    let mut other = message("itemCompleted", "i9", "completed", "kept words");
    other["turnId"] = json!("t2");
    let sent = [
        turn("turnStarted", "t1"),
        message("itemStarted", "i1", "inProgress", "SECRET"),
        json!({"type": "itemAppended", "itemId": "i1", "at": 6, "text": " SECRET piece"}),
        question("a1", "echo SECRET"),
        json!({"type": "approvalResolved", "approvalId": "a1",
            "decision": {"type": "decline", "note": "SECRET reason"}, "by": {"type": "person"}}),
        message("itemCompleted", "i1", "completed", "SECRET whole"),
        json!({"type": "somethingNewer", "turnId": "t1", "x": "SECRET"}),
        turn("turnCompleted", "t1"),
        turn("turnStarted", "t2"),
        other,
        json!({"type": "somethingNewer", "x": "no turn's"}),
        turn("turnCompleted", "t2"),
    ];
    let (status, body) = desk.append(&desk.ada, 1, 1, events(1, &sent)).await;
    assert_eq!(status, 200, "{body}");
    body["head_seq"].as_u64().unwrap()
}

async fn page(desk: &Desk, after: u64) -> Vec<Value> {
    let page = desk.bob.get(&desk.at(&format!("/events?after={after}"))).await;
    assert_eq!(page["status"], "ok");
    page["events"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_deleted_turn_keeps_its_places_and_says_nothing_any_more() {
    for world in World::each().await {
        let desk = Desk::new(&world).await;
        let head = told(&desk).await;
        let before = page(&desk, 0).await;
        let thread = desk.thread.rsplit('/').next().unwrap().to_owned();
        let workspace = desk.workspace.rsplit('/').next().unwrap().to_owned();
        let mut follower = Client::open(&desk.bob).await;
        follower
            .say(json!({"type": "subscribe", "workspace_id": workspace, "thread_id": thread, "after": 0}))
            .await;
        assert!(follower.until("events").await.to_string().contains("SECRET"));
        let deletions = format!("{}/deletions", desk.workspace);
        let ask = json!({"target": "turn", "id": "t1", "thread_id": thread, "delay_s": 1});
        let made = desk.ada.post(&deletions, ask.clone()).await;
        assert_eq!(made["thread_id"], json!(thread));
        assert_eq!(over(&world, made["id"].as_str().unwrap()).await.0, "completed");

        let after = page(&desk, 0).await;
        let seqs: Vec<u64> = after.iter().map(|it| it["seq"].as_u64().unwrap()).collect();
        assert_eq!(seqs, (1..=head + 1).collect::<Vec<_>>(), "no number is missing");
        for (old, new) in before.iter().zip(&after) {
            assert_eq!(
                (&old["event_id"], &old["producer_seq"]),
                (&new["event_id"], &new["producer_seq"])
            );
            if new["payload"] != json!({"type": "workspace.removed"}) {
                assert_eq!(old, new, "what is not the turn's stays as it was");
            }
        }
        assert_eq!(
            after.last().unwrap()["payload"],
            json!({"type": "workspace.turnRemoved", "turn_id": "t1"})
        );
        let removed = after
            .iter()
            .filter(|it| it["payload"]["type"] == "workspace.removed")
            .count();
        assert_eq!(removed, 11, "eight of the machine's and three of the server's");
        for path in ["/events?after=0", "/items", "/approvals", "/turn-requests", ""] {
            let text = desk.bob.get(&desk.at(path)).await.to_string();
            assert!(!text.contains("SECRET"), "{path}: {text}");
        }
        let items = desk.bob.get(&desk.at("/items")).await;
        assert_eq!(items["items"][0]["payload"]["text"], "kept words");
        assert_eq!(items["items"].as_array().unwrap().len(), 1);

        // Who follows is told, and who comes now gets nothing from the memory of those who followed.
        let told = follower.until("events").await;
        assert_eq!(told["events"][0]["payload"]["type"], "workspace.turnRemoved");
        let mut late = Client::open(&desk.bob).await;
        late.say(json!({"type": "subscribe", "workspace_id": workspace, "thread_id": thread, "after": 0}))
            .await;
        let replayed = late.until("events").await;
        assert_eq!(replayed["next"].as_u64().unwrap(), head + 1, "{replayed}");
        assert!(!replayed.to_string().contains("SECRET"), "{replayed}");

        // The machine goes on, sends again what it sent, and brings nothing back.
        let again = [
            turn("turnStarted", "t1"),
            message("itemStarted", "i1", "inProgress", "SECRET"),
        ];
        let (status, body) = desk.append(&desk.ada, 1, 1, events(1, &again)).await;
        assert_eq!((status.as_u16(), &body["acked"]), (200, &json!(12)));
        assert!(
            !desk
                .bob
                .get(&desk.at("/events?after=0"))
                .await
                .to_string()
                .contains("SECRET")
        );
        assert_eq!(
            desk.ada.ask(Method::POST, &deletions, Some(ask)).await.0,
            404,
            "it is not there any more"
        );
        drop((follower, late));
        world.stop().await;
    }
}

#[tokio::test]
async fn a_turn_is_deleted_of_a_thread_that_one_sees_when_no_machine_is_at_work_in_it() {
    let world = World::new().await;
    let desk = Desk::new(&world).await;
    desk.lease("mac").await;
    let sent = [turn("turnStarted", "t1")];
    desk.append(&desk.ada, 1, 1, events(1, &sent)).await;
    let thread = desk.thread.rsplit('/').next().unwrap();
    let deletions = format!("{}/deletions", desk.workspace);
    for (ask, expect) in [
        (json!({"target": "turn", "id": "t1"}), 400),
        (json!({"target": "thread", "id": thread, "thread_id": thread}), 400),
        (json!({"target": "turn", "id": "t2", "thread_id": thread}), 404),
        (json!({"target": "turn", "id": "t1", "thread_id": "elsewhere"}), 404),
    ] {
        assert_eq!(
            desk.ada.ask(Method::POST, &deletions, Some(ask.clone())).await.0,
            expect,
            "{ask}"
        );
    }
    let ask = json!({"target": "turn", "id": "t1", "thread_id": thread, "delay_s": 1});
    assert_eq!(desk.bob.ask(Method::POST, &deletions, Some(ask.clone())).await.0, 403);
    let made = desk.ada.post(&deletions, ask.clone()).await;
    let id = made["id"].as_str().unwrap();
    assert_eq!(over(&world, id).await.0, "failed");
    let failed = desk.ada.get(&format!("{deletions}/{id}")).await;
    assert_eq!(failed["error"], "The turn is under way: stop it first.");
    assert_eq!(page(&desk, 0).await.len(), 1, "nothing was changed");
    // The machine is gone for good: its lease was given back.
    let release = json!({"producer_id": "mac", "epoch": 1});
    let (status, body) = desk.ada.ask(Method::DELETE, &desk.at("/lease"), Some(release)).await;
    assert!(status.is_success(), "{body}");
    let made = desk.ada.post(&deletions, ask).await;
    assert_eq!(over(&world, made["id"].as_str().unwrap()).await.0, "completed");
    assert_eq!(desk.ada.get(&desk.thread).await["activity"], "idle");
    let left = rows(&world, desk.workspace.rsplit('/').next().unwrap()).await;
    assert!(left.iter().all(|it| it.0 != "turns"), "{left:?}");
}
