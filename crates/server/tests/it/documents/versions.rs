//! Versions that the server keeps by itself.

use reqwest::Method;
use serde_json::Value;
use server::job;

use super::{Editor, lab};
use crate::threads::Hands;
use crate::world::World;

const HOUR_MS: u64 = 3_600_000;

#[tokio::test]
async fn a_document_that_changes_is_kept_once_an_hour_and_can_be_brought_back() {
    let (hands, clock) = Hands::new();
    let world = World::at(clock, |_| ()).await;
    let app = world.node.app();
    let ada = world.person("ada");
    let path = format!("{}/docs/plan", lab(&ada).await);
    let versions = async || {
        job::versions::once(app).await.unwrap();
        let listed = ada.get(&format!("{path}/versions")).await;
        listed["versions"].as_array().unwrap().clone()
    };
    let mut editor = Editor::sync(&ada, &format!("{path}?acks=1")).await;
    assert_eq!(versions().await.len(), 0, "nothing was written yet");
    editor.write("one").await;
    editor.until_stored().await;
    let first = versions().await;
    assert_eq!(first.len(), 1);
    assert_eq!(
        (&first[0]["label"], &first[0]["created_by"]),
        (&Value::from(""), &Value::Null)
    );
    hands.on(2 * HOUR_MS);
    assert_eq!(versions().await.len(), 1, "what did not change is not kept again");
    editor.write(" two").await;
    editor.until_stored().await;
    assert_eq!(versions().await.len(), 2);
    editor.write(" three").await;
    editor.until_stored().await;
    hands.on(HOUR_MS - 1);
    assert_eq!(versions().await.len(), 2, "the hour is not over");
    hands.on(1);
    assert_eq!(versions().await.len(), 3);

    let restore = format!("{path}/versions/{}/restore", first[0]["id"].as_str().unwrap());
    assert_eq!(ada.ask(Method::POST, &restore, None).await.0, 204);
    editor.until("the first state is back", |it| it.text() == "one").await;
}

#[tokio::test]
async fn of_two_nodes_one_keeps_it_and_names_are_counted_apart() {
    let world = World::team().await;
    let ada = world.person("ada");
    let path = format!("{}/docs/plan", lab(&ada).await);
    let mut editor = Editor::sync(&ada, &format!("{path}?acks=1")).await;
    editor.write("one").await;
    editor.until_stored().await;
    let far = world.others.last().unwrap();
    let (here, there) = tokio::join!(job::versions::once(world.node.app()), job::versions::once(far.app()));
    here.unwrap();
    there.unwrap();
    let label = serde_json::json!({"label": "By hand"});
    ada.post(&format!("{path}/versions"), label).await;
    let listed = ada.get(&format!("{path}/versions")).await;
    let labels: Vec<&str> = listed["versions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["label"].as_str().unwrap())
        .collect();
    assert_eq!(labels, ["By hand", ""]);
    drop(editor);
    world.stop().await;
}
