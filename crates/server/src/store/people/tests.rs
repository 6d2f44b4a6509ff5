//! Who is remembered, and for how long.

use super::*;

fn ada(name: &str) -> Verified {
    Verified {
        cloud: "global".to_owned(),
        tid: "t".to_owned(),
        oid: "ada".to_owned(),
        name: name.to_owned(),
        guest: false,
        app: false,
        role: Role::Member,
        app_roles: Vec::new(),
        groups: Vec::new(),
        expires_at_ms: None,
    }
}

fn key(oid: &str) -> Key {
    ("global".to_owned(), "t".to_owned(), oid.to_owned())
}

fn seen(at_ms: i64) -> Seen {
    Seen {
        id: UserId("u".to_owned()),
        name: "Ada".to_owned(),
        at_ms,
    }
}

#[test]
fn somebody_is_remembered_for_a_minute_under_the_name_they_had() {
    let familiar = Familiar::default();
    assert_eq!(familiar.id(&key("ada"), &ada("Ada"), 1_000), None);
    familiar.remember(key("ada"), seen(1_000), 1_000);
    assert_eq!(
        familiar.id(&key("ada"), &ada("Ada"), 60_999),
        Some(UserId("u".to_owned()))
    );
    // Their row has to be written again.
    assert_eq!(familiar.id(&key("ada"), &ada("Ada"), 61_000), None);
    assert_eq!(familiar.id(&key("ada"), &ada("Ada Lovelace"), 1_000), None);
    assert_eq!(familiar.id(&key("bob"), &ada("Ada"), 1_000), None);
}

#[test]
fn old_faces_make_room_for_new_ones() {
    let familiar = Familiar::default();
    let count = |familiar: &Familiar| familiar.people.lock().unwrap().len();
    for number in 0..REMEMBERED {
        familiar.remember(key(&number.to_string()), seen(0), 0);
    }
    familiar.remember(key("ada"), seen(60_000), 60_000);
    assert_eq!(count(&familiar), 1);
    for number in 0..REMEMBERED {
        familiar.remember(key(&number.to_string()), seen(60_000), 60_000);
    }
    assert!(count(&familiar) <= REMEMBERED);
}
