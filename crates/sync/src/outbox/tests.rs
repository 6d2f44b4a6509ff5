//! A writer and a reader against a model of the server, over a line that loses, repeats and delays, with crashes in between.

use std::collections::BTreeMap;
use std::path::Path;

use proptest::prelude::*;
use protocol::id::{DeviceId, UserId};
use protocol::workspace::log::{Batch, NewEvent, PageStatus, SharedEvent};
use serde_json::json;

use super::*;
use crate::inbox::{Inbox, Page, Told};
use crate::mirror::Mirror;
use crate::queue::Queue;

/// What the server keeps of a thread, and the rules by which it takes a batch.
#[derive(Debug, Default)]
struct Model {
    log: Vec<SharedEvent>,
    producers: BTreeMap<String, u64>,
    holder: Option<String>,
    epoch: u64,
}

impl Model {
    /// The lease, with the right to take it from anybody.
    fn lease(&mut self, producer: &str) -> Lease {
        if self.holder.as_deref() != Some(producer) {
            self.holder = Some(producer.to_owned());
            self.epoch += 1;
        }
        Lease {
            producer_id: producer.to_owned(),
            device_id: DeviceId("device".into()),
            user_id: UserId("user".into()),
            epoch: self.epoch,
            until_ms: 0,
            next_producer_seq: self.producers.get(producer).copied().unwrap_or(0) + 1,
        }
    }

    fn append(&mut self, batch: &Batch) -> Result<Acked, Problem> {
        if self.holder.as_ref() != Some(&batch.producer_id) || self.epoch != batch.lease_epoch {
            return Err(Problem::new(ProblemCode::Fenced, "fenced").fact("epoch", self.epoch));
        }
        let last = self.producers.entry(batch.producer_id.clone()).or_default();
        if batch.base > *last + 1 {
            return Err(Problem::new(ProblemCode::Gap, "gap").fact("expected", *last + 1));
        }
        let known = usize::try_from(*last + 1 - batch.base).unwrap();
        for event in batch.events.iter().skip(known) {
            *last += 1;
            self.log.push(SharedEvent {
                seq: self.log.len() as u64 + 1,
                event_id: event.event_id.clone(),
                at_ms: event.at_ms,
                received_at_ms: 0,
                producer_id: batch.producer_id.clone(),
                producer_seq: *last,
                payload: event.payload.clone(),
            });
        }
        Ok(Acked {
            acked: *last,
            head_seq: self.log.len() as u64,
        })
    }

    fn page(&self, after: u64, limit: usize) -> Page {
        let after = usize::try_from(after).unwrap();
        Page {
            status: PageStatus::Ok,
            snapshot: None,
            events: self.log.iter().skip(after).take(limit).cloned().collect(),
            head_seq: self.log.len() as u64,
        }
    }
}

/// What happens next.
#[derive(Debug, Clone)]
enum Step {
    /// The writer makes so many events.
    Make(usize),
    /// The writer does what is to do, and the line does that to it.
    Send(Line),
    /// A batch that was on the line for long arrives again, and nobody hears the answer.
    Late(usize),
    /// The writer's program is killed and starts again.
    CrashWriter,
    /// Another machine takes the lease and appends.
    Other,
    /// The reader asks for a page; it may have asked before.
    Read { limit: usize, again: bool },
    /// The reader's program is killed and starts again.
    CrashReader,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Line {
    Good,
    LosesRequest,
    LosesAnswer,
    Doubles,
}

fn step() -> impl Strategy<Value = Step> {
    let line = prop::sample::select(vec![Line::Good, Line::LosesRequest, Line::LosesAnswer, Line::Doubles]);
    prop_oneof![
        4 => (1_usize..5).prop_map(Step::Make),
        8 => line.prop_map(Step::Send),
        2 => (0_usize..50).prop_map(Step::Late),
        1 => Just(Step::CrashWriter),
        1 => Just(Step::Other),
        4 => (1_usize..6, any::<bool>()).prop_map(|(limit, again)| Step::Read { limit, again }),
        1 => Just(Step::CrashReader),
    ]
}

/// The writer's program: what is in its memory, and where its disk is.
struct Writer<'a> {
    path: &'a Path,
    queue: Option<Queue>,
    outbox: Outbox,
    made: u64,
    on_the_line: Vec<Batch>,
}

