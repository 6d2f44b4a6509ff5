//! What a replica says and hears, and several of them against a model of the server, over lines that break and through crashes.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use proptest::prelude::{ProptestConfig, any, prop, proptest};
use yrs::updates::decoder::Decode as _;
use yrs::updates::encoder::Encode as _;
use yrs::{
    Array as _, Doc, GetString as _, ReadTxn as _, StateVector, Text as _, Transact as _, Update, WriteTxn as _,
};

use super::journal::Keeper;
use super::*;
use crate::frame::{NOTHING_NEW, NOTHING_SEEN};

fn empty() -> Document {
    Document::new(7, Kept::default()).unwrap()
}

fn push(document: &mut Document, text: &'static str) {
    document.edit(|tx| tx.get_or_insert_text("t").push(tx, text)).unwrap();
}

fn text(document: &mut Document) -> String {
    document.edit(|tx| tx.get_or_insert_text("t").get_string(tx)).unwrap()
}

fn nothing_seen() -> Frame {
    Frame::Step1(Bytes::from_static(NOTHING_SEEN))
}

fn online(document: &mut Document) {
    document.connect().unwrap();
    document.hear(Frame::Hello { epoch: 1 }).unwrap();
    let heard = document.hear(nothing_seen()).unwrap();
    assert!(matches!(heard.say.as_slice(), [Frame::Step2(_)]));
    document.hear(Frame::Step2(Bytes::from_static(NOTHING_NEW))).unwrap();
}

fn pending(document: &Document) -> Vec<u64> {
    document.pending().map(|it| it.number).collect()
}

#[test]
fn an_edit_pends_until_the_server_has_it() {
    let mut one = empty();
    push(&mut one, "offline ");
    assert_eq!(one.due().unwrap(), None);
    online(&mut one);
    push(&mut one, "online");
    push(&mut one, "!");
    // What was made in the meantime goes out together, once.
    assert!(matches!(one.due(), Ok(Some(Frame::Update(_)))));
    assert_eq!(one.due().unwrap(), None);
    assert_eq!(pending(&one), [1, 2, 3]);
    one.hear(Frame::Stored { count: 1 }).unwrap();
    assert_eq!((pending(&one), one.stored()), (vec![2, 3], 1));
    one.hear(Frame::Stored { count: 2 }).unwrap();
    assert_eq!((pending(&one), one.stored()), (vec![], 3));
    let refused = one.hear(Frame::Stored { count: 3 });
    assert!(matches!(refused, Err(DocumentError::Order(_))), "{refused:?}");
}

#[test]
fn a_line_that_breaks_takes_no_promise_with_it() {
    let mut one = empty();
    online(&mut one);
    push(&mut one, "lost on the way");
    one.due().unwrap();
    one.disconnect();
    one.connect().unwrap();
    one.hear(Frame::Hello { epoch: 1 }).unwrap();
    let heard = one.hear(nothing_seen()).unwrap();
    let [Frame::Step2(again)] = heard.say.as_slice() else {
        panic!("{heard:?}");
    };
    let mut two = Document::new(8, Kept::default()).unwrap();
    two.add(again).unwrap();
    assert_eq!(text(&mut two), "lost on the way");
    assert_eq!(pending(&one), [1]);
    one.hear(Frame::Stored { count: 1 }).unwrap();
    assert_eq!(pending(&one).len(), 0);
}

#[test]
fn a_server_that_is_behind_is_not_told_more_and_more() {
    let mut one = empty();
    online(&mut one);
    let mut said = 0;
    for _ in 0..100 {
        push(&mut one, "x");
        said += usize::from(one.due().unwrap().is_some());
    }
    assert!(said < ON_THE_WAY, "{said}");
    one.hear(Frame::Stored { count: 1 }).unwrap();
    let Some(Frame::Update(rest)) = one.due().unwrap() else {
        panic!("the rest is due");
    };
    assert!(rest.len() < 1000);
    one.hear(Frame::Stored { count: said as u64 + 2 }).unwrap();
    assert_eq!(pending(&one).len(), 0);
}

#[test]
fn a_document_that_was_made_anew_is_not_brought_together_with_the_old_one() {
    let mut one = empty();
    online(&mut one);
    push(&mut one, "of the first life");
    assert_eq!(one.facts().first(), Some(&Fact::Epoch(1)));
    let first = one.connect().unwrap();
    // All that the server is told before its greeting is what is here, not what it says.
    assert!(matches!(first.as_slice(), [Frame::Step1(_)]), "{first:?}");
    let early = one.hear(nothing_seen());
    assert!(matches!(early, Err(DocumentError::Order(_))), "{early:?}");
    let renewed = one.hear(Frame::Hello { epoch: 2 });
    assert!(matches!(renewed, Err(DocumentError::Renewed)), "{renewed:?}");
    assert_eq!((pending(&one), one.epoch()), (vec![1], Some(1)));
    assert_eq!(text(&mut one), "of the first life");
}

