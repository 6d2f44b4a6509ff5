//! When the authority is asked, and how long its keys are believed.

use super::*;

const MIN: u64 = 60_000;
const HOUR: u64 = 60 * MIN;

fn keys(names: &[&str]) -> Keys {
    let key = |it: &&str| {
        Arc::new(Key {
            modulus: it.as_bytes().to_vec(),
            exponent: vec![1, 0, 1],
            issuer: None,
        })
    };
    names.iter().map(|it| ((*it).to_owned(), key(it))).collect()
}

fn is_key(look: &Look) -> bool {
    matches!(look, Look::Key(_))
}

#[test]
fn without_keys_the_authority_is_asked_again_soon_but_not_at_every_request() {
    let mut ring = Ring::default();
    assert_eq!(ring.look("a", 0, false), Look::Ask);
    assert_eq!(ring.look_again("a", 100), Look::NoKeys);
    assert_eq!(ring.look("a", 4_999, false), Look::NoKeys);
    assert_eq!(
        ring.look("a", 4_999, true),
        Look::Ask,
        "waiting with others costs nothing"
    );
    assert_eq!(ring.look("a", 9_999, false), Look::Ask);
}

#[test]
fn an_unknown_name_makes_us_ask_once_in_five_minutes() {
    let mut ring = Ring::default();
    ring.take(keys(&["a"]), 0);
    assert!(is_key(&ring.look("a", 1, false)));
    assert_eq!(ring.look("b", 1, false), Look::Ask);
    assert_eq!(ring.look_again("b", 2), Look::Unknown);
    assert_eq!(ring.look("c", 3, false), Look::Unknown);
    assert_eq!(ring.look("c", 3, true), Look::Ask);
    assert_eq!(
        ring.look("b", 3, true),
        Look::Unknown,
        "this one is known not to be there"
    );
    assert_eq!(ring.look("c", 1 + 5 * MIN - 1, false), Look::Unknown);
    assert_eq!(ring.look("c", 1 + 5 * MIN, false), Look::Ask);
}

#[test]
fn the_first_unknown_name_is_asked_for_at_once_however_recent_the_keys_are() {
    let mut ring = Ring::default();
    ring.take(keys(&["a"]), 1_000);
    assert_eq!(ring.look("b", 1_001, false), Look::Ask);
    ring.take(keys(&["b"]), 1_002);
    assert!(is_key(&ring.look_again("b", 1_002)));
}

#[test]
fn a_name_that_was_not_there_is_found_when_it_comes() {
    let mut ring = Ring::default();
    ring.take(keys(&["a"]), 0);
    assert_eq!(ring.look("b", 1, false), Look::Ask);
    assert_eq!(ring.look_again("b", 2), Look::Unknown);
    ring.take(keys(&["a", "b"]), 3);
    assert!(is_key(&ring.look("b", 4, false)));
}

#[test]
fn a_key_outlives_its_document_by_a_day_and_no_longer() {
    let mut ring = Ring::default();
    ring.take(keys(&["old"]), 0);
    ring.take(keys(&["new"]), HOUR);
    assert!(is_key(&ring.look("old", 24 * HOUR, false)));
    assert!(!is_key(&ring.look("old", 24 * HOUR + 1, false)));
    assert!(is_key(&ring.look("new", 24 * HOUR + 1, false)));
    ring.take(keys(&["new"]), 25 * HOUR);
    assert!(!ring.held.contains_key("old"), "it is forgotten");
}

#[test]
fn a_key_that_is_gone_within_the_same_moment_is_gone() {
    let mut ring = Ring::default();
    ring.take(keys(&["old"]), 0);
    ring.take(keys(&["new"]), 0);
    assert!(is_key(&ring.look("old", 0, false)));
    assert!(!is_key(&ring.look("old", 24 * HOUR + 1, false)));
}

#[test]
fn while_nothing_can_be_fetched_the_last_good_document_stays() {
    let mut ring = Ring::default();
    ring.take(keys(&["a"]), 0);
    assert!(is_key(&ring.look("a", 1_000 * HOUR, false)));
}

#[test]
fn a_flood_of_names_needs_no_memory() {
    let mut ring = Ring::default();
    ring.take(keys(&["a"]), 0);
    for number in 0..10_000 {
        ring.look_again(&format!("k{number}"), 1);
    }
    assert_eq!(ring.unknown.len(), UNKNOWN_MOST);
    ring.look_again("later", 1 + ASK_AGAIN_MS);
    assert_eq!(ring.unknown.len(), 1);
}
