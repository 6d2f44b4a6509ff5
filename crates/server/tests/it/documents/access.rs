//! Who may open a document, who may write, and how quickly that ends.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::json;
use sync::frame::{Awareness, Frame, put_awareness};
use tokio_tungstenite::connect_async;

use super::{Closed, Editor, PATIENCE, lab};
use crate::membership::join;
use crate::world::{Person, World};

fn closed(code: u16, reason: &str) -> Closed {
    Closed(code, reason.to_owned())
}

async fn id(person: &Person) -> String {
    person.get("/me").await["user_id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn checklist_05_each_document_is_checked_and_refusals_stop_a_stock_client() {
    let world = World::new().await;
    let (ada, bob, eve) = (world.person("ada"), world.person("bob"), world.person("eve"));
    let lab = lab(&ada).await;
    join(&ada, &bob, &lab, "viewer").await;
    Editor::sync(&ada, &format!("{lab}/docs/plan")).await;
    for (person, path, expected) in [
        (&eve, format!("{lab}/docs/plan"), closed(4404, "not_found")),
        (&bob, format!("{lab}/docs/none"), closed(4404, "not_found")),
        (&ada, format!("{lab}/docs/a.b"), closed(4404, "not_found")),
        (
            &ada,
            format!("{lab}/docs/{}", "x".repeat(129)),
            closed(4404, "not_found"),
        ),
        (
            &ada,
            "/workspaces/other/docs/plan".to_owned(),
            closed(4404, "not_found"),
        ),
        (&ada, format!("{lab}/docs/plan?epoch=7"), closed(4409, "epoch_changed")),
        (
            &ada,
            format!("{lab}/docs/plan?epoch=x"),
            closed(4400, "invalid_request"),
        ),
    ] {
        assert_eq!(
            Editor::open(person, &path).await.until_closed().await,
            expected,
            "{path}"
        );
    }
    let nobody = Person {
        name: String::new(),
        ..ada.clone()
    };
    let refused = Editor::open(&nobody, &format!("{lab}/docs/plan"))
        .await
        .until_closed()
        .await;
    assert_eq!(refused, closed(4401, "unauthenticated"));
    // Over HTTP the same document is there for the same people.
    for (person, status) in [(&ada, 200), (&bob, 200), (&eve, 404)] {
        let answer = person.ask(Method::GET, &format!("{lab}/docs/plan"), None).await;
        assert_eq!(answer.0.as_u16(), status, "{}", person.name);
    }
    world.stop().await;
}

#[tokio::test]
async fn a_ticket_opens_the_document_it_is_for() {
    let world = World::new().await;
    let ada = world.person("ada");
    let lab = lab(&ada).await;
    let workspace = lab.rsplit('/').next().unwrap();
    let ticket = async || {
        let ask = json!({"workspace": workspace, "doc": "plan"});
        ada.post("/ws-tickets", ask).await["ticket"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let open = async |path: String| {
        let url = format!("{}{path}", ada.base.replacen("http", "ws", 1));
        let (socket, _) = connect_async(url).await.unwrap();
        Editor::on(socket)
    };
    let first = ticket().await;
    let mut editor = open(format!("{lab}/docs/plan?ticket={first}")).await;
    editor.ask().await;
    for path in [
        format!("{lab}/docs/plan?ticket={first}"),
        format!("{lab}/docs/other?ticket={}", ticket().await),
        format!("{lab}/docs/plan"),
    ] {
        let refused = open(path.clone()).await.until_closed().await;
        assert_eq!(refused, closed(4401, "unauthenticated"), "{path}");
    }
    world.stop().await;
}

#[tokio::test]
async fn checklist_06_a_viewer_reads_and_cannot_write_by_any_message() {
    let world = World::new().await;
    let (ada, bob) = (world.person("ada"), world.person("bob"));
    let lab = lab(&ada).await;
    join(&ada, &bob, &lab, "viewer").await;
    let path = format!("{lab}/docs/plan");
    let mut one = Editor::sync(&ada, &path).await;
    one.write("hers").await;
    one.ask().await;
    let mut two = Editor::sync(&bob, &path).await;
    assert_eq!(two.text(), "hers");
    let update = two.edit("his");
    two.send(Frame::Update(update.clone())).await;
    two.until("he is told", |it| it.denied.len() == 1).await;
    two.send(Frame::Step2(update)).await;
    two.until("he is told again", |it| it.denied.len() == 2).await;
    two.ask().await;
    assert_eq!(two.denied, ["read-only", "read-only"]);
    // He still hears the others, and they have not heard him.
    one.write("!").await;
    two.until("he hears her", |it| it.text().contains('!')).await;
    assert_eq!(Editor::sync(&ada, &path).await.text(), "hers!");
    for (method, path) in [
        (Method::DELETE, path.clone()),
        (Method::POST, format!("{path}/versions")),
    ] {
        let (status, _) = bob.ask(method, &path, Some(json!({"label": "x"}))).await;
        assert_eq!(status.as_u16(), 403, "{path}");
    }
    world.stop().await;
}

#[tokio::test]
async fn checklist_07_a_lowered_member_only_reads_and_a_removed_one_is_out_within_a_second() {
    for world in World::each().await {
        let (ada, bob) = (world.person("ada"), world.far_person("bob"));
        let lab = lab(&ada).await;
        join(&ada, &bob, &lab, "member").await;
        let path = format!("{lab}/docs/plan");
        let mut two = Editor::sync(&bob, &path).await;
        two.write("before").await;
        two.ask().await;
        let place = format!("{lab}/members/{}", id(&bob).await);
        let (status, body) = ada.ask(Method::PATCH, &place, Some(json!({"role": "viewer"}))).await;
        assert!(status.is_success(), "{status} {body}");
        let lowered = Instant::now();
        while two.denied.is_empty() {
            two.write("x").await;
            two.ask().await;
            assert!(lowered.elapsed() < PATIENCE, "he goes on writing");
        }
        let took = lowered.elapsed();
        assert!(took < Duration::from_secs(1), "it took {took:?}");
        let (status, body) = ada.ask(Method::DELETE, &place, None).await;
        assert!(status.is_success(), "{status} {body}");
        let removed = Instant::now();
        assert_eq!(two.until_closed().await, closed(4403, "forbidden"));
        let took = removed.elapsed();
        assert!(took < Duration::from_secs(1), "it took {took:?}");
        world.stop().await;
    }
}

#[tokio::test]
async fn checklist_11_awareness_says_who_somebody_really_is() {
    for world in World::each().await {
        let (ada, bob) = (world.person("ada"), world.far_person("bob"));
        let lab = lab(&ada).await;
        join(&ada, &bob, &lab, "viewer").await;
        let path = format!("{lab}/docs/plan");
        let mut one = Editor::sync(&ada, &path).await;
        let mut two = Editor::sync(&bob, &path).await;
        let say =
            |client, clock, state| Frame::Awareness(put_awareness(std::iter::once(Awareness { client, clock, state })));
        two.send(say(7, 1, r#"{"user":{"name":"ada","color":"red"}}"#)).await;
        let heard = |it: &Editor, text: &str| {
            it.heard
                .iter()
                .any(|it| matches!(it, Frame::Awareness(payload) if String::from_utf8_lossy(payload).contains(text)))
        };
        one.until("she sees him", |it| heard(it, r#""name":"bob""#)).await;
        assert!(!heard(&one, r#""name":"ada""#));
        // She cannot speak for him; that he goes is said by the server.
        one.send(say(7, 9, "null")).await;
        one.ask().await;
        two.send(say(7, 2, r#"{"cursor":1}"#)).await;
        one.until("he is still there", |it| heard(it, "cursor")).await;
        one.heard.clear();
        two.socket.close(None).await.unwrap();
        one.until("he is gone", |it| heard(it, "null")).await;
        world.stop().await;
    }
}

#[tokio::test]
async fn a_deleted_document_closes_and_begins_a_new_life() {
    for world in World::each().await {
        let (ada, far) = (world.person("ada"), world.far_person("ada"));
        let path = format!("{}/docs/plan", lab(&ada).await);
        let mut one = Editor::sync(&far, &format!("{path}?acks=1")).await;
        one.write("old").await;
        one.until_stored().await;
        assert_eq!(one.epoch, Some(1));
        let (status, _) = ada.ask(Method::DELETE, &path, None).await;
        assert_eq!(status.as_u16(), 204);
        assert_eq!(one.until_closed().await, closed(4404, "not_found"));
        // Who comes back with the old one does not double its text.
        let refused = Editor::open(&far, &format!("{path}?epoch=1"))
            .await
            .until_closed()
            .await;
        assert_eq!(refused, closed(4409, "epoch_changed"));
        let mut two = Editor::sync(&ada, &format!("{path}?acks=1")).await;
        assert_eq!((two.text(), two.epoch), (String::new(), Some(2)));
        two.write("new").await;
        two.until_stored().await;
        drop(two);
        assert_eq!(Editor::sync(&far, &path).await.text(), "new");
        let refused = Editor::open(&far, &format!("{path}?epoch=1"))
            .await
            .until_closed()
            .await;
        assert_eq!(refused, closed(4409, "epoch_changed"));
        world.stop().await;
    }
}
