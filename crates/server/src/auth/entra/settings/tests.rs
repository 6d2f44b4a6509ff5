//! Which configurations start, and what is said about those that do not.

use super::*;

type Names = &'static [&'static str];

const TENANT: &str = "11111111-2222-3333-4444-555555555555";

fn whole() -> Auth {
    Auth {
        tenants: vec![TENANT.to_owned()],
        api_client_id: Some("66666666-7777-8888-9999-aaaaaaaaaaaa".to_owned()),
        ..Auth::default()
    }
}

#[test]
fn a_mistake_is_said_with_its_key() {
    let url = |it: &str| Some(Url::parse(it).unwrap());
    let on_loopback = || Auth {
        authority_override: url("http://127.0.0.1:9000"),
        ..whole()
    };
    let words = |it: &[&str]| it.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>();
    let cases = [
        (
            "auth.tenants",
            Auth {
                tenants: vec![],
                ..whole()
            },
        ),
        (
            "auth.tenants",
            Auth {
                tenants: words(&["contoso.com"]),
                ..whole()
            },
        ),
        (
            "auth.tenants",
            Auth {
                tenants: words(&["common"]),
                ..whole()
            },
        ),
        (
            "auth.api_client_id",
            Auth {
                api_client_id: None,
                ..whole()
            },
        ),
        (
            "auth.api_client_id",
            Auth {
                api_client_id: Some(String::new()),
                ..whole()
            },
        ),
        (
            "auth.required_scope",
            Auth {
                required_scope: String::new(),
                ..whole()
            },
        ),
        (
            "auth.required_scope",
            Auth {
                required_scope: "a b".to_owned(),
                ..whole()
            },
        ),
        (
            "auth.clock_skew_s",
            Auth {
                clock_skew_s: 301,
                ..whole()
            },
        ),
        (
            "auth.jwks_refresh_s",
            Auth {
                jwks_refresh_s: 0,
                ..whole()
            },
        ),
        (
            "auth.jwks_refresh_s",
            Auth {
                jwks_refresh_s: 86_401,
                ..whole()
            },
        ),
        (
            "auth.audiences",
            Auth {
                audiences: words(&[""]),
                ..whole()
            },
        ),
        (
            "auth.allowed_clients",
            Auth {
                allowed_clients: words(&["a b"]),
                ..whole()
            },
        ),
        (
            "auth.group_map",
            Auth {
                group_map: [("staff".to_owned(), Role::Admin)].into(),
                ..whole()
            },
        ),
        (
            "auth.issuer_v2_template",
            Auth {
                issuer_v2_template: Some("https://x/{tid}".to_owned()),
                ..whole()
            },
        ),
        (
            "auth.issuer_v1_template",
            Auth {
                issuer_v1_template: Some("https://x/{tid}".to_owned()),
                ..whole()
            },
        ),
        (
            "auth.issuer_v2_template",
            Auth {
                issuer_v2_template: Some("https://x/".to_owned()),
                ..on_loopback()
            },
        ),
        (
            "auth.graph_override",
            Auth {
                graph_override: url("http://127.0.0.1:9000"),
                ..whole()
            },
        ),
        (
            "auth.graph_override",
            Auth {
                graph_override: url("https://graph.example.com"),
                ..on_loopback()
            },
        ),
        (
            "auth.authority_override",
            Auth {
                authority_override: url("https://login.example.com"),
                ..whole()
            },
        ),
        (
            "auth.authority_override",
            Auth {
                authority_override: url("http://10.0.0.1"),
                ..whole()
            },
        ),
        (
            "auth.authority_override",
            Auth {
                authority_override: url("http://127.0.0.1.example.com"),
                ..whole()
            },
        ),
        (
            "auth.authority_override",
            Auth {
                authority_override: url("http://localhost.example.com"),
                ..whole()
            },
        ),
        (
            "auth.authority_override",
            Auth {
                authority_override: url("http://a@127.0.0.1"),
                ..whole()
            },
        ),
        (
            "auth.authority_override",
            Auth {
                authority_override: url("http://[::ffff:10.0.0.1]"),
                ..whole()
            },
        ),
        (
            "auth.authority_override",
            Auth {
                authority_override: url("ftp://127.0.0.1"),
                ..whole()
            },
        ),
    ];
    for (key, auth) in cases {
        let said = Settings::new(&auth).unwrap_err().to_string();
        assert!(
            said.starts_with(key) && said.contains("docs/entra-setup.md"),
            "{key}: {said}"
        );
    }
}

