//! Who one is.

use serde_json::json;

use crate::world::World;

#[tokio::test]
async fn in_development_one_is_whom_one_says() {
    let world = World::new().await;
    let me = world.person("Ada").get("/me").await;
    assert_eq!(
        (&me["cloud"], &me["tid"], &me["oid"], &me["name"], &me["role"]),
        (
            &json!("dev"),
            &json!("dev"),
            &json!("ada"),
            &json!("Ada"),
            &json!("owner")
        )
    );
    let again = world.person("Ada").get("/me").await;
    assert_eq!(me["user_id"], again["user_id"]);
    world.stop().await;
}

#[tokio::test]
async fn a_workspace_is_there_for_its_members_and_nowhere_for_others() {
    for world in World::each().await {
        let made = world.person("ada").post("/workspaces", json!({"name": "Lab"})).await;
        let path = format!("/workspaces/{}", made["id"].as_str().unwrap());
        assert_eq!(world.far_person("ada").get(&path).await["role"], "owner");
        let (status, problem) = world.person("bob").ask(reqwest::Method::GET, &path, None).await;
        assert_eq!((status.as_u16(), &problem["code"]), (404, &json!("not_found")));
    }
}
