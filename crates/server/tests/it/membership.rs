//! Members, roles, invitations, bindings and devices.

use reqwest::Method;
use serde_json::{Value, json};

use crate::world::{Person, World};

/// A workspace of Ada's, by its path.
async fn lab(world: &World) -> String {
    let made = world.person("ada").post("/workspaces", json!({"name": "Lab"})).await;
    format!("/workspaces/{}", made["id"].as_str().unwrap())
}

async fn id(person: &Person) -> String {
    person.get("/me").await["user_id"].as_str().unwrap().to_owned()
}

async fn status(person: &Person, method: Method, path: &str, body: Option<Value>) -> u16 {
    person.ask(method, path, body).await.0.as_u16()
}

/// Lets somebody in by an invitation.
pub(crate) async fn join(inviting: &Person, joining: &Person, lab: &str, role: &str) {
    let invitation = inviting
        .post(&format!("{lab}/invitations"), json!({ "role": role }))
        .await;
    let joined = joining
        .post("/invitations/accept", json!({ "token": invitation["token"] }))
        .await;
    assert_eq!(joined["role"], role);
}

#[tokio::test]
async fn checklist_06_the_last_owner_stays_even_when_all_leave_at_once() {
    for world in World::each().await {
        let (ada, bob) = (world.person("ada"), world.far_person("bob"));
        let lab = lab(&world).await;
        join(&ada, &bob, &lab, "owner").await;
        let (adas, bobs) = (
            format!("{lab}/members/{}", id(&ada).await),
            format!("{lab}/members/{}", id(&bob).await),
        );
        let (one, other) = tokio::join!(
            status(&ada, Method::DELETE, &adas, None),
            status(&bob, Method::PATCH, &bobs, Some(json!({"role": "admin"})))
        );
        let mut answers = [one, other];
        answers.sort_unstable();
        assert_eq!(answers, [204, 409]);
    }
}

#[tokio::test]
async fn checklist_06_nobody_raises_himself_by_any_way() {
    for world in World::each().await {
        let (ada, bob, cem) = (world.person("ada"), world.far_person("bob"), world.person("cem"));
        let lab = lab(&world).await;
        join(&ada, &bob, &lab, "admin").await;
        join(&bob, &cem, &lab, "member").await;
        let [adas, bobs, cems] =
            [id(&ada).await, id(&bob).await, id(&cem).await].map(|it| format!("{lab}/members/{it}"));
        let role = |role: &str| Some(json!({ "role": role }));
        let check = async |who: &Person, path: &str, to: &str, expect: u16| {
            assert_eq!(
                status(who, Method::PATCH, path, role(to)).await,
                expect,
                "{} {to} {path}",
                who.name
            );
        };
        check(&bob, &bobs, "owner", 403).await;
        check(&cem, &cems, "admin", 403).await;
        check(&bob, &adas, "member", 403).await;
        check(&bob, &cems, "owner", 403).await;
        assert_eq!(status(&bob, Method::DELETE, &adas, None).await, 403);
        assert_eq!(status(&cem, Method::DELETE, &bobs, None).await, 403);
        let invitations = format!("{lab}/invitations");
        assert_eq!(status(&bob, Method::POST, &invitations, role("owner")).await, 403);
        assert_eq!(status(&cem, Method::POST, &invitations, role("viewer")).await, 403);
        // An invitation that an admin keeps for after his fall: neither he nor anybody else gets in by it.
        let kept = bob.post(&invitations, json!({"role": "admin"})).await;
        let token = Some(json!({ "token": kept["token"] }));
        assert_eq!(
            status(&bob, Method::POST, "/invitations/accept", token.clone()).await,
            404
        );
        check(&ada, &bobs, "viewer", 204).await;
        assert_eq!(
            status(&bob, Method::POST, "/invitations/accept", token.clone()).await,
            404
        );
        assert_eq!(status(&cem, Method::POST, "/invitations/accept", token).await, 404);
        let bind = json!({"kind": "group", "tid": "dev", "value": "g", "role": "owner"});
        assert_eq!(
            status(&ada, Method::POST, &format!("{lab}/bindings"), Some(bind)).await,
            400
        );
        let elsewhere = json!({"kind": "group", "tid": "elsewhere", "value": "g", "role": "admin"});
        assert_eq!(
            status(&ada, Method::POST, &format!("{lab}/bindings"), Some(elsewhere)).await,
            403
        );
    }
}

