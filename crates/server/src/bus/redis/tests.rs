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
