//! What every request passes.

use std::sync::{Arc, Mutex};

use reqwest::header::{HeaderMap, HeaderName};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use server::clock::Clock;
use server::node::Node;

use crate::world::{World, development};

async fn send(world: &World, method: Method, path: &str, headers: &[(&str, &str)]) -> (StatusCode, HeaderMap, Value) {
    let mut request = reqwest::Client::new().request(method, format!("http://{}{path}", world.node.address()));
    for (name, value) in headers {
        request = request.header(name.parse::<HeaderName>().unwrap(), *value);
    }
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status(), response.headers().clone());
    let bytes = response.bytes().await.unwrap();
    (status, headers, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
}

#[tokio::test]
async fn checklist_cors_only_pages_of_the_list_are_answered() {
    let world = World::with(|it| it.allowed_origins = vec!["https://app.example.com".to_owned()]).await;
    let ada = ("x-domain-user", "ada");
    for page in ["tauri://localhost", "http://tauri.localhost", "https://app.example.com"] {
        let (status, headers, _) = send(&world, Method::GET, "/api/v1/me", &[ada, ("origin", page)]).await;
        assert_eq!(
            (status, &headers["access-control-allow-origin"]),
            (StatusCode::OK, &page.parse().unwrap())
        );
        assert!(headers["vary"].to_str().unwrap().contains("origin"));
        assert!(
            !headers.contains_key("access-control-allow-credentials"),
            "there are no cookies"
        );
        let asks = [("origin", page), ("access-control-request-method", "DELETE")];
        let (status, headers, _) = send(&world, Method::OPTIONS, "/api/v1/me", &asks).await;
        assert_eq!(
            (status, &headers["access-control-allow-origin"]),
            (StatusCode::NO_CONTENT, &page.parse().unwrap())
        );
        assert!(
            headers["access-control-allow-methods"]
                .to_str()
                .unwrap()
                .contains("DELETE")
        );
        assert!(
            headers["access-control-allow-headers"]
                .to_str()
                .unwrap()
                .contains("authorization")
        );
    }
    for page in [
        "null",
        "https://evil.example.com",
        "https://app.example.com:8443",
        "http://app.example.com",
    ] {
        for method in [Method::GET, Method::POST, Method::OPTIONS] {
            let asks = [ada, ("origin", page), ("access-control-request-method", "GET")];
            let (status, headers, _) = send(&world, method.clone(), "/api/v1/me", &asks).await;
            assert_eq!(status, StatusCode::FORBIDDEN, "{method} {page}");
            assert!(!headers.contains_key("access-control-allow-origin"), "{method} {page}");
        }
    }
    let (status, headers, _) = send(&world, Method::GET, "/api/v1/me", &[ada]).await;
    assert_eq!(status, StatusCode::OK);
    assert!(!headers.contains_key("access-control-allow-origin") && !headers.contains_key("set-cookie"));
}

#[tokio::test]
async fn checklist_cors_a_name_that_is_not_the_servers_is_refused() {
    let world = World::with(|it| it.server_url = Some("https://zspark.example.com".parse().unwrap())).await;
    let ada = ("x-domain-user", "ada");
    let check = async |host: &str, expect: u16| {
        let (status, ..) = send(&world, Method::GET, "/api/v1/me", &[ada, ("host", host)]).await;
        assert_eq!(status.as_u16(), expect, "{host}");
    };
    check("zspark.example.com", 200).await;
    check("localhost:8787", 200).await;
    check("rebound.evil.com", 403).await;
    check("rebound.evil.com:8787", 403).await;
    let (status, ..) = send(&world, Method::GET, "/healthz", &[("host", "node-3.cluster")]).await;
    assert_eq!(status, StatusCode::OK, "whoever runs it asks under any name");
}

