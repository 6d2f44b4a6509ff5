use super::*;

fn check(text: &str, hints: Option<usize>) {
    assert_eq!(read(text.as_bytes()).map(|it| it.hints.len()), hints, "{text}");
}

#[test]
fn checklist_database_what_comes_through_redis_is_read_strictly() {
    check(r#"{"node":"n","hints":[]}"#, Some(0));
    check(r#"{"node":"n","hints":[{"type":"presence","workspace":"w"}]}"#, Some(1));
    check(r#"{"node":"n","hints":[{"type":"missed"}]}"#, None);
    check(
        r#"{"node":"n","hints":[{"type":"presence","workspace":"w","more":1}]}"#,
        None,
    );
    check(r#"{"node":"n","hints":[{"type":"presence","workspace":""}]}"#, None);
    check(r#"{"node":"n","hints":[],"more":1}"#, None);
    check("{", None);
    let long = format!(
        r#"{{"node":"n","hints":[{{"type":"presence","workspace":"{}"}}]}}"#,
        "w".repeat(129)
    );
    check(&long, None);
    let one = r#"{"type":"presence","workspace":"w"}"#;
    let many = vec![one; BATCH + 1].join(",");
    check(&format!(r#"{{"node":"n","hints":[{many}]}}"#), None);
    check(&format!(r#"{{"node":"{}","hints":[]}}"#, "n".repeat(LONGEST)), None);
}

#[test]
fn what_this_node_said_is_known_by_how_it_begins() {
    let said = serde_json::to_vec(&Envelope {
        node: "n1".to_owned(),
        hints: Vec::new(),
        missed: false,
    })
    .unwrap();
    assert!(is_own(&said, "n1"));
    assert!(!is_own(&said, "n2"));
    assert!(!is_own(br#"{"hints":[],"node":"n1"}"#, "n1"));
}
