//! Where the server goes by itself, and where it never does.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::receiver::{NAME, Receiver, Say};
use super::{hook, lab, mapped, settled, share, soon};
use crate::world::World;

#[tokio::test]
async fn checklist_ssrf_a_name_that_leads_inside_is_never_connected_to() {
    let receiver = Receiver::start(|_| Say::Status(200)).await;
    let world = World::with(|it| {
        // Beside an address that is allowed there is one that is not; a name with none; and one with another notation.
        let good = "127.0.0.1".parse().unwrap();
        receiver.reachable_by(it, move |name| match name {
            "both.test" => vec![good, "10.0.0.1".parse().unwrap()],
            "mapped.test" => vec![mapped()],
            _ => Vec::new(),
        });
        it.egress.retries = Vec::new();
    })
    .await;
    let ada = world.person("ada");
    let (lab, _) = lab(&ada).await;
    let mut paths = Vec::new();
    for name in ["both.test", "mapped.test", "nowhere.test"] {
        paths.push(hook(&ada, &lab, &receiver.url_of(name), &["thread.shared"]).await.0);
    }
    share(&ada, &lab, "Moon").await;
    for path in paths {
        let dead = settled(&ada, &path, &["dead"]).await;
        assert_eq!(
            dead[0]["last_error"], "the host has no public address, or one that is not public",
            "which of the two is not said"
        );
    }
    world.stop().await;
    assert_eq!(receiver.connections(), 0);
}

#[tokio::test]
async fn checklist_ssrf_a_name_is_asked_once_for_each_attempt_and_a_second_answer_opens_nothing() {
    let mut receiver = Receiver::start(|_| Say::Status(500)).await;
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    let world = World::with(|it| {
        let good = "127.0.0.1".parse().unwrap();
        receiver.reachable_by(it, move |_| {
            if count.fetch_add(1, Ordering::SeqCst) == 0 {
                vec![good]
            } else {
                vec![mapped()]
            }
        });
        it.egress.retries = soon(1);
    })
    .await;
    let ada = world.person("ada");
    let (lab, _) = lab(&ada).await;
    let (path, _) = hook(&ada, &lab, &receiver.url(), &["thread.shared"]).await;
    share(&ada, &lab, "Moon").await;
    receiver.next().await;
    let dead = settled(&ada, &path, &["dead"]).await;
    assert_eq!(dead[0]["attempts"], 2);
    assert_eq!(
        dead[0]["last_error"],
        "the host has no public address, or one that is not public"
    );
    world.stop().await;
    assert_eq!(asked.load(Ordering::SeqCst), 2, "what was checked is what was used");
    assert_eq!(receiver.connections(), 1);
}

#[tokio::test]
async fn checklist_ssrf_redirects_are_not_followed() {
    let mut receiver = Receiver::start(|it| {
        if it == 0 {
            Say::Redirect("/elsewhere".to_owned())
        } else {
            Say::Status(200)
        }
    })
    .await;
    let world = World::with(|it| {
        receiver.reachable(it);
        it.egress.retries = Vec::new();
    })
    .await;
    let ada = world.person("ada");
    let (lab, _) = lab(&ada).await;
    let (path, _) = hook(&ada, &lab, &receiver.url(), &["thread.shared"]).await;
    share(&ada, &lab, "Moon").await;
    let dead = settled(&ada, &path, &["dead"]).await;
    assert_eq!(dead[0]["last_status"], 307);
    assert_eq!(receiver.next().await.line, "POST /hook?for=lab HTTP/1.1");
    world.stop().await;
    assert_eq!(receiver.connections(), 1);
}

