//! Forgets lines of the audit log that are older than the configuration keeps them.

use std::time::Duration;

use serde_json::json;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::problem::Chain;
use crate::store::StoreError;
use crate::store::audit::AuditEntry;

const EVERY: Duration = Duration::from_secs(3600);
const DAY_MS: u64 = 24 * 3_600_000;
/// So many lines in one transaction, which holds up whoever writes one.
const PORTION: usize = 1000;

/// Looks every hour, until told to stop. Without a number of days nothing is ever forgotten.
pub(crate) async fn run(app: App, stop: CancellationToken) {
    let Some(days) = app.config.audit_days else {
        return;
    };
    let mut looks = interval(EVERY);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while stop.run_until_cancelled(looks.tick()).await.is_some() {
        if let Err(error) = once(&app, days).await {
            tracing::warn!(error = %Chain(&error), "old lines of the audit log stay for now");
        }
    }
}

async fn once(app: &App, days: u32) -> Result<(), StoreError> {
    let now = app.clock.now_ms();
    let mut gone = 0;
    loop {
        let portion = app
            .store
            .prune_audit(now.saturating_sub(u64::from(days) * DAY_MS), PORTION)
            .await?;
        gone += portion;
        if portion == 0 {
            break;
        }
    }
    if gone > 0 {
        let entry = AuditEntry {
            at_ms: now,
            actor: "server".to_owned(),
            address: String::new(),
            workspace: None,
            action: "audit.pruned",
            object: "server".to_owned(),
            outcome: "ok",
            detail: json!({ "lines": gone, "days": days }),
        };
        app.store.audit_alone(&entry).await?;
    }
    Ok(())
}
