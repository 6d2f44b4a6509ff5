//! Our own replicas of documents against the real server, beside a stock client, over lines that break and nodes that die.

use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;

use protocol::id::WorkspaceId;
use reqwest::Method;
use serde_json::{Value, json};
use sync::client::door::{Credential, Door};
use sync::document::shared::{Link, Place, Shared, SharedError, Standing, Why};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;
use yrs::{GetString as _, ReadTxn as _, Text as _, WriteTxn as _};

use crate::documents::{PATIENCE, lab, stock};
use crate::line::Line;
use crate::membership::join;
use crate::program::Program;
use crate::world::World;

/// A replica in a folder.
async fn open(name: &str, nodes: &[String], lab: &str, folder: &Path) -> Shared {
    let nodes = nodes.iter().map(|it| it.parse().unwrap()).collect();
    let door = Door::new(nodes, Arc::new(Credential::Development(name.to_owned()))).unwrap();
    let place = Place {
        workspace: WorkspaceId(lab.trim_start_matches("/workspaces/").to_owned()),
        document: "plan".to_owned(),
        file: folder.join("plan"),
    };
    let door = Arc::new(door);
    let opening = async {
        loop {
            match Shared::open(door.clone(), place.clone()).await {
                Ok(shared) => return shared,
                // Whoever was dropped a moment ago lets go of the file when its task ends.
                Err(SharedError::Kept(_)) => tokio::task::yield_now().await,
                Err(error) => panic!("{error}"),
            }
        }
    };
    let opened = timeout(PATIENCE, opening).await;
    opened.unwrap_or_else(|_| panic!("the file is never let go of"))
}

async fn write(shared: &Shared, text: String) {
    let edit = shared.edit(move |tx| tx.get_or_insert_text("t").push(tx, &text));
    edit.await.unwrap();
}

async fn text(shared: &Shared) -> String {
    let read = shared.read(|tx| tx.get_text("t").map(|it| it.get_string(tx)));
    read.await.unwrap().unwrap_or_default()
}

async fn until(shared: &Shared, what: &str, so: impl FnMut(&Standing) -> bool) {
    let mut standing = shared.standing();
    let seen = timeout(PATIENCE, standing.wait_for(so)).await.map(|it| it.is_ok());
    assert!(seen == Ok(true), "{what}: never; {:?}", *shared.standing().borrow());
}

async fn until_text(shared: &Shared, so: impl Fn(&str) -> bool) {
    let mut standing = shared.standing();
    let waited = timeout(PATIENCE, async {
        while !so(&text(shared).await) {
            standing.changed().await.unwrap();
        }
    });
    if waited.await.is_err() {
        panic!(
            "the text is {:?}, {:?}",
            text(shared).await,
            *shared.standing().borrow()
        );
    }
}

async fn settled(shared: &Shared) {
    let settled = timeout(PATIENCE, shared.settled()).await;
    let settled = settled.unwrap_or_else(|_| panic!("never settled: {:?}", *shared.standing().borrow()));
    settled.unwrap();
}

fn marks(text: &str, prefix: &str) -> usize {
    text.split_whitespace().filter(|it| it.starts_with(prefix)).count()
}

/// A stock client in a process of its own.
struct Peer {
    _child: Child,
    write: ChildStdin,
    read: Lines<BufReader<ChildStdout>>,
    shown: Value,
}

impl Peer {
    async fn start(docs: &str, document: &str, user: &str) -> Self {
        let mut child = Command::new("node")
            .args(["peer.mjs", docs, document, user])
            .current_dir(stock::clients().await)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let (write, read) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        Self {
            _child: child,
            write,
            read: BufReader::new(read).lines(),
            shown: Value::Null,
        }
    }

    async fn write(&mut self, text: &str) {
        self.write.write_all(format!("{text}\n").as_bytes()).await.unwrap();
    }

    async fn until(&mut self, so: impl Fn(&Value) -> bool) {
        let waited = timeout(PATIENCE, async {
            while !so(&self.shown) {
                let line = self.read.next_line().await.unwrap().expect("the stock client ended");
                self.shown = serde_json::from_str(&line).unwrap();
            }
        });
        if waited.await.is_err() {
            panic!("the stock client shows {}", self.shown);
        }
    }

    fn text(&self) -> &str {
        self.shown["text"].as_str().unwrap_or_default()
    }
}

