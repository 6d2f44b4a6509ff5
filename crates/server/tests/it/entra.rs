//! Sign-in with Microsoft Entra ID over HTTP: the real router in production mode, against an authority on loopback.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use protocol::workspace::people::Role;
use reqwest::header::{HeaderName, HeaderValue, WWW_AUTHENTICATE};
use serde_json::{Value, json};
use server::clock::Clock;
use server::config::{Auth, Config, Mode, Secret};
use server::node::Node;
use testkit::Authority;
use testkit::authority::form::{API, API_URI, DESKTOP, GROUP, PERSON, TENANT, changed};
use testkit::authority::{Form, cases, documents};

use crate::world::development;

mod directory;
mod outage;
mod sign_in;
mod start;

/// A time at which a test begins.
const BEGIN_S: u64 = 1_790_000_000;
/// So long a test waits for somebody else.
const PATIENCE: Duration = Duration::from_secs(30);

/// A node in production, its authority, and the time of both.
struct Signed {
    authority: Authority,
    node: Node,
    now_ms: Arc<AtomicU64>,
    http: reqwest::Client,
    /// Goes with the rest.
    _folder: tempfile::TempDir,
}

/// What a request was answered.
#[derive(Debug)]
struct Answered {
    status: u16,
    challenge: Option<String>,
    body: Value,
}

impl Signed {
    async fn new() -> Self {
        Self::with(|_| ()).await
    }

    async fn with(change: impl FnOnce(&mut Auth)) -> Self {
        Self::at(Authority::start(BEGIN_S).await.unwrap(), change).await
    }

    async fn at(authority: Authority, change: impl FnOnce(&mut Auth)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut config = Config {
            mode: Mode::Production,
            auth: auth(&authority),
            ..development(folder.path().to_owned())
        };
        change(&mut config.auth);
        let now_ms = Arc::new(AtomicU64::new(BEGIN_S * 1000));
        let time = now_ms.clone();
        let clock = Clock::new(move || time.load(Ordering::SeqCst));
        let node = Node::start(config, clock).await.unwrap();
        Self {
            authority,
            node,
            now_ms,
            http: reqwest::Client::new(),
            _folder: folder,
        }
    }

    fn now_s(&self) -> u64 {
        self.now_ms.load(Ordering::SeqCst) / 1000
    }

    fn pass(&self, seconds: u64) {
        self.now_ms.fetch_add(seconds * 1000, Ordering::SeqCst);
    }

    /// A good token of now, by the authority's newest key.
    fn token(&self) -> String {
        self.authority.sign(&self.authority.form().v2(self.now_s()))
    }

    /// A good token but for these changes.
    fn token_with(&self, change: &Value) -> String {
        self.authority
            .sign(&changed(&self.authority.form().v2(self.now_s()), change))
    }

    async fn me(&self, token: &str) -> Answered {
        self.get(
            "/api/v1/me",
            &[("authorization", format!("Bearer {token}").into_bytes())],
        )
        .await
    }