#[test]
fn what_is_denied_pends_and_goes_out_when_it_may() {
    let mut one = empty();
    one.connect().unwrap();
    one.hear(Frame::Hello { epoch: 1 }).unwrap();
    // Who may only read is not asked.
    one.hear(Frame::Step2(Bytes::from_static(NOTHING_NEW))).unwrap();
    assert_eq!((one.is_synced(), one.denied()), (true, Some("read-only")));
    push(&mut one, "in vain");
    assert_eq!(one.due().unwrap(), None);
    one.hear(nothing_seen()).unwrap();
    assert_eq!(one.denied(), None);
    // The role is taken back while an edit is on its way; what is stored later says nothing about that edit.
    push(&mut one, "!");
    one.due().unwrap().unwrap();
    one.hear(Frame::Stored { count: 1 }).unwrap();
    one.hear(Frame::Denied("no".to_owned())).unwrap();
    one.hear(Frame::Stored { count: 2 }).unwrap();
    assert_eq!((pending(&one), one.denied()), (vec![2], Some("no")));
    one.hear(nothing_seen()).unwrap();
    one.hear(Frame::Stored { count: 3 }).unwrap();
    assert_eq!(pending(&one).len(), 0);
}

#[test]
fn what_comes_too_early_is_asked_for_and_what_never_comes_is_let_go() {
    let mut other = Document::new(8, Kept::default()).unwrap();
    push(&mut other, "one ");
    push(&mut other, "two");
    let updates: Vec<Bytes> = other.pending().map(|it| it.update.clone()).collect();
    let mut one = empty();
    online(&mut one);
    let heard = one.hear(Frame::Update(updates[1].clone())).unwrap();
    assert!(matches!(heard.say.as_slice(), [Frame::Step1(_)]), "{heard:?}");
    assert_eq!(heard.change, None);
    let heard = one.hear(Frame::Step2(updates[0].clone())).unwrap();
    assert!(heard.change.is_some());
    assert_eq!(text(&mut one), "one two");

    let flood = (0..100).find_map(|_| {
        other
            .edit(|tx| tx.get_or_insert_text("t").push(tx, &"x".repeat(64 << 10)))
            .unwrap();
        let late = other.pending().last().unwrap().update.clone();
        one.hear(Frame::Update(late)).err()
    });
    assert!(flood.is_none(), "each builds on the one before");
    let mut far = Document::new(9, Kept::default()).unwrap();
    push(&mut far, "the first one, which never comes");
    let flood = (0..100).find_map(|_| {
        far.edit(|tx| tx.get_or_insert_text("t").push(tx, &"x".repeat(64 << 10)))
            .unwrap();
        let late = far.pending().last().unwrap().update.clone();
        one.hear(Frame::Update(late)).err()
    });
    assert!(matches!(flood, Some(DocumentError::Behind)), "{flood:?}");
}

#[test]
fn hostile_bytes_are_refused_and_change_nothing() {
    let deep = [
        &[1, 1, 1, 0, 8, 1, 1, b't', 1][..],
        &[117, 1].repeat(100_000),
        &[126, 0],
    ]
    .concat();
    let clock = [1, 1, 1, 0, 0, 0xff, 0xff, 0xff, 0xff, 0x0f, 0];
    for bad in [&deep[..], &clock, b"", b"rubbish", &[0xff; 40]] {
        let bad = Bytes::copy_from_slice(bad);
        let mut one = empty();
        online(&mut one);
        push(&mut one, "good");
        for frame in [
            Frame::Update(bad.clone()),
            Frame::Step2(bad.clone()),
            Frame::Step1(bad.clone()),
        ] {
            let refused = one.hear(frame);
            assert!(matches!(refused, Err(DocumentError::Refused(_))), "{refused:?}");
        }
        assert!(matches!(one.add(&bad), Err(DocumentError::Refused(_))));
        assert_eq!((text(&mut one).as_str(), pending(&one)), ("good", vec![1]));
    }
}

#[test]
fn a_panic_stays_within_and_what_pends_can_still_be_read() {
    let mut one = empty();
    push(&mut one, "kept");
    let broken: Result<(), _> = one.edit(|_| panic!("as yrs sometimes does"));
    assert!(matches!(broken, Err(DocumentError::Broken)));
    assert!(matches!(one.connect(), Err(DocumentError::Broken)));
    assert_eq!(pending(&one), [1]);
}