impl<'a> Writer<'a> {
    fn new(path: &'a Path) -> Self {
        let mut writer = Self {
            path,
            queue: None,
            outbox: Outbox::default(),
            made: 0,
            on_the_line: Vec::new(),
        };
        writer.start();
        writer
    }

    fn start(&mut self) {
        // Closed first: a journal is open once.
        self.queue = None;
        let queue = Queue::open(self.path).unwrap();
        self.outbox = Outbox::new(queue.is_anchored(), queue.forgotten(), queue.last());
        self.queue = Some(queue);
    }

    fn queue(&mut self) -> &mut Queue {
        self.queue.as_mut().unwrap()
    }

    fn make(&mut self, count: usize) {
        let from = self.made;
        self.made += count as u64;
        let events: Vec<_> = (from + 1..=self.made)
            .map(|it| NewEvent {
                event_id: format!("e{it}"),
                at_ms: it,
                payload: json!({"type": "unheardOf", "n": it}),
            })
            .collect();
        let last = self.queue().push(&events).unwrap();
        self.outbox.queued(last);
    }

    /// One thing that is to do. False when there is nothing.
    fn act(&mut self, server: &mut Model, line: Line) -> bool {
        match self.outbox.todo() {
            Todo::Nothing => false,
            Todo::Lease => {
                match line {
                    Line::LosesRequest => self.outbox.no_answer(),
                    Line::LosesAnswer => {
                        server.lease("mac");
                        self.outbox.no_answer();
                    }
                    Line::Good | Line::Doubles => {
                        let lease = server.lease("mac");
                        if let Some(number) = self.outbox.leased(&lease) {
                            self.queue().anchor(number).unwrap();
                        }
                    }
                }
                true
            }
            Todo::Send { base, epoch } => {
                let mut events = self.queue().batch(base).unwrap();
                // Small ones, so that there are many.
                events.truncate(3);
                let batch = Batch {
                    producer_id: "mac".into(),
                    lease_epoch: epoch,
                    base,
                    events,
                };
                self.on_the_line.push(batch.clone());
                let mut answer = None;
                let times = if line == Line::Doubles { 2 } else { 1 };
                if line != Line::LosesRequest {
                    answer = (0..times).map(|_| server.append(&batch)).last();
                }
                match answer.filter(|_| line != Line::LosesAnswer) {
                    None => self.outbox.no_answer(),
                    Some(Ok(acked)) => {
                        self.outbox.acked(acked);
                        let has = self.outbox.has();
                        self.queue().forget(has).unwrap();
                        self.outbox.forgot(has);
                    }
                    // What it says is to do is asked for again in the next step.
                    Some(Err(problem)) => {
                        let _ = self.outbox.not_acked(&problem);
                        self.outbox.no_answer();
                    }
                }
                true
            }
            it @ (Todo::Wait(_) | Todo::Held | Todo::Stuck(_)) => panic!("{it:?}"),
        }
    }
}

/// The reader's program.
struct Reader<'a> {
    path: &'a Path,
    mirror: Option<Mirror>,
    inbox: Inbox,
    told: Vec<Told>,
    last_page: Option<Page>,
}

impl<'a> Reader<'a> {
    fn new(path: &'a Path) -> Self {
        let mut reader = Self {
            path,
            mirror: None,
            inbox: Inbox::default(),
            told: Vec::new(),
            last_page: None,
        };
        reader.start();
        reader
    }

    fn start(&mut self) {
        self.mirror = None;
        self.told.clear();
        let mirror = Mirror::open(self.path, |it| self.told.push(it)).unwrap();
        self.inbox = Inbox::new(mirror.cursor());
        self.mirror = Some(mirror);
    }

    fn take(&mut self, page: Page) {
        let mut new = Vec::new();
        self.inbox.page(page, |it| new.push(it));
        self.mirror.as_mut().unwrap().keep(&new).unwrap();
        self.told.extend(new);
    }

