//! The table of credentials against the three real clouds: keys are put in by hand, and nothing leaves the machine.

use std::collections::BTreeMap;

use axum::http::{HeaderMap, HeaderValue};
use protocol::workspace::people::Role;
use protocol::workspace::problem::ProblemCode;
use serde_json::{Value, json};
use testkit::authority::form::{API, API_URI, DESKTOP, GROUP, PERSON, STRANGERS, TENANT, changed};
use testkit::authority::{Form, Key, cases, documents};

use super::*;
use crate::auth::Identity;
use crate::config::{Auth, Cloud, Guests, Unmapped};
use crate::problem::Refusal;

const NOW_S: u64 = 1_790_000_000;

fn auth(cloud: Cloud) -> Auth {
    Auth {
        cloud,
        tenants: vec![TENANT.to_owned()],
        api_client_id: Some(API.to_owned()),
        audiences: vec![API_URI.to_owned()],
        allowed_clients: vec![DESKTOP.to_owned()],
        role_map: [("Zspark.Admin".to_owned(), Role::Admin)].into(),
        group_map: [(GROUP.to_owned(), Role::Owner)].into(),
        ..Auth::default()
    }
}

/// One that has fetched the table's keys.
fn entra(auth: &Auth, form: &Form) -> Entra {
    let settings = Settings::new(auth).unwrap();
    let metadata = json!({
        "issuer": form.v2_issuer(TENANT),
        "jwks_uri": format!("{}/common/discovery/v2.0/keys", settings.endpoints.authority),
    });
    let metadata = Metadata::read(metadata.to_string().as_bytes(), TENANT, &settings.endpoints).unwrap();
    let keys = metadata.keys(documents(form).to_string().as_bytes()).unwrap();
    let entra = Entra::new(settings, Clock::new(|| NOW_S * 1000)).unwrap();
    entra.source.with_ring(TENANT, |ring, now_ms| {
        ring.take(keys, now_ms);
        // An unknown name was asked for just now, so that none of the table's is.
        assert_eq!(ring.look("nobody", now_ms, false), Look::Ask);
    });
    entra
}

