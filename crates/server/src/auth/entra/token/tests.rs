//! Whatever comes, taking it apart neither panics nor lets anything through that differs from what a token looks like.

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn token(header: &Value, claims: &Value, signature: &[u8]) -> String {
    let part = |it: &Value| URL_SAFE_NO_PAD.encode(it.to_string());
    format!(
        "{}.{}.{}",
        part(header),
        part(claims),
        URL_SAFE_NO_PAD.encode(signature)
    )
}

fn good() -> String {
    token(
        &json!({"alg": "RS256", "typ": "JWT", "kid": "k-1_A"}),
        &json!({"tid": "t"}),
        b"signature",
    )
}

#[test]
fn a_token_comes_apart_into_what_it_was_made_of() {
    let text = good();
    let token = Token::parse(&text).unwrap();
    assert_eq!((token.kid(), token.claimed_tenant()), ("k-1_A", Some("t")));
    assert_eq!(token.signature, b"signature");
    assert_eq!(token.signed, text.rsplit_once('.').unwrap().0);
}

#[test]
fn a_header_is_judged_by_all_that_is_in_it() {
    let refused = |header: Value| Token::parse(&token(&header, &json!({}), b"s")).unwrap_err();
    assert_eq!(refused(json!({"alg": "none", "kid": "k"})), Reason::Algorithm);
    assert_eq!(refused(json!({"ALG": "RS256", "kid": "k"})), Reason::Algorithm);
    for name in REFUSED.iter().flat_map(|it| [(*it).to_owned(), it.to_uppercase()]) {
        assert_eq!(
            refused(json!({"alg": "RS256", "kid": "k", &name: "x"})),
            Reason::Header,
            "{name}"
        );
    }
    for kid in ["", "a b", "ä", "../k", "a\0", "k".repeat(129).as_str()] {
        assert_eq!(refused(json!({"alg": "RS256", "kid": kid})), Reason::KeyName, "{kid}");
    }
}

proptest! {
    #[test]
    fn nothing_makes_it_panic(text in "[ -~]{0,200}") {
        let _ = Token::parse(&text);
    }

    #[test]
    fn segments_of_anything_make_it_neither_panic_nor_accept(
        header in prop::collection::vec(any::<u8>(), 0..80),
        claims in prop::collection::vec(any::<u8>(), 0..80),
    ) {
        let text = format!("{}.{}.c2ln", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
        prop_assert!(Token::parse(&text).is_err());
    }

    /// Every change of one letter either is refused, or is seen by the signature because it is among what is signed.
    #[test]
    fn one_letter_changed_is_seen(at in 0_usize..200, letter in "[A-Za-z0-9_.=+/-]") {
        let text = good();
        let at = at % text.len();
        let mut changed = text.clone();
        changed.replace_range(at..=at, &letter);
        if changed != text && let Ok(token) = Token::parse(&changed) {
            let original = Token::parse(&text).unwrap();
            prop_assert!(token.signed != original.signed || token.signature != original.signature);
        }
    }

    /// The form is canonical: what is accepted is exactly what its parts encode to.
    #[test]
    fn there_is_one_way_to_write_a_token(kid in "[A-Za-z0-9_-]{1,128}", signature in prop::collection::vec(any::<u8>(), 1..64)) {
        let text = token(&json!({"alg": "RS256", "kid": kid}), &json!({"tid": "t"}), &signature);
        let parsed = Token::parse(&text).unwrap();
        prop_assert_eq!(parsed.kid(), &kid);
        prop_assert_eq!(format!("{}.{}", parsed.signed, URL_SAFE_NO_PAD.encode(&parsed.signature)), text.clone());
        for more in ["=", ".", "A", " ", "\n"] {
            let longer = format!("{text}{more}");
            if let Ok(longer) = Token::parse(&longer) {
                prop_assert_ne!(longer.signature, signature.clone());
            }
        }
    }
}
