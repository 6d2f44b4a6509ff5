//! What file and environment add up to.

use std::collections::BTreeMap;

use super::*;
use crate::config::Mode;

fn load(file: &str, environment: &[(&str, &str)]) -> Result<Config, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("server.toml");
    std::fs::write(&path, file).unwrap();
    let environment: BTreeMap<&str, &str> = environment.iter().copied().collect();
    Config::load(Some(&path), &|name| environment.get(name).map(|it| (*it).to_owned())).map_err(|it| it.to_string())
}

#[test]
fn nothing_said_is_the_embedded_default_on_loopback() {
    let config = load("", &[]).unwrap();
    assert_eq!(config, Config::default());
    assert_eq!(config.listen.to_string(), "127.0.0.1:8787");
    assert_eq!(config.mode, Mode::Production);
}

#[test]
fn all_keys_of_the_file_are_known() {
    let config = load(
        r#"
        mode = "development"
        database_url = "postgres://db/zspark"
        redis_url = "redis://cache"
        trusted_proxies = ["10.0.0.0/8"]
        [auth]
        cloud = "china"
        tenants = ["11111111-1111-1111-1111-111111111111"]
        api_client_id = "22222222-2222-2222-2222-222222222222"
        audiences = ["api://zspark"]
        allowed_clients = ["33333333-3333-3333-3333-333333333333"]
        required_scope = "work"
        role_map = { "Zspark.Admin" = "admin" }
        group_map = { "44444444-4444-4444-4444-444444444444" = "viewer" }
        guests = "allow"
        clock_skew_s = 10
        jwks_refresh_s = 60
        authority_override = "http://127.0.0.1:9"
        issuer_v2_template = "http://127.0.0.1:9/{tid}/v2.0"
        issuer_v1_template = "http://127.0.0.1:9/{tid}/"
        [limits]
        uploads = 2
        "#,
        &[],
    )
    .unwrap();
    assert_eq!(config.auth.cloud, Cloud::China);
    assert_eq!(config.auth.required_scope, "work");
    assert_eq!(config.limits.uploads, 2);
}

#[test]
fn a_mistake_is_said_with_its_place() {
    let said = load("mode = \"fast\"", &[]).unwrap_err();
    assert!(said.contains("server.toml") && said.contains("line 1"), "{said}");
    let said = load("\nmood = 1", &[]).unwrap_err();
    assert!(said.contains("line 2") && said.contains("mood"), "{said}");
}

#[test]
fn the_variables_of_the_first_version_still_mean_the_same() {
    let config = load(
        "database_url = \"sqlite:///a\"",
        &[
            ("ZSPARK_TENANT_ID", "t"),
            ("ZSPARK_CLIENT_ID", "c"),
            ("ZSPARK_API_SCOPE", "api://c/access_as_user"),
            ("ZSPARK_AUTHORITY", "https://login.partner.microsoftonline.cn/t"),
            ("ZSPARK_SERVER_URL", "https://zspark.example.cn"),
            ("ZSPARK_ARTIFACT_STORAGE_DIR", "/files"),
            ("DATABASE_URL", "postgres://db/zspark"),
            ("REDIS_URL", ""),
        ],
    )
    .unwrap();
    assert_eq!(config.auth.tenants, ["t"]);
    assert_eq!(config.auth.cloud, Cloud::China);
    assert_eq!(config.auth.api_client_id.as_deref(), Some("c"));
    assert_eq!(config.auth.audiences, ["api://c"]);
    assert_eq!(config.auth.required_scope, "access_as_user");
    assert_eq!(config.artifact_storage_dir.as_deref(), Some("/files"));
    assert_eq!(config.database_url.as_deref(), Some("postgres://db/zspark"));
    assert_eq!(config.redis_url, None);
}

#[test]
fn a_variable_that_makes_no_sense_is_named() {
    for (name, bad) in [
        ("ZSPARK_SERVER_URL", "example"),
        ("ZSPARK_LISTEN", "8787"),
        ("ZSPARK_API_SCOPE", "access_as_user"),
        ("ZSPARK_BEHIND_PROXY", "perhaps"),
        ("ZSPARK_AUTHORITY", "ftp://login"),
    ] {
        let said = load("", &[(name, bad)]).unwrap_err();
        assert!(said.contains(name) && said.contains(bad), "{said}");
    }
}
