//! What whoever runs the server sees.

use std::time::Duration;

use reqwest::StatusCode;
use serde_json::Value;

use crate::world::World;

async fn page(world: &World, path: &str) -> (StatusCode, String) {
    let url = format!("http://{}{path}", world.node.address());
    let response = reqwest::get(url).await.unwrap();
    (response.status(), response.text().await.unwrap())
}

#[tokio::test]
async fn health_readiness_and_counters_are_open_and_nameless() {
    for world in World::each().await {
        assert_eq!(page(&world, "/healthz").await, (StatusCode::OK, "ok".to_owned()));
        let (status, ready) = page(&world, "/readyz").await;
        let ready: Value = serde_json::from_str(&ready).unwrap();
        assert_eq!((status, &ready["database"]), (StatusCode::OK, &Value::Bool(true)));
        let made = world
            .person("ada")
            .post("/workspaces", serde_json::json!({"name": "Lab"}))
            .await;
        let id = made["id"].as_str().unwrap();
        world.person("ada").get(&format!("/workspaces/{id}")).await;
        let (status, counters) = page(&world, "/metrics").await;
        assert_eq!(status, StatusCode::OK);
        let line = "route=\"/api/v1/workspaces/{workspace}\",status=\"200\"} 1";
        assert!(counters.contains(line), "{counters}");
        assert!(!counters.contains(id) && !counters.contains("ada"), "{counters}");
    }
}

#[tokio::test]
async fn counters_are_for_the_addresses_that_were_named() {
    let world = World::with(|it| it.metrics_from = vec!["10.0.0.0/8".parse().unwrap()]).await;
    assert_eq!(page(&world, "/metrics").await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_node_that_lost_its_database_says_so_and_comes_back() {
    let postgres = testkit::daemon::Postgres::start().unwrap();
    let url = postgres.database().unwrap();
    let world = World::with(|it| it.database_url = Some(url)).await;
    assert_eq!(page(&world, "/readyz").await.0, StatusCode::OK);
    postgres.kill().unwrap();
    assert_eq!(page(&world, "/readyz").await.0, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(page(&world, "/healthz").await.0, StatusCode::OK);
    let (status, problem) = world.person("ada").ask(reqwest::Method::GET, "/me", None).await;
    assert_eq!(
        (status, &problem["code"]),
        (StatusCode::SERVICE_UNAVAILABLE, &"unavailable".into())
    );
    postgres.begin().unwrap();
    // A connection that was used within the last second is believed to live, and whoever gets a dead one is told to come again.
    let comes_back = async {
        while page(&world, "/readyz").await.0 != StatusCode::OK {}
        loop {
            let (status, problem) = world.person("ada").ask(reqwest::Method::GET, "/me", None).await;
            if status == StatusCode::OK {
                break;
            }
            assert_eq!(
                (status, &problem["code"]),
                (StatusCode::SERVICE_UNAVAILABLE, &"unavailable".into())
            );
        }
    };
    tokio::time::timeout(Duration::from_secs(30), comes_back)
        .await
        .expect("the node did not come back");
}

#[tokio::test]
async fn the_openapi_document_is_served() {
    let world = World::new().await;
    let (status, document) = page(&world, "/openapi.json").await;
    let document: Value = serde_json::from_str(&document).unwrap();
    assert_eq!((status, &document["openapi"]), (StatusCode::OK, &"3.1.0".into()));
    assert!(document["components"]["schemas"]["ClientFrame"].is_object());
}