proptest! {
    #[test]
    fn no_bytes_of_a_server_make_it_panic(frames in prop::collection::vec((0_u8..6, any::<Vec<u8>>()), 0..20)) {
        let mut one = empty();
        online(&mut one);
        for (kind, bytes) in frames {
            let bytes = Bytes::from(bytes);
            let frame = match kind {
                0 => Frame::Step1(bytes),
                1 => Frame::Step2(bytes),
                2 => Frame::Update(bytes),
                3 => Frame::Awareness(bytes),
                4 => Frame::Stored { count: u64::from(bytes.first().copied().unwrap_or_default()) },
                _ => Frame::QueryAwareness,
            };
            let _ = one.hear(frame);
        }
    }
}

/// The server as replicas see it: shows at once, and says what is on its disk later.
#[derive(Default)]
struct Server {
    doc: Doc,
    disk: Vec<Bytes>,
    on_the_way: Vec<Bytes>,
    acks: BTreeMap<usize, u64>,
    /// By number: who went away may still be heard for a while.
    sockets: Vec<Socket>,
}

#[derive(Default)]
struct Socket {
    is_open: bool,
    up: VecDeque<Frame>,
    down: VecDeque<Frame>,
    taken: u64,
}

impl Server {
    fn comes(&mut self) -> usize {
        let vector = self.doc.transact().state_vector().encode_v1();
        let down = [Frame::Hello { epoch: 1 }, Frame::Step1(vector.into())];
        self.sockets.push(Socket {
            is_open: true,
            down: down.into(),
            ..Socket::default()
        });
        self.sockets.len() - 1
    }

    /// Hears one message of a socket, which may be gone already.
    fn hear(&mut self, socket: usize) -> bool {
        let Some(frame) = self.sockets[socket].up.pop_front() else {
            return false;
        };
        match frame {
            Frame::Step1(vector) => {
                let vector = StateVector::decode_v1(&vector).unwrap();
                let lacks = self.doc.transact().encode_state_as_update_v1(&vector);
                self.sockets[socket].down.push_back(Frame::Step2(lacks.into()));
            }
            Frame::Step2(update) | Frame::Update(update) => {
                self.sockets[socket].taken += 1;
                self.acks.insert(socket, self.sockets[socket].taken);
                let decoded = Update::decode_v1(&update).unwrap();
                self.doc.transact_mut().apply_update(decoded).unwrap();
                for (other, it) in self.sockets.iter_mut().enumerate() {
                    if other != socket && it.is_open {
                        it.down.push_back(Frame::Update(update.clone()));
                    }
                }
                self.on_the_way.push(update);
            }
            other @ (Frame::Awareness(_)
            | Frame::QueryAwareness
            | Frame::Denied(_)
            | Frame::Hello { .. }
            | Frame::Stored { .. }) => panic!("{other:?}"),
        }
        true
    }

    fn commit(&mut self) {
        self.disk.append(&mut self.on_the_way);
        for (socket, count) in std::mem::take(&mut self.acks) {
            self.sockets[socket].down.push_back(Frame::Stored { count });
        }
    }

    /// What was not on the disk is gone, and so is every line.
    fn crash(&mut self) {
        *self = Self {
            doc: built(&self.disk),
            disk: std::mem::take(&mut self.disk),
            ..Self::default()
        };
    }
}

fn built(updates: &[Bytes]) -> Doc {
    let doc = Doc::new();
    for update in updates {
        let decoded = Update::decode_v1(update).unwrap();
        doc.transact_mut().apply_update(decoded).unwrap();
    }
    doc
}

/// The numbers in the list.
fn numbers(tx: &impl yrs::ReadTxn) -> BTreeSet<u64> {
    let list = tx.get_array("list");
    let numbers = list.iter().flat_map(|it| it.iter(tx).collect::<Vec<_>>());
    numbers.map(|it| it.to_string(tx).parse().unwrap()).collect()
}

/// A machine with one replica on its disk.
struct Machine {
    folder: tempfile::TempDir,
    on: Option<(Keeper, Document)>,
    socket: Option<usize>,
    /// What was promised to be kept, by the number of the edit.
    promised: BTreeMap<u64, u64>,
    lives: u64,
    name: u64,
}

impl Machine {
    fn new(name: u64) -> Self {
        let mut machine = Self {
            folder: tempfile::tempdir().unwrap(),
            on: None,
            socket: None,
            promised: BTreeMap::new(),
            lives: 0,
            name,
        };
        machine.crash();
        machine
    }

    /// What was not on the disk is gone.
    fn crash(&mut self) {
        self.on = None;
        self.socket = None;
        self.lives += 1;
        let (keeper, kept) = Keeper::open(&self.folder.path().join("plan")).unwrap();
        self.on = Some((keeper, Document::new(100 * self.lives + self.name, kept).unwrap()));
    }

    fn document(&mut self) -> &mut Document {
        &mut self.on.as_mut().unwrap().1
    }

