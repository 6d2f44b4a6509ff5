//! Deletions, and that ids of another workspace open nothing.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use server::store::deletions::Step;

use crate::membership::join;
use crate::world::{Person, World};

mod race;
mod turn;

async fn lab(person: &Person) -> (String, String) {
    let made = person.post("/workspaces", json!({"name": "Lab"})).await;
    let id = made["id"].as_str().unwrap().to_owned();
    (format!("/workspaces/{id}"), id)
}

/// The deletion's row once it is over. The workspace itself may be gone, so the database is asked.
async fn over(world: &World, id: &str) -> (String, i64) {
    let end = async {
        loop {
            let mut tx = world.node.app().store.begin().await.unwrap();
            let row: (String, i64) = sqlx::query_as("SELECT status, deleted FROM deletions WHERE id = $1")
                .bind(id)
                .fetch_one(&mut *tx)
                .await
                .unwrap();
            tx.rollback().await.unwrap();
            if !matches!(row.0.as_str(), "scheduled" | "running") {
                return row;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let end = tokio::time::timeout(Duration::from_secs(30), end).await;
    end.map_err(|_| "the deletion does not end").unwrap()
}

#[tokio::test]
async fn a_deletion_can_be_cancelled_or_forced_while_it_is_scheduled_and_not_after() {
    for world in World::each().await {
        let ada = world.person("ada");
        let (lab, id) = lab(&ada).await;
        let deletions = format!("{lab}/deletions");
        let ask = json!({"target": "workspace", "id": id});
        let one = ada.post(&deletions, ask.clone()).await;
        assert_eq!(one["status"], "scheduled");
        assert_eq!(
            one["run_at_ms"].as_u64().unwrap() - one["created_at_ms"].as_u64().unwrap(),
            600_000
        );
        let path = format!("{deletions}/{}", one["id"].as_str().unwrap());
        assert_eq!(
            ada.post(&format!("{path}/cancel"), json!({})).await["status"],
            "cancelled"
        );
        assert_eq!(ada.ask(Method::POST, &format!("{path}/force"), None).await.0, 409);
        assert_eq!(ada.get(&lab).await["name"], "Lab");
        for delay in [0, 8 * 24 * 3600] {
            let ask = json!({"target": "workspace", "id": id, "delay_s": delay});
            assert_eq!(ada.ask(Method::POST, &deletions, Some(ask)).await.0, 400);
        }
        let two = ada.post(&deletions, ask).await;
        let two = two["id"].as_str().unwrap().to_owned();
        ada.post(&format!("{deletions}/{two}/force"), json!({})).await;
        let (status, deleted) = over(&world, &two).await;
        assert_eq!(status, "completed");
        assert!(deleted >= 2, "the membership and the feed: {deleted}");
        assert_eq!(world.far_person("ada").ask(Method::GET, &lab, None).await.0, 404);
    }
}

#[tokio::test]
async fn a_deletion_goes_on_where_a_dead_node_left_it_and_that_node_can_do_no_more() {
    for world in World::each().await {
        let ada = world.person("ada");
        let (lab, id) = lab(&ada).await;
        let app = world.node.app();
        // More than two batches.
        let mut tx = app.store.begin().await.unwrap();
        for seq in 1000..2200_i64 {
            sqlx::query(
                "INSERT INTO activity (workspace_id, seq, at_ms, verb, object_kind, object_id, data) \
                 VALUES ($1, $2, 1, 'x', 'x', 'x', '{}')",
            )
            .bind(&id)
            .bind(seq)
            .execute(&mut *tx)
            .await
            .unwrap();
        }
        tx.commit().await.unwrap();
        let week = json!({"target": "workspace", "id": id, "delay_s": 7 * 24 * 3600});
        let made = ada.post(&format!("{lab}/deletions"), week).await;
        let made = made["id"].as_str().unwrap();
        // A node that has it for a moment, does one batch, and is not heard of again.
        let later = app.clock.now_ms() + 8 * 24 * 3_600_000;
        let mut dead = app
            .store
            .claim_deletion(later, 1000)
            .await
            .unwrap()
            .expect("it is due by then");
        assert!(
            app.store.claim_deletion(later, 1000).await.unwrap().is_none(),
            "one node has it"
        );
        let now = app.clock.now_ms();
        assert_eq!(
            app.store
                .delete_batch(&mut dead, now - 60_000, &mut Vec::new())
                .await
                .unwrap(),
            Step::More
        );
        let (status, deleted) = over(&world, made).await;
        assert_eq!(status, "completed");
        assert!(deleted > 1200, "{deleted}");
        assert_eq!(
            app.store.delete_batch(&mut dead, now, &mut Vec::new()).await.unwrap(),
            Step::Lost
        );
        let (left,): (i64,) = {
            let mut tx = app.store.begin().await.unwrap();
            sqlx::query_as("SELECT COUNT(*) FROM activity WHERE workspace_id = $1")
                .bind(&id)
                .fetch_one(&mut *tx)
                .await
                .unwrap()
        };
        assert_eq!(left, 0);
    }
}

#[tokio::test]
async fn a_person_is_taken_out_but_never_the_last_owner() {
    let world = World::new().await;
    let (ada, bob) = (world.person("ada"), world.person("bob"));
    let (lab, _) = lab(&ada).await;
    join(&ada, &bob, &lab, "admin").await;
    let ids = [ada.get("/me").await, bob.get("/me").await].map(|it| it["user_id"].as_str().unwrap().to_owned());
    let ask = |id: &str| json!({"target": "user", "id": id, "delay_s": 1});
    let deletions = format!("{lab}/deletions");
    assert_eq!(
        bob.ask(Method::POST, &deletions, Some(ask(&ids[0]))).await.0,
        403,
        "an admin"
    );
    let one = ada.post(&deletions, ask(&ids[1])).await;
    assert_eq!(over(&world, one["id"].as_str().unwrap()).await.0, "completed");
    assert_eq!(bob.ask(Method::GET, &lab, None).await.0, 404);
    let other = ada.post(&deletions, ask(&ids[0])).await;
    assert_eq!(over(&world, other["id"].as_str().unwrap()).await.0, "failed");
    let path = format!("{deletions}/{}", other["id"].as_str().unwrap());
    assert_eq!(ada.get(&path).await["error"], "A workspace has at least one owner.");
}

#[tokio::test]
async fn a_thread_goes_with_its_log_and_somebody_elses_private_one_is_not_there() {
    for world in World::each().await {
        let (ada, bob) = (world.person("ada"), world.far_person("bob"));
        let (lab, _) = lab(&ada).await;
        join(&ada, &bob, &lab, "member").await;
        let share = async |who: &Person, visibility: &str| {
            let new = json!({"title": "Plans", "visibility": visibility});
            let made = who.post(&format!("{lab}/threads"), new).await;
            made["id"].as_str().unwrap().to_owned()
        };
        let (private, open) = (share(&bob, "private").await, share(&bob, "workspace").await);
        let deletions = format!("{lab}/deletions");
        let ask = |id: &str| json!({"target": "thread", "id": id, "delay_s": 1});
        assert_eq!(ada.ask(Method::POST, &deletions, Some(ask(&private))).await.0, 404);
        let made = ada.post(&deletions, ask(&open)).await;
        assert_eq!(over(&world, made["id"].as_str().unwrap()).await.0, "completed");
        assert_eq!(
            bob.ask(Method::GET, &format!("{lab}/threads/{open}"), None).await.0,
            404
        );
        bob.get(&format!("{lab}/threads/{private}")).await;
        let feed = ada.get(&format!("{lab}/activity")).await.to_string();
        assert!(!feed.contains("Plans"), "{feed}");
    }
}

#[tokio::test]
async fn a_workspace_is_deleted_by_its_owner_in_the_plain_way_and_only_once() {
    let world = World::new().await;
    let (ada, bob) = (world.person("ada"), world.person("bob"));
    let (lab, id) = lab(&ada).await;
    join(&ada, &bob, &lab, "admin").await;
    assert_eq!(bob.ask(Method::DELETE, &lab, None).await.0, 403);
    let (status, one) = ada.ask(Method::DELETE, &lab, None).await;
    assert_eq!(status, 202);
    assert_eq!(
        (&one["target"], &one["target_id"], &one["status"]),
        (&json!("workspace"), &json!(id), &json!("scheduled"))
    );
    let delay = one["run_at_ms"].as_u64().unwrap() - one["created_at_ms"].as_u64().unwrap();
    assert_eq!(delay, 600_000);
    let (_, again) = ada.ask(Method::DELETE, &lab, None).await;
    assert_eq!(again["id"], one["id"], "asking again makes no second one");
    let path = format!("{lab}/deletions/{}", one["id"].as_str().unwrap());
    ada.post(&format!("{path}/cancel"), json!({})).await;
    let (_, new) = ada.ask(Method::DELETE, &lab, None).await;
    assert_ne!(new["id"], one["id"]);
    let path = format!("{lab}/deletions/{}", new["id"].as_str().unwrap());
    ada.post(&format!("{path}/force"), json!({})).await;
    assert_eq!(over(&world, new["id"].as_str().unwrap()).await.0, "completed");
    assert_eq!(ada.ask(Method::GET, &lab, None).await.0, 404);
}

#[tokio::test]
async fn a_deleted_thread_takes_its_files_along_but_not_bytes_that_another_file_has_too() {
    for world in World::each().await {
        let ada = world.person("ada");
        let (lab, _) = lab(&ada).await;
        let new = json!({"title": "Plans", "visibility": "workspace"});
        let thread = ada.post(&format!("{lab}/threads"), new.clone()).await["id"].clone();
        let of_thread = async |name: &str, bytes: &[u8]| {
            let new = json!({"name": name, "size": bytes.len(), "sha256": crate::artifacts::sha256(bytes), "thread_id": thread});
            let path = crate::artifacts::begin(&ada, &lab, new).await;
            let (status, body) = crate::artifacts::send(&ada, &path, 0, bytes.to_vec()).await;
            assert_eq!(status, 200, "{body}");
            body["artifact"]["id"].as_str().unwrap().to_owned()
        };
        let own = of_thread("own-secret.txt", b"only here").await;
        of_thread("shared.txt", b"also elsewhere").await;
        let kept = crate::artifacts::upload(&ada, &lab, "kept.txt", b"also elsewhere").await;
        let half = json!({"name": "half.txt", "size": 9, "sha256": "0".repeat(64), "thread_id": thread});
        let half = crate::artifacts::begin(&ada, &lab, half).await;
        crate::artifacts::send(&ada, &half, 0, "part").await;
        let storage = world.folder.path().join("artifacts");
        assert_eq!(files(&storage), 3, "two contents and a part");
        let ask = json!({"target": "thread", "id": thread, "delay_s": 1});
        let made = ada.post(&format!("{lab}/deletions"), ask).await;
        assert_eq!(over(&world, made["id"].as_str().unwrap()).await.0, "completed");
        assert_eq!(files(&storage), 1, "what another file has too");
        let content = format!("{lab}/artifacts/{}/content", kept["id"].as_str().unwrap());
        let bytes = ada
            .http
            .get(format!("{}{content}", ada.base))
            .header("x-domain-user", "ada");
        assert_eq!(bytes.send().await.unwrap().text().await.unwrap(), "also elsewhere");
        let artifact = format!("{lab}/artifacts/{own}");
        assert_eq!(ada.ask(Method::GET, &artifact, None).await.0, 404);
        assert_eq!(ada.ask(Method::GET, &half, None).await.0, 404);
        let feed = ada.get(&format!("{lab}/activity")).await.to_string();
        assert!(!feed.contains("own-secret"), "{feed}");
        // A thread that is shared under the same id again begins with nothing.
        let mut again = new;
        again["id"] = thread.clone();
        ada.post(&format!("{lab}/threads"), again).await;
        let listed = ada.get(&format!("{lab}/artifacts")).await;
        assert!(!listed.to_string().contains("shared.txt"), "{listed}");
        assert_eq!(ada.ask(Method::GET, &artifact, None).await.0, 404);
        assert_eq!(counted(&world, "SELECT used + reserved FROM room").await, 14);
        world.stop().await;
    }
}

#[tokio::test]
async fn a_thread_that_is_simply_deleted_loses_its_files_with_its_log() {
    let (hands, clock) = crate::threads::Hands::new();
    let world = World::at(clock, |_| ()).await;
    let ada = world.person("ada");
    let (lab, _) = lab(&ada).await;
    let thread = ada.post(&format!("{lab}/threads"), json!({"title": "Plans"})).await["id"].clone();
    let new = json!({"name": "a.txt", "size": 5, "sha256": crate::artifacts::sha256(b"hello"), "thread_id": thread});
    let path = crate::artifacts::begin(&ada, &lab, new).await;
    crate::artifacts::send(&ada, &path, 0, "hello").await;
    let path = format!("{lab}/threads/{}", thread.as_str().unwrap());
    assert_eq!(ada.ask(Method::DELETE, &path, None).await.0, 204);
    let storage = world.folder.path().join("artifacts");
    server::job::log::once(world.node.app()).await.unwrap();
    assert_eq!(files(&storage), 1, "somebody may still want it back");
    hands.on(601_000);
    server::job::log::once(world.node.app()).await.unwrap();
    assert_eq!(files(&storage), 0);
    assert_eq!(counted(&world, "SELECT COUNT(*) FROM threads").await, 0);
    assert_eq!(counted(&world, "SELECT COUNT(*) FROM artifact_versions").await, 0);
}

/// The one number that a question to the database answers.
async fn counted(world: &World, sql: &'static str) -> i64 {
    let mut tx = world.node.app().store.begin().await.unwrap();
    let (count,): (i64,) = sqlx::query_as(sql).fetch_one(&mut *tx).await.unwrap();
    tx.rollback().await.unwrap();
    count
}

/// Two workspaces of two owners, each with an invitation, a binding and a deletion.
async fn two_labs(world: &World) -> [(Person, String, Vec<String>); 2] {
    let mut labs = Vec::new();
    for name in ["ada", "eve"] {
        let person = world.person(name);
        let (path, id) = lab(&person).await;
        let invitation = person
            .post(&format!("{path}/invitations"), json!({"role": "viewer"}))
            .await;
        let group = json!({"kind": "group", "tid": "dev", "value": name, "role": "viewer"});
        let binding = person.post(&format!("{path}/bindings"), group).await;
        let deletion = person
            .post(&format!("{path}/deletions"), json!({"target": "workspace", "id": id}))
            .await;
        let of = |it: &Value| it["id"].as_str().unwrap().to_owned();
        labs.push((person, path, vec![of(&invitation), of(&binding), of(&deletion), id]));
    }
    labs.try_into().unwrap_or_else(|_| panic!("two"))
}

#[tokio::test]
async fn checklist_01_an_object_of_another_workspace_is_nowhere_in_ones_own() {
    for world in World::each().await {
        let [(ada, lab, own), (_, _, foreign)] = two_labs(&world).await;
        let check = async |ids: &[String], expect: [u16; 4]| {
            let [invitation, binding, deletion, _] = ids else {
                panic!("four")
            };
            let asks = [
                (Method::GET, format!("{lab}/deletions/{deletion}")),
                (Method::POST, format!("{lab}/deletions/{deletion}/cancel")),
                (Method::DELETE, format!("{lab}/bindings/{binding}")),
                (Method::DELETE, format!("{lab}/invitations/{invitation}")),
            ];
            for ((method, path), expect) in asks.into_iter().zip(expect) {
                assert_eq!(
                    ada.ask(method.clone(), &path, None).await.0.as_u16(),
                    expect,
                    "{method} {path}"
                );
            }
        };
        check(&foreign, [404; 4]).await;
        check(&own, [200, 200, 204, 204]).await;
    }
}

#[tokio::test]
async fn checklist_02_an_id_in_the_body_must_be_of_the_workspace_in_the_path() {
    for world in World::each().await {
        let [(ada, lab, _), (eve, eves, foreign)] = two_labs(&world).await;
        let eve_id = eve.get("/me").await["user_id"].clone();
        for (target, id) in [
            ("workspace", json!(foreign[3])),
            ("user", eve_id),
            ("document", json!("notes")),
        ] {
            let ask = json!({"target": target, "id": id});
            let (status, _) = ada.ask(Method::POST, &format!("{lab}/deletions"), Some(ask)).await;
            assert_eq!(status, 404, "{target}");
        }
        assert_eq!(eve.get(&eves).await["name"], "Lab");
    }
}

#[tokio::test]
async fn checklist_03_nested_lists_hold_ones_own_only() {
    for world in World::each().await {
        let [(ada, lab, own), (_, eves, foreign)] = two_labs(&world).await;
        for list in ["invitations", "bindings", "deletions", "members", "activity", "audit"] {
            assert_eq!(
                ada.ask(Method::GET, &format!("{eves}/{list}"), None).await.0,
                404,
                "{list}"
            );
            let items = ada.get(&format!("{lab}/{list}")).await.to_string();
            assert!(!foreign.iter().any(|it| items.contains(it)), "{list}: {items}");
            assert!(
                list == "members" || own.iter().any(|it| items.contains(it)),
                "{list} is empty: {items}"
            );
        }
    }
}

/// All files below a folder.
fn files(folder: &std::path::Path) -> usize {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return 0;
    };
    entries
        .map(|it| it.unwrap().path())
        .map(|it| if it.is_dir() { files(&it) } else { 1 })
        .sum()
}

/// How many rows of a workspace there are in each table that has any.
async fn rows(world: &World, workspace: &str) -> Vec<(String, i64)> {
    let store = &world.node.app().store;
    let sql = match store.kind() {
        server::store::Kind::Sqlite => {
            "SELECT m.name FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = 'table' AND c.name = 'workspace_id'"
        }
        server::store::Kind::Postgres => {
            "SELECT CAST(table_name AS TEXT) FROM information_schema.columns \
             WHERE table_schema = 'public' AND column_name = 'workspace_id'"
        }
    };
    let mut tx = store.begin().await.unwrap();
    let tables: Vec<(String,)> = sqlx::query_as(sql).fetch_all(&mut *tx).await.unwrap();
    assert!(tables.len() > 10, "{tables:?}");
    let mut found = Vec::new();
    for (table,) in tables {
        let sql = format!("SELECT COUNT(*) FROM {table} WHERE workspace_id = $1");
        let (count,): (i64,) = sqlx::query_as(sqlx::AssertSqlSafe(sql))
            .bind(workspace)
            .fetch_one(&mut *tx)
            .await
            .unwrap();
        if count > 0 {
            found.push((table, count));
        }
    }
    // Tables of what hangs on one of those.
    for table in ["artifact_versions", "upload_parts", "events", "producers"] {
        let sql = format!("SELECT COUNT(*) FROM {table}");
        let (count,): (i64,) = sqlx::query_as(sqlx::AssertSqlSafe(sql))
            .fetch_one(&mut *tx)
            .await
            .unwrap();
        if count > 0 {
            found.push((table.to_owned(), count));
        }
    }
    found.sort();
    found
}

#[tokio::test]
async fn a_deleted_workspace_leaves_neither_rows_nor_bytes() {
    for world in World::each().await {
        let ada = world.person("ada");
        let (lab, id) = lab(&ada).await;
        ada.post(&format!("{lab}/invitations"), json!({"role": "viewer"})).await;
        ada.post(
            &format!("{lab}/threads"),
            json!({"title": "Plans", "visibility": "workspace"}),
        )
        .await;
        crate::artifacts::upload(&ada, &lab, "a.txt", b"hello").await;
        let broken = json!({"name": "b.txt", "size": 9, "sha256": "0".repeat(64), "media_type": "text/plain"});
        let broken = crate::artifacts::begin(&ada, &lab, broken).await;
        crate::artifacts::send(&ada, &broken, 0, "part").await;
        let storage = world.folder.path().join("artifacts");
        assert_eq!(files(&storage), 2, "a file and a part of one");
        let before = rows(&world, &id).await;
        for table in [
            "threads",
            "blobs",
            "uploads",
            "upload_parts",
            "artifact_versions",
            "room",
        ] {
            assert!(before.iter().any(|it| it.0 == table), "{table}: {before:?}");
        }
        let ask = json!({"target": "workspace", "id": id, "delay_s": 1});
        let made = ada.post(&format!("{lab}/deletions"), ask).await;
        assert_eq!(over(&world, made["id"].as_str().unwrap()).await.0, "completed");
        let left: Vec<_> = rows(&world, &id).await.into_iter().map(|it| it.0).collect();
        assert_eq!(left, ["audit", "deletions"]);
        assert_eq!(files(&storage), 0);
    }
}

#[tokio::test]
async fn a_file_goes_with_its_bytes_and_the_feed_forgets_its_name() {
    for world in World::each().await {
        let ada = world.person("ada");
        let (lab, _) = lab(&ada).await;
        let file = crate::artifacts::upload(&ada, &lab, "secret-plan.txt", b"hello").await;
        let ask = json!({"target": "artifact", "id": file["id"], "delay_s": 1});
        let made = ada.post(&format!("{lab}/deletions"), ask.clone()).await;
        assert_eq!(over(&world, made["id"].as_str().unwrap()).await.0, "completed");
        assert_eq!(files(&world.folder.path().join("artifacts")), 0);
        let feed = ada.get(&format!("{lab}/activity")).await.to_string();
        assert!(!feed.contains("secret-plan"), "{feed}");
        assert_eq!(
            ada.ask(Method::POST, &format!("{lab}/deletions"), Some(ask)).await.0,
            404
        );
    }
}
