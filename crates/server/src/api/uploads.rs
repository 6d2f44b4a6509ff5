//! Uploads: begun with a size and a hash, sent in as many pieces as the line needs, checked at the end.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{Method, StatusCode};
use futures::stream::{BoxStream, StreamExt as _};
use protocol::id::{ArtifactId, UploadId};
use protocol::workspace::artifact::{NewUpload, Upload};
use protocol::workspace::people::Role;
use protocol::workspace::problem::{Problem, ProblemCode};
use serde::Deserialize;
use serde_json::json;
use sqlx::{Any, Transaction};

use crate::api::artifacts::is_private;
use crate::api::deed::Deed;
use crate::app::App;
use crate::artifact::media;
use crate::artifact::name;
use crate::artifact::storage::Storage;
use crate::gate::Place;
use crate::gate::body::{Json, Path, Query};
use crate::problem::{Answer, Refusal};
use crate::route::{Access, Route};
use crate::store::artifacts::NewVersion;
use crate::store::uploads::Pending;

/// For how long an upload can be gone on with.
const LIFE: Duration = Duration::from_secs(24 * 3600);
/// A body that brings nothing for so long is given up; what came is kept.
const SILENCE: Duration = Duration::from_secs(30);

pub(super) fn routes() -> Vec<Route> {
    const MANY: &str = "/api/v1/workspaces/{workspace}/uploads";
    const ONE: &str = "/api/v1/workspaces/{workspace}/uploads/{upload}";
    let member = Access::In(Role::Member);
    vec![
        Route::new(
            Method::POST,
            MANY,
            member,
            "Begins an upload and reserves its room.",
            begin,
        )
        .takes::<NewUpload>()
        .gives::<Upload>(),
        Route::new(Method::GET, ONE, member, "How far one's own upload is.", show).gives::<Upload>(),
        Route::new(
            Method::PUT,
            ONE,
            member,
            "Sends bytes from `offset` on: all that are left, or some. The last ones make the artifact.",
            send,
        )
        .gives::<Upload>(),
        Route::new(Method::DELETE, ONE, member, "Gives an upload up.", give_up),
    ]
}

/// From where on bytes are sent.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Offset {
    offset: u64,
}

async fn begin(State(app): State<App>, place: Place, Json(new): Json<NewUpload>) -> Answer<(StatusCode, Json<Upload>)> {
    let name = name::checked(&new.name).map_err(Refusal::invalid)?;
    let is_hash = new.sha256.len() == 64 && new.sha256.bytes().all(|it| matches!(it, b'0'..=b'9' | b'a'..=b'f'));
    if !is_hash {
        return Err(Refusal::invalid(
            "`sha256` must be 64 hexadecimal digits in lower case.",
        ));
    }
    let limit = app.config.limits.artifact_bytes;
    if new.size > limit {
        let message = format!("One file may have {limit} bytes at most.");
        return Err(Problem::new(ProblemCode::TooLarge, message).fact("limit", limit).into());
    }
    let user = &place.caller.user;
    let store = place.store(&app);
    if let Some(thread) = &new.thread_id
        && store.thread(thread, user).await?.is_none()
    {
        return Err(Refusal::not_found());
    }
    if let Some(artifact) = &new.artifact_id
        && store.artifact_versions(user, artifact).await?.is_empty()
    {
        return Err(Refusal::not_found());
    }
    let now_ms = app.clock.now_ms();
    let pending = Pending {
        id: UploadId::new(),
        artifact: new.artifact_id,
        thread: new.thread_id,
        name,
        media_type: media::known(new.media_type.as_deref()).to_owned(),
        sha256: new.sha256,
        size: new.size,
        received: 0,
        expires_at_ms: now_ms + LIFE.as_millis() as u64,
        became: None,
    };
    let mut transaction = app.store.begin().await?;
    if !still_there(&mut transaction, &place, &app, &pending).await? {
        return Err(Refusal::not_found());
    }
    if !store
        .begin_upload(&mut transaction, user, &pending, app.config.limits.uploads)
        .await?
    {
        let limit = app.config.limits.uploads;
        return Err(Problem::new(
            ProblemCode::RateLimited,
            format!("You have {limit} uploads under way here; finish or give up one first."),
        )
        .fact("limit", limit)
        .into());
    }
    let limit = app.config.limits.workspace_bytes;
    if !store.reserve_room(&mut transaction, pending.size, limit).await? {
        drop(transaction);
        let used = store.room().await?;
        return Err(Problem::new(
            ProblemCode::QuotaExceeded,
            "The workspace has no room left for this file.",
        )
        .hint("Delete artifacts that nobody needs, or ask whoever runs the server for more room.")
        .fact("limit", limit)
        .fact("used", used)
        .into());
    }
    transaction.commit().await?;
    Ok((StatusCode::CREATED, Json(shown(&app, &place, pending).await?)))
}

