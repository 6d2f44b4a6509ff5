//! Bodies within limits.

use serde_json::Value;

use super::*;

#[test]
fn brackets_count_outside_of_strings_only() {
    let check = |text: &str, expect: usize| assert_eq!(depth(text.as_bytes()), expect, "{text}");
    check("", 0);
    check("1", 0);
    check("[]", 1);
    check("{\"a\":[1,[2]]}", 3);
    check("[\"[[[[\"]", 1);
    check("[\"\\\"[[\"]", 1);
    check("]]]][", 1);
}

#[test]
fn what_is_nested_too_deeply_is_refused_before_it_is_read() {
    let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    assert!(read::<Value>(nested(DEPTH).as_bytes()).is_ok());
    let refusal = read::<Value>(nested(DEPTH + 1).as_bytes()).unwrap_err();
    assert_eq!(refusal.0.code, ProblemCode::InvalidRequest);
}

#[test]
fn a_refusal_does_not_repeat_a_whole_body() {
    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Nothing {}
    let body = format!("{{\"{}\": 1}}", "x".repeat(100_000));
    let refusal = read::<Nothing>(body.as_bytes()).unwrap_err();
    assert!(refusal.0.message.len() < 300, "{}", refusal.0.message);
}

#[tokio::test(start_paused = true)]
async fn checklist_resources_a_body_that_never_ends_is_given_up() {
    let never = futures::stream::pending::<Result<Bytes, std::io::Error>>();
    let request = Request::builder()
        .header("content-type", "application/json")
        .body(axum::body::Body::from_stream(never))
        .unwrap();
    let refusal = Json::<Value>::from_request(request, &()).await.unwrap_err();
    assert_eq!(refusal.0.code, ProblemCode::TooSlow);
}

#[tokio::test]
async fn a_body_is_counted_while_it_is_read() {
    let piece = || Ok::<_, std::io::Error>(Bytes::from(vec![b' '; 1000]));
    let long = futures::stream::iter((0..10).map(move |_| piece()));
    let mut request = Request::builder()
        .header("content-type", "application/json")
        .body(axum::body::Body::from_stream(long))
        .unwrap();
    request.extensions_mut().insert(Limit(5000));
    let refusal = Json::<Value>::from_request(request, &()).await.unwrap_err();
    assert_eq!(
        (refusal.0.code, &refusal.0.facts["limit"]),
        (ProblemCode::TooLarge, &5000.into())
    );
}
