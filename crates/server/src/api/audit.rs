//! The audit log of a workspace, for its owners.

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{Method, header};
use axum::response::{IntoResponse, Response};
use futures::stream;
use protocol::workspace::people::{AuditLine, Listed, Role};

use super::list::Lines;
use crate::app::App;
use crate::gate::Place;
use crate::gate::body::{Json, Query};
use crate::problem::Answer;
use crate::route::{Access, Route};
use crate::store::StoreError;
use crate::store::audit::PAGE;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::new(
            Method::GET,
            "/api/v1/workspaces/{workspace}/audit",
            Access::In(Role::Owner),
            "The workspace's lines of the audit log, oldest first, after a line.",
            list,
        )
        .gives::<Listed<AuditLine>>(),
        Route::new(
            Method::GET,
            "/api/v1/workspaces/{workspace}/audit/export",
            Access::In(Role::Owner),
            "All of the workspace's lines, one JSON object a line.",
            export,
        ),
    ]
}

async fn list(State(app): State<App>, place: Place, Query(lines): Query<Lines>) -> Answer<Json<Listed<AuditLine>>> {
    let found = place.store(&app).audit_after(lines.after, lines.limit()).await?;
    Ok(Json(lines.of(found, |it| it.id)))
}

async fn export(State(app): State<App>, place: Place) -> Answer<Response> {
    let entry = place.entry(
        app.clock.now_ms(),
        "audit.exported",
        format!("workspace/{}", place.workspace()),
    );
    app.store.audit_alone(&entry).await?;
    // Page by page: an export is as long as it is, and never in memory as a whole.
    let pages = stream::try_unfold(Some(0), move |after| {
        let (app, place) = (app.clone(), place.clone());
        async move {
            let Some(after) = after else {
                return Ok::<_, StoreError>(None);
            };
            let lines = place.store(&app).audit_after(after, PAGE).await?;
            let mut page = Vec::new();
            for line in &lines {
                serde_json::to_writer(&mut page, line).map_err(|it| StoreError::Damaged(it.to_string()))?;
                page.push(b'\n');
            }
            let next = (lines.len() == PAGE).then(|| lines.last().map(|it| it.id)).flatten();
            Ok(Some((Bytes::from(page), next)))
        }
    });
    let kind = [
        (header::CONTENT_TYPE, "application/x-ndjson"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"audit.jsonl\""),
    ];
    Ok((kind, Body::from_stream(pages)).into_response())
}
