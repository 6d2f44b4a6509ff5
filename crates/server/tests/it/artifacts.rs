//! Shared files: sent, checked, found again, and nobody else's.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use reqwest::header::{HeaderMap, RANGE};
use reqwest::{Body, Method, StatusCode};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use server::clock::Clock;
use server::job;

use crate::world::{Person, World};

pub(crate) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|it| format!("{it:02x}")).collect()
}

async fn workspace(person: &Person) -> String {
    let made = person.post("/workspaces", json!({"name": "Lab"})).await;
    format!("/workspaces/{}", made["id"].as_str().unwrap())
}

/// Sends bytes of an upload and answers the status and the body.
pub(crate) async fn send(person: &Person, upload: &str, offset: u64, body: impl Into<Body>) -> (StatusCode, Value) {
    let request = person
        .http
        .put(format!("{}{upload}?offset={offset}", person.base))
        .header("x-domain-user", &person.name)
        .body(body);
    let response = request.send().await.unwrap();
    (response.status(), response.json().await.unwrap())
}

pub(crate) async fn begin(person: &Person, workspace: &str, new: Value) -> String {
    let upload = person.post(&format!("{workspace}/uploads"), new).await;
    format!("{workspace}/uploads/{}", upload["id"].as_str().unwrap())
}

/// Uploads in one piece and answers the artifact.
pub(crate) async fn upload(person: &Person, workspace: &str, name: &str, bytes: &[u8]) -> Value {
    let new =
        json!({"name": name, "size": bytes.len(), "sha256": sha256(bytes), "media_type": "text/plain; charset=utf-8"});
    let path = begin(person, workspace, new).await;
    let (status, body) = send(person, &path, 0, bytes.to_vec()).await;
    assert_eq!(status, StatusCode::OK, "{body}");
    body["artifact"].clone()
}

async fn download(person: &Person, path: &str, range: Option<&str>) -> (StatusCode, HeaderMap, Vec<u8>) {
    let mut request = person
        .http
        .get(format!("{}{path}/content", person.base))
        .header("x-domain-user", &person.name);
    if let Some(range) = range {
        request = request.header(RANGE, range);
    }
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status(), response.headers().clone());
    (status, headers, response.bytes().await.unwrap().to_vec())
}

#[tokio::test]
async fn a_file_goes_up_and_comes_down_on_another_node() {
    for world in World::each().await {
        let ada = world.person("ada");
        let lab = workspace(&ada).await;
        let file = upload(&ada, &lab, "Bericht März.txt", b"hello").await;
        assert_eq!(
            (&file["name"], &file["media_type"], &file["version"], &file["size"]),
            (&json!("Bericht März.txt"), &json!("text/plain"), &json!(1), &json!(5))
        );
        let far = world.far_person("ada");
        let path = format!("{lab}/artifacts/{}", file["id"].as_str().unwrap());
        let (status, headers, bytes) = download(&far, &path, None).await;
        assert_eq!((status, bytes.as_slice()), (StatusCode::OK, &b"hello"[..]));
        for (name, value) in [
            ("content-type", "text/plain"),
            (
                "content-disposition",
                "attachment; filename*=UTF-8''Bericht%20M%C3%A4rz.txt",
            ),
            ("x-content-type-options", "nosniff"),
            ("content-security-policy", "sandbox; default-src 'none'"),
            ("cross-origin-resource-policy", "same-origin"),
            ("cache-control", "no-store"),
            ("content-length", "5"),
        ] {
            assert_eq!(headers[name], value, "{name}");
        }
        assert_eq!(far.get(&format!("{lab}/artifacts")).await, json!([file]));
        let lines = far.get(&format!("{lab}/activity")).await.to_string();
        assert!(lines.contains("artifact.uploaded"), "{lines}");
        world.stop().await;
    }
}

