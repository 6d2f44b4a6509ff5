//! Uploads that nobody went on with are given up, and the room they had reserved is free again.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::store::StoreError;

/// How often it is looked at. Uploads live for a day, so nobody waits for this.
const EVERY: Duration = Duration::from_secs(600);

/// Looks now and then, until it is stopped.
pub async fn run(app: App, stop: CancellationToken) {
    let mut ticks = tokio::time::interval(EVERY);
    while stop.run_until_cancelled(ticks.tick()).await.is_some() {
        if let Err(error) = once(&app).await {
            tracing::warn!(%error, "uploads that nobody goes on with stay for now");
        }
    }
}

/// Gives up what is due by now.
pub async fn once(app: &App) -> Result<(), StoreError> {
    loop {
        let due = app.store.old_uploads(app.clock.now_ms()).await?;
        if due.is_empty() {
            return Ok(());
        }
        for (scope, upload) in due {
            let mut transaction = app.store.begin().await?;
            let parts = app.store.within(&scope).drop_upload(&mut transaction, &upload).await?;
            transaction.commit().await?;
            for part in parts {
                app.storage.delete(&part).await;
            }
        }
    }
}
