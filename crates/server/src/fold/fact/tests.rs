//! What payloads are taken for.

use super::*;

fn piece(text: &str) -> Option<String> {
    match Fact::read(text) {
        Ok(Fact::Piece { item_id }) => Some(item_id.0),
        _ => None,
    }
}

#[test]
fn a_piece_is_read_however_it_is_written() {
    let plain = r#"{"type":"itemAppended","itemId":"i","at":3,"text":"abc"}"#;
    let expected = Some("i".to_owned());
    assert_eq!(piece(plain), expected);
    // Escaped, spaced, in another order, and with what a newer version may add.
    for other in [
        r#"{ "at": 3, "text": "\u0061bc", "itemId": "i", "type": "itemAppended" }"#,
        r#"{"type":"itemAppended","itemId":"i","at":3,"text":"abc","later":[1]}"#,
    ] {
        assert_eq!(piece(other), expected, "{other}");
    }
    let nameless = r#"{"type":"itemAppended","itemId":"no name","at":3,"text":"abc"}"#;
    assert_eq!(Fact::read(nameless), Err(Misread::Id));
    let shapeless = r#"{"type":"itemAppended","itemId":"i","at":-3,"text":"abc"}"#;
    assert!(matches!(Fact::read(shapeless), Err(Misread::Shape { kind, .. }) if kind == "itemAppended"));
}

#[test]
fn what_could_not_be_read_back_is_refused_whatever_its_type() {
    for text in [
        r#"{"type":"itemAppended","itemId":"i","at":3,"text":"\ud800"}"#,
        r#"{"type":"itemAppended","itemId":"i","at":3,"text":"abc","later":"\ud800"}"#,
        r#"{"type":"somethingNewer","text":"\udc00"}"#,
        r#"{"type":"somethingNewer","number":1e999}"#,
    ] {
        assert!(matches!(Fact::read(text), Err(Misread::Text(_))), "{text}");
    }
}

#[test]
fn what_is_not_known_passes_and_what_nobody_may_say_does_not() {
    assert_eq!(Fact::read(r#"{"type":"somethingNewer","text":"x"}"#), Ok(Fact::Other));
    assert_eq!(Fact::read(r#"{"text":"x"}"#), Err(Misread::NoType));
    assert_eq!(Fact::read("3"), Err(Misread::NoType));
    assert_eq!(Fact::read(r#"{"type":"contextAppended"}"#), Err(Misread::Context));
    let servers = Fact::read(r#"{"type":"workspace.removed"}"#);
    assert_eq!(servers, Err(Misread::Servers("workspace.removed".to_owned())));
}

#[test]
fn a_text_that_nobody_could_read_back_is_none_however_deep_the_fault_is() {
    let text = r#"{"type":"somethingElse","type":"threadRenamed","title":"T"}"#;
    assert!(Fact::read(text).is_err(), "two types are none");
    for text in [
        r#"{"type":"somethingNewer","list":[{"deep":"\ud800"}]}"#,
        r#"{"type":"somethingNewer","\ud800":1}"#,
        r#"{"type":"somethingNewer","deep":{"\ud800":1}}"#,
        r#"{"type":"somethingNewer"} more"#,
    ] {
        assert!(matches!(Fact::read(text), Err(Misread::Text(_))), "{text}");
    }
    assert_eq!(Fact::read(r#"{"type":7}"#), Err(Misread::NoType));
    assert_eq!(Fact::read(r#"["type"]"#), Err(Misread::NoType));
    let escaped = r#"{"t\u0079pe":"somethin\u0067Newer","text":"a\nb"}"#;
    assert_eq!(Fact::read(escaped), Ok(Fact::Other));
}
