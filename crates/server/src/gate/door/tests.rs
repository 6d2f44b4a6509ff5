//! Answers as they leave.

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use serde_json::Value;
use tower::ServiceExt as _;
use tower_http::catch_panic::CatchPanicLayer;

use super::*;

async fn panics() -> &'static str {
    panic!("the password is hunter2")
}

async fn ask(config: &Config, path: &str) -> (StatusCode, HeaderMap, Value) {
    let door = Door::new(config).unwrap();
    let router: Router = Router::new()
        .route("/panics", get(panics))
        .route("/works", get(|| async { "{}" }))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn_with_state(door, pass));
    let request = Request::builder().uri(path).body(Body::empty()).unwrap();
    let response = router.oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let bytes = axum::body::to_bytes(body, 10_000).await.unwrap();
    (parts.status, parts.headers, serde_json::from_slice(&bytes).unwrap())
}

#[tokio::test]
async fn checklist_transport_a_panic_is_a_500_for_one_request_and_says_nothing_of_the_inside() {
    let (status, headers, problem) = ask(&Config::default(), "/panics").await;
    assert_eq!(
        (status, &problem["code"]),
        (StatusCode::INTERNAL_SERVER_ERROR, &"internal".into())
    );
    assert_eq!(
        problem["request_id"].as_str().unwrap(),
        headers[REQUEST_ID].to_str().unwrap()
    );
    assert!(!problem.to_string().contains("hunter2"), "{problem}");
    assert_eq!(ask(&Config::default(), "/works").await.0, StatusCode::OK);
}

#[tokio::test]
async fn checklist_transport_answers_are_careful_and_https_stays_https() {
    let (_, headers, _) = ask(&Config::default(), "/works").await;
    assert_eq!(headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
    assert_eq!(headers[header::CACHE_CONTROL], "no-store");
    assert!(!headers.contains_key(header::STRICT_TRANSPORT_SECURITY));
    assert!(!headers.contains_key(header::SERVER));
    let config = Config {
        server_url: Some("https://zspark.example.com".parse().unwrap()),
        ..Config::default()
    };
    let (_, headers, _) = ask(&config, "/works").await;
    assert_eq!(headers[header::STRICT_TRANSPORT_SECURITY], "max-age=31536000");
}
