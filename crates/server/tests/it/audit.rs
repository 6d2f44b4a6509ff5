//! The audit log and the activity feed.

use reqwest::Method;
use serde_json::{Value, json};
use server::store::Store;
use server::store::audit::{AuditEntry, Chain};

use crate::membership::join;
use crate::world::World;

fn entry(action: &'static str, at_ms: u64) -> AuditEntry {
    AuditEntry {
        at_ms,
        actor: "server".to_owned(),
        address: "127.0.0.1".to_owned(),
        workspace: None,
        action,
        object: "server".to_owned(),
        outcome: "ok",
        detail: json!({"a": "ä\n", "b": [1, null]}),
    }
}

/// Changes the log behind the server's back, as somebody with the database's password could.
async fn tamper(store: &Store, sql: &'static str) {
    let mut tx = store.begin().await.unwrap();
    let done = sqlx::query(sql).execute(&mut *tx).await.unwrap();
    assert!(done.rows_affected() > 0, "{sql}");
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn checklist_audit_the_chain_is_gapless_from_all_nodes_and_every_change_of_it_shows() {
    for world in World::each().await {
        let stores: Vec<Store> = std::iter::once(&world.node)
            .chain(&world.others)
            .map(|it| it.app().store.clone())
            .collect();
        let mut writers = tokio::task::JoinSet::new();
        for writer in 0..8 {
            let store = stores[writer % stores.len()].clone();
            writers.spawn(async move {
                for at in 0..5 {
                    store.audit_alone(&entry("test.written", at)).await.unwrap();
                }
            });
        }
        while let Some(done) = writers.join_next().await {
            done.unwrap();
        }
        let store = &stores[0];
        let Chain::Whole { lines, head, .. } = store.verify_audit().await.unwrap() else {
            panic!("the chain is broken");
        };
        assert_eq!(lines, head, "no number is missing");
        assert!(lines >= 40);
        let check = async |break_it: &'static str, mend_it: &'static str, at: u64| {
            tamper(store, break_it).await;
            assert_eq!(store.verify_audit().await.unwrap(), Chain::Broken { at }, "{break_it}");
            tamper(store, mend_it).await;
            assert!(
                matches!(store.verify_audit().await.unwrap(), Chain::Whole { .. }),
                "{mend_it}"
            );
        };
        check(
            "UPDATE audit SET actor = 'somebody' WHERE id = 7 AND actor = 'server'",
            "UPDATE audit SET actor = 'server' WHERE id = 7",
            7,
        )
        .await;
        check(
            "UPDATE audit SET id = -9 WHERE id = 9",
            "UPDATE audit SET id = 9 WHERE id = -9",
            9,
        )
        .await;
        check(
            "UPDATE audit_ends SET head_id = head_id - 1",
            "UPDATE audit_ends SET head_id = head_id + 1",
            head,
        )
        .await;
        tamper(store, "DELETE FROM audit WHERE id > 38").await;
        assert_eq!(store.verify_audit().await.unwrap(), Chain::Broken { at: 39 });
    }
}

#[tokio::test]
async fn checklist_audit_what_is_too_old_is_forgotten_and_the_rest_can_be_verified() {
    for world in World::each().await {
        let store = &world.node.app().store;
        // A node's start may itself have left lines; they are as new as the clock.
        for at in [1, 2, 3] {
            store.audit_alone(&entry("test.written", at)).await.unwrap();
        }
        let now = world.node.app().clock.now_ms();
        store.audit_alone(&entry("test.kept", now)).await.unwrap();
        let Chain::Whole { lines: before, .. } = store.verify_audit().await.unwrap() else {
            panic!("the chain is broken");
        };
        let pruned = store.prune_audit(now, 2).await.unwrap();
        assert_eq!(pruned, 2);
        let rest = store.prune_audit(now, 1000).await.unwrap();
        assert_eq!(store.prune_audit(now, 1000).await.unwrap(), 0);
        assert!(
            matches!(store.verify_audit().await.unwrap(), Chain::Whole { lines, .. } if lines == before - 2 - rest)
        );
        tamper(store, "UPDATE audit SET prev_hash = 'x' WHERE action = 'test.kept'").await;
        assert!(matches!(store.verify_audit().await.unwrap(), Chain::Broken { .. }));
    }
}

#[tokio::test]
async fn checklist_audit_owners_read_and_export_their_own_workspaces_lines_without_secrets() {
    for world in World::each().await {
        let (ada, bob) = (world.person("ada"), world.far_person("bob"));
        let [lab, other] = [
            ada.post("/workspaces", json!({"name": "Lab"})).await,
            bob.post("/workspaces", json!({"name": "Other"})).await,
        ]
        .map(|it| format!("/workspaces/{}", it["id"].as_str().unwrap()));
        join(&ada, &bob, &lab, "admin").await;
        let lines = ada.get(&format!("{lab}/audit")).await;
        let of = |lines: &Value, field: &str| -> Vec<String> {
            let lines = lines["items"].as_array().unwrap().iter();
            lines.map(|it| it[field].as_str().unwrap().to_owned()).collect()
        };
        assert_eq!(
            of(&lines, "action"),
            ["workspace.created", "invitation.made", "member.joined"]
        );
        assert_eq!(of(&lines, "actor"), ["dev/dev/ada", "dev/dev/ada", "dev/dev/bob"]);
        assert_eq!(of(&lines, "address"), ["127.0.0.1"; 3]);
        assert_eq!(
            bob.ask(Method::GET, &format!("{lab}/audit"), None).await.0,
            403,
            "an admin"
        );
        assert_eq!(
            ada.ask(Method::GET, &format!("{other}/audit"), None).await.0,
            404,
            "a stranger"
        );
        let url = format!("{}{lab}/audit/export", ada.base);
        let response = ada.http.get(url).header("x-domain-user", "ada").send().await.unwrap();
        assert_eq!(response.headers()["content-type"], "application/x-ndjson");
        let export = response.text().await.unwrap();
        let exported: Vec<Value> = export.lines().map(|it| serde_json::from_str(it).unwrap()).collect();
        assert_eq!(exported[..3], lines["items"].as_array().unwrap()[..]);
        assert_eq!(exported[3]["action"], "audit.exported");
        assert_eq!(exported.len(), 4);
        for line in &exported {
            assert_eq!(line["hash"].as_str().unwrap().len(), 64);
        }
    }
}

#[tokio::test]
async fn checklist_audit_what_cannot_be_written_down_does_not_happen() {
    for world in World::each().await {
        let ada = world.person("ada");
        let lab = ada.post("/workspaces", json!({"name": "Lab"})).await;
        let path = format!("/workspaces/{}", lab["id"].as_str().unwrap());
        let store = &world.node.app().store;
        tamper(
            store,
            "UPDATE audit SET id = (SELECT head_id + 1 FROM audit_ends) WHERE id = 1",
        )
        .await;
        let (status, _) = ada.ask(Method::PATCH, &path, Some(json!({"name": "Renamed"}))).await;
        assert_eq!(status, 500);
        assert_eq!(ada.get(&path).await["name"], "Lab");
    }
}

#[tokio::test]
async fn the_feed_has_no_holes_when_many_write_at_once() {
    for world in World::each().await {
        let ada = world.person("ada");
        let lab = ada.post("/workspaces", json!({"name": "Lab"})).await;
        let path = format!("/workspaces/{}", lab["id"].as_str().unwrap());
        let mut writers = tokio::task::JoinSet::new();
        for number in 0..12 {
            let (path, person) = (
                path.clone(),
                if number % 2 == 0 {
                    world.person("ada")
                } else {
                    world.far_person("ada")
                },
            );
            writers.spawn(async move {
                person
                    .ask(Method::PATCH, &path, Some(json!({"name": format!("Lab {number}")})))
                    .await
                    .0
            });
        }
        while let Some(done) = writers.join_next().await {
            assert_eq!(done.unwrap(), 200);
        }
        let feed = ada.get(&format!("{path}/activity")).await;
        let numbers: Vec<u64> = feed["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| it["seq"].as_u64().unwrap())
            .collect();
        assert_eq!(numbers, (1..=12).collect::<Vec<u64>>());
        let rest = ada.get(&format!("{path}/activity?after=10&limit=1")).await;
        assert_eq!((&rest["items"][0]["seq"], &rest["next"]), (&json!(11), &json!("11")));
    }
}

#[tokio::test]
async fn a_node_forgets_what_is_older_than_it_was_told_and_writes_that_down() {
    let world = World::new().await;
    let store = &world.node.app().store;
    for at in [1, 2, 3] {
        store.audit_alone(&entry("test.old", at)).await.unwrap();
    }
    let mut config = world.node.app().config.clone();
    config.audit_days = Some(30);
    // A second node on the same database; it looks when it starts.
    let other = server::node::Node::start(config, server::clock::Clock::system())
        .await
        .unwrap();
    let pruned = async {
        loop {
            let mut tx = store.begin().await.unwrap();
            let (lines,): (i64,) = sqlx::query_as("SELECT COUNT(*) FROM audit WHERE action = 'audit.pruned'")
                .fetch_one(&mut *tx)
                .await
                .unwrap();
            tx.rollback().await.unwrap();
            if lines == 1 {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    let limit = std::time::Duration::from_secs(30);
    tokio::time::timeout(limit, pruned)
        .await
        .map_err(|_| "nothing is forgotten")
        .unwrap();
    assert!(matches!(
        store.verify_audit().await.unwrap(),
        Chain::Whole { lines: 1, .. }
    ));
    other.stop().await;
}
