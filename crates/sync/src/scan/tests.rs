//! What people make passes, what would hurt does not.

use proptest::prelude::{any, prop, proptest};
use yrs::types::xml::XmlElementPrelim;
use yrs::types::xml::XmlFragment as _;
use yrs::updates::decoder::Decode as _;
use yrs::{Any, Array as _, Doc, Map as _, ReadTxn as _, StateVector, Text as _, Transact as _, Update};

use super::*;

/// A document with one of everything.
fn everything() -> Vec<u8> {
    let doc = Doc::new();
    let text = doc.get_or_insert_text("text");
    let map = doc.get_or_insert_map("map");
    let array = doc.get_or_insert_array("array");
    let page = doc.get_or_insert_xml_fragment("page");
    let mut tx = doc.transact_mut();
    text.push(&mut tx, "Grüße 👋");
    text.remove_range(&mut tx, 0, 1);
    text.format(&mut tx, 0, 1, [("bold".into(), Any::Bool(true))].into());
    text.insert_embed(&mut tx, 0, Any::from("embedded"));
    map.insert(&mut tx, "n", -5_i64);
    map.insert(&mut tx, "f", 0.5);
    map.insert(&mut tx, "b", Any::Buffer(vec![1, 2, 3].into()));
    map.insert(&mut tx, "big", i64::MAX);
    map.insert(&mut tx, "none", Any::Null);
    map.insert(&mut tx, "doc", Doc::new());
    array.insert(
        &mut tx,
        0,
        Any::from(vec![Any::Undefined, Any::from(3.25_f64), Any::Bool(false)]),
    );
    page.insert(&mut tx, 0, XmlElementPrelim::empty("p"));
    drop(tx);
    doc.transact().encode_state_as_update_v1(&StateVector::default())
}

#[test]
fn what_people_make_passes() {
    let contents = update(&everything()).unwrap();
    assert!(contents.pieces > 8 && contents.deletions > 0, "{contents:?}");
    assert_eq!(update(&[0, 0]), Ok(Contents::default()));
    assert_eq!(vector(&[1, 1, 1]), Ok(()));
}

#[test]
fn what_would_hurt_does_not() {
    let deep = {
        let mut bytes = vec![1, 1, 1, 0, 8, 1, 1, b't', 1];
        bytes.extend([117, 1].repeat(100_000));
        bytes.extend([126, 0]);
        bytes
    };
    // A client id of 2^53, in an update and in a state vector.
    let client = [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10];
    let large = [&[1, 1], &client[..], &[0, 4, 1, 1, b't', 1, b'a', 0]].concat();
    for (bytes, error) in [
        (&deep[..], ScanError::Depth),
        (&large, ScanError::Bytes(FrameError::Number)),
        (&[0xff, 0xff, 0xff, 0x7f, 0], ScanError::Count),
        (&[1, 0xff, 0xff, 0xff, 0x7f, 1, 0], ScanError::Count),
        (&[1, 1, 1, 0, 0, 0, 0], ScanError::Clock),
        (&[1, 1, 1, 0, 0, 0xff, 0xff, 0xff, 0xff, 0x0f, 0], ScanError::Clock),
        (&[1, 1, 1, 0, 2, 1, 1, b't', 1, 0, 0], ScanError::Kind(2)),
        (&[1, 1, 1, 0, 15, 1, 1, b't', 0], ScanError::Kind(15)),
        (&[0, 0, 0], ScanError::Bytes(FrameError::Long)),
        (&[0], ScanError::Bytes(FrameError::Short)),
        (&[0, 1, 1, 1, 0xff, 0xff, 0xff, 0xff, 0x0f, 1], ScanError::Clock),
    ] {
        assert_eq!(update(bytes), Err(error), "{:?}", &bytes[..bytes.len().min(20)]);
    }
    assert_eq!(
        vector(&[&[1], &client[..], &[1]].concat()),
        Err(ScanError::Bytes(FrameError::Number))
    );
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in any::<Vec<u8>>()) {
        let _ = update(&bytes);
        let _ = vector(&bytes);
    }

    /// Whatever passes after a few bytes were changed is also taken or refused by `yrs`, without a panic while decoding.
    #[test]
    fn what_passes_can_be_decoded(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut bytes = everything();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if update(&bytes).is_ok() {
            let _ = Update::decode_v1(&bytes);
        }
    }
}
