//! Our own client against the real program: a thread that two machines share, with nodes that are killed in the middle.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use protocol::id::{DeviceId, ThreadId, TurnId, UserId, WorkspaceId};
use protocol::workspace::log::{
    ApprovalDecision, NewEvent, NewSharedThread, NewTurnRequest, PageStatus, SharedEvent, TurnRequestStatus,
};
use protocol::workspace::people::{NewInvitation, Role};
use protocol::workspace::problem::ProblemCode;
use serde_json::{Value, json};
use sync::client::Client;
use sync::client::door::{Credential, Door};
use sync::client::files::Sharing;
use sync::client::follower::{Follower, From};
use sync::client::publisher::{Publisher, Writing};
use sync::client::watcher::News;
use sync::inbox::Told;
use sync::trouble::Trouble;
use testkit::daemon::Redis;
use tokio::time::timeout;

use crate::line::Line;
use crate::program::Program;
use crate::threads::{Hands, message, turn};
use crate::world::{World, postgres};

/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(60);

/// A person's machine.
struct Machine {
    client: Client,
    folder: tempfile::TempDir,
    name: &'static str,
}

impl Machine {
    /// With the lines it knows to the server, the first one first.
    fn new(name: &'static str, lines: &[&Line]) -> Self {
        let nodes = lines.iter().map(|it| it.url().parse().unwrap()).collect();
        let door = Door::new(nodes, Arc::new(Credential::Development(name.to_owned()))).unwrap();
        Self {
            client: Client::new(door, &device(name)),
            folder: tempfile::tempdir().unwrap(),
            name,
        }
    }

    fn mirror(&self) -> From {
        From::Mirror(self.folder.path().join("mirror"))
    }

    fn follow(&self, at: &Place) -> Reading {
        Reading {
            follower: self.client.follow(&at.workspace, &at.thread, self.mirror()).unwrap(),
            log: Vec::new(),
        }
    }

    fn writing(&self, at: &Place) -> Writing {
        Writing {
            workspace: at.workspace.clone(),
            thread: at.thread.clone(),
            device: device(self.name),
            producer: format!("machine-of-{}", self.name),
            queue: self.folder.path().join("queue"),
        }
    }

    async fn write(&self, at: &Place) -> Publisher {
        self.client.publish(self.writing(at)).await.unwrap()
    }
}

fn device(name: &str) -> DeviceId {
    DeviceId(format!("device-of-{name}"))
}

#[derive(Clone)]
struct Place {
    workspace: WorkspaceId,
    thread: ThreadId,
}

/// A thread as one machine has read it.
struct Reading {
    follower: Follower,
    log: Vec<SharedEvent>,
}

impl Reading {
    fn take(&mut self, told: Vec<Told>) {
        for told in told {
            let Told::Event(event) = told else {
                panic!("{told:?}");
            };
            self.log.push(event);
        }
    }

    /// Reads on until an event is there that `is_it`; answers that.
    async fn until<T>(&mut self, what: &str, is_it: impl Fn(&SharedEvent) -> Option<T>) -> T {
        if let Some(found) = self.log.iter().find_map(&is_it) {
            return found;
        }
        let reading = async {
            loop {
                let told = self.follower.next().await.unwrap();
                self.take(told);
                if let Some(found) = self.log.iter().find_map(&is_it) {
                    return found;
                }
            }
        };
        let found = timeout(PATIENCE, reading).await;
        found.unwrap_or_else(|_| panic!("{what} never came, after {} events", self.log.len()))
    }

    async fn until_named(&mut self, name: &str) {
        self.until(name, |it| (it.event_id == name).then_some(())).await;
    }

    /// The payload of the server's own event of a kind.
    async fn until_said(&mut self, kind: &str) -> Value {
        self.until(kind, |it| (it.payload["type"] == kind).then(|| it.payload.clone()))
            .await
    }
}

fn named(name: &str, payload: Value) -> NewEvent {
    NewEvent {
        event_id: name.to_owned(),
        at_ms: 5,
        payload,
    }
}

fn numbered(prefix: &str, numbers: std::ops::RangeInclusive<u64>) -> Vec<NewEvent> {
    numbers
        .map(|it| named(&format!("{prefix}-{it}"), json!({"type": "unheardOf", "n": it})))
        .collect()
}