#[tokio::test]
async fn an_upload_goes_on_where_it_broke_on_any_node() {
    for world in World::each().await {
        let (ada, far) = (world.person("ada"), world.far_person("ada"));
        let lab = workspace(&ada).await;
        let bytes: Vec<u8> = (0..100_000u32).flat_map(u32::to_le_bytes).collect();
        let new = json!({"name": "big.bin", "size": bytes.len(), "sha256": sha256(&bytes)});
        let path = begin(&ada, &lab, new).await;
        // A connection that breaks after so many bytes.
        let mut line = TcpStream::connect(world.node.address()).await.unwrap();
        let head = format!(
            "PUT /api/v1{path}?offset=0 HTTP/1.1\r\nHost: {}\r\nX-Domain-User: ada\r\nContent-Length: {}\r\n\r\n",
            world.node.address(),
            bytes.len()
        );
        line.write_all(head.as_bytes()).await.unwrap();
        line.write_all(&bytes[..150_000]).await.unwrap();
        line.shutdown().await.unwrap();
        let offset = tokio::time::timeout(Duration::from_secs(30), async {
            loop {
                let there = far.get(&path).await["offset"].as_u64().unwrap();
                if there > 0 {
                    break there;
                }
                // Nothing tells a client what another one's upload has come to.
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        })
        .await
        .expect("what came is kept");
        assert_eq!(offset, 150_000);
        let (status, body) = send(&far, &path, 0, bytes.clone()).await;
        assert_eq!((status, &body["offset"]), (StatusCode::CONFLICT, &json!(150_000)));
        let (status, body) = send(&far, &path, 150_000, bytes[150_000..200_000].to_vec()).await;
        assert_eq!((status, &body["offset"]), (StatusCode::OK, &json!(200_000)));
        let (status, body) = send(&ada, &path, 200_000, bytes[200_000..].to_vec()).await;
        assert_eq!(status, StatusCode::OK, "{body}");
        let artifact = format!("{lab}/artifacts/{}", body["artifact"]["id"].as_str().unwrap());
        let (_, _, read) = download(&far, &artifact, None).await;
        assert!(read == bytes);
        let (status, headers, read) = download(&far, &artifact, Some("bytes=399990-")).await;
        assert_eq!(
            (status, read.as_slice()),
            (StatusCode::PARTIAL_CONTENT, &bytes[399_990..])
        );
        assert_eq!(headers["content-range"], "bytes 399990-399999/400000");
        // The whole answer again, for a client that did not hear it.
        let (status, again) = send(&ada, &path, 0, Vec::new()).await;
        assert_eq!((status, &again["artifact"]), (StatusCode::OK, &body["artifact"]));
        world.stop().await;
    }
}

#[tokio::test]
async fn checklist_artifacts_what_does_not_add_up_is_not_kept() {
    let world = World::with(|it| {
        it.limits.artifact_bytes = 1000;
        it.limits.workspace_bytes = 1500;
        it.limits.uploads = 2;
    })
    .await;
    let ada = world.person("ada");
    let lab = workspace(&ada).await;
    let uploads = format!("{lab}/uploads");
    let wrong = json!({"name": "a", "size": 3, "sha256": sha256(b"abc")});
    let path = begin(&ada, &lab, wrong.clone()).await;
    let (status, body) = send(&ada, &path, 0, "abd").await;
    assert_eq!(
        (status, &body["code"]),
        (StatusCode::BAD_REQUEST, &json!("invalid_request"))
    );
    assert_eq!(ada.ask(Method::GET, &path, None).await.0, StatusCode::NOT_FOUND);
    let path = begin(&ada, &lab, wrong).await;
    let (status, body) = send(&ada, &path, 0, "abcd").await;
    assert_eq!(
        (status, &body["code"]),
        (StatusCode::PAYLOAD_TOO_LARGE, &json!("too_large"))
    );
    assert_eq!(ada.ask(Method::DELETE, &path, None).await.0, StatusCode::NO_CONTENT);
    for (bad, code) in [
        (
            json!({"name": "a/b", "size": 1, "sha256": sha256(b"a")}),
            "invalid_request",
        ),
        (json!({"name": "a", "size": 1, "sha256": "A"}), "invalid_request"),
        (json!({"name": "a", "size": 1001, "sha256": sha256(b"a")}), "too_large"),
        (
            json!({"name": "a", "size": 1, "sha256": sha256(b"a"), "created_by": "me"}),
            "invalid_request",
        ),
        (
            json!({"name": "a", "size": 1, "sha256": sha256(b"a"), "artifact_id": "x"}),
            "not_found",
        ),
        (
            json!({"name": "a", "size": 1, "sha256": sha256(b"a"), "thread_id": "x"}),
            "not_found",
        ),
    ] {
        let (_, body) = ada.ask(Method::POST, &uploads, Some(bad)).await;
        assert_eq!(body["code"], code, "{body}");
    }
    let big = |name: &str| json!({"name": name, "size": 1000, "sha256": sha256(&[0; 1000])});
    let first = begin(&ada, &lab, big("a")).await;
    let (status, body) = ada.ask(Method::POST, &uploads, Some(big("b"))).await;
    assert_eq!(
        (status, &body["code"], &body["used"]),
        (StatusCode::INSUFFICIENT_STORAGE, &json!("quota_exceeded"), &json!(1000))
    );
    let small = json!({"name": "c", "size": 1, "sha256": sha256(b"c")});
    begin(&ada, &lab, small.clone()).await;
    let (status, _) = ada.ask(Method::POST, &uploads, Some(small)).await;
    assert_eq!(status, StatusCode::TOO_MANY_REQUESTS);
    // Room that was reserved comes back.
    ada.ask(Method::DELETE, &first, None).await;
    begin(&ada, &lab, big("b")).await;
    world.stop().await;
}

#[tokio::test]
async fn checklist_artifacts_an_upload_that_nobody_goes_on_with_ends_and_frees_its_room() {
    let hands = Arc::new(AtomicU64::new(1_800_000_000_000));
    let now = Arc::clone(&hands);
    let clock = Clock::new(move || now.load(Ordering::SeqCst));
    let world = World::at(clock, |it| it.limits.workspace_bytes = 10).await;
    let ada = world.person("ada");
    let lab = workspace(&ada).await;
    let new = json!({"name": "a", "size": 10, "sha256": sha256(b"0123456789")});
    let path = begin(&ada, &lab, new.clone()).await;
    send(&ada, &path, 0, "01234").await;
    job::uploads::once(world.node.app()).await.unwrap();
    assert_eq!(ada.get(&path).await["offset"], 5);
    hands.fetch_add(25 * 3600 * 1000, Ordering::SeqCst);
    assert_eq!(send(&ada, &path, 5, "56789").await.0, StatusCode::NOT_FOUND);
    job::uploads::once(world.node.app()).await.unwrap();
    assert_eq!(stored(&world), 0);
    begin(&ada, &lab, new).await;
    world.stop().await;
}

#[tokio::test]
async fn checklist_artifacts_the_same_bytes_are_kept_once_and_leave_with_the_last_of_them() {
    for world in World::each().await {
        let ada = world.person("ada");
        let lab = workspace(&ada).await;
        let other = workspace(&ada).await;
        let one = upload(&ada, &lab, "one.txt", b"same").await;
        let two = upload(&ada, &lab, "two.txt", b"same").await;
        // Another workspace has its own copy: nobody learns there that the bytes were known.
        upload(&ada, &other, "three.txt", b"same").await;
        let path = |file: &Value| format!("{lab}/artifacts/{}", file["id"].as_str().unwrap());
        assert_eq!(stored(&world), 2);
        ada.ask(Method::DELETE, &path(&one), None).await;
        assert_eq!(download(&ada, &path(&two), None).await.2, b"same");
        assert_eq!(ada.ask(Method::GET, &path(&one), None).await.0, StatusCode::NOT_FOUND);
        ada.ask(Method::DELETE, &path(&two), None).await;
        assert_eq!(stored(&world), 1);
        world.stop().await;
    }
}

/// How many files the storage holds.
fn stored(world: &World) -> usize {
    let mut folders = vec![world.folder.path().join("artifacts")];
    let mut files = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                files += 1;
            }
        }
    }
    files
}

