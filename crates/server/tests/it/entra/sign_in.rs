//! The whole way in: from what the server tells, over the authority's pages with PKCE, to a person.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use testkit::authority::Endpoint;
use url::Url;

use super::*;

const REDIRECT: &str = "http://127.0.0.1:49152/auth/callback";
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

/// Opens the page as a browser does, and answers where it leads.
async fn browse(http: &reqwest::Client, page: &str, parameters: &[(&str, &str)]) -> (u16, Option<Url>) {
    let page = Url::parse_with_params(page, parameters).unwrap();
    let response = http.get(page).send().await.unwrap();
    let to = response.headers().get("location");
    (
        response.status().as_u16(),
        to.map(|it| it.to_str().unwrap().parse().unwrap()),
    )
}

async fn redeem(http: &reqwest::Client, page: &str, fields: &[(&str, &str)]) -> (u16, Value) {
    let body = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(fields)
        .finish();
    let response = http.post(page).body(body).send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

#[tokio::test]
async fn a_person_signs_in_with_what_the_server_tells() {
    let signed = Signed::new().await;
    signed
        .authority
        .set_person(json!({"name": "Grace Hopper", "roles": ["Zspark.Admin"]}));
    let http = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    let told = signed.get("/api/v1/auth/config", &[]).await.body;
    let (authority, client) = (
        told["authority"].as_str().unwrap(),
        told["client_ids"][0].as_str().unwrap(),
    );
    let metadata = format!("{authority}/v2.0/.well-known/openid-configuration");
    let metadata: Value = http.get(metadata).send().await.unwrap().json().await.unwrap();
    let page = metadata["authorization_endpoint"].as_str().unwrap();
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER));
    let scope = told["scope"].as_str().unwrap();
    let ask = [
        ("client_id", client),
        ("response_type", "code"),
        ("redirect_uri", REDIRECT),
        ("scope", scope),
        ("state", "st4te"),
        ("nonce", "n0nce"),
        ("code_challenge", challenge.as_str()),
        ("code_challenge_method", "S256"),
    ];
    let (status, back) = browse(&http, page, &ask).await;
    let back = back.unwrap();
    let answers: BTreeMap<_, _> = back.query_pairs().into_owned().collect();
    assert_eq!((status, answers["state"].as_str()), (302, "st4te"));
    assert!(back.as_str().starts_with(REDIRECT));

    let token_page = metadata["token_endpoint"].as_str().unwrap();
    let code = answers["code"].as_str();
    let fields = |verifier: &'static str| {
        [
            ("grant_type", "authorization_code"),
            ("client_id", DESKTOP),
            ("redirect_uri", REDIRECT),
            ("code", code),
            ("code_verifier", verifier),
        ]
    };
    let (status, granted) = redeem(&http, token_page, &fields(VERIFIER)).await;
    assert_eq!(status, 200, "{granted}");
    let me = signed.me(granted["access_token"].as_str().unwrap()).await.body;
    assert_eq!((&me["name"], &me["role"]), (&json!("Grace Hopper"), &json!("admin")));
    // The token for the client is none for the server.
    assert_eq!(signed.me(granted["id_token"].as_str().unwrap()).await.status, 401);
    // A code works once; a refresh token works once and gives the next one.
    assert_eq!(
        redeem(&http, token_page, &fields(VERIFIER)).await.1["error"],
        "invalid_grant"
    );
    let refresh = [
        ("grant_type", "refresh_token"),
        ("client_id", DESKTOP),
        ("refresh_token", granted["refresh_token"].as_str().unwrap()),
    ];
    let (status, again) = redeem(&http, token_page, &refresh).await;
    assert_eq!(status, 200);
    assert_eq!(signed.me(again["access_token"].as_str().unwrap()).await.status, 200);
    assert_eq!(redeem(&http, token_page, &refresh).await.1["error"], "invalid_grant");

    // A code with another verifier is worth nothing, and is gone.
    let (_, back) = browse(&http, page, &ask).await;
    let back = back.unwrap();
    let stolen = back
        .query_pairs()
        .find(|(name, _)| name == "code")
        .unwrap()
        .1
        .into_owned();
    let mut wrong = fields("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXx");
    wrong[3].1 = &stolen;
    assert_eq!(redeem(&http, token_page, &wrong).await.1["error"], "invalid_grant");
    // Without S256 there is no code.
    let mut plain = ask;
    plain[7].1 = "plain";
    assert_eq!(browse(&http, page, &plain).await.0, 400);
    assert_eq!(signed.authority.asked(Endpoint::Authorize), 3);
}
