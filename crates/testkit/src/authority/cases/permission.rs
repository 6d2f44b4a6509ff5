//! Who it is and what they may: 401 when that is not said rightly, 403 when it is, and is not enough.

use serde_json::{Value, json};

use super::Table;
use crate::authority::form::{API, DESKTOP, GROUP, PERSON, SCOPE, STRANGERS, TENANT};

pub(super) fn add(table: &mut Table) {
    scope(table);
    client(table);
    kind(table);
    person(table);
    guest(table);
    roles(table);
}

fn scope(table: &mut Table) {
    table.group = "scope";
    table.claims(200, "one of several", json!({"scp": format!("openid {SCOPE} profile")}));
    for scope in [
        "",
        " ",
        "openid profile",
        "ACCESS_AS_USER",
        "access_as_use",
        "access_as_users",
        "xaccess_as_user",
        "access_as_user.read",
        "access_as_user,profile",
        "api://x/access_as_user",
        "profile\taccess_as_user",
        "*",
    ] {
        table.claims(403, &format!("{scope:?}"), json!({ "scp": scope }));
    }
    table.claims(403, "none", json!({"scp": null}));
    table.claims(403, "a role in its place", json!({"scp": null, "roles": [SCOPE]}));
    table.claims(401, "a list", json!({"scp": [SCOPE]}));
    table.claims(401, "an object", json!({"scp": {SCOPE: true}}));
    table.old_claims(403, "none of ours, in v1", json!({"scp": "user_impersonation"}));
}

fn client(table: &mut Table) {
    table.group = "client";
    table.claims(200, "the desktop", json!({ "azp": DESKTOP }));
    for (name, client) in [
        ("a stranger", json!(STRANGERS)),
        ("the server itself", json!(API)),
        ("in capitals", json!(DESKTOP.to_uppercase())),
        ("two in one", json!(format!("{DESKTOP} {API}"))),
        ("nothing", json!("")),
        ("not there", Value::Null),
    ] {
        table.claims(403, name, json!({ "azp": client }));
    }
    table.claims(401, "a list", json!({ "azp": [DESKTOP] }));
    table.claims(403, "in the claim of v1", json!({"azp": null, "appid": DESKTOP}));
    table.old_claims(403, "a stranger in v1", json!({ "appid": STRANGERS }));
    table.old_claims(403, "in the claim of v2", json!({"appid": null, "azp": DESKTOP}));
}

fn kind(table: &mut Table) {
    table.group = "kind of token";
    table.claims(200, "of a user, said so", json!({"idtyp": "user"}));
    table.claims(
        403,
        "of a program",
        json!({"idtyp": "app", "scp": null, "roles": ["Zspark.Admin"]}),
    );
    table.claims(403, "of a program with a scope", json!({"idtyp": "app"}));
    table.claims(
        403,
        "of a program that does not say so",
        json!({"scp": null, "roles": ["Zspark.Admin"], "sub": PERSON}),
    );
    table.claims(403, "whose subject is its object", json!({"sub": PERSON}));
    table.claims(403, "of a device", json!({"idtyp": "device"}));
    table.claims(403, "of something new", json!({"idtyp": "agent"}));
    table.claims(401, "of a type that is a number", json!({"idtyp": 1}));
    table.claims(
        401,
        "for the desktop: an ID token",
        json!({"aud": DESKTOP, "nonce": "n", "azp": null, "scp": null}),
    );
    table.claims(
        401,
        "an ID token for us",
        json!({"nonce": "n", "scp": null, "azp": null}),
    );
    table.claims(401, "with a nonce", json!({"nonce": "n"}));
    table.claims(401, "bound to a key", json!({"cnf": {"kid": "k"}}));
    table.claims(401, "bound to a certificate", json!({"cnf": {"x5t#S256": "k"}}));
    table.old_claims(
        403,
        "of a program in v1",
        json!({"scp": null, "roles": ["Zspark.Admin"], "sub": PERSON, "idtyp": "app"}),
    );
}

