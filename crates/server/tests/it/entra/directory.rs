//! People with more groups than fit into a token: who is asked, how often, and what counts when nobody answers.

use testkit::authority::{Endpoint, Fault};

use super::*;

async fn with_secret() -> Signed {
    Signed::with(|auth| auth.client_secret = Some(Secret("hush".to_owned()))).await
}

/// A token that points elsewhere for its groups, as Entra's do. Nobody listens there; nobody must ask.
fn overflowing(signed: &Signed) -> String {
    signed.token_with(&json!({
        "_claim_names": {"groups": "src1"},
        "_claim_sources": {"src1": {"endpoint": "http://127.0.0.1:1/users/x/getMemberObjects"}},
        "groups": ["00000000-0000-4000-8000-000000000000"],
    }))
}

#[tokio::test]
async fn the_configured_graph_is_asked_on_behalf_of_the_person_once_in_five_minutes() {
    let signed = with_secret().await;
    signed.authority.set_groups(&["not-a-guid", &GROUP.to_uppercase()]);
    for _ in 0..3 {
        assert_eq!(signed.me(&overflowing(&signed)).await.body["role"], "owner");
    }
    assert_eq!(signed.authority.asked(Endpoint::Token), 1);
    assert_eq!(signed.authority.asked(Endpoint::Graph), 1);
    signed.authority.set_groups(&[]);
    signed.pass(299);
    assert_eq!(signed.me(&overflowing(&signed)).await.body["role"], "owner");
    signed.pass(1);
    assert_eq!(signed.me(&overflowing(&signed)).await.body["role"], "member");
    assert_eq!(signed.authority.asked(Endpoint::Graph), 2);
}

#[tokio::test]
async fn many_requests_of_one_person_make_one_question() {
    let signed = with_secret().await;
    signed.authority.set_groups(&[GROUP]);
    let token = overflowing(&signed);
    let all = futures::future::join_all((0..20).map(|_| signed.me(&token))).await;
    assert!(all.iter().all(|it| it.body["role"] == "owner"), "{all:?}");
    assert_eq!(signed.authority.asked(Endpoint::Graph), 1);
}

#[tokio::test]
async fn groups_that_cannot_be_found_out_give_nothing() {
    for (endpoint, fault) in [
        (Endpoint::Token, Fault::Hang),
        (Endpoint::Token, Fault::Status(500)),
        (Endpoint::Token, Fault::Html),
        (Endpoint::Token, Fault::Empty),
        (Endpoint::Token, Fault::Body("{\"error\":\"x\"}".to_owned())),
        (Endpoint::Graph, Fault::Status(403)),
        (Endpoint::Graph, Fault::Status(500)),
        (Endpoint::Graph, Fault::Huge),
        (Endpoint::Graph, Fault::Html),
        (
            Endpoint::Graph,
            Fault::Redirect("/graph/v1.0/me/getMemberObjects".to_owned()),
        ),
        (Endpoint::Graph, Fault::Body(format!("{{\"value\":\"{GROUP}\"}}"))),
    ] {
        let signed = with_secret().await;
        signed.authority.set_groups(&[GROUP]);
        signed.authority.fail(endpoint, Some(fault.clone()));
        let me = signed.me(&overflowing(&signed)).await;
        assert_eq!(
            (me.status, &me.body["role"]),
            (200, &json!("member")),
            "{endpoint:?} {fault:?}"
        );
        // Not asked at every request while it is away, and asked again soon.
        assert_eq!(signed.me(&overflowing(&signed)).await.body["role"], "member");
        assert_eq!(signed.authority.asked(Endpoint::Token), 1);
        signed.authority.fail(endpoint, None);
        signed.pass(15);
        assert_eq!(
            signed.me(&overflowing(&signed)).await.body["role"],
            "owner",
            "{endpoint:?} {fault:?}"
        );
    }
}

#[tokio::test]
async fn without_a_secret_nobody_is_asked_and_groups_give_nothing() {
    let signed = Signed::new().await;
    signed.authority.set_groups(&[GROUP]);
    assert_eq!(signed.me(&overflowing(&signed)).await.body["role"], "member");
    let short = signed.token_with(&json!({"hasgroups": true, "groups": [GROUP]}));
    assert_eq!(signed.me(&short).await.body["role"], "member");
    assert_eq!(signed.authority.asked(Endpoint::Token), 0);
    assert_eq!(
        signed.me(&signed.token_with(&json!({"groups": [GROUP]}))).await.body["role"],
        "owner"
    );
}

#[tokio::test]
async fn nobody_is_asked_on_behalf_of_somebody_who_is_refused() {
    let signed = with_secret().await;
    for (change, status) in [
        (json!({"scp": "other", "hasgroups": true}), 403),
        (json!({"acct": 1, "hasgroups": true}), 403),
        (json!({"aud": "x", "hasgroups": true}), 401),
    ] {
        assert_eq!(signed.me(&signed.token_with(&change)).await.status, status);
    }
    assert_eq!(signed.authority.asked(Endpoint::Token), 0);
}

#[tokio::test]
async fn what_entra_wants_of_a_person_is_passed_on_to_their_client() {
    let signed = with_secret().await;
    let claims = r#"{"access_token":{"capolids":{"essential":true,"values":["c1"]}}}"#;
    signed
        .authority
        .refuse_on_behalf(Some(json!({"error": "interaction_required", "claims": claims})));
    let answered = signed.me(&overflowing(&signed)).await;
    assert_eq!((answered.status, &answered.body["claims"]), (401, &json!(claims)));
    let challenge = answered.challenge.unwrap();
    assert!(
        challenge.starts_with("Bearer error=\"insufficient_claims\", claims=\"eyJ"),
        "{challenge}"
    );
    // Once the person has done it, nothing stands in the way.
    signed.authority.refuse_on_behalf(None);
    signed.authority.set_groups(&[GROUP]);
    assert_eq!(signed.me(&overflowing(&signed)).await.body["role"], "owner");
    // Another refusal is no challenge.
    let signed = with_secret().await;
    signed
        .authority
        .refuse_on_behalf(Some(json!({"error": "invalid_grant"})));
    assert_eq!(signed.me(&overflowing(&signed)).await.body["role"], "member");
}