#[tokio::test]
async fn two_replicas_and_a_stock_client_write_one_document_and_one_was_offline() {
    let world = World::new().await;
    let address = world.node.address().to_string();
    let lab = lab(&world.person("ada")).await;
    let line = Line::to(&address).await;
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let one = open("ada", &[line.url()], &lab, folders[0].path()).await;
    let two = open("ada", &[format!("http://{address}")], &lab, folders[1].path()).await;
    let mut peer = Peer::start(&format!("ws://{address}/api/v1{lab}/docs"), "plan", "ada").await;
    write(&one, "one-0 ".to_owned()).await;
    peer.until(|it| it["synced"] == true && it["text"] == "one-0 ").await;
    until_text(&two, |it| it == "one-0 ").await;

    // Each knows what the others are doing there.
    two.be_present(Some(&json!({"doing": "two"}))).await.unwrap();
    peer.until(|it| it["others"] == json!(["two"])).await;
    let sees = |who: &'static str| {
        move |it: &Standing| {
            let said = |it: &Arc<str>| serde_json::from_str::<Value>(it).unwrap()["doing"] == who;
            it.people.values().any(said)
        }
    };
    until(&two, "the stock client is seen", sees("stock")).await;
    until(&one, "the other replica is seen", sees("two")).await;

    line.cut();
    until(&one, "it is away", |it| it.link == Link::Away && it.people.is_empty()).await;
    for number in 1..=500 {
        write(&one, format!("one-{number} ")).await;
        if number % 50 == 0 {
            write(&two, format!("two-{number} ")).await;
            peer.write(&format!("peer-{number} ")).await;
        }
    }
    until_text(&two, |it| marks(it, "peer-") == 10).await;
    assert_eq!(
        (marks(&text(&two).await, "one-"), one.pending().await.unwrap().len()),
        (1, 500)
    );
    line.lead(&address);
    one.again().await.unwrap();
    settled(&one).await;
    let all = |it: &str| (marks(it, "one-"), marks(it, "two-"), marks(it, "peer-")) == (501, 10, 10);
    until_text(&one, all).await;
    until_text(&two, all).await;
    peer.until(|it| it["text"].as_str().is_some_and(all)).await;
    assert_eq!(
        (text(&one).await, text(&two).await.as_str()),
        (peer.text().to_owned(), peer.text())
    );

    // Who says goodbye is gone for the others at once.
    two.close().await.unwrap();
    peer.until(|it| it["others"] == json!([])).await;
    drop((one, peer));
    world.stop().await;
}

#[tokio::test]
async fn a_killed_server_loses_nothing_acknowledged_and_gets_the_rest_after_its_restart() {
    let home = tempfile::tempdir().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut program = Program::start(home.path());
    let lab = lab(&program.person("ada")).await;
    let line = Line::to(&program.address).await;
    let mut shared = open("ada", &[line.url()], &lab, folder.path()).await;
    let mut written = 0;
    for life in 0..3 {
        // The end comes while edits are on their way.
        for _ in 0..40 {
            write(&shared, format!("e{written} ")).await;
            written += 1;
        }
        let before = shared.standing().borrow().stored;
        until(&shared, "something is stored", |it| it.stored > 0).await;
        for _ in 0..20 {
            write(&shared, format!("e{written} ")).await;
            written += 1;
        }
        program.kill();
        line.cut();
        let stored = shared.standing().borrow().stored;
        assert!(stored >= before);
        for _ in 0..10 {
            write(&shared, format!("e{written} ")).await;
            written += 1;
        }
        if life == 1 {
            // The machine goes down as well; what pends is on its disk.
            drop(shared);
            shared = open("ada", &[line.url()], &lab, folder.path()).await;
        }
        assert!(shared.pending().await.unwrap().len() >= 10);
        program = Program::start(home.path());
        // What was acknowledged is there before anybody brings it again.
        let elsewhere = tempfile::tempdir().unwrap();
        let nodes = [format!("http://{}", program.address)];
        let other = open("ada", &nodes, &lab, elsewhere.path()).await;
        until(&other, "it is read", |it| it.link == Link::Synced).await;
        let kept = text(&other).await;
        let all = text(&shared).await;
        let sure: Vec<&str> = all.split_whitespace().take(stored as usize).collect();
        assert!(
            kept.split_whitespace().take(sure.len()).eq(sure.iter().copied()),
            "{stored}: {kept}"
        );
        line.lead(&program.address);
        shared.again().await.unwrap();
        settled(&shared).await;
        let expected: String = (0..written).map(|it| format!("e{it} ")).collect();
        until_text(&other, |it| it == expected).await;
    }
    program.kill();
}