#[tokio::test]
async fn a_new_version_keeps_the_id_and_the_old_bytes() {
    let world = World::new().await;
    let ada = world.person("ada");
    let lab = workspace(&ada).await;
    let first = upload(&ada, &lab, "plan.md", b"one").await;
    let new = json!({"name": "plan.md", "size": 3, "sha256": sha256(b"two"), "artifact_id": first["id"]});
    let path = begin(&ada, &lab, new).await;
    let (_, body) = send(&ada, &path, 0, "two").await;
    assert_eq!(
        (&body["artifact"]["id"], &body["artifact"]["version"]),
        (&first["id"], &json!(2))
    );
    let path = format!("{lab}/artifacts/{}", first["id"].as_str().unwrap());
    let versions = ada.get(&path).await;
    assert_eq!((versions.as_array().unwrap().len(), &versions[1]), (2, &first));
    let old = ada
        .http
        .get(format!("{}{path}/content?version=1", ada.base))
        .header("x-domain-user", "ada");
    assert_eq!(old.send().await.unwrap().text().await.unwrap(), "one");
    assert_eq!(download(&ada, &path, None).await.2, b"two");
    assert_eq!(
        download(&ada, &path, Some("bytes=7-9")).await.0,
        StatusCode::RANGE_NOT_SATISFIABLE
    );
    let empty = upload(&ada, &lab, "empty", b"").await;
    let path = format!("{lab}/artifacts/{}", empty["id"].as_str().unwrap());
    assert_eq!(download(&ada, &path, None).await.2, b"");
    world.stop().await;
}

#[tokio::test]
async fn checklist_01_files_and_uploads_of_others_are_not_there() {
    let world = World::new().await;
    let (ada, bob) = (world.person("ada"), world.person("bob"));
    let lab = workspace(&ada).await;
    let file = upload(&ada, &lab, "a.txt", b"a").await;
    let id = file["id"].as_str().unwrap();
    let under_way = begin(&ada, &lab, json!({"name": "b", "size": 1, "sha256": sha256(b"b")})).await;
    let bobs = workspace(&bob).await;
    let foreign = under_way.replace(&lab, &bobs);
    for path in [
        format!("{lab}/artifacts"),
        format!("{lab}/artifacts/{id}"),
        format!("{lab}/artifacts/{id}/content"),
        format!("{bobs}/artifacts/{id}"),
        format!("{bobs}/artifacts/{id}/content"),
        foreign.clone(),
        under_way,
    ] {
        assert_eq!(
            bob.ask(Method::GET, &path, None).await.0,
            StatusCode::NOT_FOUND,
            "{path}"
        );
    }
    assert_eq!(send(&bob, &foreign, 0, "b").await.0, StatusCode::NOT_FOUND);
    let new = json!({"name": "b", "size": 1, "sha256": sha256(b"b"), "artifact_id": id});
    let (status, _) = bob.ask(Method::POST, &format!("{bobs}/uploads"), Some(new)).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    world.stop().await;
}