/// What a killed node is replaced by.
#[derive(Clone, Copy)]
enum Loss {
    /// The other node goes on alone.
    OtherNode,
    /// The same one is started again, on the same folder.
    Restart,
}

/// One or two nodes, and a line to each.
struct Server {
    programs: Vec<Option<Program>>,
    lines: Vec<Line>,
    environment: Vec<(&'static str, String)>,
    folder: tempfile::TempDir,
    _redis: Option<Redis>,
}

impl Server {
    async fn embedded() -> Self {
        Self::start(Vec::new(), 1, None).await
    }

    async fn team() -> Self {
        let (database, redis) =
            tokio::task::spawn_blocking(|| (postgres().database().unwrap(), Redis::start().unwrap()))
                .await
                .unwrap();
        let environment = vec![("DATABASE_URL", database), ("REDIS_URL", redis.url())];
        Self::start(environment, 2, Some(redis)).await
    }

    async fn start(environment: Vec<(&'static str, String)>, nodes: usize, redis: Option<Redis>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut server = Self {
            programs: Vec::new(),
            lines: Vec::new(),
            environment,
            folder,
            _redis: redis,
        };
        for _ in 0..nodes {
            let program = server.program();
            server.lines.push(Line::to(&program.address).await);
            server.programs.push(Some(program));
        }
        server
    }

    fn program(&self) -> Program {
        let environment: Vec<_> = self
            .environment
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        Program::start_with(self.folder.path(), &environment)
    }

    /// The lines as a machine knows them that is near a node.
    fn lines_from(&self, node: usize) -> Vec<&Line> {
        let count = self.lines.len();
        (0..count).map(|it| &self.lines[(node + it) % count]).collect()
    }