#[tokio::test]
async fn checklist_06_an_invitation_is_hashed_taken_once_expires_and_stays_in_its_tenant() {
    for world in World::each().await {
        let (ada, bob, cem) = (world.person("ada"), world.far_person("bob"), world.person("cem"));
        let lab = lab(&world).await;
        let invitation = ada.post(&format!("{lab}/invitations"), json!({"role": "member"})).await;
        let token = invitation["token"].as_str().unwrap();
        let accept = Some(json!({ "token": token }));
        let list = ada.get(&format!("{lab}/invitations")).await.to_string();
        assert!(!list.contains(token), "the list has no secrets");
        let app = world.node.app();
        let mut stranger = app.identity.of_token("bob").await.unwrap();
        stranger.tid = "another-tenant".to_owned();
        let user = app.store.user(&stranger, app.clock.now_ms()).await.unwrap();
        let take = async |now: u64| {
            let mut tx = app.store.begin().await.unwrap();
            let taken = app
                .store
                .take_invitation(&mut tx, &user, &stranger, token, now)
                .await
                .unwrap();
            taken.is_some()
        };
        assert!(!take(app.clock.now_ms()).await, "another tenant's person");
        let user = app
            .store
            .user(&app.identity.of_token("dan").await.unwrap(), 0)
            .await
            .unwrap();
        let late = invitation["expires_at_ms"].as_u64().unwrap() + 1;
        let dan = app.identity.of_token("dan").await.unwrap();
        let mut tx = app.store.begin().await.unwrap();
        assert!(
            app.store
                .take_invitation(&mut tx, &user, &dan, token, late)
                .await
                .unwrap()
                .is_none()
        );
        tx.rollback().await.unwrap();
        let (one, other) = tokio::join!(
            status(&bob, Method::POST, "/invitations/accept", accept.clone()),
            status(&cem, Method::POST, "/invitations/accept", accept.clone())
        );
        let mut answers = [one, other];
        answers.sort_unstable();
        assert_eq!(answers, [200, 404], "one of two gets in");
        assert_eq!(status(&bob, Method::POST, "/invitations/accept", accept).await, 404);
        let withdrawn = ada.post(&format!("{lab}/invitations"), json!({"role": "member"})).await;
        let path = format!("{lab}/invitations/{}", withdrawn["id"].as_str().unwrap());
        assert_eq!(status(&ada, Method::DELETE, &path, None).await, 204);
        let accept = Some(json!({ "token": withdrawn["token"] }));
        assert_eq!(
            status(&world.person("eve"), Method::POST, "/invitations/accept", accept).await,
            404
        );
    }
}

#[tokio::test]
async fn checklist_07_a_removed_or_lowered_member_is_out_at_the_next_request_on_every_node() {
    for world in World::each().await {
        let (ada, bob) = (world.person("ada"), world.far_person("bob"));
        let lab = lab(&world).await;
        join(&ada, &bob, &lab, "admin").await;
        let bobs = format!("{lab}/members/{}", id(&bob).await);
        assert_eq!(
            status(&bob, Method::GET, &format!("{lab}/invitations"), None).await,
            200
        );
        assert_eq!(
            status(&ada, Method::PATCH, &bobs, Some(json!({"role": "viewer"}))).await,
            204
        );
        assert_eq!(
            status(&bob, Method::GET, &format!("{lab}/invitations"), None).await,
            403
        );
        assert_eq!(status(&bob, Method::GET, &lab, None).await, 200);
        assert_eq!(status(&ada, Method::DELETE, &bobs, None).await, 204);
        for path in [lab.clone(), format!("{lab}/members"), format!("{lab}/activity")] {
            assert_eq!(status(&bob, Method::GET, &path, None).await, 404, "{path}");
        }
        assert_eq!(bob.get("/workspaces").await["items"], json!([]));
    }
}

