//! The role matrix: what everybody gets at every route. A route without a line here fails the test.

use protocol::id::{UserId, WorkspaceId};
use protocol::workspace::people::Role;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use server::route::Access;

use crate::world::{Person, World};

/// Who gets in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum To {
    Anybody,
    SignedIn,
    Viewers,
    Members,
    Admins,
    Owners,
    /// The socket itself says who gets in; without an upgrade nobody does.
    Socket,
}

impl To {
    /// As the code has it.
    fn of(access: Access) -> Self {
        match access {
            Access::Open => Anybody,
            Access::Person => SignedIn,
            Access::In(Role::Viewer) => Viewers,
            Access::In(Role::Member) => Members,
            Access::In(Role::Admin) => Admins,
            Access::In(Role::Owner) => Owners,
            Access::Socket => Socket,
        }
    }
}

use To::{Admins, Anybody, Members, Owners, SignedIn, Socket, Viewers};

/// All routes, as `METHOD path`. Written by hand, so that a line that opens by mistake in the code does not open here.
const MATRIX: &[(&str, To)] = &[
    ("GET /healthz", Anybody),
    ("GET /readyz", Anybody),
    ("GET /metrics", Anybody),
    ("GET /openapi.json", Anybody),
    ("GET /api/v1/auth/config", Anybody),
    ("GET /api/v1/me", SignedIn),
    ("POST /api/v1/ws-tickets", SignedIn),
    ("GET /api/v1/live", Socket),
    ("GET /api/v1/workspaces/{workspace}/presence", Viewers),
    ("GET /api/v1/workspaces", SignedIn),
    ("POST /api/v1/workspaces", SignedIn),
    ("GET /api/v1/workspaces/{workspace}", Viewers),
    ("PATCH /api/v1/workspaces/{workspace}", Admins),
    ("DELETE /api/v1/workspaces/{workspace}", Owners),
    ("GET /api/v1/workspaces/{workspace}/members", Viewers),
    ("PATCH /api/v1/workspaces/{workspace}/members/{user}", Admins),
    ("DELETE /api/v1/workspaces/{workspace}/members/{user}", Viewers),
    ("GET /api/v1/workspaces/{workspace}/invitations", Admins),
    ("POST /api/v1/workspaces/{workspace}/invitations", Admins),
    ("DELETE /api/v1/workspaces/{workspace}/invitations/{invitation}", Admins),
    ("POST /api/v1/invitations/accept", SignedIn),
    ("GET /api/v1/workspaces/{workspace}/bindings", Admins),
    ("POST /api/v1/workspaces/{workspace}/bindings", Admins),
    ("DELETE /api/v1/workspaces/{workspace}/bindings/{binding}", Admins),
    ("GET /api/v1/devices", SignedIn),
    ("POST /api/v1/devices", SignedIn),
    ("DELETE /api/v1/devices/{device}", SignedIn),
    ("GET /api/v1/workspaces/{workspace}/activity", Viewers),
    ("GET /api/v1/workspaces/{workspace}/audit", Owners),
    ("GET /api/v1/workspaces/{workspace}/audit/export", Owners),
    ("GET /api/v1/workspaces/{workspace}/deletions", Admins),
    ("POST /api/v1/workspaces/{workspace}/deletions", Admins),
    ("GET /api/v1/workspaces/{workspace}/deletions/{deletion}", Admins),
    (
        "POST /api/v1/workspaces/{workspace}/deletions/{deletion}/cancel",
        Admins,
    ),
    ("POST /api/v1/workspaces/{workspace}/deletions/{deletion}/force", Admins),
    ("GET /api/v1/workspaces/{workspace}/webhooks", Admins),
    ("POST /api/v1/workspaces/{workspace}/webhooks", Admins),
    ("DELETE /api/v1/workspaces/{workspace}/webhooks/{webhook}", Admins),
    (
        "GET /api/v1/workspaces/{workspace}/webhooks/{webhook}/deliveries",
        Admins,
    ),
    (
        "POST /api/v1/workspaces/{workspace}/webhooks/{webhook}/deliveries/{delivery}/redeliver",
        Admins,
    ),
    ("POST /api/v1/workspaces/{workspace}/uploads", Members),
    ("GET /api/v1/workspaces/{workspace}/uploads/{upload}", Members),
    ("PUT /api/v1/workspaces/{workspace}/uploads/{upload}", Members),
    ("DELETE /api/v1/workspaces/{workspace}/uploads/{upload}", Members),
    ("GET /api/v1/workspaces/{workspace}/artifacts", Viewers),
    ("GET /api/v1/workspaces/{workspace}/artifacts/{artifact}", Viewers),
    (
        "GET /api/v1/workspaces/{workspace}/artifacts/{artifact}/content",
        Viewers,
    ),
    ("DELETE /api/v1/workspaces/{workspace}/artifacts/{artifact}", Members),
    ("GET /api/v1/workspaces/{workspace}/docs", Viewers),
    ("GET /api/v1/workspaces/{workspace}/docs/{doc}", Socket),
    ("DELETE /api/v1/workspaces/{workspace}/docs/{doc}", Admins),
    ("GET /api/v1/workspaces/{workspace}/docs/{doc}/versions", Viewers),
    ("POST /api/v1/workspaces/{workspace}/docs/{doc}/versions", Members),
    (
        "POST /api/v1/workspaces/{workspace}/docs/{doc}/versions/{version}/restore",
        Members,
    ),
    ("GET /api/v1/workspaces/{workspace}/threads", Viewers),
    ("POST /api/v1/workspaces/{workspace}/threads", Members),
    ("GET /api/v1/workspaces/{workspace}/threads/{thread}", Viewers),
    ("PATCH /api/v1/workspaces/{workspace}/threads/{thread}", Members),
    ("DELETE /api/v1/workspaces/{workspace}/threads/{thread}", Members),
    ("POST /api/v1/workspaces/{workspace}/threads/{thread}/lease", Members),
    ("DELETE /api/v1/workspaces/{workspace}/threads/{thread}/lease", Members),
    ("POST /api/v1/workspaces/{workspace}/threads/{thread}/events", Members),
    ("GET /api/v1/workspaces/{workspace}/threads/{thread}/events", Viewers),
    ("GET /api/v1/workspaces/{workspace}/threads/{thread}/items", Viewers),
    ("GET /api/v1/workspaces/{workspace}/threads/{thread}/approvals", Viewers),
    (
        "POST /api/v1/workspaces/{workspace}/threads/{thread}/approvals/{approval}/decision",
        Members,
    ),
    (
        "POST /api/v1/workspaces/{workspace}/threads/{thread}/turn-requests",
        Members,
    ),
    (
        "GET /api/v1/workspaces/{workspace}/threads/{thread}/turn-requests",
        Viewers,
    ),
    (
        "PATCH /api/v1/workspaces/{workspace}/threads/{thread}/turn-requests/{request}",
        Members,
    ),
    (
        "PUT /api/v1/workspaces/{workspace}/threads/{thread}/cursors/{device}",
        Viewers,
    ),
    (
        "GET /api/v1/workspaces/{workspace}/threads/{thread}/cursors/{device}",
        Viewers,
    ),
];

