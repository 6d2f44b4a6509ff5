//! What a server must be told before it starts.

use super::*;

async fn refused(change: impl FnOnce(&mut Config)) -> String {
    let authority = Authority::start(BEGIN_S).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut config = Config {
        mode: Mode::Production,
        auth: auth(&authority),
        ..development(folder.path().to_owned())
    };
    change(&mut config);
    let error = Node::start(config, Clock::system())
        .await
        .expect_err("it must not start");
    format!("{error:#}")
}

#[tokio::test]
async fn half_a_configuration_does_not_start_and_its_key_is_named() {
    for (key, said) in [
        ("auth.tenants", refused(|it| it.auth.tenants.clear()).await),
        ("auth.api_client_id", refused(|it| it.auth.api_client_id = None).await),
        ("auth.clock_skew_s", refused(|it| it.auth.clock_skew_s = 3600).await),
        (
            "auth.authority_override",
            refused(|it| it.auth.authority_override = Some("https://login.example.com".parse().unwrap())).await,
        ),
        (
            "auth.graph_override",
            refused(|it| it.auth.graph_override = Some("http://10.1.2.3".parse().unwrap())).await,
        ),
        (
            "auth.issuer_v2_template",
            refused(|it| {
                it.auth.authority_override = None;
                it.auth.graph_override = None;
                it.auth.issuer_v2_template = Some("http://127.0.0.1/{tid}".to_owned());
            })
            .await,
        ),
    ] {
        assert!(said.contains(key), "{key}: {said}");
    }
}

#[tokio::test]
async fn the_development_identity_and_entra_exclude_each_other() {
    let said = refused(|it| it.mode = Mode::Development).await;
    assert!(said.contains("exclude each other"), "{said}");
}

#[tokio::test]
async fn without_entra_nobody_is_admitted_by_anything() {
    let folder = tempfile::tempdir().unwrap();
    let config = Config {
        mode: Mode::Production,
        ..development(folder.path().to_owned())
    };
    let node = Node::start(config, Clock::system()).await.unwrap();
    let ask = |name: &'static str, value: String| {
        reqwest::Client::new()
            .get(format!("http://{}/api/v1/me", node.address()))
            .header(name, value)
            .send()
    };
    let token = testkit::authority::Key::numbered(0).token(&Form::global().v2(BEGIN_S));
    for (name, value) in [
        ("x-domain-user", "ada".to_owned()),
        ("authorization", format!("Bearer {token}")),
    ] {
        let response = ask(name, value).await.unwrap();
        assert_eq!(response.status(), 401);
        let problem: Value = response.json().await.unwrap();
        assert!(
            problem["message"].as_str().unwrap().contains("admits nobody"),
            "{problem}"
        );
    }
    node.stop().await;
}
