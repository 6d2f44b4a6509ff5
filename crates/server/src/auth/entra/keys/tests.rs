//! Which documents are taken, and which of their keys.

use serde_json::json;

use super::*;
use crate::auth::entra::Settings;
use crate::config::Auth;

const TID: &str = "11111111-2222-3333-4444-555555555555";
const ISSUER: &str = "https://login.microsoftonline.com/11111111-2222-3333-4444-555555555555/v2.0";
const JWKS: &str = "https://login.microsoftonline.com/common/discovery/v2.0/keys";

fn endpoints() -> Endpoints {
    let auth = Auth {
        tenants: vec![TID.to_owned()],
        api_client_id: Some(TID.to_owned()),
        ..Auth::default()
    };
    Settings::new(&auth).unwrap().endpoints
}

fn metadata(change: Value) -> Result<Metadata, DocumentError> {
    let mut document =
        json!({"issuer": ISSUER, "jwks_uri": JWKS, "cloud_instance_name": "microsoftonline.com", "more": [1]});
    for (name, value) in change.as_object().unwrap() {
        document[name] = value.clone();
    }
    Metadata::read(document.to_string().as_bytes(), TID, &endpoints())
}

fn key(change: Value) -> Value {
    let mut key = json!({"kty": "RSA", "use": "sig", "kid": "k", "n": URL_SAFE_NO_PAD.encode([0xff; 256]), "e": "AQAB", "x5c": ["x"]});
    for (name, value) in change.as_object().unwrap() {
        if value.is_null() {
            key.as_object_mut().unwrap().remove(name);
        } else {
            key[name] = value.clone();
        }
    }
    key
}

fn read(keys: Vec<Value>) -> Result<Keys, DocumentError> {
    metadata(json!({}))
        .unwrap()
        .keys(json!({ "keys": keys }).to_string().as_bytes())
}

#[test]
fn metadata_is_taken_from_its_own_issuer_only() {
    assert!(metadata(json!({})).is_ok());
    assert!(metadata(json!({"issuer": "https://login.microsoftonline.com/{tenantid}/v2.0"})).is_ok());
    for issuer in [
        "https://login.microsoftonline.us/11111111-2222-3333-4444-555555555555/v2.0",
        "https://login.microsoftonline.com/11111111-2222-3333-4444-555555555556/v2.0",
        "https://login.microsoftonline.com/11111111-2222-3333-4444-555555555555/v2.0/",
        "https://sts.windows.net/11111111-2222-3333-4444-555555555555/",
    ] {
        assert_eq!(
            metadata(json!({ "issuer": issuer })),
            Err(DocumentError::Issuer),
            "{issuer}"
        );
    }
    for uri in [
        "https://evil.example/keys",
        "http://login.microsoftonline.com/keys",
        "https://login.microsoftonline.com:444/keys",
        "https://login.microsoftonline.com.evil.example/keys",
        "https://user@login.microsoftonline.com/keys",
    ] {
        assert_eq!(
            metadata(json!({ "jwks_uri": uri })),
            Err(DocumentError::Elsewhere),
            "{uri}"
        );
    }
    for change in [
        json!({"jwks_uri": 1}),
        json!({"jwks_uri": "keys"}),
        json!({"issuer": null}),
    ] {
        assert_eq!(metadata(change), Err(DocumentError::Form));
    }
    assert_eq!(Metadata::read(b"<html>", TID, &endpoints()), Err(DocumentError::Form));
}

#[test]
fn keys_that_do_not_fit_are_passed_over() {
    let good = || key(json!({"kid": "good"}));
    for change in [
        json!({}),
        json!({"use": null}),
        json!({"alg": "RS256"}),
        json!({"cloud_instance_name": "microsoftonline.com"}),
        json!({"issuer": ISSUER}),
        json!({"n": URL_SAFE_NO_PAD.encode([[0].as_slice(), &[0x80; 256]].concat())}),
        json!({"n": URL_SAFE_NO_PAD.encode([0xff; 1024])}),
    ] {
        assert_eq!(read(vec![key(change.clone())]).unwrap().len(), 1, "{change}");
    }
    for change in [
        json!({"kty": "EC"}),
        json!({"kty": "oct"}),
        json!({"kty": null}),
        json!({"use": "enc"}),
        json!({"use": 1}),
        json!({"alg": "RS512"}),
        json!({"alg": "PS256"}),
        json!({"kid": null}),
        json!({"kid": ""}),
        json!({"kid": "a/b"}),
        json!({"kid": "k".repeat(129)}),
        json!({"n": null}),
        json!({"n": "?"}),
        json!({"n": ""}),
        json!({"n": URL_SAFE_NO_PAD.encode([0xff; 128])}),
        json!({"n": URL_SAFE_NO_PAD.encode([[0x7f].as_slice(), &[0xff; 255]].concat())}),
        json!({"n": URL_SAFE_NO_PAD.encode([0xff; 1025])}),
        json!({"e": null}),
        json!({"e": "AQ"}),
        json!({"e": "AQABAQAB"}),
        json!({"cloud_instance_name": "microsoftonline.us"}),
        json!({"cloud_instance_name": 1}),
        json!({"issuer": 1}),
    ] {
        assert_eq!(read(vec![key(change.clone())]), Err(DocumentError::NoKey), "{change}");
        let keys = read(vec![json!(1), key(change.clone()), good()]).unwrap();
        assert_eq!(keys.keys().collect::<Vec<_>>(), ["good"], "{change}");
    }
    for document in ["", "{}", "[]", "{\"keys\":{}}", "{\"keys\":[]}", "<html>"] {
        assert!(
            metadata(json!({})).unwrap().keys(document.as_bytes()).is_err(),
            "{document}"
        );
    }
}

#[test]
fn a_key_signs_for_its_issuer() {
    let key = |issuer: Option<&str>| Key {
        modulus: vec![],
        exponent: vec![],
        issuer: issuer.map(str::to_owned),
    };
    assert!(key(None).is_for(TID, ISSUER));
    assert!(key(Some(ISSUER)).is_for(TID, ISSUER));
    assert!(key(Some("https://login.microsoftonline.com/{tenantid}/v2.0")).is_for(TID, ISSUER));
    assert!(
        !key(Some(
            "https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0"
        ))
        .is_for(TID, ISSUER)
    );
    assert!(!key(Some("https://login.partner.microsoftonline.cn/{tenantid}/v2.0")).is_for(TID, ISSUER));
    assert!(!key(Some("")).is_for(TID, ISSUER));
}