#[tokio::test]
async fn a_group_lets_its_people_in_while_it_is_bound() {
    for world in World::each().await {
        let ada = world.person("ada");
        let lab = lab(&world).await;
        let binding = ada
            .post(
                &format!("{lab}/bindings"),
                json!({"kind": "group", "tid": "dev", "value": "g1", "role": "member"}),
            )
            .await;
        let app = world.node.app();
        let mut bob = app.identity.of_token("bob").await.unwrap();
        bob.groups = vec!["g0".to_owned(), "g1".to_owned()];
        let user = app.store.user(&bob, app.clock.now_ms()).await.unwrap();
        let found = app.store.workspaces_of(&user, &bob, "", 10).await.unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].role.as_str(), "member");
        let path = format!("{lab}/bindings/{}", binding["id"].as_str().unwrap());
        assert_eq!(status(&ada, Method::DELETE, &path, None).await, 204);
        assert!(app.store.workspaces_of(&user, &bob, "", 10).await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn lists_of_workspaces_go_on_where_they_ended() {
    for world in World::each().await {
        let ada = world.person("ada");
        for name in ["a", "b", "c"] {
            ada.post("/workspaces", json!({ "name": name })).await;
        }
        let first = ada.get("/workspaces?limit=2").await;
        let next = first["next"].as_str().unwrap();
        let rest = ada.get(&format!("/workspaces?limit=2&after={next}")).await;
        let names = |page: &Value| -> Vec<String> {
            let items = page["items"].as_array().unwrap().iter();
            items.map(|it| it["name"].as_str().unwrap().to_owned()).collect()
        };
        assert_eq!(
            (names(&first), names(&rest)),
            (vec!["a".into(), "b".into()], vec!["c".into()])
        );
        assert!(rest["next"].is_null());
    }
}

#[tokio::test]
async fn an_archived_workspace_can_be_read_and_refuses_changes() {
    for world in World::each().await {
        let ada = world.person("ada");
        let lab = lab(&world).await;
        let archive = |to: bool| Some(json!({ "archived": to }));
        assert_eq!(status(&ada, Method::PATCH, &lab, archive(true)).await, 200);
        assert_eq!(status(&ada, Method::GET, &lab, None).await, 200);
        let invite = Some(json!({"role": "member"}));
        assert_eq!(
            status(&ada, Method::POST, &format!("{lab}/invitations"), invite).await,
            409
        );
        assert_eq!(
            status(&ada, Method::PATCH, &lab, Some(json!({"name": "New"}))).await,
            409
        );
        assert_eq!(status(&ada, Method::PATCH, &lab, archive(false)).await, 200);
        assert_eq!(
            status(&ada, Method::PATCH, &lab, Some(json!({"name": "New"}))).await,
            200
        );
        assert_eq!(ada.get(&lab).await["name"], "New");
    }
}

#[tokio::test]
async fn a_device_is_its_persons_alone_and_a_revoked_one_stays_revoked() {
    for world in World::each().await {
        let (ada, bob) = (world.person("ada"), world.person("bob"));
        let device = ada
            .post("/devices", json!({"name": "Laptop", "platform": "linux"}))
            .await;
        let path = format!("/devices/{}", device["id"].as_str().unwrap());
        let same = Some(json!({"id": device["id"], "name": "Mine"}));
        assert_eq!(status(&bob, Method::POST, "/devices", same.clone()).await, 409);
        assert_eq!(status(&bob, Method::DELETE, &path, None).await, 404);
        assert_eq!(bob.get("/devices").await["items"], json!([]));
        assert_eq!(status(&ada, Method::POST, "/devices", same.clone()).await, 200);
        assert_eq!(ada.get("/devices").await["items"][0]["name"], "Mine");
        assert_eq!(status(&ada, Method::DELETE, &path, None).await, 204);
        assert_eq!(status(&ada, Method::POST, "/devices", same).await, 409);
    }
}
