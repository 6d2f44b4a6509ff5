//! Keys over time: they roll over, they are flooded with unknown names, and the authority fails in every way.

use testkit::authority::{Endpoint, Fault, Key};

use super::*;

/// Keys as often as the test says so, not as time passes: the background would fetch them at an unknown moment.
async fn quiet() -> Signed {
    let signed = Signed::with(|auth| auth.jwks_refresh_s = 86_400).await;
    signed.has_keys().await;
    signed
}

impl Signed {
    /// Waits until the keys were fetched at the start.
    async fn has_keys(&self) {
        let asked = self.authority.was_asked(Endpoint::Keys, 1);
        tokio::time::timeout(PATIENCE, asked)
            .await
            .expect("the keys are fetched at the start");
        assert_eq!(self.me(&self.token()).await.status, 200);
        assert_eq!(
            self.authority.asked(Endpoint::Keys),
            1,
            "a request joins the fetch that is under way"
        );
    }
}

#[tokio::test]
async fn a_new_key_is_found_with_its_first_token_and_the_old_one_still_counts() {
    let signed = quiet().await;
    let old = signed.token();
    signed.authority.rotate();
    assert_eq!(signed.me(&signed.token()).await.status, 200);
    assert_eq!(signed.me(&old).await.status, 200);
    assert_eq!(signed.authority.asked(Endpoint::Keys), 2);
}

#[tokio::test]
async fn after_an_emergency_the_new_key_counts_at_once_and_the_old_one_for_a_day() {
    let signed = quiet().await;
    let old = signed.authority.key();
    signed.authority.replace();
    assert_eq!(signed.me(&signed.token()).await.status, 200);
    let by_old = |signed: &Signed| old.token(&signed.authority.form().v2(signed.now_s()));
    assert_eq!(signed.me(&by_old(&signed)).await.status, 200);
    signed.pass(24 * 3600 + 1);
    assert_eq!(signed.me(&by_old(&signed)).await.status, 401);
    assert_eq!(signed.me(&signed.token()).await.status, 200);
}

#[tokio::test]
async fn many_who_come_with_a_new_key_make_one_question() {
    let signed = quiet().await;
    signed.authority.rotate();
    let token = signed.token();
    let all = futures::future::join_all((0..50).map(|_| signed.me(&token))).await;
    assert!(all.iter().all(|it| it.status == 200), "{all:?}");
    assert_eq!(signed.authority.asked(Endpoint::Keys), 2);
}

#[tokio::test]
async fn a_flood_of_unknown_names_makes_one_question_in_five_minutes() {
    let signed = quiet().await;
    let claims = signed.authority.form().v2(BEGIN_S);
    let forged = |number: usize| {
        let key = Key::numbered(9);
        key.token_with(
            &changed(&key.header(), &json!({"kid": format!("forged-{number}")})),
            &claims,
        )
    };
    let all = futures::future::join_all((0..300).map(|number| {
        let token = forged(number);
        let signed = &signed;
        async move { signed.me(&token).await.status }
    }))
    .await;
    assert!(all.iter().all(|it| *it == 401), "{all:?}");
    assert_eq!(signed.authority.asked(Endpoint::Keys), 2);
    assert_eq!(
        signed.me(&signed.token()).await.status,
        200,
        "known keys are not touched by it"
    );
    signed.pass(299);
    assert_eq!(signed.me(&forged(1_000)).await.status, 401);
    assert_eq!(signed.authority.asked(Endpoint::Keys), 2);
    // A key that came with the flood is found as soon as asking is allowed again.
    signed.authority.rotate();
    assert_eq!(signed.me(&signed.token()).await.status, 401);
    signed.pass(2 * 300);
    assert_eq!(signed.me(&signed.token()).await.status, 200);
    assert_eq!(signed.authority.asked(Endpoint::Keys), 3);
}

#[tokio::test]
async fn nothing_that_is_wrong_with_a_token_makes_us_ask_for_keys() {
    let signed = quiet().await;
    let strangers = testkit::authority::form::STRANGERS;
    for token in [
        signed.token_with(&json!({"tid": strangers, "iss": signed.authority.form().v2_issuer(strangers)})),
        signed.token_with(&json!({"aud": "x"})),
        Key::numbered(9).token_with(&signed.authority.key().header(), &signed.authority.form().v2(BEGIN_S)),
        "a.b.c".to_owned(),
    ] {
        assert_eq!(signed.me(&token).await.status, 401);
    }
    assert_eq!(signed.authority.asked(Endpoint::Metadata), 1);
    assert_eq!(signed.authority.asked(Endpoint::Keys), 1);
}

