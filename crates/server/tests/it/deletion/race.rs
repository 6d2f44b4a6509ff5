//! Uploads that meet the deletion of what they are for: whoever comes second leaves nothing behind. The database's lock is
//! the test's own, so it says who comes second.

use std::path::{Path, PathBuf};
use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sqlx::{Any, Transaction};
use tokio::task::JoinSet;

use super::{files, lab, over, rows};
use crate::artifacts::{begin, send, sha256};
use crate::world::{Person, World};

/// Waits until there are so many files: the server has written, and wants to write it down.
async fn files_are(storage: &Path, number: usize) {
    let wait = async {
        while files(storage) != number {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(4), wait)
        .await
        .unwrap_or_else(|_| panic!("{} files, never {number}", files(storage)));
}

struct Lab {
    world: World,
    ada: Person,
    path: String,
    id: String,
    storage: PathBuf,
}

impl Lab {
    async fn each() -> Vec<Self> {
        let mut labs = Vec::new();
        for world in World::each().await {
            let ada = world.person("ada");
            let (path, id) = lab(&ada).await;
            let storage = world.folder.path().join("artifacts");
            labs.push(Self {
                world,
                ada,
                path,
                id,
                storage,
            });
        }
        labs
    }

    async fn upload(&self, bytes: &[u8], thread: &Value) -> String {
        let new = json!({"name": "a.txt", "size": bytes.len(), "sha256": sha256(bytes), "thread_id": thread});
        begin(&self.ada, &self.path, new).await
    }

    /// Takes the workspace's row. Until the transaction ends nothing gets into the workspace.
    async fn held(&self) -> Transaction<'static, Any> {
        let mut tx = self.world.node.app().store.begin().await.unwrap();
        sqlx::query("UPDATE workspaces SET activity_seq = activity_seq WHERE id = $1")
            .bind(&self.id)
            .execute(&mut *tx)
            .await
            .unwrap();
        tx
    }

    /// What the deletion does first.
    async fn close(&self, mut tx: Transaction<'static, Any>) {
        sqlx::query("UPDATE workspaces SET deleted_at_ms = 1, name = '' WHERE id = $1")
            .bind(&self.id)
            .execute(&mut *tx)
            .await
            .unwrap();
        tx.commit().await.unwrap();
    }

    fn send_soon(&self, upload: &str, offset: u64, body: &'static str) -> JoinSet<(StatusCode, Value)> {
        let (ada, upload) = (self.ada.clone(), upload.to_owned());
        let mut sent = JoinSet::new();
        sent.spawn(async move { send(&ada, &upload, offset, body).await });
        sent
    }

    async fn deletion(&self, target: &str, id: &Value, delay_s: u64) -> String {
        let ask = json!({"target": target, "id": id, "delay_s": delay_s});
        let made = self.ada.post(&format!("{}/deletions", self.path), ask).await;
        made["id"].as_str().unwrap().to_owned()
    }

    /// Lets a deletion begin.
    async fn run(&self, deletion: &str) {
        let mut tx = self.world.node.app().store.begin().await.unwrap();
        sqlx::query("UPDATE deletions SET run_at_ms = 1 WHERE id = $1")
            .bind(deletion)
            .execute(&mut *tx)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        assert_eq!(over(&self.world, deletion).await.0, "completed");
    }

    async fn ends_empty(self) {
        let left: Vec<_> = rows(&self.world, &self.id).await.into_iter().map(|it| it.0).collect();
        assert_eq!(left, ["audit", "deletions"]);
        assert_eq!(files(&self.storage), 0);
        self.world.stop().await;
    }
}

#[tokio::test]
async fn bytes_that_come_as_the_workspace_goes_are_not_kept() {
    for lab in Lab::each().await {
        let upload = lab.upload(b"part", &Value::Null).await;
        let deletion = lab.deletion("workspace", &json!(lab.id), 600).await;
        let tx = lab.held().await;
        let mut sent = lab.send_soon(&upload, 0, "part");
        files_are(&lab.storage, 1).await;
        lab.close(tx).await;
        let (status, body) = sent.join_next().await.unwrap().unwrap();
        assert_eq!(status, 404, "{body}");
        assert_eq!(files(&lab.storage), 0);
        lab.run(&deletion).await;
        lab.ends_empty().await;
    }
}

#[tokio::test]
async fn a_file_that_is_whole_as_the_workspace_goes_does_not_become_one() {
    for lab in Lab::each().await {
        let upload = lab.upload(b"part and rest", &Value::Null).await;
        send(&lab.ada, &upload, 0, "part").await;
        // As if the last bytes had come and the node had died before it joined them.
        let mut tx = lab.held().await;
        sqlx::query("UPDATE uploads SET size = 4, sha256 = $1")
            .bind(sha256(b"part"))
            .execute(&mut *tx)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        let deletion = lab.deletion("workspace", &json!(lab.id), 600).await;
        let tx = lab.held().await;
        let mut sent = lab.send_soon(&upload, 4, "");
        files_are(&lab.storage, 2).await;
        lab.close(tx).await;
        let (status, body) = sent.join_next().await.unwrap().unwrap();
        assert_eq!(status, 404, "{body}");
        assert_eq!(files(&lab.storage), 1, "the part, which the deletion knows of");
        lab.run(&deletion).await;
        lab.ends_empty().await;
    }
}

#[tokio::test]
async fn what_is_sent_after_the_deletion_is_refused_and_nothing_of_it_stays() {
    for lab in Lab::each().await {
        let upload = lab.upload(b"part and rest", &Value::Null).await;
        send(&lab.ada, &upload, 0, "part").await;
        let deletion = lab.deletion("workspace", &json!(lab.id), 600).await;
        lab.run(&deletion).await;
        assert_eq!(send(&lab.ada, &upload, 4, " and rest").await.0, 404);
        lab.ends_empty().await;
    }
}

#[tokio::test]
async fn a_file_for_a_thread_or_a_file_that_goes_meanwhile_is_refused() {
    for lab in Lab::each().await {
        let threads = format!("{}/threads", lab.path);
        let thread = lab.ada.post(&threads, json!({"title": "Plans"})).await["id"].clone();
        let late = lab.upload(b"part", &thread).await;
        let path = format!("{threads}/{}", thread.as_str().unwrap());
        assert_eq!(lab.ada.ask(Method::DELETE, &path, None).await.0, 204);
        // Its log is there for ten more minutes; the upload's bytes are not.
        assert_eq!(send(&lab.ada, &late, 0, "part").await.0, 404);
        assert_eq!(files(&lab.storage), 0);
        assert_eq!(lab.ada.ask(Method::GET, &late, None).await.0, 404);

        let file = crate::artifacts::upload(&lab.ada, &lab.path, "b.txt", b"one").await;
        let new = json!({"name": "b.txt", "size": 3, "sha256": sha256(b"two"), "artifact_id": file["id"]});
        let late = begin(&lab.ada, &lab.path, new).await;
        let path = format!("{}/artifacts/{}", lab.path, file["id"].as_str().unwrap());
        assert_eq!(lab.ada.ask(Method::DELETE, &path, None).await.0, 204);
        assert_eq!(send(&lab.ada, &late, 0, "two").await.0, 404);
        assert_eq!(files(&lab.storage), 0);
        assert_eq!(super::counted(&lab.world, "SELECT used + reserved FROM room").await, 0);
        lab.world.stop().await;
    }
}