#[tokio::test]
async fn checklist_resources_large_headers_and_bodies_are_refused_with_a_reason() {
    let world = World::new().await;
    let long = "x".repeat(33 * 1024);
    let (status, _, problem) = send(&world, Method::GET, "/api/v1/me", &[("x-long", &long)]).await;
    assert_eq!((status.as_u16(), &problem["limit"]), (431, &json!(32 * 1024)));
    let body = json!({"name": "x".repeat(300 * 1024)});
    let (status, problem) = world.person("ada").ask(Method::POST, "/workspaces", Some(body)).await;
    assert_eq!(
        (status.as_u16(), &problem["code"], &problem["limit"]),
        (413, &json!("too_large"), &json!(256 * 1024))
    );
    let url = format!("http://{}/api/v1/workspaces", world.node.address());
    let send = async |kind: &str, body: &str| {
        let request = reqwest::Client::new().post(&url).header("x-domain-user", "ada");
        let response = request
            .header("content-type", kind)
            .body(body.to_owned())
            .send()
            .await
            .unwrap();
        (
            response.status().as_u16(),
            response.json::<Value>().await.unwrap()["code"].clone(),
        )
    };
    let invalid = (400, json!("invalid_request"));
    assert_eq!(
        send("text/plain", "{\"name\":\"Lab\"}").await,
        invalid,
        "a form of a page could send this"
    );
    assert_eq!(send("application/json", "{\"name\":").await, invalid);
    assert_eq!(send("application/json", &"[".repeat(10_000)).await, invalid);
    let (status, _) = world
        .person("ada")
        .ask(Method::GET, "/workspaces?limit=none", None)
        .await;
    assert_eq!(status, 400);
}

#[tokio::test]
async fn checklist_resources_who_asks_too_often_is_told_when_to_come_back() {
    let world = World::with(|it| it.limits.requests_per_s = 5).await;
    let ada = ("x-domain-user", "ada");
    let mut refused = None;
    for _ in 0..100 {
        let (status, headers, problem) = send(&world, Method::GET, "/api/v1/me", &[ada]).await;
        if status == StatusCode::TOO_MANY_REQUESTS {
            refused = Some((headers, problem));
            break;
        }
    }
    let (headers, problem) = refused.expect("nobody counts");
    assert_eq!(
        (&headers["retry-after"], &problem["retry_after_s"]),
        (&"1".parse().unwrap(), &json!(1))
    );
    let (status, ..) = send(&world, Method::GET, "/api/v1/me", &[("x-domain-user", "bob")]).await;
    assert_eq!(status, StatusCode::OK, "others are not held up");
}

#[tokio::test]
async fn checklist_audit_refused_credentials_are_written_down_and_guessing_ends() {
    let world = World::with(|it| it.limits.failures_per_min = 3).await;
    let bad = ("x-domain-user", "not a name");
    for _ in 0..3 {
        assert_eq!(
            send(&world, Method::GET, "/api/v1/me", &[bad]).await.0,
            StatusCode::UNAUTHORIZED
        );
    }
    assert_eq!(
        send(&world, Method::GET, "/api/v1/me", &[bad]).await.0,
        StatusCode::TOO_MANY_REQUESTS
    );
    let mut tx = world.node.app().store.begin().await.unwrap();
    let lines: Vec<(String, String, String)> =
        sqlx::query_as("SELECT outcome, address, detail FROM audit WHERE action = 'person.sign_in'")
            .fetch_all(&mut *tx)
            .await
            .unwrap();
    assert_eq!(lines.len(), 3);
    for (outcome, address, detail) in lines {
        assert_eq!((outcome.as_str(), address.as_str()), ("refused", "127.0.0.1"));
        assert!(
            detail.contains("\"reason\":\"name\"") && !detail.contains("not a name"),
            "{detail}"
        );
    }
}

#[tokio::test]
async fn checklist_audit_signing_in_is_written_down_once_in_a_while() {
    let world = World::new().await;
    for _ in 0..5 {
        world.person("ada").get("/me").await;
    }
    let mut tx = world.node.app().store.begin().await.unwrap();
    let (lines,): (i64,) = sqlx::query_as(
        "SELECT COUNT(*) FROM audit WHERE action = 'person.sign_in' AND outcome = 'ok' AND actor = 'dev/dev/ada'",
    )
    .fetch_one(&mut *tx)
    .await
    .unwrap();
    assert_eq!(lines, 1);
}

