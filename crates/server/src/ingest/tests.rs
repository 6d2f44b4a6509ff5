//! A batch over HTTP and one over a socket are the same batch.

use protocol::workspace::log::NewEvent;
use serde_json::json;

use super::*;

fn batch() -> Batch {
    let payloads = [
        json!({"type": "itemAppended", "itemId": "i", "at": 0, "text": "a \"b\" \u{0} 汉"}),
        json!({"type": "somethingNewer", "number": 0.1, "nothing": null}),
    ];
    let events = payloads.into_iter().zip(1..).map(|(payload, at_ms)| NewEvent {
        event_id: format!("e-{at_ms}"),
        at_ms,
        payload,
    });
    Batch {
        producer_id: "p".to_owned(),
        lease_epoch: 3,
        base: 7,
        events: events.collect(),
    }
}

fn lines(batch: Incoming) -> Vec<(String, u64, String)> {
    assert_eq!((batch.producer_id.as_str(), batch.lease_epoch, batch.base), ("p", 3, 7));
    let events = batch.events.into_iter();
    events
        .map(|it| (it.event_id, it.at_ms, it.payload.get().to_owned()))
        .collect()
}

#[test]
fn both_ways_lead_to_the_same_lines() {
    let text = serde_json::to_string(&batch()).unwrap();
    let over_http: Incoming = serde_json::from_str(&text).unwrap();
    assert_eq!(lines(over_http), lines(batch().into()));
}

#[test]
fn what_is_kept_is_what_came() {
    let payload = r#"{ "type": "somethingNewer",  "number": 1.50 }"#;
    let text = format!(
        r#"{{"producer_id":"p","lease_epoch":3,"base":7,"events":[{{"event_id":"e","at_ms":1,"payload":{payload}}}]}}"#
    );
    let batch: Incoming = serde_json::from_str(&text).unwrap();
    let checked = read(batch).map_err(|_| "refused").unwrap();
    assert_eq!(checked.lines[0].0.payload, payload);
}

#[test]
fn nothing_else_may_be_in_it() {
    let mut more = serde_json::to_value(batch()).unwrap();
    more["events"][0]["more"] = json!(1);
    assert!(serde_json::from_value::<Batch>(more.clone()).is_err());
    assert!(serde_json::from_str::<Incoming>(&more.to_string()).is_err());
}
