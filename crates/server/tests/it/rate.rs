//! How many events somebody may append in a second, by either way.

use serde_json::{Value, json};

use crate::live::Client;
use crate::threads::{Desk, Hands, events};
use crate::world::World;

fn notes(number: usize) -> Vec<Value> {
    (0..number).map(|it| json!({"type": "note", "n": it})).collect()
}

#[tokio::test]
async fn who_appends_too_fast_is_told_when_to_come_back_and_loses_nothing() {
    let (hands, clock) = Hands::new();
    let world = World::at(clock, |it| it.limits.events_per_s = 100).await;
    let desk = Desk::new(&world).await;
    desk.lease("mac").await;
    // A whole batch is taken, however low the limit.
    let (status, body) = desk.append(&desk.ada, 1, 1, events(1, &notes(256))).await;
    assert_eq!(status, 200, "{body}");
    let rest = events(257, &notes(50));
    let (status, body) = desk.append(&desk.ada, 1, 257, rest.clone()).await;
    assert_eq!((status.as_u16(), &body["code"]), (429, &json!("rate_limited")));
    assert_eq!(
        (&body["retry_after_ms"], &body["retry_after_s"]),
        (&json!(500), &json!(1))
    );

    // The live socket is no way around it.
    let (workspace, thread) = (
        desk.workspace.rsplit('/').next().unwrap(),
        desk.thread.rsplit('/').next().unwrap(),
    );
    let batch = json!({"producer_id": "mac", "lease_epoch": 1, "base": 257, "events": rest});
    let append = json!({"type": "append", "id": 7, "workspace_id": workspace, "thread_id": thread, "batch": batch});
    let mut client = Client::open(&desk.ada).await;
    client.say(append.clone()).await;
    let refused = client.until("refused").await;
    assert_eq!(
        (
            &refused["id"],
            &refused["problem"]["code"],
            &refused["problem"]["retry_after_ms"]
        ),
        (&json!(7), &json!("rate_limited"), &json!(500)),
        "{refused}"
    );
    assert_eq!(
        desk.bob.get(&desk.thread).await["head_seq"],
        json!(256),
        "nothing was stored"
    );

    hands.on(500);
    client.say(append).await;
    let acked = client.until("acked").await;
    assert_eq!(acked["acked"], json!(306), "{acked}");
    let page = desk.bob.get(&desk.at("/events?after=256")).await;
    assert_eq!(page["events"].as_array().unwrap().len(), 50);
}

#[tokio::test]
async fn a_day_offline_is_sent_within_the_usual_limit() {
    let (_, clock) = Hands::new();
    let world = World::at(clock, |_| ()).await;
    let desk = Desk::new(&world).await;
    desk.lease("mac").await;
    // The clock stands still: nothing flows in meanwhile.
    let day = notes(10_000);
    for (batch, base) in day.chunks(256).zip((1..).step_by(256)) {
        let (status, body) = desk.append(&desk.ada, 1, base, events(base, batch)).await;
        assert_eq!(status, 200, "{body}");
    }
}
