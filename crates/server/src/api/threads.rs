//! Shared threads: sharing, listing, changing, taking back.

use axum::extract::State;
use axum::http::{Method, StatusCode};
use protocol::id::ThreadId;
use protocol::workspace::log::{NewSharedThread, SharedThread, SharedThreadChange, Visibility};
use protocol::workspace::people::{Listed, Role};
use serde::Deserialize;
use serde_json::json;

use crate::app::App;
use crate::bus::Hint;
use crate::fold::is_name;
use crate::gate::Place;
use crate::gate::body::{Json, Path, Query};
use crate::problem::{Answer, Refusal};
use crate::route::{Access, Route};
use crate::store::threads::{NewThread, PAGE, Row, visibility_name};

pub(super) fn routes() -> Vec<Route> {
    const ALL: &str = "/api/v1/workspaces/{workspace}/threads";
    const ONE: &str = "/api/v1/workspaces/{workspace}/threads/{thread}";
    vec![
        Route::new(
            Method::POST,
            ALL,
            Access::In(Role::Member),
            "Shares a thread; asking twice with the same id answers the same thread.",
            create,
        )
        .takes::<NewSharedThread>()
        .gives::<SharedThread>(),
        Route::new(
            Method::GET,
            ALL,
            Access::In(Role::Viewer),
            "The threads one can see, the newest first: ?search=&before=&limit=.",
            list,
        )
        .gives::<Listed<SharedThread>>(),
        Route::new(Method::GET, ONE, Access::In(Role::Viewer), "One thread.", show).gives::<SharedThread>(),
        Route::new(
            Method::PATCH,
            ONE,
            Access::In(Role::Member),
            "Changes a thread; its owner may, and admins may rename it.",
            change,
        )
        .takes::<SharedThreadChange>()
        .gives::<SharedThread>(),
        Route::new(
            Method::DELETE,
            ONE,
            Access::In(Role::Member),
            "Takes a thread away from everybody; its owner and admins may.",
            delete,
        ),
    ]
}

/// The path of everything in a thread.
#[derive(Debug, Deserialize)]
pub(super) struct InThread {
    pub(super) thread: ThreadId,
}

/// The thread of the path, if the caller may see it.
pub(super) async fn seen(app: &App, place: &Place, thread: &ThreadId) -> Answer<Row> {
    let row = place.store(app).thread_row(thread, &place.caller.user).await?;
    row.ok_or_else(Refusal::not_found)
}