    async fn get(&self, path: &str, headers: &[(&'static str, Vec<u8>)]) -> Answered {
        let mut request = self.http.get(format!("http://{}{path}", self.node.address()));
        for (name, value) in headers {
            request = request.header(HeaderName::from_static(name), HeaderValue::from_bytes(value).unwrap());
        }
        let response = tokio::time::timeout(PATIENCE, request.send())
            .await
            .expect("the server answers")
            .unwrap();
        let challenge = response.headers().get(WWW_AUTHENTICATE);
        Answered {
            status: response.status().as_u16(),
            challenge: challenge.map(|it| it.to_str().unwrap().to_owned()),
            body: response.json().await.unwrap(),
        }
    }
}

/// What a server is told about this authority.
fn auth(authority: &Authority) -> Auth {
    Auth {
        tenants: vec![TENANT.to_owned()],
        api_client_id: Some(API.to_owned()),
        audiences: vec![API_URI.to_owned()],
        allowed_clients: vec![DESKTOP.to_owned()],
        role_map: [("Zspark.Admin".to_owned(), Role::Admin)].into(),
        group_map: [(GROUP.to_owned(), Role::Owner)].into(),
        authority_override: Some(authority.url().parse().unwrap()),
        graph_override: Some(authority.graph_url().parse().unwrap()),
        ..Auth::default()
    }
}

async fn the_table_holds(signed: &Signed) {
    let form = signed.authority.form();
    signed.authority.publish(Some(documents(&form)));
    // The document was fetched at the start; a new one comes with the first unknown name.
    let _ = signed
        .me(&testkit::authority::Key::numbered(1).token(&form.v2(BEGIN_S)))
        .await;
    let mut wrong = Vec::new();
    let mut refused: BTreeMap<&str, usize> = BTreeMap::new();
    for case in cases(&form, BEGIN_S) {
        let answered = signed.get("/api/v1/me", &case.headers).await;
        let challenge = (answered.status == 401).then_some("Bearer error=\"invalid_token\"");
        let is_right = answered.status == case.status && answered.challenge.as_deref() == challenge;
        if !is_right {
            wrong.push(format!(
                "{}: {}: {answered:?}, not {}",
                case.group, case.name, case.status
            ));
        }
        *refused.entry(case.group).or_default() += usize::from(answered.status != 200);
    }
    assert_eq!(wrong, Vec::<String>::new());
    assert!(refused.values().sum::<usize>() >= 120, "{refused:?}");
}

#[tokio::test]
async fn the_table_holds_over_http() {
    the_table_holds(&Signed::new().await).await;
}

#[tokio::test]
async fn the_table_holds_over_http_with_the_issuers_of_the_clouds() {
    for form in [Form::global(), Form::china(), Form::usgov()] {
        let authority = Authority::start(BEGIN_S).await.unwrap();
        authority.speak(form.clone());
        let signed = Signed::at(authority, |auth| {
            auth.issuer_v2_template = Some(form.issuer_v2.clone());
            auth.issuer_v1_template = Some(form.issuer_v1.clone());
        })
        .await;
        the_table_holds(&signed).await;
    }
}

#[tokio::test]
async fn a_refusal_says_nothing_about_its_reason() {
    let signed = Signed::new().await;
    let mut bodies = Vec::new();
    for change in [
        json!({"aud": "x"}),
        json!({"exp": 1, "iat": 0, "nbf": 0}),
        json!({"iss": "x"}),
    ] {
        bodies.push(signed.me(&signed.token_with(&change)).await.body);
    }
    bodies.push(signed.me("a.b.c").await.body);
    for body in &bodies {
        assert_eq!(body["code"], "unauthenticated");
        assert_eq!(body["message"], bodies[0]["message"]);
    }
    let forbidden = signed.me(&signed.token_with(&json!({"scp": "other"}))).await;
    assert_eq!((forbidden.status, &forbidden.body["code"]), (403, &json!("forbidden")));
    assert_eq!(forbidden.challenge, None);
}

#[tokio::test]
async fn a_token_is_a_person_and_a_header_beside_it_is_nobody() {
    let signed = Signed::new().await;
    let token = signed.token_with(&json!({"roles": ["Zspark.Admin"]}));
    let headers = [
        ("authorization", format!("Bearer {token}").into_bytes()),
        ("x-domain-user", b"root".to_vec()),
    ];
    let me = signed.get("/api/v1/me", &headers).await.body;
    let expected = json!({
        "cloud": "global", "tid": TENANT, "oid": PERSON, "name": "Ada Lovelace", "role": "admin",
        "user_id": me["user_id"], "guest": false,
    });
    assert_eq!(me, expected);
}

#[tokio::test]
async fn the_same_person_in_two_tenants_is_two() {
    let other = "c0ffee00-1111-4222-8333-444455556666";
    let signed = Signed::with(|auth| auth.tenants.push(other.to_owned())).await;
    let issuer = signed.authority.form().v2_issuer(other);
    let here = signed.me(&signed.token()).await.body;
    let there = signed
        .me(&signed.token_with(&json!({"tid": other, "iss": issuer})))
        .await
        .body;
    assert_eq!(here["oid"], there["oid"]);
    assert_ne!(here["user_id"], there["user_id"]);
    let renamed = signed.token_with(&json!({"name": "Grace", "preferred_username": "ada@contoso.example"}));
    let renamed = signed.me(&renamed).await.body;
    assert_eq!(
        (&renamed["name"], &renamed["user_id"]),
        (&json!("Grace"), &here["user_id"])
    );
}

#[tokio::test]
async fn a_token_ends_with_the_skew_and_not_later() {
    let signed = Signed::new().await;
    let token = signed.token();
    signed.pass(3600 + 59);
    assert_eq!(signed.me(&token).await.status, 200);
    signed.pass(1);
    assert_eq!(signed.me(&token).await.status, 401);
}

/// For a client that has a secret of its own on the way, `config` must not show it.
#[tokio::test]
async fn everybody_is_told_how_to_sign_in_and_nobody_a_secret() {
    let signed = Signed::with(|auth| auth.client_secret = Some(Secret("hush-hush".to_owned()))).await;
    let told = signed.get("/api/v1/auth/config", &[]).await;
    assert_eq!(told.status, 200);
    assert_eq!(told.body["authority"], format!("{}/{TENANT}", signed.authority.url()));
    assert_eq!(told.body["scope"], format!("{API_URI}/access_as_user"));
    assert!(!told.body.to_string().contains("hush"), "{}", told.body);
}

#[tokio::test]
async fn guessing_is_told_to_wait_and_colleagues_at_the_same_address_get_in() {
    let signed = Signed::new().await;
    let bad = signed.token_with(&json!({"aud": "x"}));
    let first = futures::future::join_all((0..600).map(|_| signed.me(&bad))).await;
    assert!(first.iter().all(|it| it.status == 401));
    let next = signed.me(&bad).await;
    assert_eq!((next.status, &next.body["code"]), (429, &json!("rate_limited")));
    assert_eq!(signed.me(&signed.token()).await.status, 200);
    // Nobody signed in at all is no guess.
    assert_eq!(signed.get("/api/v1/me", &[]).await.status, 401);
    signed.pass(60);
    assert_eq!(signed.me(&bad).await.status, 401);
    // Of all these, 120 in a minute are written down, and the others counted.
    let mut tx = signed.node.app().store.begin().await.unwrap();
    let lines: Vec<(String,)> =
        sqlx::query_as("SELECT detail FROM audit WHERE action = 'person.sign_in' AND outcome = 'refused' ORDER BY id")
            .fetch_all(&mut *tx)
            .await
            .unwrap();
    assert_eq!(lines.len(), 121);
    let last: Value = serde_json::from_str(&lines[120].0).unwrap();
    let expected = json!({"reason": "audience", "kid": "key-0", "tid": TENANT, "unwritten_before": 480});
    assert_eq!(last, expected);
    let signature = bad.rsplit('.').next().unwrap();
    assert!(lines.iter().all(|(it,)| !it.contains(signature)));
}