impl To {
    /// The lowest role that gets in, if it takes one.
    fn least(self) -> Option<Role> {
        match self {
            Viewers => Some(Role::Viewer),
            Members => Some(Role::Member),
            Admins => Some(Role::Admin),
            Owners => Some(Role::Owner),
            Anybody | SignedIn | Socket => None,
        }
    }

    /// Whether this answer is right for somebody with this role; None is no place in the workspace.
    fn fits(self, role: Option<Role>, status: StatusCode) -> bool {
        let let_in = !matches!(status.as_u16(), 401 | 403) && !status.is_server_error();
        match (self.least(), role) {
            (Some(least), Some(role)) if role >= least => let_in,
            (Some(_), Some(_)) => status == 403,
            (Some(_), None) => status == 404,
            (None, _) if self == Socket => status.is_client_error(),
            (None, _) => let_in,
        }
    }
}

/// A workspace of the owner's with one member of each role, and one who was one.
async fn lab(world: &World) -> String {
    let made = world.person("owner").post("/workspaces", json!({"name": "Lab"})).await;
    let id = made["id"].as_str().unwrap().to_owned();
    let app = world.node.app();
    let mut owner_id = UserId::new();
    for name in ["owner", "admin", "member", "viewer", "removed"] {
        let person = world.person(name);
        let user = UserId(person.get("/me").await["user_id"].as_str().unwrap().to_owned());
        if name == "owner" {
            owner_id = user;
            continue;
        }
        let role = Role::from_name(name).unwrap_or(Role::Admin);
        let invitation = world
            .person("owner")
            .post(&format!("/workspaces/{id}/invitations"), json!({ "role": role }))
            .await;
        let token = json!({ "token": invitation["token"] });
        person.post("/invitations/accept", token).await;
        if name == "removed" {
            let path = format!("/workspaces/{id}/members/{user}");
            let (status, _) = world.person("owner").ask(Method::DELETE, &path, None).await;
            assert_eq!(status, 204);
        }
    }
    let owner = app.identity.of_token("owner").await.unwrap();
    let place = app
        .store
        .membership(&WorkspaceId(id.clone()), &owner_id, &owner)
        .await
        .unwrap();
    assert_eq!(place.unwrap().role, Role::Owner);
    id
}