fn person(table: &mut Table) {
    table.group = "person";
    table.claims(200, "without a name", json!({"name": null, "preferred_username": null}));
    table.claims(200, "with a name that is a number", json!({"name": 7}));
    for (name, change) in [
        ("without an object", json!({"oid": null})),
        ("with an empty object", json!({"oid": ""})),
        ("with an object that is no GUID", json!({"oid": "ada@contoso.example"})),
        ("with an object in capitals", json!({"oid": PERSON.to_uppercase()})),
        ("with an object that is a list", json!({"oid": [PERSON]})),
        ("with an object and a zero", json!({"oid": format!("{PERSON}\u{0}")})),
        ("without a subject", json!({"sub": null})),
        ("with an empty subject", json!({"sub": ""})),
        ("with a subject that is a number", json!({"sub": 1})),
        (
            "with an address instead",
            json!({"oid": null, "email": "ada@contoso.example", "upn": "ada@contoso.example"}),
        ),
    ] {
        table.claims(401, name, change);
    }
}

fn guest(table: &mut Table) {
    table.group = "guest";
    let home = table.form.v1_issuer(STRANGERS);
    let (v1, v2) = (table.form.v1_issuer(TENANT), table.form.v2_issuer(TENANT));
    table.claims(200, "none: the account is the tenant's", json!({"acct": 0}));
    table.claims(200, "none: the provider is the issuer", json!({ "idp": v2 }));
    table.claims(
        200,
        "none: the provider is the tenant, as v1 writes it",
        json!({ "idp": v1 }),
    );
    table.claims(403, "by account", json!({"acct": 1}));
    table.claims(403, "by account, in text", json!({"acct": "1"}));
    table.claims(403, "by provider", json!({ "idp": home }));
    table.claims(403, "by a social provider", json!({"idp": "google.com"}));
    table.claims(403, "by a private account", json!({"idp": "live.com"}));
    table.claims(
        403,
        "by provider, though the account says otherwise",
        json!({"acct": 0, "idp": home}),
    );
    table.old_claims(403, "by provider in v1", json!({ "idp": home }));
    table.claims(401, "of a kind that nobody knows", json!({"acct": 2}));
    table.claims(401, "of a kind that is a list", json!({"acct": [0]}));
    table.claims(401, "by a provider that is an object", json!({"idp": {}}));
}

fn roles(table: &mut Table) {
    table.group = "roles and groups";
    table.claims(200, "a role", json!({"roles": ["Zspark.Admin"]}));
    table.claims(200, "a role that nobody knows", json!({"roles": ["Elsewhere"]}));
    table.claims(200, "a group", json!({"groups": [GROUP]}));
    table.claims(
        200,
        "a group by name, which gives nothing",
        json!({"groups": ["Admins"]}),
    );
    table.claims(200, "too many groups", json!({"_claim_names": {"groups": "src1"}, "_claim_sources": {"src1": {"endpoint": "http://127.0.0.1:1/groups"}}}));
    table.claims(200, "too many groups, in short", json!({"hasgroups": true}));
    table.claims(
        200,
        "directory roles, which give nothing",
        json!({"wids": ["62e90394-69f5-4237-9190-012177145e10"]}),
    );
    for (name, change) in [
        ("roles that are text", json!({"roles": "Zspark.Admin"})),
        ("roles that are an object", json!({"roles": {"Zspark.Admin": true}})),
        ("roles with a number among them", json!({"roles": ["Zspark.Admin", 1]})),
        ("roles with a list among them", json!({"roles": [["Zspark.Admin"]]})),
        ("groups that are text", json!({ "groups": GROUP })),
        ("groups that are an object", json!({"groups": {"src": GROUP}})),
        ("groups with null among them", json!({"groups": [GROUP, null]})),
        ("names of claims that are a list", json!({"_claim_names": ["groups"]})),
        ("has groups, by a number", json!({"hasgroups": 1})),
    ] {
        table.claims(401, name, change);
    }
}