#[tokio::test]
async fn a_replica_goes_over_to_the_other_node_when_its_own_stops() {
    let world = World::team().await;
    let lab = lab(&world.person("ada")).await;
    let near = format!("http://{}", world.node.address());
    let far = format!("http://{}", world.others[0].address());
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let one = open("ada", &[near, far.clone()], &lab, folders[0].path()).await;
    let two = open("ada", &[far], &lab, folders[1].path()).await;
    write(&one, "one ".to_owned()).await;
    until_text(&two, |it| it == "one ").await;
    write(&two, "two ".to_owned()).await;
    until_text(&one, |it| it == "one two ").await;
    let World {
        node,
        others,
        folder,
        redis,
        ..
    } = world;
    timeout(PATIENCE, node.stop()).await.expect("the node does not stop");
    write(&one, "three ".to_owned()).await;
    settled(&one).await;
    until_text(&two, |it| it == "one two three ").await;
    write(&two, "four".to_owned()).await;
    until_text(&one, |it| it == "one two three four").await;
    drop((one, two));
    for node in others {
        node.stop().await;
    }
    drop((redis, folder));
}

#[tokio::test]
async fn a_document_that_was_made_anew_is_never_mixed_with_what_was_kept_of_the_old_one() {
    let world = World::new().await;
    let ada = world.person("ada");
    let lab = lab(&ada).await;
    let address = world.node.address().to_string();
    let line = Line::to(&address).await;
    let folder = tempfile::tempdir().unwrap();
    let one = open("ada", &[line.url()], &lab, folder.path()).await;
    write(&one, "of the first life ".to_owned()).await;
    settled(&one).await;
    let same = one.start_over().await;
    assert!(matches!(same, Err(SharedError::SameLife)), "{same:?}");
    line.cut();
    write(&one, "never sent".to_owned()).await;
    let (status, _) = ada.ask(Method::DELETE, &format!("{lab}/docs/plan"), None).await;
    assert!(status.is_success(), "{status}");
    let elsewhere = tempfile::tempdir().unwrap();
    let two = open("ada", &[format!("http://{address}")], &lab, elsewhere.path()).await;
    write(&two, "of the second life".to_owned()).await;
    settled(&two).await;

    line.lead(&address);
    one.again().await.unwrap();
    until(&one, "it is told", |it| it.link == Link::Over(Why::Renewed)).await;
    assert_eq!(text(&one).await, "of the first life never sent");
    assert!(matches!(one.settled().await, Err(SharedError::Over)));
    let left = one.start_over().await.unwrap();
    assert_eq!((left.epoch, left.pending.len()), (1, 1));
    until_text(&one, |it| it == "of the second life").await;
    assert_eq!(text(&two).await, "of the second life");
    // What was left can still be brought in by hand, where somebody wants that.
    let old = folder.path().join("plan.epoch-1");
    assert!(old.exists());
    drop((one, two));
    world.stop().await;
}

#[tokio::test]
async fn who_may_not_come_in_keeps_what_pends_and_goes_on_when_they_may() {
    let world = World::new().await;
    let (ada, bob) = (world.person("ada"), world.person("bob"));
    let lab = lab(&ada).await;
    let nodes = [format!("http://{}", world.node.address())];
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let one = open("ada", &nodes, &lab, folders[0].path()).await;
    write(&one, "hello ".to_owned()).await;
    settled(&one).await;
    let two = open("bob", &nodes, &lab, folders[1].path()).await;
    let closed = Link::Over(Why::Closed {
        code: 4404,
        reason: "not_found".to_owned(),
    });
    until(&two, "it is over", |it| it.link == closed).await;
    write(&two, "outside ".to_owned()).await;
    assert_eq!(two.pending().await.unwrap().len(), 1);
    join(&ada, &bob, &lab, "viewer").await;
    two.again().await.unwrap();
    until(&two, "it may be read", |it| {
        it.link == Link::Synced && it.denied.is_some()
    })
    .await;
    assert_eq!(
        (marks(&text(&two).await, "hello"), text(&one).await.as_str()),
        (1, "hello ")
    );
    let bob_id = bob.get("/me").await["user_id"].as_str().unwrap().to_owned();
    let member = format!("{lab}/members/{bob_id}");
    let (status, body) = ada.ask(Method::PATCH, &member, Some(json!({"role": "member"}))).await;
    assert!(status.is_success(), "{status} {body}");
    settled(&two).await;
    until(&two, "nothing is denied", |it| it.denied.is_none()).await;
    until_text(&one, |it| marks(it, "hello") == 1 && marks(it, "outside") == 1).await;
    drop((one, two));
    world.stop().await;
}
