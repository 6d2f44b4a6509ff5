use protocol::host::HostRequest;
use protocol::{Code, Request, ThreadId, Topic};
use serde_json::json;

use super::{Asked, parse};
use crate::follow::{Followed, HostTopic};

fn asked(json: serde_json::Value) -> Asked {
    serde_json::from_value(json).unwrap()
}

#[test]
fn a_request_is_a_method_and_its_params() {
    let request: Request = parse(asked(json!({ "method": "thread/list" }))).unwrap();
    assert_eq!(request.name(), "thread/list");
    let params = json!({ "url": "https://example.org" });
    let host: HostRequest = parse(asked(json!({ "method": "host/openUrl", "params": params }))).unwrap();
    let url = "https://example.org".to_owned();
    assert_eq!(host, HostRequest::OpenUrl { url });
}

#[test]
fn nonsense_is_refused_with_its_reason() {
    let failure = parse::<Request>(asked(json!({ "method": "thread/explode" }))).unwrap_err();
    assert_eq!(failure.code, Code::InvalidRequest);
    assert!(failure.details.unwrap().contains("thread/explode"));
}

#[test]
fn the_window_is_a_topic_like_the_engines() {
    let check = |json: serde_json::Value, expect: Followed| {
        assert_eq!(serde_json::from_value::<Followed>(json).unwrap(), expect);
    };
    check(json!({ "type": "host" }), Followed::Host(HostTopic::Host));
    check(json!({ "type": "home" }), Followed::Engine(Topic::Home));
    check(
        json!({ "type": "thread", "threadId": "t", "after": 7 }),
        Followed::Engine(Topic::Thread {
            thread_id: ThreadId::from("t"),
            after: 7,
        }),
    );
}