#[tokio::test]
async fn checklist_transport_the_address_counts_that_a_trusted_proxy_names() {
    let audited = async |trusted: &[&str]| {
        let world = World::with(|it| it.trusted_proxies = trusted.iter().map(|it| it.parse().unwrap()).collect()).await;
        let headers = [
            ("x-domain-user", "ada"),
            ("x-forwarded-for", "203.0.113.9, 198.51.100.7"),
        ];
        send(&world, Method::GET, "/api/v1/me", &headers).await;
        let (metrics, ..) = send(&world, Method::GET, "/metrics", &headers).await;
        assert_eq!(
            metrics,
            StatusCode::NOT_FOUND,
            "counters are not for who comes through a proxy"
        );
        let mut tx = world.node.app().store.begin().await.unwrap();
        let (address,): (String,) = sqlx::query_as("SELECT address FROM audit WHERE action = 'person.sign_in'")
            .fetch_one(&mut *tx)
            .await
            .unwrap();
        address
    };
    assert_eq!(audited(&["127.0.0.0/8"]).await, "198.51.100.7");
    assert_eq!(audited(&[]).await, "127.0.0.1");
}

#[tokio::test]
async fn checklist_transport_without_tls_it_listens_on_loopback_only() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = development(folder.path().to_owned());
    config.mode = server::config::Mode::Production;
    config.listen = "0.0.0.0:0".parse().unwrap();
    let refused = Node::start(config.clone(), Clock::system()).await.unwrap_err();
    assert!(refused.to_string().contains("behind_proxy"), "{refused}");
    config.behind_proxy = true;
    Node::start(config, Clock::system()).await.unwrap().stop().await;
}

#[tokio::test]
async fn checklist_transport_what_is_nowhere_is_answered_like_everything_and_without_a_banner() {
    let world = World::new().await;
    for (method, path) in [
        (Method::GET, "/api/v1/nothing"),
        (Method::PUT, "/api/v1/me"),
        (Method::GET, "/"),
    ] {
        let (status, headers, problem) = send(&world, method, path, &[("x-domain-user", "ada")]).await;
        assert!(status == 404 || status == 405, "{status}");
        assert_eq!(problem["code"], "not_found");
        assert!(!headers.contains_key("server") && !headers.contains_key("x-powered-by"));
        assert!(headers.contains_key("x-request-id"));
    }
}

/// Keeps what the log says.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn checklist_14_logs_and_counters_have_no_names_no_content_and_no_secrets() {
    let kept = Kept::default();
    let log = {
        let kept = kept.clone();
        tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_writer(move || kept.clone())
            .finish()
    };
    // For this thread: the test's runtime has no other.
    let _guard = tracing::subscriber::set_default(log);
    let world = World::new().await;
    let ada = world.person("ada-of-the-log");
    let made = ada.post("/workspaces", json!({"name": "Quarterly-Secret"})).await;
    let lab = format!("/workspaces/{}", made["id"].as_str().unwrap());
    let invitation = ada.post(&format!("{lab}/invitations"), json!({"role": "member"})).await;
    let token = invitation["token"].as_str().unwrap();
    world
        .person("bob-of-the-log")
        .post("/invitations/accept", json!({ "token": token }))
        .await;
    send(&world, Method::GET, "/api/v1/live?ticket=a-ticket-in-the-address", &[]).await;
    send(
        &world,
        Method::GET,
        "/api/v1/me",
        &[("authorization", "Bearer a-token-in-a-header")],
    )
    .await;
    let (_, _, _) = send(&world, Method::GET, "/metrics", &[]).await;
    let metrics = reqwest::get(format!("http://{}/metrics", world.node.address()))
        .await
        .unwrap();
    let mut told = String::from_utf8(kept.0.lock().unwrap().clone()).unwrap();
    assert!(told.contains("server"), "the log is kept at all");
    told.push_str(&metrics.text().await.unwrap());
    let secrets = [
        "Quarterly-Secret",
        "a-ticket-in-the-address",
        "a-token-in-a-header",
        token,
    ];
    // What the database driver and the client of this test say of themselves at their most talkative is not the server's.
    let own: Vec<&str> = told
        .lines()
        .filter(|it| !it.contains(" sqlx") && !it.contains(" reqwest") && !it.contains(" hyper"))
        .collect();
    for secret in secrets {
        assert!(!own.iter().any(|it| it.contains(secret)), "{secret}");
    }
    assert!(!own.iter().any(|it| it.contains("-of-the-log")), "names");
}