#[test]
fn each_cloud_has_its_own_names() {
    let endpoints = |cloud| Settings::new(&Auth { cloud, ..whole() }).unwrap().endpoints;
    let table = [
        (
            Cloud::Global,
            "https://login.microsoftonline.com/t/v2.0",
            "https://sts.windows.net/t/",
            "https://graph.microsoft.com",
        ),
        (
            Cloud::China,
            "https://login.partner.microsoftonline.cn/t/v2.0",
            "https://sts.chinacloudapi.cn/t/",
            "https://microsoftgraph.chinacloudapi.cn",
        ),
        (
            Cloud::Usgov,
            "https://login.microsoftonline.us/t/v2.0",
            "https://sts.windows.net/t/",
            "https://graph.microsoft.us",
        ),
    ];
    for (cloud, v2, v1, graph) in table {
        let it = endpoints(cloud);
        assert_eq!(
            (
                it.issuer_v2("t").as_str(),
                it.issuer_v1("t").as_str(),
                it.graph.as_str()
            ),
            (v2, v1, graph)
        );
        assert_eq!(it.discovery("t"), format!("{v2}/.well-known/openid-configuration"));
        assert!(!it.loopback);
    }
}

#[test]
fn one_registration_can_be_api_and_client_and_ids_are_read_in_small_letters() {
    let settings = Settings::new(&Auth {
        tenants: vec![TENANT.to_uppercase()],
        group_map: [("AAAAAAAA-2222-3333-4444-555555555555".to_owned(), Role::Admin)].into(),
        ..whole()
    })
    .unwrap();
    assert_eq!(settings.clients, ["66666666-7777-8888-9999-aaaaaaaaaaaa"]);
    assert_eq!(settings.scope_audience, "api://66666666-7777-8888-9999-aaaaaaaaaaaa");
    let group = "aaaaaaaa-2222-3333-4444-555555555555".to_owned();
    assert_eq!(settings.roles.role(&[], &[group]), Some(Role::Admin));
    assert_eq!(
        Settings::new(&Auth {
            tenants: vec!["A".repeat(36)],
            ..whole()
        })
        .unwrap_err()
        .to_string()
        .find("auth.tenants"),
        Some(0)
    );
}

#[test]
fn the_highest_of_roles_and_groups_counts() {
    let map = |unmapped| RoleMap {
        roles: [("Boss".to_owned(), Role::Owner), ("Reader".to_owned(), Role::Viewer)].into(),
        groups: [(TENANT.to_owned(), Role::Admin)].into(),
        unmapped,
    };
    let names = |it: &[&str]| it.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>();
    let table: [(Names, Names, Unmapped, Option<Role>); 9] = [
        (&["Boss"], &[TENANT], Unmapped::Deny, Some(Role::Owner)),
        (&["Reader"], &[TENANT], Unmapped::Deny, Some(Role::Admin)),
        (&["Reader"], &[], Unmapped::Member, Some(Role::Viewer)),
        (&["Reader", "Boss"], &[], Unmapped::Viewer, Some(Role::Owner)),
        (&["boss"], &[], Unmapped::Member, Some(Role::Member)),
        (&["Boss "], &[], Unmapped::Deny, None),
        (
            &[],
            &["66666666-2222-3333-4444-555555555555"],
            Unmapped::Viewer,
            Some(Role::Viewer),
        ),
        (&[], &[], Unmapped::Member, Some(Role::Member)),
        (&[TENANT], &["Boss"], Unmapped::Deny, None),
    ];
    for (roles, groups, unmapped, expected) in table {
        assert_eq!(
            map(unmapped).role(&names(roles), &names(groups)),
            expected,
            "{roles:?} {groups:?}"
        );
    }
}