async fn the_table_holds(cloud: Cloud, form: Form) {
    let identity = Identity::Entra(Box::new(entra(&auth(cloud), &form)));
    let mut wrong = Vec::new();
    let mut groups: BTreeMap<&str, [usize; 2]> = BTreeMap::new();
    for case in cases(&form, NOW_S) {
        let mut headers = HeaderMap::new();
        for (name, value) in &case.headers {
            headers.append(*name, HeaderValue::from_bytes(value).unwrap());
        }
        let (status, reason) = match identity.of_headers(&headers).await {
            Ok(_) => (200, "accepted"),
            Err(denied) => {
                let reason = denied.reason.code();
                (Refusal::from(denied).status().as_u16(), reason)
            }
        };
        groups.entry(case.group).or_default()[usize::from(case.status == 200)] += 1;
        if status != case.status {
            wrong.push(format!(
                "{}: {}: {status} ({reason}), not {}",
                case.group, case.name, case.status
            ));
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
    let refused: usize = groups.values().map(|it| it[0]).sum();
    assert!(refused >= 120, "only {refused} bad credentials: {groups:?}");
}

#[tokio::test]
async fn the_table_holds_for_the_global_cloud() {
    the_table_holds(Cloud::Global, Form::global()).await;
}

#[tokio::test]
async fn the_table_holds_for_azure_china() {
    the_table_holds(Cloud::China, Form::china()).await;
}

#[tokio::test]
async fn the_table_holds_for_us_gov() {
    the_table_holds(Cloud::Usgov, Form::usgov()).await;
}

/// A server that refuses everything must not pass, and neither must one that tells reasons apart by luck.
#[tokio::test]
async fn each_mistake_is_found_for_its_own_reason() {
    let form = Form::global();
    let entra = entra(&auth(Cloud::Global), &form);
    let key = Key::numbered(0);
    let table = [
        (json!({"ver": "3.0"}), Reason::Version),
        (json!({"iss": form.v2_issuer(STRANGERS)}), Reason::Issuer),
        (json!({"tid": STRANGERS}), Reason::Tenant),
        (json!({"aud": DESKTOP}), Reason::Audience),
        (json!({"exp": "soon"}), Reason::Times),
        (
            json!({"exp": NOW_S - 60, "nbf": NOW_S - 90, "iat": NOW_S - 90}),
            Reason::Expired,
        ),
        (json!({"nbf": NOW_S + 61}), Reason::NotYet),
        (json!({"oid": null}), Reason::Person),
        (json!({"roles": "Zspark.Admin"}), Reason::Claim),
        (json!({"nonce": "n"}), Reason::IdToken),
        (json!({"cnf": {}}), Reason::Bound),
        (json!({"scp": "other"}), Reason::Scope),
        (json!({"azp": STRANGERS}), Reason::Client),
        (json!({"idtyp": "app"}), Reason::App),
        (json!({"idtyp": "device"}), Reason::Device),
        (json!({"acct": 1}), Reason::Guest),
    ];
    for (change, reason) in table {
        let denied = entra
            .verified(&key.token(&changed(&form.v2(NOW_S), &change)))
            .await
            .unwrap_err();
        assert_eq!(denied.reason, reason, "{change}");
        assert_eq!(denied.kid.as_deref(), Some("key-0"));
    }
    let header = |change: Value| key.token_with(&changed(&key.header(), &change), &form.v2(NOW_S));
    let stranger = Key::numbered(9).token_with(&key.header(), &form.v2(NOW_S));
    for (token, reason) in [
        ("x".repeat(17_000), Reason::TooLong),
        ("a.b".to_owned(), Reason::Shape),
        ("e30.e30.e30".to_owned(), Reason::Algorithm),
        ("Wzdd.e30.e30".to_owned(), Reason::Json),
        (header(json!({"jku": "x"})), Reason::Header),
        (header(json!({"kid": 1})), Reason::KeyName),
        (header(json!({"kid": "other"})), Reason::UnknownKey),
        (header(json!({"kid": "odd-issuer"})), Reason::KeyIssuer),
        (stranger, Reason::Signature),
    ] {
        assert_eq!(entra.verified(&token).await.unwrap_err().reason, reason);
    }
}

#[tokio::test]
async fn a_person_is_known_by_cloud_tenant_and_object_and_shown_by_name() {
    let form = Form::china();
    let auth = Auth {
        guests: Guests::Allow,
        ..auth(Cloud::China)
    };
    let entra = entra(&auth, &form);
    let verified = async |change: Value| {
        let token = Key::numbered(0).token(&changed(&form.v2(NOW_S), &change));
        entra.verified(&token).await.unwrap()
    };
    let ada =
        verified(json!({"roles": ["Zspark.Admin", "Other"], "groups": [STRANGERS.to_uppercase(), "Staff"]})).await;
    let expected = Verified {
        cloud: "china".to_owned(),
        tid: TENANT.to_owned(),
        oid: PERSON.to_owned(),
        name: "Ada Lovelace".to_owned(),
        guest: false,
        app: false,
        role: Role::Admin,
        app_roles: vec!["Zspark.Admin".to_owned(), "Other".to_owned()],
        groups: vec![STRANGERS.to_owned()],
        expires_at_ms: Some((NOW_S + 3600) * 1000),
    };
    assert_eq!(ada, expected);
    assert!(verified(json!({"acct": 1})).await.guest);
    assert_eq!(verified(json!({"groups": [GROUP]})).await.role, Role::Owner);
    assert_eq!(
        verified(json!({"groups": [GROUP], "hasgroups": true})).await.role,
        Role::Member
    );
    for (name, shown) in [
        (json!("  Ada\u{202e}\n\0 \u{200b}L. "), "Ada L.".to_owned()),
        (json!("a".repeat(500)), "a".repeat(128)),
        (json!("\u{202e}"), "ada@contoso.example".to_owned()),
        (json!({"x": 1}), "ada@contoso.example".to_owned()),
        (json!("<script>"), "<script>".to_owned()),
    ] {
        assert_eq!(verified(json!({ "name": name })).await.name, shown);
    }
    let nameless = json!({"name": null, "preferred_username": null});
    assert_eq!(verified(nameless).await.name, PERSON);
}

#[tokio::test]
async fn whom_nothing_gives_a_role_is_what_the_configuration_says() {
    for (unmapped, expected) in [
        (Unmapped::Member, Ok(Role::Member)),
        (Unmapped::Viewer, Ok(Role::Viewer)),
        (Unmapped::Deny, Err(Reason::Unmapped)),
    ] {
        let auth = Auth {
            unmapped,
            ..auth(Cloud::Global)
        };
        let entra = entra(&auth, &Form::global());
        let token = Key::numbered(0).token(&Form::global().v2(NOW_S));
        let role = entra.verified(&token).await.map(|it| it.role).map_err(|it| it.reason);
        assert_eq!(role, expected);
    }
    assert_eq!(Reason::Unmapped.problem(), ProblemCode::Forbidden);
}

#[tokio::test]
async fn a_token_of_one_cloud_is_nothing_in_another() {
    for (cloud, home) in [
        (Cloud::Global, Form::global()),
        (Cloud::China, Form::china()),
        (Cloud::Usgov, Form::usgov()),
    ] {
        let entra = entra(&auth(cloud), &home);
        for form in [Form::global(), Form::china(), Form::usgov()] {
            let token = Key::numbered(0).token(&form.v2(NOW_S));
            assert_eq!(
                entra.verified(&token).await.is_ok(),
                form == home,
                "{} at {}",
                form.name,
                home.name
            );
        }
    }
}

#[tokio::test]
async fn a_client_is_told_where_to_sign_in_and_no_secret() {
    let auth = Auth {
        client_secret: Some(crate::config::Secret("hush".to_owned())),
        ..auth(Cloud::China)
    };
    let told = serde_json::to_value(entra(&auth, &Form::china()).sign_in()).unwrap();
    assert_eq!(
        told,
        json!({
            "mode": "entra",
            "cloud": "china",
            "authority": format!("https://login.partner.microsoftonline.cn/{TENANT}"),
            "tenant": TENANT,
            "tenants": [TENANT],
            "client_ids": [DESKTOP],
            "api_client_id": API,
            "scope": format!("{API_URI}/access_as_user"),
        })
    );
}
