use super::*;

#[test]
fn checklist_database_presence_from_redis_is_believed_only_with_our_signature() {
    let workspace = WorkspaceId::new();
    let present = Present {
        user_id: "u".into(),
        name: "Ada".to_owned(),
        device_id: "d".into(),
        state: serde_json::json!({}),
    };
    let life = Duration::from_secs(45);
    let signed = Signed::new(&workspace, present.clone(), 1_000, b"key").unwrap();
    assert_eq!(signed.checked(&workspace, 2_000, life, b"key"), Some(present.clone()));
    assert_eq!(signed.checked(&workspace, 2_000, life, b"other"), None, "another key");
    assert_eq!(signed.checked(&workspace, 50_000, life, b"key"), None, "too old");
    assert_eq!(
        signed.checked(&WorkspaceId::new(), 2_000, life, b"key"),
        None,
        "elsewhere"
    );
    let forged = Signed {
        text: signed.text.replace("Ada", "Bob"),
        ..signed
    };
    assert_eq!(forged.checked(&workspace, 2_000, life, b"key"), None, "changed");
}