    fn keep(&mut self) {
        let (keeper, document) = self.on.as_mut().unwrap();
        if keeper.note(document.facts()) {
            keeper.write().unwrap();
        }
        if keeper.is_long() {
            keeper.replace(&document.kept().unwrap()).unwrap();
        }
    }

    fn edit(&mut self, number: u64, at: u32) {
        let edited = self.document().edit(|tx| {
            let text = tx.get_or_insert_text("text");
            let length = text.len(tx);
            if number.is_multiple_of(3) && length > 4 {
                text.remove_range(tx, at % (length - 3), 1 + at % 3);
            } else {
                text.insert(tx, at % (length + 1), "ab👋");
            }
            let list = tx.get_or_insert_array("list");
            let length = list.len(tx);
            list.insert(tx, at % (length + 1), number.to_string());
        });
        edited.unwrap();
        self.keep();
        let last = self.document().last();
        self.promised.insert(last, number);
    }

    fn say(&mut self, server: &mut Server) {
        if let Some(socket) = self.socket
            && let Some(due) = self.document().due().unwrap()
        {
            server.sockets[socket].up.push_back(due);
        }
    }

    fn connect(&mut self, server: &mut Server) {
        self.leave(server);
        let socket = server.comes();
        let first = self.document().connect().unwrap();
        server.sockets[socket].up.extend(first);
        self.socket = Some(socket);
    }

    fn leave(&mut self, server: &mut Server) {
        if let Some(socket) = self.socket.take() {
            server.sockets[socket].is_open = false;
            self.document().disconnect();
        }
    }

    fn hear(&mut self, server: &mut Server) -> bool {
        let Some(socket) = self.socket else { return false };
        let Some(frame) = server.sockets[socket].down.pop_front() else {
            return false;
        };
        let heard = self.document().hear(frame).unwrap();
        self.keep();
        server.sockets[socket].up.extend(heard.say);
        true
    }

    fn shown(&mut self) -> (String, Vec<String>) {
        self.document()
            .edit(|tx| {
                let text = tx.get_or_insert_text("text").get_string(tx);
                let list = tx.get_or_insert_array("list");
                let list = list.iter(tx).map(|it| it.to_string(tx)).collect();
                (text, list)
            })
            .unwrap()
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    /// Whatever breaks and in whichever order messages of different lines are heard: nothing that was said to be kept or
    /// stored is lost, and all show the same in the end.
    #[test]
    fn replicas_converge_and_nothing_acknowledged_is_lost(
        steps in prop::collection::vec((0_u8..14, any::<u8>(), any::<u32>()), 1..300),
    ) {
        let mut server = Server::default();
        let mut machines: Vec<Machine> = (0..3).map(Machine::new).collect();
        for (number, (step, who, at)) in steps.into_iter().enumerate() {
            let machine = &mut machines[usize::from(who) % 3];
            match step {
                0..=3 => machine.edit(number as u64, at),
                4 => machine.connect(&mut server),
                5 => machine.leave(&mut server),
                6 => {
                    machine.leave(&mut server);
                    machine.crash();
                }
                7 => {
                    for it in &mut machines {
                        it.leave(&mut server);
                    }
                    server.crash();
                }
                8 | 9 => server.commit(),
                10 => {
                    if let Some(socket) = machine.socket {
                        while server.hear(socket) {}
                    }
                }
                11 => {
                    // Whoever went away is still heard.
                    if !server.sockets.is_empty() {
                        let socket = at as usize % server.sockets.len();
                        server.hear(socket);
                    }
                }
                12 => {
                    machine.say(&mut server);
                }
                _ => while machine.hear(&mut server) {},
            }
            // What the server is said to have is on its disk.
            let disk = numbers(&built(&server.disk).transact());
            for it in &mut machines {
                let stored = it.document().stored();
                assert!(it.promised.range(..=stored).all(|(_, number)| disk.contains(number)));
            }
        }
        for it in &mut machines {
            it.connect(&mut server);
        }
        loop {
            let mut is_quiet = true;
            for it in &mut machines {
                is_quiet &= !it.hear(&mut server);
                it.say(&mut server);
            }
            for socket in 0..server.sockets.len() {
                is_quiet &= !server.hear(socket);
            }
            is_quiet &= server.on_the_way.is_empty() && server.acks.is_empty();
            server.commit();
            if is_quiet {
                break;
            }
        }
        let disk = numbers(&built(&server.disk).transact());
        let promised = machines.iter().flat_map(|it| it.promised.values());
        assert!(promised.clone().all(|it| disk.contains(it)), "{disk:?}");
        let first = machines[0].shown();
        for it in &mut machines {
            assert_eq!(it.shown(), first);
            let document = it.document();
            assert_eq!((document.stored(), document.pending().count()), (document.last(), 0));
        }
    }
}
