//! The profile, read as text: it can be generated anywhere, and run only on macOS.

use std::path::PathBuf;

use super::profile;

#[test]
fn a_profile_denies_what_it_does_not_allow() {
    let profile = profile(&[], &[], false);
    assert!(profile.starts_with("(version 1)\n(deny default)\n"));
    assert!(profile.contains("(allow file-read*)"));
    assert!(!profile.contains("network"));
    assert!(
        !profile.contains("subpath"),
        "nothing is writable but devices: {profile}"
    );
}

#[test]
fn roots_are_writable_but_for_what_is_protected_in_them() {
    let profile = profile(&[PathBuf::from("/w")], &[PathBuf::from("/private/tmp")], false);
    let allow = profile.lines().find(|it| it.contains("(subpath \"/w\")")).unwrap();
    for name in [".git", ".zspark", ".codex"] {
        assert!(
            allow.contains(&format!("(require-not (subpath \"/w/{name}\"))")),
            "{allow}"
        );
        assert!(
            allow.contains(&format!("(require-not (literal \"/w/{name}\"))")),
            "{allow}"
        );
        // The last rule that matches wins, so that a root around this one does not open it again.
        let deny = profile
            .find(&format!("(deny file-write* (subpath \"/w/{name}\"))"))
            .unwrap();
        assert!(deny > profile.rfind("(allow file-write*").unwrap());
    }
    assert!(profile.contains("(allow file-write* (require-all (subpath \"/private/tmp\")"));
}

#[test]
fn the_network_is_opened_by_its_own_lines() {
    assert!(profile(&[], &[], true).contains("(allow network*)\n"));
}

#[test]
fn a_path_cannot_leave_its_quotes() {
    let profile = profile(&[PathBuf::from("/a\")) (allow default) (\\")], &[], false);
    assert!(
        profile.contains("(subpath \"/a\\\")) (allow default) (\\\\\")"),
        "{profile}"
    );
}
