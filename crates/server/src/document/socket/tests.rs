//! Credentials end while a socket is open: tried with a guest whose time is short.

use axum::Router;
use axum::extract::WebSocketUpgrade;
use axum::routing::get;
use futures::StreamExt as _;
use tokio_tungstenite::tungstenite::Message as Heard;

use super::*;
use crate::auth::development::of_name;
use crate::bus::Bus;
use crate::clock::Clock;
use crate::config::Config;
use crate::metrics::Metrics;
use crate::store::Store;

const NOW_MS: u64 = 1_000_000;

fn ada(expires_at_ms: u64) -> Verified {
    Verified {
        expires_at_ms: Some(expires_at_ms),
        ..of_name("ada").unwrap()
    }
}

#[tokio::test]
async fn a_socket_ends_with_the_credentials_that_opened_it_and_the_clocks_may_differ() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}/server.sqlite?mode=rwc", folder.path().display());
    let store = Store::open(&url).await.unwrap();
    let user = store.user(&ada(0), NOW_MS).await.unwrap();
    let mut tx = store.begin().await.unwrap();
    let workspace = store
        .create_workspace(&mut tx, "Lab", "t", &user, NOW_MS)
        .await
        .unwrap();
    let scope = Scope::of(workspace.id);
    store
        .within(&scope)
        .make_document(&mut tx, "plan", &user, NOW_MS)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let clock = Clock::new(|| NOW_MS);
    let bus = Bus::in_process(false);
    let mut config = Config::default();
    config.auth.clock_skew_s = 1;
    let documents = Documents::start(store, bus, clock, &Metrics::default(), &config);
    let guest = move || Guest {
        user: user.clone(),
        // Over for 700 ms; the clocks may be a second apart.
        verified: ada(NOW_MS - 700),
        scope: scope.clone(),
        document: "plan".to_owned(),
        writes: true,
        acks: true,
        epoch: None,
        rechecks: 0,
    };
    let served = documents.clone();
    let route = get(move |upgrade: WebSocketUpgrade| async move {
        upgrade.on_upgrade(move |socket| served.serve(socket, Ok(guest())))
    });
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    tasks.spawn(async move { axum::serve(listener, Router::new().route("/", route)).await.unwrap() });
    let talk = async {
        let (mut socket, _) = tokio_tungstenite::connect_async(format!("ws://{address}/"))
            .await
            .unwrap();
        let start = Instant::now();
        let mut greeted = false;
        loop {
            match socket.next().await {
                Some(Ok(Heard::Binary(_))) => greeted = true,
                Some(Ok(Heard::Close(Some(close)))) => return (close, greeted, start.elapsed()),
                Some(Ok(_)) => {}
                other => panic!("it ended with {other:?}"),
            }
        }
    };
    let (close, greeted, lasted) = tokio::time::timeout(Duration::from_secs(30), talk).await.unwrap();
    assert_eq!(
        (u16::from(close.code), close.reason.as_str()),
        (4401, "unauthenticated")
    );
    assert!(greeted && lasted >= Duration::from_millis(200), "{lasted:?}");
    documents.stop().await;
}