    fn read(&mut self, server: &Model, limit: usize, again: bool) {
        let page = server.page(self.inbox.cursor(), limit);
        if again && let Some(old) = self.last_page.replace(page.clone()) {
            self.take(old);
        }
        self.take(page);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_lost_and_nothing_is_there_twice(steps in prop::collection::vec(step(), 0..80)) {
        let folder = tempfile::tempdir().unwrap();
        let (mine, theirs) = (folder.path().join("mine"), folder.path().join("theirs"));
        let (mut writer, mut reader) = (Writer::new(&mine), Reader::new(&theirs));
        let mut server = Model::default();
        let mut others = 0;
        for step in steps {
            match step {
                Step::Make(count) => writer.make(count),
                Step::Send(line) => {
                    writer.act(&mut server, line);
                }
                Step::Late(which) => {
                    if !writer.on_the_line.is_empty() {
                        let batch = writer.on_the_line[which % writer.on_the_line.len()].clone();
                        let _ = server.append(&batch);
                    }
                }
                Step::CrashWriter => writer.start(),
                Step::Other => {
                    others += 1;
                    let lease = server.lease("other");
                    let event = NewEvent {
                        event_id: format!("o{others}"),
                        at_ms: 0,
                        payload: json!({"type": "unheardOf"}),
                    };
                    let batch = Batch {
                        producer_id: "other".into(),
                        lease_epoch: lease.epoch,
                        base: others,
                        events: vec![event],
                    };
                    server.append(&batch).unwrap();
                }
                Step::Read { limit, again } => reader.read(&server, limit, again),
                Step::CrashReader => reader.start(),
            }
        }
        // The line is good from now on.
        for _ in 0..10_000 {
            if !writer.act(&mut server, Line::Good) {
                break;
            }
        }
        prop_assert!(writer.outbox.is_settled());
        while reader.inbox.cursor() < server.log.len() as u64 {
            reader.read(&server, 5, false);
        }
        let mine: Vec<_> = server.log.iter().filter(|it| it.producer_id == "mac").map(|it| it.event_id.clone()).collect();
        prop_assert_eq!(mine, (1..=writer.made).map(|it| format!("e{it}")).collect::<Vec<_>>());
        prop_assert_eq!(server.log.iter().filter(|it| it.producer_id == "other").count() as u64, others);
        let log: Vec<_> = server.log.iter().cloned().map(Told::Event).collect();
        prop_assert_eq!(&reader.told, &log);
        reader.start();
        prop_assert_eq!(&reader.told, &log);
    }
}

fn lease(next_producer_seq: u64) -> Lease {
    Lease {
        next_producer_seq,
        ..Model::default().lease("mac")
    }
}

#[test]
fn a_server_from_a_backup_gets_again_what_is_still_here_and_says_so_when_it_is_not() {
    let mut outbox = Outbox::new(true, 0, 5);
    assert_eq!(outbox.todo(), Todo::Lease);
    outbox.leased(&lease(1));
    assert_eq!(outbox.todo(), Todo::Send { base: 1, epoch: 1 });
    outbox.acked(Acked { acked: 4, head_seq: 4 });
    // Restored to where it had two of them; all five are still queued.
    let gap = Problem::new(ProblemCode::Gap, "gap").fact("expected", 3);
    assert_eq!(outbox.todo(), Todo::Send { base: 5, epoch: 1 });
    assert_eq!(outbox.not_acked(&gap), Todo::Send { base: 3, epoch: 1 });
    outbox.forgot(4);
    assert_eq!(outbox.not_acked(&gap), Todo::Stuck(Stuck::Restored { from: 3, to: 4 }));
    assert!(!outbox.is_settled());
}

#[test]
fn a_name_that_two_machines_use_is_noticed() {
    let mut outbox = Outbox::new(true, 2, 3);
    outbox.leased(&lease(9));
    assert_eq!(outbox.todo(), Todo::Stuck(Stuck::Foreign { has: 8, made: 3 }));
}

#[test]
fn a_refusal_for_good_keeps_everything_and_one_for_now_waits() {
    let mut outbox = Outbox::new(true, 0, 3);
    outbox.leased(&lease(1));
    assert_eq!(outbox.todo(), Todo::Send { base: 1, epoch: 1 });
    let busy = Problem::new(ProblemCode::RateLimited, "slow").fact("retry_after_s", 2);
    assert_eq!(outbox.not_acked(&busy), Todo::Wait(Some(Duration::from_secs(2))));
    assert_eq!(outbox.todo(), Todo::Send { base: 1, epoch: 1 });
    let bad = Problem::new(ProblemCode::Forbidden, "no");
    assert_eq!(outbox.not_acked(&bad), Todo::Stuck(Stuck::Refused(bad)));
    outbox.unstick();
    assert_eq!(outbox.todo(), Todo::Send { base: 1, epoch: 1 });
    let held = Problem::new(ProblemCode::Conflict, "held");
    outbox.no_answer();
    assert_eq!(outbox.not_leased(&held), Todo::Held);
    assert_eq!(outbox.todo(), Todo::Lease);
}