/// Tells whoever looks at the thread, and at the feed if it has a new line.
pub(super) fn tell(app: &App, place: &Place, thread: &ThreadId, head_seq: Option<u64>, activity: Option<u64>) {
    let workspace = place.workspace();
    app.bus.publish(Hint::Thread {
        workspace: workspace.clone(),
        thread: thread.clone(),
    });
    if let Some(head_seq) = head_seq {
        app.bus.publish(Hint::Events {
            workspace: workspace.clone(),
            thread: thread.clone(),
            head_seq,
        });
    }
    if let Some(seq) = activity {
        app.bus.publish(Hint::Activity {
            workspace: workspace.clone(),
            seq,
        });
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Listing {
    search: Option<String>,
    before: Option<String>,
    limit: Option<usize>,
}

async fn create(
    State(app): State<App>,
    place: Place,
    Json(new): Json<NewSharedThread>,
) -> Answer<(StatusCode, Json<SharedThread>)> {
    let id = new.id.unwrap_or_default();
    if !is_name(id.as_str()) {
        return Err(Refusal::invalid(
            "A thread's id has 1 to 128 letters, digits, `_`, `.`, `:` and `-`.",
        ));
    }
    let title = checked_title(&new.title)?;
    let model = new.model.as_deref().map(checked_title).transpose()?;
    checked_approvers(new.approvers)?;
    let visibility = new.visibility.unwrap_or(Visibility::Workspace);
    let (store, user, now_ms) = (place.store(&app), &place.caller.user, app.clock.now_ms());
    let mut tx = app.store.begin().await?;
    let thread = NewThread {
        id: &id,
        owner: user,
        title,
        model,
        visibility,
        approvers: new.approvers,
    };
    let made = store.create_thread(&mut tx, now_ms, &thread).await?;
    let row = store.hold_thread(&mut tx, &id, user).await?;
    let Some(row) = row.filter(|it| it.is_owned_by(user)) else {
        // Somebody's thread that this person may not see has the same id, or had it: which of the two is not said.
        return Err(Refusal::conflict("This id cannot be used here."));
    };
    let mut line = None;
    if made {
        if visibility == Visibility::Workspace {
            let data = json!({"title": title});
            line = Some(
                store
                    .record(
                        &mut tx,
                        now_ms,
                        Some(user),
                        "thread.shared",
                        "thread",
                        id.as_str(),
                        data,
                    )
                    .await?,
            );
        }
        let mut entry = place.entry(now_ms, "thread.shared", id.as_str());
        entry.detail = json!({"visibility": visibility_name(visibility)});
        app.store.audit(&mut tx, &entry).await?;
    }
    tx.commit().await?;
    if made {
        tell(&app, &place, &id, None, line);
    }
    let status = if made { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(row.thread()?)))
}

async fn list(
    State(app): State<App>,
    place: Place,
    Query(asked): Query<Listing>,
) -> Answer<Json<Listed<SharedThread>>> {
    let before = asked
        .before
        .as_deref()
        .map(|token| {
            let parts = token
                .split_once('.')
                .and_then(|(at, id)| Some((at.parse::<u64>().ok()?, id)));
            parts
                .filter(|(at, id)| i64::try_from(*at).is_ok() && is_name(id))
                .ok_or_else(|| Refusal::invalid("`before` is the `next` of a page."))
        })
        .transpose()?;
    let search = asked.search.as_deref().map(checked_title).transpose()?;
    let limit = asked.limit.unwrap_or(PAGE);
    let page = place
        .store(&app)
        .threads(&place.caller.user, search, before, limit)
        .await?;
    Ok(Json(page))
}

async fn show(State(app): State<App>, place: Place, Path(at): Path<InThread>) -> Answer<Json<SharedThread>> {
    Ok(Json(seen(&app, &place, &at.thread).await?.thread()?))
}

async fn change(
    State(app): State<App>,
    place: Place,
    Path(at): Path<InThread>,
    Json(change): Json<SharedThreadChange>,
) -> Answer<Json<SharedThread>> {
    let (store, user, now_ms) = (place.store(&app), &place.caller.user, app.clock.now_ms());
    let title = change.title.as_deref().map(checked_title).transpose()?;
    checked_approvers(change.approvers.flatten())?;
    let mut tx = app.store.begin().await?;
    let row = store
        .hold_thread(&mut tx, &at.thread, user)
        .await?
        .ok_or_else(Refusal::not_found)?;
    let before = row.thread()?;
    let only_title = change.visibility.is_none() && change.approvers.is_none();
    if !(row.is_owned_by(user) || only_title && place.role >= Role::Admin) {
        return Err(Refusal::forbidden(
            "Only its owner changes a thread; admins may rename it.",
        ));
    }
    let visibility = change.visibility.unwrap_or(before.visibility);
    let approvers = change.approvers.unwrap_or(before.approvers);
    let title = title.unwrap_or(&before.title);
    store
        .change_thread(&mut tx, now_ms, row.log(), title, visibility, approvers)
        .await?;
    let mut line = None;
    if visibility != before.visibility {
        let shared = visibility == Visibility::Workspace;
        store
            .narrow_activity(&mut tx, "thread", at.thread.as_str(), (!shared).then_some(user))
            .await?;
        if shared {
            let data = json!({"title": title});
            let id = at.thread.as_str();
            line = Some(
                store
                    .record(&mut tx, now_ms, Some(user), "thread.shared", "thread", id, data)
                    .await?,
            );
        }
    }
    if visibility != before.visibility || approvers != before.approvers {
        let mut entry = place.entry(now_ms, "thread.access_changed", at.thread.as_str());
        entry.detail = json!({
            "visibility": visibility_name(visibility),
            "approvers": approvers.map(Role::as_str),
        });
        app.store.audit(&mut tx, &entry).await?;
    }
    tx.commit().await?;
    tell(&app, &place, &at.thread, None, line);
    Ok(Json(seen(&app, &place, &at.thread).await?.thread()?))
}

async fn delete(State(app): State<App>, place: Place, Path(at): Path<InThread>) -> Answer<StatusCode> {
    let (store, user, now_ms) = (place.store(&app), &place.caller.user, app.clock.now_ms());
    let mut tx = app.store.begin().await?;
    let row = store
        .hold_thread(&mut tx, &at.thread, user)
        .await?
        .ok_or_else(Refusal::not_found)?;
    if !(row.is_owned_by(user) || place.role >= Role::Admin) {
        return Err(Refusal::forbidden("Only its owner and admins delete a thread."));
    }
    store.delete_thread(&mut tx, now_ms, row.log()).await?;
    store.blank_activity(&mut tx, "thread", at.thread.as_str()).await?;
    let shared = row.thread()?.visibility == Visibility::Workspace;
    let mut line = None;
    if shared {
        let id = at.thread.as_str();
        line = Some(
            store
                .record(&mut tx, now_ms, Some(user), "thread.deleted", "thread", id, json!({}))
                .await?,
        );
    }
    let entry = place.entry(now_ms, "thread.deleted", at.thread.as_str());
    app.store.audit(&mut tx, &entry).await?;
    tx.commit().await?;
    tell(&app, &place, &at.thread, None, line);
    Ok(StatusCode::NO_CONTENT)
}

/// A title, a model's name, or words to search for: on one line.
fn checked_title(text: &str) -> Answer<&str> {
    let text = text.trim();
    if text.chars().count() > 200 || text.chars().any(char::is_control) {
        return Err(Refusal::invalid(
            "Titles and names have up to 200 characters, on one line.",
        ));
    }
    Ok(text)
}

fn checked_approvers(role: Option<Role>) -> Answer<()> {
    if role == Some(Role::Viewer) {
        return Err(Refusal::invalid(
            "Viewers decide nothing: `approvers` is member, admin or owner.",
        ));
    }
    Ok(())
}
