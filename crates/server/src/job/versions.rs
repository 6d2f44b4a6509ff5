//! Keeps a state of each document that changed, once an hour, and thins the older ones out. They are brought back like
//! those that people name.

use std::time::Duration;

use bytes::Bytes;
use protocol::id::VersionId;
use protocol::workspace::document::DocumentVersion;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::problem::Chain;
use crate::store::StoreError;
use crate::store::documents::Changed;

/// How often it is looked at.
const EVERY: Duration = Duration::from_secs(600);
/// Between two states of one document.
const HOUR_MS: u64 = 3_600_000;
/// Documents of one look; the others have their turn at the next one.
const MOST: u32 = 1000;

/// Looks now and then, until told to stop.
pub(crate) async fn run(app: App, stop: CancellationToken) {
    let mut looks = interval(EVERY);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while stop.run_until_cancelled(looks.tick()).await.is_some() {
        match stop.run_until_cancelled(once(&app)).await {
            Some(Ok(())) => {}
            Some(Err(error)) => tracing::warn!(error = %Chain(&error), "versions of documents have to wait"),
            None => return,
        }
    }
}

/// Keeps what is due by now.
pub async fn once(app: &App) -> Result<(), StoreError> {
    let before_ms = app.clock.now_ms().saturating_sub(HOUR_MS);
    for changed in app.store.changed_documents(before_ms, MOST).await? {
        match app.documents.whole(&changed.scope, &changed.document).await {
            Ok((epoch, state)) => keep(app, &changed, before_ms, Some((epoch, state))).await?,
            Err(close) => {
                // It must not be in the way of the others: its next turn is in an hour.
                tracing::warn!(
                    ?close,
                    document = changed.document,
                    "a document cannot be read, and is not kept"
                );
                keep(app, &changed, before_ms, None).await?;
            }
        }
    }
    Ok(())
}

async fn keep(app: &App, changed: &Changed, before_ms: u64, found: Option<(u64, Bytes)>) -> Result<(), StoreError> {
    let now_ms = app.clock.now_ms();
    let store = app.store.within(&changed.scope);
    let mut tx = app.store.begin().await?;
    if !store.look_after(&mut tx, changed, now_ms, before_ms).await? {
        return Ok(());
    }
    if let Some((epoch, state)) = found {
        let version = DocumentVersion {
            id: VersionId::new(),
            label: String::new(),
            size: state.len() as u64,
            created_by: None,
            created_at_ms: now_ms,
        };
        store
            .keep_version(&mut tx, &changed.document, epoch, &version, &state, 0)
            .await?;
        store.thin_versions(&mut tx, &changed.document).await?;
    }
    tx.commit().await?;
    Ok(())
}
