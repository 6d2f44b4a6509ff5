//! A client that sends everything again, in parts and in any order, against one that sends each event once.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::threads::{Desk, events, message, question, turn};
use crate::world::World;

/// What a client does, well or badly.
#[derive(Debug, Clone)]
enum Step {
    /// Sends a window of its events, so many times; it may have been sent before, or begin after a hole.
    Send { from: usize, count: usize, times: usize },
    /// Gives the lease back and takes it again.
    MoveLease,
    /// Sends a window under the lease before this one.
    SendLate { from: usize, count: usize },
}

fn payload() -> impl Strategy<Value = Value> {
    let item = prop::sample::select(vec!["i1", "i2", "i3"]);
    let id = prop::sample::select(vec!["t1", "t2"]);
    let asked = prop::sample::select(vec!["a1", "a2"]);
    let text = prop::sample::select(vec!["a", "é", "😀", "longer words", ""]);
    prop_oneof![
        2 => (prop::sample::select(vec!["turnStarted", "turnCompleted"]), id).prop_map(|(kind, id)| turn(kind, id)),
        2 => (item.clone(), text.clone()).prop_map(|(item, text)| message("itemStarted", item, "inProgress", text)),
        6 => (item.clone(), 0_u64..12, text.clone())
            .prop_map(|(item, at, text)| json!({"type": "itemAppended", "itemId": item, "at": at, "text": text})),
        1 => (item, text.clone()).prop_map(|(item, text)| message("itemCompleted", item, "completed", text)),
        2 => (asked.clone(), text.clone()).prop_map(|(id, text)| question(id, text)),
        1 => (asked, any::<bool>()).prop_map(|(id, yes)| {
            let decision = if yes { json!({"type": "once"}) } else { json!({"type": "decline"}) };
            json!({"type": "approvalResolved", "approvalId": id, "decision": decision, "by": {"type": "person"}})
        }),
        1 => text.prop_map(|title| json!({"type": "threadRenamed", "title": title})),
        1 => Just(json!({"type": "unheardOf", "deep": {"n": [1, null]}})),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0_usize..40, 1_usize..20, 1_usize..4).prop_map(|(from, count, times)| Step::Send { from, count, times }),
        1 => Just(Step::MoveLease),
        1 => (0_usize..40, 1_usize..20).prop_map(|(from, count)| Step::SendLate { from, count }),
    ]
}

/// Everything that can be read of a thread, without what the clock or chance gave it.
async fn state(desk: &Desk) -> Value {
    let strip = |mut list: Value, away: &[&str]| {
        for entry in list.as_array_mut().unwrap() {
            for field in away {
                entry.as_object_mut().unwrap().remove(*field);
            }
        }
        list
    };
    let page = desk.bob.get(&desk.at("/events?after=0")).await;
    let items = desk.bob.get(&desk.at("/items")).await;
    let asked = desk.bob.get(&desk.at("/approvals")).await;
    let thread = desk.bob.get(&desk.thread).await;
    json!({
        "events": strip(page["events"].clone(), &["received_at_ms"]),
        "items": items["items"],
        "approvals": strip(asked["items"].clone(), &["expires_at_ms", "decided_at_ms", "thread_id"]),
        "thread": [thread["title"], thread["activity"], thread["model"], thread["head_seq"]],
    })
}

/// One event a batch, each once.
async fn clean(world: &World, sent: &[Value]) -> Value {
    let desk = Desk::new(world).await;
    desk.lease("mac").await;
    for (at, payload) in sent.iter().enumerate() {
        let number = at as u64 + 1;
        let (status, body) = desk
            .append(&desk.ada, 1, number, events(number, std::slice::from_ref(payload)))
            .await;
        assert_eq!(status, StatusCode::OK, "{body}");
    }
    state(&desk).await
}