/// The answer to a request with a body that no route takes, so that nothing happens where one is taken.
async fn answer(person: &Person, named: bool, method: &str, path: &str, takes: bool) -> (StatusCode, Value) {
    let base = person.base.trim_end_matches("/api/v1");
    let mut request = person.http.request(method.parse().unwrap(), format!("{base}{path}"));
    if named {
        request = request.header("x-domain-user", &person.name);
    }
    if takes {
        request = request.json(&json!({"no_such_field": 1}));
    }
    let response = request.send().await.unwrap();
    let status = response.status();
    let bytes = response.bytes().await.unwrap();
    (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
}

/// A path with the workspace's id and ids of nothing.
fn filled(path: &str, workspace: &str) -> String {
    let parts = path.split('/').map(|it| match it {
        "{workspace}" => workspace,
        it if it.starts_with('{') => "0190a000-0000-7000-8000-000000000000",
        it => it,
    });
    parts.collect::<Vec<_>>().join("/")
}

#[tokio::test]
async fn checklist_06_the_role_matrix_holds_at_every_route() {
    let world = World::new().await;
    let lab = lab(&world).await;
    let routes = server::api::routes();
    let mut wrong = Vec::new();
    for (name, to) in MATRIX {
        let Some(route) = routes.iter().find(|it| format!("{} {}", it.method, it.path) == *name) else {
            wrong.push(format!("{name} is no route"));
            continue;
        };
        // What deletes the whole workspace would end the table here.
        let lab = if *name == "DELETE /api/v1/workspaces/{workspace}" {
            self::lab(&world).await
        } else {
            lab.clone()
        };
        let path = filled(route.path, &lab);
        let everybody = [
            ("foreign", None),
            ("removed", None),
            ("viewer", Some(Role::Viewer)),
            ("member", Some(Role::Member)),
            ("admin", Some(Role::Admin)),
            ("owner", Some(Role::Owner)),
        ];
        for (person, role) in everybody {
            let takes = route.takes.is_some();
            let (status, body) = answer(&world.person(person), true, route.method.as_str(), &path, takes).await;
            if !to.fits(role, status) {
                wrong.push(format!("{name}: {person} gets {status} {body}"));
            }
        }
        let (status, body) = answer(
            &world.person("x"),
            false,
            route.method.as_str(),
            &path,
            route.takes.is_some(),
        )
        .await;
        let right = match to {
            Anybody => status.is_success(),
            Socket => status.is_client_error(),
            SignedIn | Viewers | Members | Admins | Owners => status == 401 && body["code"] == "unauthenticated",
        };
        if !right {
            wrong.push(format!("{name}: anonymous gets {status} {body}"));
        }
    }
    for route in &routes {
        let name = format!("{} {}", route.method, route.path);
        if !MATRIX.iter().any(|(line, _)| *line == name) {
            wrong.push(format!(
                "{name} has no line in the matrix; the code says {:?}",
                To::of(route.access)
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn checklist_13_knowing_an_id_opens_nothing_and_tells_nothing() {
    let world = World::new().await;
    let lab = lab(&world).await;
    for route in server::api::routes() {
        if !matches!(route.access, Access::In(_)) {
            continue;
        }
        let takes = route.takes.is_some();
        let there = answer(
            &world.person("foreign"),
            true,
            route.method.as_str(),
            &filled(route.path, &lab),
            takes,
        )
        .await;
        let nowhere = filled(route.path, "0190a000-0000-7000-8000-000000000001");
        let nowhere = answer(&world.person("foreign"), true, route.method.as_str(), &nowhere, takes).await;
        assert_eq!(
            there, nowhere,
            "{} {}: the two are told apart",
            route.method, route.path
        );
        assert_eq!(there.0, 404);
    }
}

#[tokio::test]
async fn checklist_12_fields_that_nobody_asked_for_are_refused_at_every_route() {
    let world = World::new().await;
    let lab = lab(&world).await;
    let mut wrong = Vec::new();
    for route in server::api::routes() {
        if route.takes.is_none() {
            continue;
        }
        let path = filled(route.path, &lab);
        let (status, body) = answer(&world.person("owner"), true, route.method.as_str(), &path, true).await;
        if status != 400 || body["code"] != "invalid_request" {
            wrong.push(format!("{} {}: {status} {body}", route.method, route.path));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // A field that exists, and that only the server sets.
    let owner = world.person("owner");
    for field in ["id", "role", "workspace_id", "owner_id", "seq", "created_at_ms", "tid"] {
        let (status, _) = owner
            .ask(
                Method::POST,
                "/workspaces",
                Some(json!({"name": "Lab", field: "owner"})),
            )
            .await;
        assert_eq!(status, 400, "{field}");
    }
}
