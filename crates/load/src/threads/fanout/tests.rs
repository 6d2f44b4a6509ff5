use super::*;

#[test]
fn a_frame_says_how_far_it_goes() {
    let payload = r#"{"type":"events","events":[{"payload":{"next":7}}],"next":12,"head_seq":40}"#;
    assert_eq!(last_of(payload), Some(12));
    assert_eq!(last_of(r#"{"type":"head","head_seq":40}"#), None);
}