#[tokio::test]
async fn checklist_ssrf_a_receiver_that_says_nothing_is_left_in_time() {
    let mut receiver = Receiver::start(|_| Say::Nothing).await;
    let world = World::with(|it| {
        receiver.reachable(it);
        it.egress.patience = Duration::from_secs(2);
        it.egress.retries = Vec::new();
    })
    .await;
    let ada = world.person("ada");
    let (lab, _) = lab(&ada).await;
    let (path, _) = hook(&ada, &lab, &receiver.url(), &["thread.shared"]).await;
    share(&ada, &lab, "Moon").await;
    let dead = settled(&ada, &path, &["dead"]).await;
    assert_eq!(dead[0]["last_error"], "there was no answer within 2000 ms");
    // It tells only once the other side has hung up.
    receiver.next().await;
    world.stop().await;
}

#[tokio::test]
async fn checklist_ssrf_an_answer_without_end_is_cut_and_what_it_says_is_shown_to_nobody() {
    let mut receiver = Receiver::start(|_| Say::Endless).await;
    let world = World::with(|it| {
        receiver.reachable(it);
        it.egress.patience = Duration::from_secs(600);
    })
    .await;
    let ada = world.person("ada");
    let (lab, _) = lab(&ada).await;
    let (path, _) = hook(&ada, &lab, &receiver.url(), &["thread.shared"]).await;
    share(&ada, &lab, "Moon").await;
    let taken = receiver.next().await.taken;
    // What the system holds in its buffers is not ours to say.
    assert!(taken < 64 << 20, "{taken} bytes were taken");
    let done = settled(&ada, &path, &["delivered"]).await;
    assert_eq!(done[0]["last_status"], 200);
    assert!(!done[0].to_string().contains("aaaa"));
    world.stop().await;
}

#[tokio::test]
async fn checklist_ssrf_the_certificate_is_for_the_name_that_was_asked_for() {
    let mut receiver = Receiver::start(|_| Say::Status(200)).await;
    let world = World::with(|it| {
        receiver.reachable(it);
        it.egress.retries = Vec::new();
    })
    .await;
    let ada = world.person("ada");
    let (lab, _) = lab(&ada).await;
    let wrong = receiver.url_of("other.test");
    let (path, _) = hook(&ada, &lab, &wrong, &["thread.shared"]).await;
    let (right, _) = hook(&ada, &lab, &receiver.url_of(NAME), &["thread.shared"]).await;
    share(&ada, &lab, "Moon").await;
    let dead = settled(&ada, &path, &["dead"]).await;
    assert_eq!(
        dead[0]["last_error"],
        "there was no connection, or no certificate that is good for the host"
    );
    settled(&ada, &right, &["delivered"]).await;
    world.stop().await;
    receiver.next().await;
    assert!(receiver.came().is_empty());
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|it| it == "rs") && !path.ends_with("tests.rs") {
            found.push(path);
        }
    }
}

/// Nothing that stands in a token (`jku`, `x5u`), a document or a file is fetched: there is no other code that could.
#[test]
fn checklist_ssrf_the_server_goes_out_by_these_doors_only() {
    let doors = [
        // To the configured authority and Graph.
        ("auth/entra/fetch.rs", "Client::builder"),
        // To the configured Redis.
        ("bus/redis.rs", "Client::open"),
        // Names of webhooks, for the door below.
        ("config/egress.rs", "lookup_host"),
        // To webhooks.
        ("webhook.rs", "Client::builder"),
    ];
    let ways = [
        "Client::builder",
        "Client::new",
        "Client::open",
        "ClientBuilder",
        "reqwest::get",
        "lookup_host",
        "ToSocketAddrs",
        "TcpStream::connect",
        "TcpSocket",
        "UdpSocket",
        "UnixStream",
        "connect_async",
    ];
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    files.sort();
    let mut found = Vec::new();
    for file in &files {
        let text = fs::read_to_string(file).unwrap();
        let name = file.strip_prefix(&root).unwrap().to_str().unwrap();
        found.extend(ways.iter().filter(|it| text.contains(**it)).map(|it| (name, *it)));
    }
    assert_eq!(found, doors, "another way out needs its own rules");
}
