//! Algorithm, signature, key, issuer, tenant, audience: what proves that it is Entra who says it, and to us.

use serde_json::{Value, json};

use super::{Key, Table, changed};
use crate::authority::form::{API, API_URI, DESKTOP, Form, STRANGERS, TENANT};
use crate::authority::key::Algorithm;

/// Forms of the good key that must not be used, each under a name of its own.
pub(super) const ODD_KEYS: [(&str, &str); 9] = [
    ("odd-enc", r#"{"use":"enc"}"#),
    ("odd-kind", r#"{"kty":"EC"}"#),
    ("odd-oct", r#"{"kty":"oct","k":"AAAA"}"#),
    ("odd-alg", r#"{"alg":"PS256"}"#),
    ("odd-short", r#"{"n":"w7JHoT4bL1ZpVq"}"#),
    ("odd-exponent", r#"{"e":"AQ"}"#),
    ("odd-cloud", r#"{"cloud_instance_name":"elsewhere.example"}"#),
    (
        "odd-issuer",
        r#"{"issuer":"https://login.example.com/{tenantid}/v2.0"}"#,
    ),
    (
        "odd-tenant",
        r#"{"issuer":"https://login.microsoftonline.com/0f8a1c6e-55d7-4b8e-8d0f-9d5b8e1f7c33/v2.0"}"#,
    ),
];

pub(super) fn add(table: &mut Table) {
    algorithm(table);
    signature(table);
    key(table);
    issuer(table);
    audience(table);
}

fn algorithm(table: &mut Table) {
    table.group = "algorithm";
    table.header(200, "without a type", json!({"typ": null}));
    table.header(200, "with a thumbprint", json!({"x5t": "abc"}));
    for alg in [
        "none", "None", "NONE", "", "HS256", "HS384", "HS512", "RS384", "RS512", "PS256", "ES256", "EdDSA", "rs256",
        "RS256 ", "RSA-OAEP",
    ] {
        table.header(401, &format!("it says {alg:?}"), json!({ "alg": alg }));
    }
    table.header(401, "it says nothing", json!({"alg": null}));
    table.header(401, "it says a list", json!({"alg": ["RS256"]}));
    table.header(401, "it says so in other letters", json!({"alg": null, "ALG": "RS256"}));
    let (key, claims) = (table.key.clone(), table.v2());
    for (alg, algorithm) in [
        ("none", Algorithm::None),
        ("HS256", Algorithm::Hs256),
        ("PS256", Algorithm::Ps256),
        ("RS384", Algorithm::Rs384),
        ("ES256", Algorithm::Es256),
        ("RS256", Algorithm::Hs256),
        ("RS256", Algorithm::Ps256),
        ("RS256", Algorithm::Rs384),
        ("RS256", Algorithm::Es256),
        ("RS256", Algorithm::None),
    ] {
        let header = changed(&key.header(), &json!({ "alg": alg }));
        let token = key.token_of(header.to_string().as_bytes(), claims.to_string().as_bytes(), algorithm);
        table.token(401, &format!("it says {alg} and is {algorithm:?}"), &token);
    }
    for (name, value) in [
        ("crit", json!(["exp"])),
        ("b64", json!(false)),
        ("jku", json!("https://evil.example/keys")),
        ("x5u", json!("https://evil.example/cert")),
        ("jwk", table.key.jwk()),
        ("x5c", json!(["MIIC"])),
        ("cty", json!("JWT")),
        ("zip", json!("DEF")),
        ("nonce", json!("as tokens for Graph have it")),
        ("JKU", json!("https://evil.example/keys")),
    ] {
        table.header(401, &format!("with {name}"), json!({ name: value }));
    }
    for typ in [json!("at+jwt"), json!("JWE"), json!("pop"), json!(1), json!("")] {
        table.header(401, &format!("of the type {typ}"), json!({ "typ": typ }));
    }
}

fn signature(table: &mut Table) {
    table.group = "signature";
    let (key, claims) = (table.key.clone(), table.v2());
    let token = key.token(&claims);
    let (signed, signature) = token.rsplit_once('.').unwrap_or_default();
    let (header, _) = signed.split_once('.').unwrap_or_default();
    let other = key.token(&changed(&claims, &json!({"name": "Eve"})));
    let other_claims = other.split('.').nth(1).unwrap_or_default();
    table.token(
        200,
        "by the other key of the document",
        &Key::numbered(1).token(&claims),
    );
    table.token(401, "of another text", &format!("{header}.{other_claims}.{signature}"));
    table.token(
        401,
        "half of it",
        &format!("{signed}.{}", &signature[..signature.len() / 2 / 4 * 4]),
    );
    table.token(401, "twice", &format!("{signed}.{signature}{signature}"));
    table.token(401, "zeros", &format!("{signed}.{}", "A".repeat(342)));
    table.token(401, "of one byte", &format!("{signed}.AA"));
    let mut letters = signature.to_owned();
    let first = if letters.starts_with('A') { "B" } else { "A" };
    letters.replace_range(0..1, first);
    table.token(401, "with one letter changed", &format!("{signed}.{letters}"));
    let stranger = Key::numbered(9);
    table.token(
        401,
        "of a stranger's key under our key's name",
        &stranger.token_with(&key.header(), &claims),
    );
}

fn key(table: &mut Table) {
    table.group = "key";
    let claims = table.v2();
    table.token(200, "of the newest name", &table.key.token(&claims));
    table.token(401, "of an unknown name", &Key::numbered(9).token(&claims));
    for (name, kid) in [
        ("without a name", Value::Null),
        ("with an empty name", json!("")),
        ("with a number as name", json!(7)),
        ("with a path as name", json!("../../key-0")),
        ("with a name and a zero", json!("key-0\u{0}")),
        ("with a name and a space", json!("key-0 ")),
        ("with an address as name", json!("https://evil.example/key")),
        ("with SQL as name", json!("' OR 1=1 --")),
        ("with a long name", json!("k".repeat(129))),
        ("with a name in other letters", json!("KEY-0")),
        ("with two names", json!(["key-0"])),
    ] {
        table.header(401, name, json!({ "kid": kid }));
    }
    for (kid, change) in ODD_KEYS {
        table.header(401, &format!("of a key that is {change}"), json!({ "kid": kid }));
    }
}

fn issuer(table: &mut Table) {
    table.group = "issuer";
    table.claims(200, "of v2", json!({}));
    table.old_claims(200, "of v1", json!({}));
    let form = table.form.clone();
    let (v1, v2) = (form.v1_issuer(TENANT), form.v2_issuer(TENANT));
    table.claims(401, "of v1 in a token of v2", json!({ "iss": v1 }));
    table.old_claims(401, "of v2 in a token of v1", json!({ "iss": v2 }));
    for (name, issuer) in [
        ("with a slash too much", format!("{v2}/")),
        ("without a slash", v2.trim_end_matches("/v2.0").to_owned()),
        ("in capitals", v2.to_uppercase()),
        ("with more at the end", format!("{v2}.evil.example")),
        ("with something before it", format!("https://evil.example/{v2}")),
        ("with a place within it", format!("{v2}#x")),
        ("with a question", format!("{v2}?x=1")),
        ("with two slashes", v2.replace("/v2.0", "//v2.0")),
        ("with a way around", v2.replace("/v2.0", "/x/../v2.0")),
        ("with a space", format!("{v2} ")),
        ("with the tenant in capitals", form.v2_issuer(&TENANT.to_uppercase())),
        ("that is a template", form.v2_issuer("{tenantid}")),
        ("of all tenants", form.v2_issuer("common")),
        ("of another tenant", form.v2_issuer(STRANGERS)),
        ("of nobody", String::new()),
    ] {
        table.claims(401, name, json!({ "iss": issuer }));
    }
    table.claims(401, "that is a list", json!({ "iss": [v2] }));
    table.claims(401, "that is not there", json!({"iss": null}));
    table.old_claims(
        401,
        "of v1 without its slash",
        json!({ "iss": v1.trim_end_matches('/') }),
    );
    for other in [
        Form::global(),
        Form::china(),
        Form::usgov(),
        Form::at("http://127.0.0.1:1"),
    ] {
        if other.issuer_v2 != form.issuer_v2 {
            table.claims(
                401,
                &format!("of {}", other.name),
                json!({ "iss": other.v2_issuer(TENANT) }),
            );
        }
        if other.issuer_v1 != form.issuer_v1 {
            table.old_claims(
                401,
                &format!("of {} in v1", other.name),
                json!({ "iss": other.v1_issuer(TENANT) }),
            );
        }
    }
    // 21Vianet's other name of the same authority: issuers never have it.
    table.claims(
        401,
        "of an alias",
        json!({"iss": format!("https://login.chinacloudapi.cn/{TENANT}/v2.0")}),
    );

    table.group = "tenant";
    let foreign = |tid: &str| json!({ "tid": tid, "iss": form.v2_issuer(tid) });
    table.claims(401, "of strangers, with their issuer", foreign(STRANGERS));
    table.claims(
        401,
        "of private accounts",
        foreign("9188040d-6c67-4c5b-b112-36a304b66dad"),
    );
    table.claims(401, "by name", foreign("contoso.onmicrosoft.com"));
    table.claims(401, "in capitals", foreign(&TENANT.to_uppercase()));
    table.claims(401, "in braces", foreign(&format!("{{{TENANT}}}")));
    table.claims(401, "of nobody", foreign(""));
    table.claims(401, "of strangers, with our issuer", json!({ "tid": STRANGERS }));
    table.claims(401, "that is not there", json!({ "tid": null }));
    table.claims(401, "that is a list", json!({ "tid": [TENANT] }));
    table.claims(401, "only in other letters", json!({"tid": null, "TID": TENANT}));

    table.group = "version";
    for ver in [json!("3.0"), json!("2"), json!(2.0), json!(""), Value::Null] {
        table.claims(401, &format!("{ver}"), json!({ "ver": ver }));
    }
}

fn audience(table: &mut Table) {
    table.group = "audience";
    table.claims(200, "the server's application", json!({ "aud": API }));
    table.old_claims(200, "its App ID URI", json!({ "aud": API_URI }));
    table.old_claims(200, "its application in v1", json!({ "aud": API }));
    for (name, audience) in [
        ("the desktop's application", json!(DESKTOP)),
        ("Graph", json!("https://graph.microsoft.com")),
        ("Graph by its id", json!("00000003-0000-0000-c000-000000000000")),
        ("a list", json!([API])),
        ("a list of ours and others", json!([API, DESKTOP])),
        ("in capitals", json!(API.to_uppercase())),
        ("with more at the end", json!(format!("{API}.evil"))),
        ("with a space", json!(format!("{API} "))),
        ("two in one", json!(format!("{API} {DESKTOP}"))),
        ("the scope with it", json!(format!("{API_URI}/access_as_user"))),
        ("a slash that is not configured", json!(format!("{API_URI}/"))),
        ("nothing", json!("")),
        ("not there", Value::Null),
        ("a number", json!(1)),
        ("an object", json!({ "aud": API })),
    ] {
        table.claims(401, name, json!({ "aud": audience }));
    }
}
