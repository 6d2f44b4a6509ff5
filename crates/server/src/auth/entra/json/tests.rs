//! What is an object, and what only looks like one.

use proptest::prelude::*;
use serde_json::json;

use super::*;

#[test]
fn an_object_is_read_as_it_is() {
    let text = r#" {"a":1,"b":[true,null,-2,1.5,"x\u00e9"],"c":{"a":{}}} "#;
    assert_eq!(
        object(text.as_bytes()).map(Value::Object),
        Some(json!({"a": 1, "b": [true, null, -2, 1.5, "xé"], "c": {"a": {}}}))
    );
}

#[test]
fn what_two_readers_could_read_differently_is_refused() {
    let nested = |depth: usize| format!("{}1{}", r#"{"a":"#.repeat(depth), "}".repeat(depth));
    assert!(object(nested(DEEPEST).as_bytes()).is_some());
    for text in [
        "",
        "{}{}",
        "{} x",
        "[]",
        "null",
        "\"{}\"",
        "1",
        "{",
        r#"{"a":1,}"#,
        r#"{'a':1}"#,
        r#"{"a":01}"#,
        r#"{"a":NaN}"#,
        r#"{"a":1e999}"#,
        r#"{"a":"\ud800"}"#,
        r#"{"tid":"a","tid":"a"}"#,
        r#"{"tid":"a","TID":"b"}"#,
        r#"{"tid":"a","t\u0069d":"b"}"#,
        r#"{"x":{"É":1,"é":2}}"#,
        r#"{"x":[{"a":1,"A":2}]}"#,
        "\u{feff}{}",
        "{}\0",
        nested(DEEPEST + 1).as_str(),
        format!("{{\"a\":{}{}}}", "[".repeat(DEEPEST), "]".repeat(DEEPEST)).as_str(),
    ] {
        assert_eq!(object(text.as_bytes()), None, "{text}");
    }
    assert_eq!(object(b"{\"a\":\"\xff\"}"), None);
    assert_eq!(object("[".repeat(100_000).as_bytes()), None);
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            // Keys with the index in front never differ by case only.
            prop::collection::vec((".{0,4}", inner), 0..4).prop_map(|entries| {
                let entries = entries.into_iter().enumerate();
                Value::Object(
                    entries
                        .map(|(at, (key, value))| (format!("{at}{key}"), value))
                        .collect(),
                )
            }),
        ]
    })
}

proptest! {
    #[test]
    fn it_reads_what_serde_json_reads(value in any_json()) {
        let text = json!({ "it": value }).to_string();
        prop_assert_eq!(object(text.as_bytes()).map(Value::Object), Some(json!({ "it": value })));
    }

    #[test]
    fn it_never_reads_more_than_serde_json_and_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        if let Some(map) = object(&bytes) {
            prop_assert_eq!(serde_json::from_slice::<Value>(&bytes).ok(), Some(Value::Object(map)));
        }
    }
}
