//! Documents: their websocket, and what is asked about them over HTTP.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::extract::{ConnectInfo, State, WebSocketUpgrade};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use protocol::id::{VersionId, WorkspaceId};
use protocol::workspace::document::{DocumentPage, DocumentVersion, NewVersion, SharedDocument, VersionList};
use protocol::workspace::people::Role;
use protocol::workspace::problem::ProblemCode;
use serde::Deserialize;

use crate::app::App;
use crate::bus::Hint;
use crate::document::{Close, Guest, ReplicaError, is_id, way_back};
use crate::gate::body::{Json, Path, Query};
use crate::gate::socket::parameter;
use crate::gate::ticket::Purpose;
use crate::gate::{Place, place, socket_caller};
use crate::problem::{Answer, Refusal};
use crate::route::{Access, Route};
use crate::store::{Chain, Scope};

/// Documents of one page.
const PAGE: u32 = 200;

/// Versions of one document that people may keep.
const VERSIONS: u32 = 200;

/// And those that are listed: the server's own come on top, at most 54.
const LISTED: u32 = 300;

/// What is read at once. Edits are small, and what is set aside for a read is filled with zeros before each.
const READ_BYTES: usize = 1 << 10;

/// What is written at once, if there is so much.
const WRITE_BYTES: usize = 4 << 10;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::new(
            Method::GET,
            "/api/v1/workspaces/{workspace}/docs",
            Access::In(Role::Viewer),
            "The documents of a workspace, by id.",
            list,
        )
        .gives::<DocumentPage>(),
        Route::new(
            Method::GET,
            "/api/v1/workspaces/{workspace}/docs/{doc}",
            Access::Socket,
            "A document's websocket, in the protocol of y-websocket. Without an upgrade: what is known about the document.",
            open,
        )
        .gives::<SharedDocument>(),
        Route::new(
            Method::DELETE,
            "/api/v1/workspaces/{workspace}/docs/{doc}",
            Access::In(Role::Admin),
            "Deletes a document and its versions.",
            delete,
        ),
        Route::new(
            Method::GET,
            "/api/v1/workspaces/{workspace}/docs/{doc}/versions",
            Access::In(Role::Viewer),
            "The kept versions of a document, newest first.",
            versions,
        )
        .gives::<VersionList>(),
        Route::new(
            Method::POST,
            "/api/v1/workspaces/{workspace}/docs/{doc}/versions",
            Access::In(Role::Member),
            "Keeps the document as it is now under a name.",
            keep,
        )
        .takes::<NewVersion>()
        .gives::<DocumentVersion>(),
        Route::new(
            Method::POST,
            "/api/v1/workspaces/{workspace}/docs/{doc}/versions/{version}/restore",
            Access::In(Role::Member),
            "Brings a kept version back as an edit: nobody's copy becomes invalid.",
            restore,
        ),
    ]
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Page {
    #[serde(default)]
    after: Option<String>,
}

async fn list(State(app): State<App>, place: Place, Query(page): Query<Page>) -> Answer<Json<DocumentPage>> {
    let after = page.after.unwrap_or_default();
    let mut documents = place.store(&app).documents(&after, PAGE + 1).await?;
    let more = documents.len() > PAGE as usize;
    documents.truncate(PAGE as usize);
    Ok(Json(DocumentPage { documents, more }))
}

/// The websocket. Refusals are said through it, because a page cannot see why an upgrade failed.
async fn open(
    State(app): State<App>,
    Path((workspace, document)): Path<(String, String)>,
    upgrade: Result<WebSocketUpgrade, axum::extract::ws::rejection::WebSocketUpgradeRejection>,
    peer: Option<axum::Extension<ConnectInfo<SocketAddr>>>,
    headers: HeaderMap,
    uri: Uri,
) -> Response {
    let address = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |it| it.0.0.ip());
    let Ok(upgrade) = upgrade else {
        return match about(&app, workspace, document, &headers, address).await {
            Ok(found) => Json(found).into_response(),
            Err(refusal) => refusal.into_response(),
        };
    };
    let guest = guest(&app, WorkspaceId(workspace), document, &headers, &uri, address).await;
    let documents = app.documents.clone();
    upgrade
        .read_buffer_size(READ_BYTES)
        .write_buffer_size(WRITE_BYTES)
        // Anything beyond the limit is read to its end where possible, so that the client hears why.
        .max_message_size(2 * app.config.limits.message_bytes)
        .max_frame_size(2 * app.config.limits.message_bytes)
        .on_upgrade(move |socket| documents.serve(socket, guest))
}