/// The steps, and then the rest as far as the server does not have it.
async fn chaotic(world: &World, sent: &[Value], steps: &[Step]) -> Value {
    let desk = Desk::new(world).await;
    let mut epoch = desk.lease("mac").await["epoch"].as_u64().unwrap();
    let mut acked = 0;
    for step in steps {
        match step {
            Step::Send { from, count, times } => {
                let from = from % sent.len();
                let window = &sent[from..sent.len().min(from + count)];
                let base = from as u64 + 1;
                for _ in 0..*times {
                    let (status, body) = desk.append(&desk.ada, epoch, base, events(base, window)).await;
                    if base > acked + 1 {
                        assert_eq!((status, &body["expected"]), (StatusCode::CONFLICT, &json!(acked + 1)));
                    } else {
                        acked = acked.max(base + window.len() as u64 - 1);
                        assert_eq!(
                            (status, body),
                            (StatusCode::OK, json!({"acked": acked, "head_seq": acked}))
                        );
                    }
                }
            }
            Step::MoveLease => {
                let gives = json!({"producer_id": "mac", "epoch": epoch});
                let (status, _) = desk
                    .ada
                    .ask(reqwest::Method::DELETE, &desk.at("/lease"), Some(gives))
                    .await;
                assert_eq!(status, StatusCode::NO_CONTENT);
                let lease = desk.lease("mac").await;
                assert_eq!(lease["next_producer_seq"], acked + 1);
                epoch = lease["epoch"].as_u64().unwrap();
            }
            Step::SendLate { from, count } => {
                let from = from % sent.len();
                let window = &sent[from..sent.len().min(from + count)];
                let base = from as u64 + 1;
                let (status, body) = desk.append(&desk.ada, epoch - 1, base, events(base, window)).await;
                assert_eq!((status, &body["epoch"]), (StatusCode::CONFLICT, &json!(epoch)));
            }
        }
    }
    let rest = usize::try_from(acked).unwrap();
    if rest < sent.len() {
        let (status, _) = desk
            .append(&desk.ada, epoch, acked + 1, events(acked + 1, &sent[rest..]))
            .await;
        assert_eq!(status, StatusCode::OK);
    }
    state(&desk).await
}

#[test]
fn however_often_and_in_whatever_order_it_is_sent_the_state_is_that_of_the_clean_run() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    for world in runtime.block_on(World::each()) {
        let config = Config {
            cases: 12,
            failure_persistence: None,
            ..Config::default()
        };
        let input = (
            prop::collection::vec(payload(), 1..40),
            prop::collection::vec(step(), 0..14),
        );
        let outcome = TestRunner::new(config).run(&input, |(sent, steps)| {
            let (once, often) =
                runtime.block_on(async { (clean(&world, &sent).await, chaotic(&world, &sent, &steps).await) });
            prop_assert_eq!(&once, &often);
            let logged: Vec<_> = once["events"]
                .as_array()
                .unwrap()
                .iter()
                .map(|it| it["payload"].clone())
                .collect();
            prop_assert_eq!(logged, sent);
            Ok(())
        });
        runtime.block_on(world.stop());
        outcome.unwrap();
    }
}

#[tokio::test]
async fn ten_thousand_events_of_an_offline_day_go_in_as_batches_and_come_out_in_order() {
    for world in World::each().await {
        let desk = Desk::new(&world).await;
        desk.lease("mac").await;
        let day: Vec<_> = (0..10_000).map(|it| json!({"type": "unheardOf", "n": it})).collect();
        for (batch, base) in day.chunks(256).zip((1..).step_by(256)) {
            let (status, body) = desk.append(&desk.ada, 1, base, events(base, batch)).await;
            assert_eq!(status, StatusCode::OK, "{body}");
        }
        let (mut after, mut read) = (0, Vec::new());
        loop {
            let page = desk.bob.get(&desk.at(&format!("/events?after={after}"))).await;
            let found = page["events"].as_array().unwrap();
            if found.is_empty() {
                break;
            }
            read.extend(
                found
                    .iter()
                    .map(|it| (it["seq"].as_u64().unwrap(), it["payload"]["n"].as_u64().unwrap())),
            );
            after = page["next"].as_u64().unwrap();
        }
        let expected: Vec<_> = (0..10_000).map(|it| (it + 1, it)).collect();
        assert!(read == expected, "{} events came out", read.len());
        world.stop().await;
    }
}