    /// Kills the first node as a power cut would.
    fn lose_first(&mut self, loss: Loss) {
        self.lines[0].cut();
        self.programs[0].take().unwrap().kill();
        if let Loss::Restart = loss {
            let program = self.program();
            self.lines[0].lead(&program.address);
            self.programs[0] = Some(program);
        }
    }
}

/// Ada owns the workspace, Bob is a member, Vic a viewer.
async fn found(ada: &Machine, bob: &Machine, vic: &Machine) -> WorkspaceId {
    let made = ada.client.calls().new_workspace("Lab").await.unwrap();
    for (machine, role) in [(bob, Role::Member), (vic, Role::Viewer)] {
        let new = NewInvitation {
            role,
            expires_in_s: None,
        };
        let invitation = ada.client.calls().invite(&made.id, &new).await.unwrap();
        let token = invitation.token.unwrap();
        machine.client.calls().accept(&token).await.unwrap();
    }
    made.id
}

/// The whole log, page by page, as the server has it.
async fn whole_log(machine: &Machine, at: &Place) -> Vec<SharedEvent> {
    let (mut after, mut log) = (0, Vec::new());
    loop {
        let page = machine
            .client
            .calls()
            .events(&at.workspace, &at.thread, after)
            .await
            .unwrap();
        assert_eq!(page.status, PageStatus::Ok);
        if page.events.is_empty() {
            return log;
        }
        after = page.next;
        log.extend(page.events);
    }
}

async fn story(mut server: Server, loss: Loss) {
    let (ada, bob, vic) = (
        Machine::new("ada", &server.lines_from(0)),
        Machine::new("bob", &server.lines_from(1)),
        Machine::new("vic", &server.lines_from(1)),
    );
    // Ada shares a thread that Bob follows live from the other side.
    let workspace = found(&ada, &bob, &vic).await;
    let new = NewSharedThread {
        id: None,
        title: "Plans".into(),
        model: None,
        visibility: None,
        approvers: Some(Role::Member),
    };
    let shared = ada.client.calls().share(&workspace, &new).await.unwrap();
    let at = Place {
        workspace,
        thread: shared.id,
    };
    let writes = ada.write(&at).await;
    let (mut ada_reads, mut bob_reads) = (ada.follow(&at), bob.follow(&at));
    writes
        .append(vec![
            named("a-1", turn("turnStarted", "t1")),
            named("a-2", message("itemStarted", "i1", "inProgress", "")),
        ])
        .await
        .unwrap();
    bob_reads.until_named("a-2").await;
    writes
        .append(vec![
            named(
                "a-3",
                json!({"type": "itemAppended", "itemId": "i1", "at": 0, "text": "Hi 😀"}),
            ),
            named("a-4", message("itemCompleted", "i1", "completed", "Hi 😀")),
            named("a-5", turn("turnCompleted", "t1")),
        ])
        .await
        .unwrap();
    bob_reads.until_named("a-5").await;

    // Bob asks for a turn, and Ada's machine takes it up.
    let asks = NewTurnRequest {
        idempotency_key: "k1".into(),
        input: "And now the garden".into(),
        artifacts: Vec::new(),
    };
    let request = bob
        .client
        .calls()
        .request_turn(&at.workspace, &at.thread, &asks)
        .await
        .unwrap();
    let again = bob
        .client
        .calls()
        .request_turn(&at.workspace, &at.thread, &asks)
        .await
        .unwrap();
    assert_eq!(request, again);
    let said = ada_reads.until_said("workspace.turnRequested").await;
    assert_eq!(said["request_id"], request.id.as_str());
    let epoch = writes.hold(false).await.unwrap();
    let mine = ("machine-of-ada", epoch);
    let (place, turn_id) = ((&at.workspace, &at.thread), TurnId("t2".into()));
    ada.client.calls().take_turn(place, &request.id, mine).await.unwrap();
    writes
        .append(vec![named("a-6", turn("turnStarted", "t2"))])
        .await
        .unwrap();
    let begun = ada
        .client
        .calls()
        .begin_turn(place, &request.id, mine, &turn_id)
        .await
        .unwrap();
    assert_eq!(begun.status, TurnRequestStatus::Started);

    // A question: a viewer may not answer it, a member may, and the first answer stands.
    let asked = json!({"type": "approvalRequested", "approval": {"id": "q1", "turnId": "t2", "itemId": "i2",
        "callId": "c1", "ask": {"type": "command", "command": "rm -r garden", "cwd": "/w", "escalated": false},
        "risks": [], "atMs": 1}});
    writes.append(vec![named("a-7", asked)]).await.unwrap();
    bob_reads.until_named("a-7").await;
    let waiting = bob
        .client
        .calls()
        .open_questions(&at.workspace, &at.thread)
        .await
        .unwrap();
    let [approval] = waiting.as_slice() else {
        panic!("{waiting:?}");
    };
    let yes = ApprovalDecision {
        accept: true,
        payload_hash: approval.payload_hash.clone(),
        device_id: Some(device("bob")),
        note: None,
    };
    let decide = async |who: &Machine| {
        let calls = who.client.calls();
        calls
            .decide(&at.workspace, &at.thread, &approval.approval_id, &yes)
            .await
    };
    let refused = decide(&vic).await.unwrap_err();
    assert_eq!(refused.problem().unwrap().code, ProblemCode::Forbidden);
    decide(&bob).await.unwrap();
    let late = decide(&ada).await.unwrap_err();
    assert_eq!(late.problem().unwrap().code, ProblemCode::Conflict);
    let said = ada_reads.until_said("workspace.approvalDecided").await;
    assert_eq!((&said["approval_id"], &said["accepted"]), (&json!("q1"), &json!(true)));

    // The node that Ada's machine talks to is killed in the middle of what it sends.
    for from in (1..=400).step_by(20) {
        writes.append(numbered("during", from..=from + 19)).await.unwrap();
        if from == 101 {
            bob_reads.until_named("during-20").await;
            server.lose_first(loss);
        }
    }
    let settled = timeout(PATIENCE, writes.settled()).await;
    settled.expect("what was queued never got through").unwrap();
    bob_reads.until_named("during-400").await;
    ada_reads.until_named("during-400").await;

    // A file goes up on one side and comes down on the other.
    let file = ada.folder.path().join("plan.bin");
    let bytes: Vec<u8> = (0..3_000_000_u32).map(|it| (it % 251) as u8).collect();
    std::fs::write(&file, &bytes).unwrap();
    let sharing = Sharing {
        name: "Plan für den Garten.bin".into(),
        thread: Some(at.thread.clone()),
        ..Sharing::default()
    };
    let artifact = ada.client.calls().upload(&at.workspace, &file, &sharing).await.unwrap();
    let to = bob.folder.path().join("plan.bin");
    bob.client
        .calls()
        .download(&at.workspace, &artifact, &to)
        .await
        .unwrap();
    assert!(std::fs::read(&to).unwrap() == bytes);

    // Ada hands over, and Bob's machine goes on where hers was.
    let bob_id: UserId = bob.client.calls().me().await.unwrap().user_id;
    writes.release(Some(bob_id)).await.unwrap();
    let bob_writes = bob.write(&at).await;
    let taken = timeout(PATIENCE, bob_writes.hold(false)).await;
    assert!(taken.expect("the lease never came").unwrap() > epoch);
    bob_writes.append(numbered("b", 1..=5)).await.unwrap();
    ada_reads.until_named("b-5").await;
    bob_reads.until_named("b-5").await;

    // Nothing is lost and nothing is there twice, on either side and on the server.
    let log = whole_log(&bob, &at).await;
    let seqs: Vec<u64> = log.iter().map(|it| it.seq).collect();
    assert_eq!(seqs, (1..=log.len() as u64).collect::<Vec<_>>());
    let of = |producer: &str| -> Vec<String> {
        let theirs = log.iter().filter(|it| it.producer_id == producer);
        theirs.map(|it| it.event_id.clone()).collect()
    };
    let expected: Vec<String> = (1..=7)
        .map(|it| format!("a-{it}"))
        .chain((1..=400).map(|it| format!("during-{it}")))
        .collect();
    assert_eq!(of("machine-of-ada"), expected);
    assert_eq!(
        of("machine-of-bob"),
        (1..=5).map(|it| format!("b-{it}")).collect::<Vec<_>>()
    );
    for (who, read) in [("ada", &ada_reads), ("bob", &bob_reads)] {
        assert!(read.log == log, "{who} read {} of {} events", read.log.len(), log.len());
    }
    drop((writes, bob_writes, ada_reads, bob_reads));
    assert_is_kept(bob.folder.path(), &log);
}

/// What a machine has read is there without the server.
fn assert_is_kept(folder: &Path, log: &[SharedEvent]) {
    let begun = std::time::Instant::now();
    loop {
        let mut kept = Vec::new();
        match sync::mirror::Mirror::open(&folder.join("mirror"), |it| kept.push(it)) {
            Ok(_) => {
                let expected: Vec<_> = log.iter().cloned().map(Told::Event).collect();
                assert!(kept == expected, "{} of {} events are kept", kept.len(), log.len());
                return;
            }
            // The follower that was just dropped lets go of its file in its own time.
            Err(sync::journal::JournalError::Taken(_)) if begun.elapsed() < PATIENCE => std::thread::yield_now(),
            Err(error) => panic!("{error}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_machines_share_a_thread_over_two_nodes_of_which_one_is_killed() {
    story(Server::team().await, Loss::OtherNode).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_machines_share_a_thread_over_one_node_that_is_killed_and_comes_back() {
    story(Server::embedded().await, Loss::Restart).await;
}

/// Ada's workspace with a thread of hers, on a node of this program.
async fn desk(ada: &Machine) -> Place {
    let workspace = ada.client.calls().new_workspace("Lab").await.unwrap().id;
    let new = NewSharedThread {
        id: None,
        title: "Plans".into(),
        model: None,
        visibility: None,
        approvers: None,
    };
    let thread = ada.client.calls().share(&workspace, &new).await.unwrap().id;
    Place { workspace, thread }
}

/// Who appended what, in the log's order.
fn names(log: &[SharedEvent]) -> Vec<&str> {
    log.iter().map(|it| it.event_id.as_str()).collect()
}

async fn settled(writes: &Publisher) {
    let done = timeout(PATIENCE, writes.settled()).await;
    let stands = writes.standing().borrow().clone();
    done.unwrap_or_else(|_| panic!("never settled: {stands:?}")).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_events_of_a_day_without_a_line_are_there_in_order_when_it_is_back() {
    for world in World::each().await {
        let line = Line::to(&world.node.address().to_string()).await;
        let ada = Machine::new("ada", &[&line]);
        let at = desk(&ada).await;
        line.cut();
        let day = numbered("e", 1..=10_000);
        let writes = ada.write(&at).await;
        for part in day[..6_000].chunks(500) {
            writes.append(part.to_vec()).await.unwrap();
        }
        // The program ends and begins again, still without a line.
        writes.close().await;
        let writes = ada.write(&at).await;
        for part in day[6_000..].chunks(500) {
            writes.append(part.to_vec()).await.unwrap();
        }
        assert_eq!(writes.standing().borrow().last, 10_000);
        line.lead(&world.node.address().to_string());
        settled(&writes).await;
        let log = whole_log(&ada, &at).await;
        assert_eq!(
            names(&log),
            day.iter().map(|it| it.event_id.as_str()).collect::<Vec<_>>()
        );
        drop(writes);
        world.stop().await;
    }
}

/// Until it is there: what was just dropped lets go of its file in its own time.
async fn again<T>(open: impl AsyncFn() -> Option<T>) -> T {
    let opening = async {
        loop {
            if let Some(opened) = open().await {
                return opened;
            }
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, opening).await.expect("the file stayed open")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_whose_clock_is_hours_off_keeps_its_lease_and_its_order() {
    // The server's clock stands years behind the client's, and then runs hours ahead of where it was.
    let (hands, clock) = Hands::new();
    let world = World::at(clock, |_| ()).await;
    let line = Line::to(&world.node.address().to_string()).await;
    let ada = Machine::new("ada", &[&line]);
    let at = desk(&ada).await;
    let writes = ada.write(&at).await;
    let mut reads = ada.follow(&at);
    writes.append(numbered("e", 1..=10)).await.unwrap();
    settled(&writes).await;
    hands.on(5 * 3600 * 1000);
    // The lease has ended for the server, though not for the client: it is asked for again.
    writes.append(numbered("e", 11..=20)).await.unwrap();
    settled(&writes).await;
    reads.until_named("e-20").await;
    assert_eq!(reads.log, whole_log(&ada, &at).await);
    assert_eq!(reads.log.len(), 20);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_machine_waits_for_the_lease_or_takes_it_and_the_first_one_loses_nothing() {
    for world in World::each().await {
        let line = Line::to(&world.node.address().to_string()).await;
        let desk_machine = Machine::new("ada", &[&line]);
        let at = desk(&desk_machine).await;
        let first = desk_machine.write(&at).await;
        let epoch = first.hold(false).await.unwrap();
        first.append(numbered("desk", 1..=3)).await.unwrap();
        settled(&first).await;

        let laptop = Machine::new("ada", &[&line]);
        let writing = Writing {
            device: DeviceId("laptop".into()),
            producer: "laptop".into(),
            ..laptop.writing(&at)
        };
        let second = laptop.client.publish(writing).await.unwrap();
        second.append(numbered("laptop", 1..=3)).await.unwrap();
        let mut standing = second.standing();
        let held = timeout(PATIENCE, standing.wait_for(|it| it.is_held)).await;
        held.expect("nobody said that the lease is held").unwrap();
        assert!(second.hold(true).await.unwrap() > epoch);
        settled(&second).await;
        // The first one still believes that it has it, and is told otherwise.
        first.append(numbered("desk", 4..=6)).await.unwrap();
        let mut standing = first.standing();
        let held = timeout(PATIENCE, standing.wait_for(|it| it.is_held && it.epoch.is_none())).await;
        held.expect("the first machine never noticed").unwrap();
        second.release(None).await.unwrap();
        settled(&first).await;
        let log = whole_log(&laptop, &at).await;
        let made: Vec<_> = names(&log).into_iter().filter(|it| !it.starts_with("server")).collect();
        let expected = [
            "desk-1", "desk-2", "desk-3", "laptop-1", "laptop-2", "laptop-3", "desk-4", "desk-5", "desk-6",
        ];
        assert_eq!(made, expected);
        drop((first, second));
        world.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_sleeps_or_loses_its_line_reads_everything_once() {
    for world in World::each().await {
        let near = Line::to(&world.node.address().to_string()).await;
        let ada = Machine::new("ada", &[&near]);
        let at = desk(&ada).await;
        let line = Line::to(&world.node.address().to_string()).await;
        let tablet = Machine::new("ada", &[&line]);
        let mut reads = tablet.follow(&at);
        let writes = ada.write(&at).await;
        writes.append(numbered("e", 1..=2)).await.unwrap();
        reads.until_named("e-2").await;
        // More than fits into every buffer in between, while nobody reads.
        for from in (1..=3000).step_by(100) {
            let events = (from..from + 100).map(|it| {
                named(
                    &format!("big-{it}"),
                    json!({"type": "unheardOf", "text": "x".repeat(2000), "n": it}),
                )
            });
            writes.append(events.collect()).await.unwrap();
            settled(&writes).await;
        }
        line.cut();
        writes.append(numbered("cut", 1..=2)).await.unwrap();
        settled(&writes).await;
        line.lead(&world.node.address().to_string());
        reads.until_named("cut-2").await;
        assert!(reads.log == whole_log(&ada, &at).await);
        // Read again by another start of the program: from its own disk, and on from there.
        drop(reads);
        writes.append(numbered("later", 1..=1)).await.unwrap();
        let (follower, told) = again(async || {
            let mut follower = tablet.client.follow(&at.workspace, &at.thread, tablet.mirror())?;
            let told = follower.next().await.ok()?;
            Some((follower, told))
        })
        .await;
        let mut reads = Reading {
            follower,
            log: Vec::new(),
        };
        reads.take(told);
        reads.until_named("later-1").await;
        assert!(reads.log == whole_log(&ada, &at).await);
        world.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_removed_is_told_and_reads_no_more() {
    for world in World::each().await {
        let line = Line::to(&world.node.address().to_string()).await;
        let (ada, bob, vic) = (
            Machine::new("ada", &[&line]),
            Machine::new("bob", &[&line]),
            Machine::new("vic", &[&line]),
        );
        let workspace = found(&ada, &bob, &vic).await;
        let new = NewSharedThread {
            id: None,
            title: "Plans".into(),
            model: None,
            visibility: None,
            approvers: None,
        };
        let thread = ada.client.calls().share(&workspace, &new).await.unwrap().id;
        let at = Place { workspace, thread };
        let writes = ada.write(&at).await;
        let mut reads = bob.follow(&at);
        let mut watches = bob.client.watch(&at.workspace, 0).unwrap();
        assert_eq!(watches.next().await.unwrap(), News::Begins);
        writes.append(numbered("e", 1..=1)).await.unwrap();
        reads.until_named("e-1").await;
        let bob_id = bob.client.calls().me().await.unwrap().user_id;
        let path = format!("/workspaces/{}/members/{bob_id}", at.workspace);
        let door = ada.client.calls().door();
        door.ask::<Value>(reqwest::Method::DELETE, &path, None::<&()>)
            .await
            .unwrap();
        let end = timeout(PATIENCE, async {
            loop {
                if let Err(trouble) = reads.follower.next().await {
                    return trouble;
                }
            }
        });
        let end = end.await.expect("the reader was never told");
        assert_eq!(end.problem().unwrap().code, ProblemCode::NotFound);
        let end = timeout(PATIENCE, async {
            loop {
                if let Err(trouble) = watches.next().await {
                    return trouble;
                }
            }
        });
        let end = end.await.expect("the watcher was never told");
        assert_eq!(end.problem().unwrap().code, ProblemCode::NotFound);
        world.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_goes_over_a_line_that_breaks_in_the_middle_both_ways() {
    for world in World::each().await {
        let address = world.node.address().to_string();
        let line = Line::to(&address).await;
        let ada = Machine::new("ada", &[&line]);
        let at = desk(&ada).await;
        let file = ada.folder.path().join("film.bin");
        let bytes: Vec<u8> = (0..5_000_000_u32).map(|it| (it % 253) as u8).collect();
        std::fs::write(&file, &bytes).unwrap();
        let sharing = Sharing {
            name: "film.bin".into(),
            ..Sharing::default()
        };
        // The upload is begun on a connection of its own, and its first two megabytes are all that this one carries.
        line.break_after(2_000_000);
        let artifact = ada.client.calls().upload(&at.workspace, &file, &sharing).await.unwrap();
        assert!(line.broke(), "the line held");
        assert_eq!(artifact.size, bytes.len() as u64);
        line.break_after(2_000_000);
        let to = ada.folder.path().join("down.bin");
        ada.client
            .calls()
            .download(&at.workspace, &artifact, &to)
            .await
            .unwrap();
        assert!(line.broke(), "the line held");
        assert!(std::fs::read(&to).unwrap() == bytes);
        let left: Vec<_> = std::fs::read_dir(ada.folder.path())
            .unwrap()
            .map(|it| it.unwrap().file_name())
            .collect();
        assert!(
            !left.iter().any(|it| it.to_string_lossy().ends_with(".part")),
            "{left:?}"
        );
        // Nobody is there at all: that is said, and nothing is made of it.
        line.cut();
        let missing = Sharing {
            artifact: Some(artifact.id.clone()),
            ..sharing
        };
        assert!(matches!(
            ada.client.calls().upload(&at.workspace, &file, &missing).await,
            Err(Trouble::Unreachable(_))
        ));
        world.stop().await;
    }
}
