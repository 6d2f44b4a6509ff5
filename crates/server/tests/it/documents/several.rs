//! Several nodes hold the same document.

use super::{Editor, lab};
use crate::world::World;

#[tokio::test]
async fn two_nodes_write_and_fold_the_same_document_at_once() {
    let world = World::team().await;
    let ada = world.person("ada");
    let path = format!("{}/docs/plan", lab(&ada).await);
    let mut one = Editor::sync(&ada, &format!("{path}?acks=1")).await;
    let mut two = Editor::sync(&world.far_person("ada"), &format!("{path}?acks=1")).await;
    // More than two snapshots' worth, so that each node meets what the other one has folded.
    for _ in 0..30 {
        for _ in 0..10 {
            one.write("1").await;
            two.write("2").await;
        }
        tokio::join!(one.until_stored(), two.until_stored());
    }
    let all = |it: &Editor| it.text().len() == 600;
    tokio::join!(one.until("all is there", all), two.until("all is there", all));
    assert_eq!(one.text(), two.text());
    drop((one, two));
    for person in [ada, world.far_person("ada")] {
        assert_eq!(Editor::sync(&person, &path).await.text().len(), 600);
    }
    world.stop().await;
}

#[tokio::test]
async fn without_redis_nodes_look_for_themselves() {
    let world = World::team().await;
    let ada = world.person("ada");
    let path = format!("{}/docs/plan", lab(&ada).await);
    let mut one = Editor::sync(&ada, &path).await;
    let mut two = Editor::sync(&world.far_person("ada"), &path).await;
    one.write("with ").await;
    two.until("it is there", |it| it.text() == "with ").await;
    world.redis.as_ref().unwrap().kill().unwrap();
    one.write("without").await;
    two.until("it is there all the same", |it| it.text() == "with without")
        .await;
    two.write("!").await;
    one.until("the answer, too", |it| it.text() == "with without!").await;
    world.stop().await;
}