async fn about(
    app: &App,
    workspace: String,
    document: String,
    headers: &HeaderMap,
    address: IpAddr,
) -> Answer<SharedDocument> {
    let caller = crate::gate::caller(app, headers, address).await?;
    let place = place(app, caller, WorkspaceId(workspace), Role::Viewer).await?;
    let found = place.store(app).document(&document).await?;
    found.ok_or_else(Refusal::not_found)
}

async fn guest(
    app: &App,
    workspace: WorkspaceId,
    document: String,
    headers: &HeaderMap,
    uri: &Uri,
    address: IpAddr,
) -> Result<Guest, Close> {
    if !is_id(&document) {
        return Err(Close::NOT_FOUND);
    }
    let purpose = Purpose::Document {
        workspace: workspace.clone(),
        document: document.clone(),
    };
    let rechecks = app.documents.rechecks();
    let caller = socket_caller(app, headers, uri, address, &purpose)
        .await
        .map_err(|it| closing(&it))?;
    let place = place(app, caller, workspace, Role::Viewer)
        .await
        .map_err(|it| closing(&it))?;
    let epoch = match parameter(uri, "epoch") {
        Some(text) => Some(text.parse().map_err(|_| Close::INVALID)?),
        None => None,
    };
    let writes = place.role >= Role::Member && !place.archived;
    make_if_missing(app, &place, &document, epoch.is_some()).await?;
    Ok(Guest {
        writes,
        acks: parameter(uri, "acks").is_some_and(|it| it == "1"),
        epoch,
        rechecks,
        document,
        scope: place.scope,
        user: place.caller.user,
        verified: place.caller.verified,
    })
}

/// The first member who opens a document makes it. Who knows an earlier life of it does not begin another one.
async fn make_if_missing(app: &App, place: &Place, document: &str, known: bool) -> Result<(), Close> {
    let unavailable = |error: crate::store::StoreError| {
        tracing::error!(error = %Chain(&error), "a document cannot be opened");
        Close::UNAVAILABLE
    };
    let store = place.store(app);
    if store.document_head(document).await.map_err(unavailable)?.is_some() {
        return Ok(());
    }
    if place.role < Role::Member {
        return Err(Close::NOT_FOUND);
    }
    if place.archived {
        return Err(Close::ARCHIVED);
    }
    if known {
        return Err(Close::EPOCH);
    }
    let now_ms = app.clock.now_ms();
    let mut tx = app.store.begin().await.map_err(unavailable)?;
    let user = &place.caller.user;
    let made = store
        .make_document(&mut tx, document, user, now_ms)
        .await
        .map_err(unavailable)?;
    let mut seq = None;
    if made {
        let data = serde_json::json!({});
        seq = Some(
            store
                .record(&mut tx, now_ms, Some(user), "document_made", "document", document, data)
                .await
                .map_err(unavailable)?,
        );
    }
    tx.commit().await.map_err(|it| unavailable(it.into()))?;
    if let Some(seq) = seq {
        let workspace = place.workspace().clone();
        app.bus.publish(Hint::Activity { workspace, seq });
    }
    Ok(())
}

fn closing(refusal: &Refusal) -> Close {
    match refusal.0.code {
        ProblemCode::Unauthenticated => Close::UNAUTHENTICATED,
        ProblemCode::Forbidden => Close::FORBIDDEN,
        ProblemCode::NotFound => Close::NOT_FOUND,
        ProblemCode::Conflict | ProblemCode::Fenced | ProblemCode::Gap | ProblemCode::EpochChanged => Close::ARCHIVED,
        ProblemCode::InvalidRequest => Close::INVALID,
        ProblemCode::TooLarge => Close::TOO_LARGE,
        ProblemCode::RateLimited => Close::TOO_FAST,
        ProblemCode::TooSlow | ProblemCode::QuotaExceeded | ProblemCode::Unavailable | ProblemCode::Internal => {
            Close::UNAVAILABLE
        }
    }
}

