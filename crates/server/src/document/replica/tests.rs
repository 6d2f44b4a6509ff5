//! What a replica passes on, and what it survives.

use yrs::updates::encoder::Encode as _;
use yrs::{GetString as _, Map as _, Text as _};

use super::*;
use crate::store::documents::Head;

fn stored(snapshot: Option<(Bytes, Bytes)>, tail: Vec<Bytes>) -> Replica {
    let head = Head {
        epoch: 1,
        seq: tail.len() as u64,
        snapshot: 0,
    };
    Replica::of(Stored { head, snapshot, tail })
}

fn push(doc: &Doc, text: &str) -> Bytes {
    let root = doc.get_or_insert_text("t");
    let mut tx = doc.transact_mut();
    root.push(&mut tx, text);
    tx.encode_update_v1().into()
}

fn text_of(states: &[Bytes]) -> String {
    let doc = empty();
    for state in states {
        doc.transact_mut()
            .apply_update(Update::decode_v1(state).unwrap())
            .unwrap();
    }
    let root = doc.get_or_insert_text("t");
    root.get_string(&doc.transact())
}

#[test]
fn a_document_that_is_only_read_is_passed_on_as_it_lies() {
    let doc = Doc::new();
    let (one, two) = (push(&doc, "one "), push(&doc, "two"));
    let mut replica = stored(Some((Bytes::from_static(&[0]), one.clone())), vec![two.clone()]);
    let pieces = replica.missing(&Bytes::from_static(NOTHING_SEEN)).unwrap();
    assert_eq!(pieces, [one, two]);
    assert!(matches!(replica.form, Form::Stored { .. }));
    assert_eq!(text_of(&pieces), "one two");
    let empty_answer = replica.apply(&Bytes::from_static(&[0, 0]), true).unwrap();
    assert_eq!(empty_answer, Applied::Nothing);
    assert!(
        matches!(replica.form, Form::Stored { .. }),
        "nothing had to be taken up"
    );
}

#[test]
fn what_is_known_goes_no_further() {
    let doc = Doc::new();
    let (one, two) = (push(&doc, "one "), push(&doc, "two"));
    let mut replica = stored(None, vec![one.clone()]);
    assert_eq!(replica.apply(&one, false).unwrap(), Applied::Nothing);
    // All of it, as an answer to a state vector may be: only what is new goes on.
    let all: Bytes = doc.transact().encode_state_as_update_v1(&StateVector::default()).into();
    let Applied::Change(change) = replica.apply(&all, true).unwrap() else {
        panic!("the second half is new");
    };
    assert!(change.len() <= two.len() && text_of(&[one.clone(), change]) == "one two");
    assert_eq!(replica.apply(&all, true).unwrap(), Applied::Nothing);
}

#[test]
fn what_comes_too_early_waits_and_is_not_lost() {
    let doc = Doc::new();
    let (one, two) = (push(&doc, "one "), push(&doc, "two"));
    let mut replica = stored(None, Vec::new());
    assert_eq!(replica.apply(&two, false).unwrap(), Applied::Change(two.clone()));
    let (_, state) = replica.fold().unwrap();
    assert_eq!(
        text_of(&[state.clone(), one.clone()]),
        "one two",
        "a snapshot holds what waits"
    );
    let mut replica = stored(Some((Bytes::from_static(NOTHING_SEEN), state)), Vec::new());
    replica.apply(&one, false).unwrap();
    assert_eq!(text_of(&[replica.whole().unwrap()]), "one two");
}

#[test]
fn checklist_resources_what_waits_is_bounded() {
    let doc = Doc::new();
    push(&doc, "the first one, which never comes");
    let mut replica = stored(None, Vec::new());
    let refused = (0..100).find_map(|_| replica.apply(&push(&doc, &"x".repeat(64 << 10)), false).err());
    assert!(matches!(refused, Some(ReplicaError::Pending)), "{refused:?}");
    assert!(replica.whole().unwrap().len() < 1000, "it was let go");
}

#[test]
fn bytes_that_are_no_update_change_nothing() {
    let doc = Doc::new();
    let mut replica = stored(None, vec![push(&doc, "good")]);
    for bad in [&b"\x01\x01"[..], b"rubbish", &[0xff; 40]] {
        let refused = replica.apply(&Bytes::from_static(b""), false).err().is_some();
        assert!(refused && replica.apply(&Bytes::copy_from_slice(bad), false).is_err());
    }
    assert_eq!(text_of(&[replica.whole().unwrap()]), "good");
}

#[test]
fn a_panic_stays_within_and_the_replica_says_that_it_is_broken() {
    let doc = Doc::new();
    let mut replica = stored(None, vec![push(&doc, "good")]);
    let broken: Result<(), _> = replica.guarded(|_, _| panic!("as yrs sometimes does"));
    assert!(matches!(broken, Err(ReplicaError::Broken)));
    assert!(
        matches!(replica.whole(), Err(ReplicaError::Broken)),
        "nobody is shown an empty document"
    );
}

#[test]
fn the_way_back_is_an_edit_that_leads_to_what_was() {
    let doc = Doc::new();
    let (text, map) = (doc.get_or_insert_text("t"), doc.get_or_insert_map("m"));
    push(&doc, "first second");
    map.insert(&mut doc.transact_mut(), "title", "good");
    let version: Bytes = doc.transact().encode_state_as_update_v1(&StateVector::default()).into();
    text.remove_range(&mut doc.transact_mut(), 0, 6);
    push(&doc, " third");
    map.insert(&mut doc.transact_mut(), "title", "bad");
    map.insert(&mut doc.transact_mut(), "more", 1);
    doc.get_or_insert_text("new").push(&mut doc.transact_mut(), "root");
    let current: Bytes = doc.transact().encode_state_as_update_v1(&StateVector::default()).into();
    let back = way_back(&current, &version).unwrap();
    doc.transact_mut()
        .apply_update(Update::decode_v1(&back).unwrap())
        .unwrap();
    let tx = doc.transact();
    assert_eq!(text.get_string(&tx), "first second");
    assert_eq!(
        map.get(&tx, "title").map(|it| it.to_string(&tx)),
        Some("good".to_owned())
    );
    assert!(map.get(&tx, "more").is_none());
    assert_eq!(tx.get_text("new").map(|it| it.get_string(&tx)), Some(String::new()));
    assert_ne!(tx.state_vector().encode_v1(), [0]);
}
