//! Token shape: segments, alphabets, sizes, JSON.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use serde_json::json;

use super::Table;
use crate::authority::key::Algorithm;

pub(super) fn add(table: &mut Table) {
    table.group = "shape";
    let (key, claims) = (table.key.clone(), table.v2());
    let good = key.token(&claims);
    let parts: Vec<&str> = good.split('.').collect();
    let [header, body, signature] = [parts[0], parts[1], parts[2]];
    table.token(200, "as it should be", &good);
    table.token(200, "with claims in an unusual order", &{
        let text = format!(
            "{{\"zzz\":[1,{{\"a\":null}}],{}",
            claims.to_string().trim_start_matches('{')
        );
        key.token_of(key.header().to_string().as_bytes(), text.as_bytes(), Algorithm::Rs256)
    });
    for (name, token) in [
        ("one segment", header.to_owned()),
        ("two segments", format!("{header}.{body}")),
        ("four segments", format!("{good}.{signature}")),
        (
            "five segments, as when encrypted",
            format!("{header}.{body}.{signature}.{body}.{signature}"),
        ),
        ("no header", format!(".{body}.{signature}")),
        ("no claims", format!("{header}..{signature}")),
        ("no signature", format!("{header}.{body}.")),
        ("only dots", "..".to_owned()),
        (
            "padding",
            format!(
                "{header}.{body}.{}",
                URL_SAFE.encode(key.signature(format!("{header}.{body}").as_bytes(), Algorithm::Rs256))
            ),
        ),
        ("a letter too much", format!("{good}A")),
        ("a letter too little", good[..good.len() - 1].to_owned()),
        (
            "another alphabet",
            format!("{}.{body}.{signature}", STANDARD_NO_PAD.encode([0xfb, 0xff, 0xfe])),
        ),
        ("a percent sign", good.replacen('.', "%2E", 1)),
        ("a quote at the end", format!("{good}'")),
        ("a zero-width space", format!("{good}\u{200b}")),
        (
            "no JSON in the header",
            format!("{}.{body}.{signature}", URL_SAFE_NO_PAD.encode("RS256")),
        ),
    ] {
        table.token(401, name, &token);
    }
    // The last letter of 256 bytes carries two bits that mean nothing: another one decodes to the same signature elsewhere.
    let (start, last) = good.split_at(good.len() - 1);
    let twin = match last {
        "A" => "B",
        "Q" => "R",
        "g" => "h",
        _ => "x",
    };
    table.token(401, "bits left over in the last letter", &format!("{start}{twin}"));

    table.group = "json";
    let signed = |text: &str| key.token_of(key.header().to_string().as_bytes(), text.as_bytes(), Algorithm::Rs256);
    let inner = claims.to_string();
    let inner = &inner[1..inner.len() - 1];
    let headed = |text: &str| key.token_of(text.as_bytes(), claims.to_string().as_bytes(), Algorithm::Rs256);
    let kid = key.kid();
    for (name, token) in [
        ("claims that are a list", signed(&format!("[{claims}]"))),
        ("claims that are text", signed("\"claims\"")),
        ("claims that are null", signed("null")),
        ("claims with more after them", signed(&format!("{claims}{claims}"))),
        ("claims with a comma too much", signed(&format!("{{{inner},}}"))),
        ("claims cut off", signed(&format!("{{{inner}"))),
        ("claims with a byte-order mark", signed(&format!("\u{feff}{claims}"))),
        (
            "a tenant twice",
            signed(&format!(
                "{{\"tid\":\"{0}\",{inner}}}",
                crate::authority::form::STRANGERS
            )),
        ),
        (
            "a tenant twice, in other letters",
            signed(&format!(
                "{{\"TID\":\"{0}\",{inner}}}",
                crate::authority::form::STRANGERS
            )),
        ),
        (
            "a tenant twice, written differently",
            signed(&format!("{{\"t\\u0069d\":\"x\",{inner}}}")),
        ),
        (
            "a role twice within an object",
            signed(&format!("{{\"x\":{{\"a\":1,\"A\":2}},{inner}}}")),
        ),
        (
            "too deep by objects",
            signed(&format!(
                "{{\"x\":{}1{},{inner}}}",
                "{\"a\":".repeat(16),
                "}".repeat(16)
            )),
        ),
        (
            "too deep by lists",
            signed(&format!("{{\"x\":{}{},{inner}}}", "[".repeat(16), "]".repeat(16))),
        ),
        ("very deep", signed(&format!("{{\"x\":{}", "[".repeat(5000)))),
        ("half a surrogate", signed(&format!("{{\"x\":\"\\ud800\",{inner}}}"))),
        ("a header that is a list", headed(&format!("[{}]", key.header()))),
        (
            "a header with an algorithm twice",
            headed(&format!("{{\"alg\":\"none\",\"alg\":\"RS256\",\"kid\":\"{kid}\"}}")),
        ),
        (
            "a header with an algorithm in two forms",
            headed(&format!("{{\"alg\":\"RS256\",\"Alg\":\"none\",\"kid\":\"{kid}\"}}")),
        ),
        (
            "a header with a key twice",
            headed(&format!("{{\"alg\":\"RS256\",\"kid\":\"{kid}\",\"kid\":\"{kid}\"}}")),
        ),
        (
            "longer than 16 KiB",
            key.token(&super::changed(&claims, &json!({"x": "x".repeat(16 * 1024)}))),
        ),
    ] {
        table.token(401, name, &token);
    }
    let bytes = [b"{\"x\":\"\xff\",".as_slice(), inner.as_bytes(), b"}"].concat();
    let token = key.token_of(key.header().to_string().as_bytes(), &bytes, Algorithm::Rs256);
    table.token(401, "no UTF-8", &token);
    table.claims(
        200,
        "ten kilobytes of what nobody asked for",
        json!({"x": "x".repeat(10 * 1024)}),
    );
}
