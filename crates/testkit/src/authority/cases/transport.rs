//! How credentials are sent: by one header and in no other way.

use super::Table;

pub(super) fn add(table: &mut Table) {
    table.group = "transport";
    let token = table.key.token(&table.v2());
    let bearer = format!("Bearer {token}");
    table.headers(200, "as it should be", &[("authorization", &bearer)]);
    table.headers(
        200,
        "in small letters",
        &[("authorization", &format!("bearer {token}"))],
    );
    table.headers(200, "in capitals", &[("authorization", &format!("BEARER {token}"))]);
    // What a header says besides a good token neither helps nor harms.
    table.headers(
        200,
        "beside the development identity",
        &[("authorization", &bearer), ("x-domain-user", "root")],
    );
    table.headers(
        200,
        "beside a cookie",
        &[("authorization", &bearer), ("cookie", "access_token=x")],
    );
    table.headers(401, "not at all", &[]);
    table.headers(401, "the development identity alone", &[("x-domain-user", "ada")]);
    table.headers(
        401,
        "the development identity beside a bad token",
        &[("authorization", "Bearer x.y.z"), ("x-domain-user", "ada")],
    );
    for (name, value) in [
        ("nothing in it", String::new()),
        ("only the scheme", "Bearer".to_owned()),
        ("only the scheme and a space", "Bearer ".to_owned()),
        ("no scheme", token.clone()),
        ("a tab between", format!("Bearer\t{token}")),
        ("two tokens", format!("Bearer {token} {token}")),
        ("two with a comma", format!("Bearer {token}, Bearer {token}")),
        ("a comma at the end", format!("Bearer {token},")),
        ("in quotes", format!("Bearer \"{token}\"")),
        ("by a name", format!("Bearer token={token}")),
        ("Basic", format!("Basic {token}")),
        ("Basic with a name and a password", "Basic YWRhOmxvdmVsYWNl".to_owned()),
        ("Digest", format!("Digest {token}")),
        ("DPoP", format!("DPoP {token}")),
        ("PoP", format!("PoP {token}")),
        ("Negotiate", format!("Negotiate {token}")),
        ("a scheme like ours", format!("Bearer2 {token}")),
        ("with a colon", format!("Bearer: {token}")),
        ("null", "Bearer null".to_owned()),
        ("undefined", "Bearer undefined".to_owned()),
    ] {
        table.headers(401, name, &[("authorization", &value)]);
    }
    table.headers(401, "twice", &[("authorization", &bearer), ("authorization", &bearer)]);
    table.headers(
        401,
        "a good and a bad one",
        &[("authorization", &bearer), ("authorization", "Bearer x")],
    );
    table.headers(
        401,
        "a bad and a good one",
        &[("authorization", "Bearer x"), ("authorization", &bearer)],
    );
    for name in [
        "proxy-authorization",
        "x-authorization",
        "x-access-token",
        "x-ms-token-aad-access-token",
        "authentication",
    ] {
        table.headers(401, &format!("in {name}"), &[(name, &bearer)]);
    }
    table.headers(
        401,
        "in a cookie",
        &[("cookie", &format!("Authorization=Bearer {token}; access_token={token}"))],
    );
    for (name, value) in [
        ("x-ms-client-principal", "eyJhdXRoX3R5cCI6ImFhZCJ9"),
        ("x-ms-client-principal-name", "ada@contoso.example"),
        ("x-forwarded-user", "ada"),
        ("x-forwarded-email", "ada@contoso.example"),
        ("remote-user", "ada"),
        ("x-remote-user", "ada"),
        ("x-user-id", "2a9c4f10-7b3e-4e8d-a6c5-f01d2e3b4c5a"),
    ] {
        table.headers(401, &format!("a proxy's {name}"), &[(name, value)]);
    }
}
