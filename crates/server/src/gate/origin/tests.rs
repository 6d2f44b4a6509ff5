//! Which pages and which names.

use super::*;

fn origins(server_url: Option<&str>, allowed: &[&str]) -> Result<Origins, ConfigError> {
    Origins::new(&Config {
        server_url: server_url.map(|it| Url::parse(it).unwrap()),
        allowed_origins: allowed.iter().map(|it| (*it).to_owned()).collect(),
        ..Config::default()
    })
}

#[test]
fn only_pages_of_the_list_may_ask_and_null_never() {
    let origins = origins(Some("https://zspark.example.com/"), &["http://localhost:5173"]).unwrap();
    let check = |sent: &[&str], expect: bool| {
        let mut headers = HeaderMap::new();
        for origin in sent {
            headers.append(ORIGIN, origin.parse().unwrap());
        }
        assert_eq!(origins.page(&headers).is_ok(), expect, "{sent:?}");
    };
    check(&[], true);
    check(&["tauri://localhost"], true);
    check(&["http://tauri.localhost"], true);
    check(&["https://tauri.localhost"], true);
    check(&["https://zspark.example.com"], true);
    check(&["http://localhost:5173"], true);
    check(&["null"], false);
    check(&[""], false);
    check(&["http://zspark.example.com"], false);
    check(&["https://zspark.example.com:444"], false);
    check(&["https://zspark.example.com.evil.com"], false);
    check(&["https://zspark.example.com", "https://evil.com"], false);
    check(&["http://localhost:5174"], false);
    check(&["HTTPS://ZSPARK.EXAMPLE.COM"], false);
}

#[test]
fn only_its_own_names_are_the_servers() {
    let named = origins(Some("https://zspark.example.com"), &[]).unwrap();
    let unnamed = origins(None, &[]).unwrap();
    let check = |host: &str, by_name: bool, by_address: bool| {
        assert_eq!(
            (named.is_ours(host), unnamed.is_ours(host)),
            (by_name, by_address),
            "{host}"
        );
    };
    check("zspark.example.com", true, false);
    check("ZSPARK.example.com:443", true, false);
    check("localhost:8787", true, true);
    check("127.0.0.1:8787", true, true);
    check("[::1]:8787", true, true);
    check("192.168.1.5:8787", false, true);
    check("evil.com", false, false);
    check("localhost.evil.com", false, false);
    check("evil.com@localhost", false, false);
    check("localhost/evil", false, false);
    check("", false, false);
}

#[test]
fn a_page_that_could_never_match_is_a_mistake() {
    for page in [
        "*",
        "null",
        "https://a.example.com/",
        "https://a.example.com/x",
        "https://A.example.com",
        "a.example.com",
    ] {
        assert!(origins(None, &[page]).is_err(), "{page}");
    }
}
