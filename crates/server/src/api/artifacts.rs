//! Shared files: lists, versions, downloads.

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use protocol::id::{ArtifactId, ThreadId};
use protocol::workspace::artifact::SharedArtifact;
use protocol::workspace::log::Visibility;
use protocol::workspace::people::Role;
use serde::Deserialize;
use serde_json::json;

use crate::api::deed::Deed;
use crate::app::App;
use crate::artifact::name;
use crate::artifact::range::{Asked, asked};
use crate::gate::Place;
use crate::gate::body::{Json, Path, Query};
use crate::problem::{Answer, Refusal};
use crate::route::{Access, Route};
use crate::store::audit::AuditEntry;

/// At most so many in one list.
const PAGE: u64 = 200;

pub(super) fn routes() -> Vec<Route> {
    const MANY: &str = "/api/v1/workspaces/{workspace}/artifacts";
    const ONE: &str = "/api/v1/workspaces/{workspace}/artifacts/{artifact}";
    const BYTES: &str = "/api/v1/workspaces/{workspace}/artifacts/{artifact}/content";
    let viewer = Access::In(Role::Viewer);
    vec![
        Route::new(
            Method::GET,
            MANY,
            viewer,
            "The newest versions, newest files first.",
            list,
        )
        .gives::<Vec<SharedArtifact>>(),
        Route::new(
            Method::GET,
            ONE,
            viewer,
            "All versions of one file, newest first.",
            versions,
        )
        .gives::<Vec<SharedArtifact>>(),
        Route::new(
            Method::GET,
            BYTES,
            viewer,
            "Its bytes, always as a download; `Range` goes on with a broken one.",
            content,
        ),
        Route::new(
            Method::DELETE,
            ONE,
            Access::In(Role::Member),
            "Deletes a file with all its versions. One's own, or anybody's as admin.",
            delete,
        ),
    ]
}

/// Which of them.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Filter {
    thread: Option<ThreadId>,
    before: Option<ArtifactId>,
    limit: Option<u64>,
}

/// Which version.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Which {
    version: Option<u64>,
}

async fn list(State(app): State<App>, place: Place, Query(filter): Query<Filter>) -> Answer<Json<Vec<SharedArtifact>>> {
    let limit = filter.limit.unwrap_or(PAGE).clamp(1, PAGE);
    let store = place.store(&app);
    let user = &place.caller.user;
    let list = store
        .artifacts(user, filter.thread.as_ref(), filter.before.as_ref(), limit)
        .await?;
    Ok(Json(list))
}

async fn versions(
    State(app): State<App>,
    place: Place,
    Path((_, id)): Path<(String, ArtifactId)>,
) -> Answer<Json<Vec<SharedArtifact>>> {
    Ok(Json(all_versions(&app, &place, &id).await?))
}

async fn all_versions(app: &App, place: &Place, id: &ArtifactId) -> Answer<Vec<SharedArtifact>> {
    let versions = place.store(app).artifact_versions(&place.caller.user, id).await?;
    if versions.is_empty() {
        return Err(Refusal::not_found());
    }
    Ok(versions)
}

async fn content(
    State(app): State<App>,
    place: Place,
    Path((_, id)): Path<(String, ArtifactId)>,
    Query(which): Query<Which>,
    headers: HeaderMap,
) -> Answer<Response> {
    let versions = all_versions(&app, &place, &id).await?;
    let found = versions
        .into_iter()
        .find(|it| which.version.is_none_or(|version| it.version == version));
    let file = found.ok_or_else(Refusal::not_found)?;
    let range = headers.get(header::RANGE).map(|it| it.to_str().unwrap_or("bytes=?"));
    let (status, part) = match asked(range, file.size) {
        Asked::Whole => (StatusCode::OK, 0..file.size),
        Asked::Part(part) => (StatusCode::PARTIAL_CONTENT, part),
        Asked::Nothing => {
            let size = format!("bytes */{}", file.size);
            return Ok((StatusCode::RANGE_NOT_SATISFIABLE, [(header::CONTENT_RANGE, size)]).into_response());
        }
    };
    let store = place.store(&app);
    let bytes = store.blob_place(&file.sha256).await?.ok_or_else(Refusal::not_found)?;
    let length = part.end - part.start;
    let mut response = Response::builder()
        .status(status)
        .header(header::CONTENT_TYPE, file.media_type)
        .header(header::CONTENT_LENGTH, length)
        .header(header::CONTENT_DISPOSITION, name::disposition(&file.name))
        .header(header::ACCEPT_RANGES, "bytes")
        .header(header::ETAG, format!("\"{}\"", file.sha256));
    if status == StatusCode::PARTIAL_CONTENT {
        let range = format!("bytes {}-{}/{}", part.start, part.end - 1, file.size);
        response = response.header(header::CONTENT_RANGE, range);
    }
    let stream = app.storage.read(&bytes, part).await?;
    let mut response = response.body(Body::from_stream(stream)).map_err(|_| {
        Refusal::new(
            protocol::workspace::problem::ProblemCode::Internal,
            "The server failed.",
        )
    })?;
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CONTENT_SECURITY_POLICY, "sandbox; default-src 'none'"),
        (header::CACHE_CONTROL, "no-store"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
        .headers_mut()
        .insert("cross-origin-resource-policy", HeaderValue::from_static("same-origin"));
    let entry = AuditEntry {
        detail: json!({ "version": file.version }),
        ..place.entry(app.clock.now_ms(), "artifact.downloaded", format!("artifact/{id}"))
    };
    app.store.audit_alone(&entry).await?;
    Ok(response)
}

async fn delete(State(app): State<App>, place: Place, Path((_, id)): Path<(String, ArtifactId)>) -> Answer<StatusCode> {
    let versions = all_versions(&app, &place, &id).await?;
    let is_own = versions.iter().all(|it| it.created_by == place.caller.user);
    if !is_own && place.role < Role::Admin {
        return Err(Refusal::forbidden("Only admins can delete what others uploaded."));
    }
    let store = place.store(&app);
    let is_private = match &versions[0].thread_id {
        Some(thread) => is_private(&app, &place, thread).await?,
        None => false,
    };
    let now_ms = app.clock.now_ms();
    let mut transaction = app.store.begin().await?;
    // Whoever ends an upload takes the workspace's row before the blobs; so does this.
    store.hold_open(&mut transaction).await?;
    let unneeded = store.delete_artifact(&mut transaction, &id, now_ms).await?;
    let deed = Deed {
        verb: "artifact.deleted",
        kind: "artifact",
        id: id.to_string(),
        shown: json!({ "name": versions[0].name }),
        facts: json!({}),
    };
    if is_private {
        deed.commit_unseen(&app, &place, transaction).await?;
    } else {
        deed.commit(&app, &place, transaction).await?;
    }
    for bytes in unneeded {
        app.storage.delete(&bytes).await;
    }
    Ok(StatusCode::NO_CONTENT)
}

/// Whether what belongs to this thread is nobody else's business.
pub(super) async fn is_private(app: &App, place: &Place, thread: &ThreadId) -> Answer<bool> {
    let thread = place.store(app).thread(thread, &place.caller.user).await?;
    Ok(thread.is_none_or(|it| it.visibility == Visibility::Private))
}