async fn delete(
    State(app): State<App>,
    place: Place,
    Path((_, document)): Path<(String, String)>,
) -> Answer<StatusCode> {
    let now_ms = app.clock.now_ms();
    let store = place.store(&app);
    let mut tx = app.store.begin().await?;
    let head_seq = store.delete_document(&mut tx, &document, now_ms).await?;
    let head_seq = head_seq.ok_or_else(Refusal::not_found)?;
    let user = &place.caller.user;
    let data = serde_json::json!({});
    let seq = store
        .record(
            &mut tx,
            now_ms,
            Some(user),
            "document_deleted",
            "document",
            &document,
            data,
        )
        .await?;
    app.store
        .audit(&mut tx, &place.entry(now_ms, "document_deleted", document.clone()))
        .await?;
    tx.commit().await?;
    let workspace = place.workspace().clone();
    app.bus.publish(Hint::Activity {
        workspace: workspace.clone(),
        seq,
    });
    app.bus.publish(Hint::Document {
        workspace,
        document,
        head_seq,
    });
    Ok(StatusCode::NO_CONTENT)
}

async fn versions(
    State(app): State<App>,
    place: Place,
    Path((_, document)): Path<(String, String)>,
) -> Answer<Json<VersionList>> {
    let store = place.store(&app);
    if store.document_head(&document).await?.is_none() {
        return Err(Refusal::not_found());
    }
    let versions = store.versions(&document, LISTED).await?;
    Ok(Json(VersionList { versions }))
}

async fn keep(
    State(app): State<App>,
    place: Place,
    Path((_, document)): Path<(String, String)>,
    Json(new): Json<NewVersion>,
) -> Answer<(StatusCode, Json<DocumentVersion>)> {
    let label = new.label.trim();
    if label.is_empty() || label.chars().count() > 100 || label.chars().any(char::is_control) {
        return Err(Refusal::invalid("A version's name has 1 to 100 characters."));
    }
    let (epoch, state) = whole(&app, &place.scope, &document).await?;
    let version = DocumentVersion {
        id: VersionId::new(),
        label: label.to_owned(),
        size: state.len() as u64,
        created_by: Some(place.caller.user.clone()),
        created_at_ms: app.clock.now_ms(),
    };
    let mut tx = app.store.begin().await?;
    let kept = place
        .store(&app)
        .keep_version(&mut tx, &document, epoch, &version, &state, VERSIONS)
        .await?;
    if !kept {
        return Err(Refusal::conflict("A document has 200 kept versions at most."));
    }
    tx.commit().await?;
    Ok((StatusCode::CREATED, Json(version)))
}

async fn restore(
    State(app): State<App>,
    place: Place,
    Path((_, document, version)): Path<(String, String, String)>,
) -> Answer<StatusCode> {
    let version = place
        .store(&app)
        .version_state(&document, &VersionId(version))
        .await?
        .ok_or_else(Refusal::not_found)?;
    let (_, current) = whole(&app, &place.scope, &document).await?;
    // What is written meanwhile stays: it is as if somebody had edited the document back.
    let update = tokio::task::spawn_blocking(move || way_back(&current, &version))
        .await
        .map_err(|_| broken(&ReplicaError::Broken))?
        .map_err(|it| broken(&it))?;
    app.documents
        .edit(&place.scope, &document, &place.caller.user, update)
        .await
        .map_err(refusal)?;
    Ok(StatusCode::NO_CONTENT)
}

async fn whole(app: &App, scope: &Scope, document: &str) -> Answer<(u64, bytes::Bytes)> {
    app.documents.whole(scope, document).await.map_err(refusal)
}

fn broken(error: &ReplicaError) -> Refusal {
    tracing::error!(%error, "a version cannot be brought back");
    Refusal::new(ProblemCode::Internal, "The server failed. Nothing was changed.")
}

fn refusal(close: Close) -> Refusal {
    match close {
        Close::NOT_FOUND | Close::EPOCH => Refusal::not_found(),
        Close::TOO_LARGE => Refusal::new(ProblemCode::TooLarge, "The document is full."),
        _ => Refusal::new(ProblemCode::Unavailable, "The document cannot be reached right now."),
    }
}