async fn show(State(app): State<App>, place: Place, Path((_, id)): Path<(String, UploadId)>) -> Answer<Json<Upload>> {
    let pending = own(&app, &place, &id).await?;
    Ok(Json(shown(&app, &place, pending).await?))
}

async fn give_up(State(app): State<App>, place: Place, Path((_, id)): Path<(String, UploadId)>) -> Answer<StatusCode> {
    own(&app, &place, &id).await?;
    forget(&app, &place, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn send(
    State(app): State<App>,
    place: Place,
    Path((_, id)): Path<(String, UploadId)>,
    Query(Offset { offset }): Query<Offset>,
    body: Body,
) -> Answer<Json<Upload>> {
    let mut pending = own(&app, &place, &id).await?;
    if pending.became.is_some() {
        return Ok(Json(shown(&app, &place, pending).await?));
    }
    if offset != pending.received {
        return Err(behind(pending.received));
    }
    let store = place.store(&app);
    let mut whole = None;
    if pending.received < pending.size {
        let part = Storage::part(&id, offset);
        let (written, broken) = app.storage.write(&part, pieces(body, pending.size - offset)).await?;
        let kept = match written.size {
            0 => Ok(false),
            size => store.add_part(&id, offset, size, &part).await,
        };
        if !matches!(kept, Ok(true)) {
            app.storage.delete(&part).await;
        }
        if !kept? && written.size > 0 {
            let now = own(&app, &place, &id).await?;
            return Err(behind(now.received));
        }
        if let Some(broken) = broken {
            return Err(broken);
        }
        pending.received += written.size;
        if written.size == pending.size {
            whole = Some((part, written.sha256));
        }
    }
    if pending.received == pending.size {
        let became = finish(&app, &place, &pending, whole).await?;
        pending.became = Some(became);
    }
    Ok(Json(shown(&app, &place, pending).await?))
}

/// Another request sent bytes meanwhile, or the client lost count.
fn behind(received: u64) -> Refusal {
    Problem::new(ProblemCode::Conflict, "The upload goes on from another place.")
        .fact("offset", received)
        .into()
}

/// The body's pieces, as long as they come and are no more than was said.
fn pieces(body: Body, left: u64) -> BoxStream<'static, Result<Bytes, Refusal>> {
    let begin = Some((body.into_data_stream(), left));
    futures::stream::unfold(begin, async |state| {
        let (mut stream, left) = state?;
        let piece = match tokio::time::timeout(SILENCE, stream.next()).await {
            Ok(None) => return None,
            Ok(Some(Ok(piece))) => piece,
            Ok(Some(Err(_))) => {
                let broken = Refusal::invalid("The connection broke. What came is kept; go on from there.");
                return Some((Err(broken), None));
            }
            Err(_) => {
                let slow = "Nothing came for 30 seconds. What came is kept; go on from there.";
                return Some((Err(Refusal::new(ProblemCode::TooSlow, slow)), None));
            }
        };
        match left.checked_sub(piece.len() as u64) {
            Some(left) => Some((Ok(piece), Some((stream, left)))),
            None => {
                let more = "More bytes came than the upload was begun with.";
                Some((Err(Refusal::new(ProblemCode::TooLarge, more)), None))
            }
        }
    })
    .boxed()
}

/// All bytes are there: they are checked, kept as a blob, and become a version of an artifact. `whole` is the part that is
/// the whole file, with its hash, when it came in one piece: it stays where it is.
async fn finish(app: &App, place: &Place, pending: &Pending, whole: Option<(String, String)>) -> Answer<ArtifactId> {
    let parts = place.store(app).parts(&pending.id).await?;
    let (blob, sha256, is_joined) = match whole {
        Some((part, sha256)) => (part, sha256, false),
        None => {
            let blob = Storage::blob(place.workspace(), &pending.sha256);
            let written = app.storage.join(&parts, &blob).await?;
            (blob, written.sha256, true)
        }
    };
    let end = if sha256 == pending.sha256 {
        end(app, place, pending, &blob).await
    } else {
        Ok(End::Wrong)
    };
    // The parts stay as long as the upload can be gone on with; what was joined of them is made anew then. A commit whose
    // answer was lost may have happened.
    let is_needed = match &end {
        Ok(End::Needed(_)) => true,
        Ok(_) => false,
        Err(_) => !matches!(own(app, place, &pending.id).await, Ok(it) if it.became.is_none()),
    };
    if is_joined && !is_needed {
        app.storage.delete(&blob).await;
    }
    match end? {
        End::Needed(artifact) => {
            for part in parts.iter().filter(|it| **it != blob) {
                app.storage.delete(part).await;
            }
            Ok(artifact)
        }
        End::Known(artifact) => {
            for part in &parts {
                app.storage.delete(part).await;
            }
            Ok(artifact)
        }
        // The same bytes were sent twice at once; the other request made the artifact.
        End::Late => own(app, place, &pending.id)
            .await?
            .became
            .ok_or_else(Refusal::not_found),
        End::Gone => {
            forget(app, place, &pending.id).await?;
            Err(Refusal::not_found())
        }
        End::Wrong => {
            forget(app, place, &pending.id).await?;
            Err(Refusal::invalid(
                "The bytes do not add up to the `sha256` that the upload was begun with. Nothing was kept; begin again.",
            ))
        }
    }
}

/// How an upload ended.
enum End {
    /// It is a version, and the blob is where its bytes are.
    Needed(ArtifactId),
    /// It is a version, and the workspace had its bytes already.
    Known(ArtifactId),
    /// Another request was first, or the upload is gone.
    Late,
    /// The thread or the artifact that it is for was deleted.
    Gone,
    /// Its bytes are not what was said.
    Wrong,
}

/// Makes the version, in one transaction.
async fn end(app: &App, place: &Place, pending: &Pending, blob: &str) -> Answer<End> {
    let store = place.store(app);
    let artifact = pending.artifact.clone().unwrap_or_default();
    let is_private = match &pending.thread {
        Some(thread) => is_private(app, place, thread).await?,
        None => false,
    };
    let now_ms = app.clock.now_ms();
    let mut transaction = app.store.begin().await?;
    if !still_there(&mut transaction, place, app, pending).await? {
        return Ok(End::Gone);
    }
    if !store.end_upload(&mut transaction, &pending.id, &artifact).await? {
        return Ok(End::Late);
    }
    let version = NewVersion {
        artifact: &artifact,
        thread: pending.thread.as_ref(),
        name: &pending.name,
        media_type: &pending.media_type,
        sha256: &pending.sha256,
        place: blob,
        size: pending.size,
        by: &place.caller.user,
        at_ms: now_ms,
    };
    let Some((number, is_needed)) = store.add_version(&mut transaction, &version).await? else {
        return Ok(End::Gone);
    };
    let size = i64::try_from(pending.size).unwrap_or(i64::MAX);
    store
        .change_room(&mut transaction, if is_needed { size } else { 0 }, -size)
        .await?;
    let deed = Deed {
        verb: "artifact.uploaded",
        kind: "artifact",
        id: artifact.to_string(),
        shown: json!({ "name": pending.name, "version": number, "size": pending.size }),
        facts: json!({ "version": number, "size": pending.size, "sha256": pending.sha256 }),
    };
    if is_private {
        deed.commit_unseen(app, place, transaction).await?;
    } else {
        deed.commit(app, place, transaction).await?;
    }
    Ok(if is_needed {
        End::Needed(artifact)
    } else {
        End::Known(artifact)
    })
}

/// Holds the thread that an upload is for, if any, and the workspace. False when the thread was deleted meanwhile.
async fn still_there(tx: &mut Transaction<'_, Any>, place: &Place, app: &App, pending: &Pending) -> Answer<bool> {
    let store = place.store(app);
    if let Some(thread) = &pending.thread
        && store.hold_thread(tx, thread, &place.caller.user).await?.is_none()
    {
        return Ok(false);
    }
    store.hold_open(tx).await?;
    Ok(true)
}

/// Gives an upload up, with what was sent of it.
async fn forget(app: &App, place: &Place, id: &UploadId) -> Answer<()> {
    let mut transaction = app.store.begin().await?;
    let parts = place.store(app).drop_upload(&mut transaction, id).await?;
    transaction.commit().await?;
    for part in parts {
        app.storage.delete(&part).await;
    }
    Ok(())
}

/// An upload of the caller that can be gone on with.
async fn own(app: &App, place: &Place, id: &UploadId) -> Answer<Pending> {
    place
        .store(app)
        .upload(&place.caller.user, id)
        .await?
        .filter(|it| it.expires_at_ms > app.clock.now_ms())
        .ok_or_else(Refusal::not_found)
}

async fn shown(app: &App, place: &Place, pending: Pending) -> Answer<Upload> {
    let artifact = match &pending.became {
        Some(id) => {
            let versions = place.store(app).artifact_versions(&place.caller.user, id).await?;
            versions.into_iter().next()
        }
        None => None,
    };
    Ok(Upload {
        id: pending.id,
        offset: pending.received,
        size: pending.size,
        expires_at_ms: pending.expires_at_ms,
        artifact,
    })
}