fn faults(authority: &Authority) -> Vec<(Endpoint, Fault)> {
    let elsewhere = format!("{}/elsewhere", authority.url());
    let empty = r#"{"keys":[]}"#;
    let foreign = format!(r#"{{"issuer":"https://evil.example/{TENANT}/v2.0","jwks_uri":"{elsewhere}/keys"}}"#);
    let form = authority.form().v2_issuer(TENANT);
    let astray = format!(
        r#"{{"issuer":"{form}","jwks_uri":"http://localhost:{}/elsewhere/keys"}}"#,
        authority.port()
    );
    vec![
        (Endpoint::Metadata, Fault::Hang),
        (Endpoint::Metadata, Fault::Status(500)),
        (Endpoint::Metadata, Fault::Status(404)),
        (Endpoint::Metadata, Fault::Html),
        (Endpoint::Metadata, Fault::Huge),
        (
            Endpoint::Metadata,
            Fault::Redirect(format!("{elsewhere}/{TENANT}/v2.0/metadata")),
        ),
        (Endpoint::Metadata, Fault::Empty),
        (Endpoint::Metadata, Fault::Body(foreign)),
        (Endpoint::Metadata, Fault::Body(astray)),
        (Endpoint::Keys, Fault::Hang),
        (Endpoint::Keys, Fault::Status(500)),
        (Endpoint::Keys, Fault::Status(429)),
        (Endpoint::Keys, Fault::Html),
        (Endpoint::Keys, Fault::Huge),
        (Endpoint::Keys, Fault::Redirect(format!("{elsewhere}/keys"))),
        (Endpoint::Keys, Fault::Empty),
        (Endpoint::Keys, Fault::Body(empty.to_owned())),
        (Endpoint::Keys, Fault::Body("{\"keys\":".to_owned())),
    ]
}

#[tokio::test]
async fn while_the_authority_fails_the_last_good_keys_count_and_unknown_ones_do_not() {
    let signed = quiet().await;
    let mut asked = 1;
    for (endpoint, fault) in faults(&signed.authority) {
        let known = signed.token();
        signed.authority.fail(endpoint, Some(fault.clone()));
        // Asking is allowed again.
        signed.pass(300);
        let unknown = signed.authority.rotate();
        let unknown = unknown.token(&signed.authority.form().v2(signed.now_s()));
        let what = format!("{endpoint:?} {fault:?}");
        assert_eq!(signed.me(&unknown).await.status, 401, "{what}");
        assert_eq!(signed.me(&known).await.status, 200, "{what}");
        asked += 1;
        assert_eq!(signed.authority.asked(Endpoint::Metadata), asked, "{what}");
        signed.authority.fail(endpoint, None);
        // It is back, and so are the new keys.
        signed.pass(300);
        assert_eq!(signed.me(&unknown).await.status, 200, "{what}");
        asked += 1;
    }
}

#[tokio::test]
async fn an_authority_that_was_never_there_is_an_outage_and_not_a_refusal() {
    let authority = Authority::start(BEGIN_S).await.unwrap();
    authority.fail(Endpoint::Keys, Some(Fault::Status(503)));
    let signed = Signed::at(authority, |auth| auth.jwks_refresh_s = 86_400).await;
    let asked = signed.authority.was_asked(Endpoint::Keys, 1);
    tokio::time::timeout(PATIENCE, asked)
        .await
        .expect("the keys are asked for at the start");
    // The token is as good as it was; nobody can tell.
    let answered = signed.me(&signed.token()).await;
    assert_eq!((answered.status, &answered.body["code"]), (503, &json!("unavailable")));
    assert_eq!(answered.challenge, None);
    // What can be told without keys is told.
    assert_eq!(signed.me("a.b.c").await.status, 401);
    signed.authority.fail(Endpoint::Keys, None);
    signed.pass(10);
    assert_eq!(signed.me(&signed.token()).await.status, 200);
}

#[tokio::test]
async fn keys_are_fetched_anew_in_the_background() {
    let signed = Signed::with(|auth| auth.jwks_refresh_s = 1).await;
    signed.authority.replace();
    let asked = signed.authority.was_asked(Endpoint::Keys, 3);
    tokio::time::timeout(PATIENCE, asked)
        .await
        .expect("the keys are fetched every second");
    assert_eq!(signed.me(&signed.token()).await.status, 200);
}
