//! Does the deletions that are due, batch by batch.

use std::time::Duration;

use protocol::id::{ThreadId, UserId};
use protocol::workspace::job::DeletionTarget;
use serde_json::json;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::bus::Hint;
use crate::problem::Chain;
use crate::store::StoreError;
use crate::store::audit::AuditEntry;
use crate::store::deletions::{Job, LEASE_MS, Step};

/// How often to look whether something is due: another node may have scheduled it.
const LOOK: Duration = Duration::from_secs(1);

/// Until told to stop. What is under way then is gone on with by whoever looks next.
pub(crate) async fn run(app: App, stop: CancellationToken) {
    let mut looks = interval(LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while stop.run_until_cancelled(looks.tick()).await.is_some() {
        loop {
            match app.store.claim_deletion(app.clock.now_ms(), LEASE_MS).await {
                Ok(Some(mut job)) => {
                    if let Err(error) = work(&app, &mut job, &stop).await {
                        // The lease ends, and then somebody tries again.
                        tracing::warn!(error = %Chain(&error), deletion = %job.id, "a deletion stopped");
                    }
                }
                Ok(None) => break,
                Err(error) => {
                    tracing::debug!(error = %Chain(&error), "nobody can tell whether a deletion is due");
                    break;
                }
            }
            if stop.is_cancelled() {
                return;
            }
        }
    }
}

async fn work(app: &App, job: &mut Job, stop: &CancellationToken) -> Result<(), StoreError> {
    loop {
        if !forget_bytes_and_logs(app, job, stop).await? {
            return Ok(());
        }
        let mut unneeded = Vec::new();
        let step = app.store.delete_batch(job, app.clock.now_ms(), &mut unneeded).await?;
        for place in unneeded {
            app.storage.delete(&place).await;
        }
        announce(app, job);
        match step {
            Step::More if stop.is_cancelled() => return Ok(()),
            Step::More => {}
            Step::Lost => return Ok(()),
            Step::Done => return end(app, job, None).await,
            Step::Refused(why) => return end(app, job, Some(why)).await,
        }
    }
}

/// What a closed workspace has besides its rows. False when told to stop before all of it was gone, or when another node
/// has the job.
async fn forget_bytes_and_logs(app: &App, job: &Job, stop: &CancellationToken) -> Result<bool, StoreError> {
    loop {
        if stop.is_cancelled() || !app.store.renew_deletion(job, app.clock.now_ms()).await? {
            return Ok(false);
        }
        let kept = app.store.kept(job).await?;
        for it in &kept {
            app.storage.delete(&it.place).await;
        }
        app.store.forget_kept(job, &kept).await?;
        if !app.store.purge_logs(job).await? && kept.is_empty() {
            return Ok(true);
        }
    }
}

async fn end(app: &App, job: &Job, error: Option<&str>) -> Result<(), StoreError> {
    let mut tx = app.store.begin().await?;
    if !app.store.end_deletion(&mut tx, job, error).await? {
        return Ok(());
    }
    let entry = AuditEntry {
        at_ms: app.clock.now_ms(),
        actor: "server".to_owned(),
        address: String::new(),
        workspace: Some(job.scope.workspace().clone()),
        action: "deletion.ended",
        object: format!("{}/{}", job.target.as_str(), job.target_id),
        outcome: if error.is_some() { "refused" } else { "ok" },
        detail: json!({ "deletion": job.id }),
    };
    app.store.audit(&mut tx, &entry).await?;
    tx.commit().await?;
    Ok(())
}

/// Sockets look again: what they show may be gone.
fn announce(app: &App, job: &Job) {
    let workspace = job.scope.workspace().clone();
    app.bus.publish(match job.target {
        DeletionTarget::Workspace => Hint::Membership { workspace, user: None },
        DeletionTarget::User => Hint::Membership {
            workspace,
            user: Some(UserId(job.target_id.clone())),
        },
        DeletionTarget::Thread => Hint::Thread {
            workspace,
            thread: ThreadId(job.target_id.clone()),
        },
        DeletionTarget::Turn => match job.thread.clone() {
            Some(thread) => Hint::Events {
                workspace,
                thread,
                head_seq: job.head_seq,
            },
            None => Hint::Activity { workspace, seq: 0 },
        },
        DeletionTarget::Document => Hint::Document {
            workspace,
            document: job.target_id.clone(),
            head_seq: 0,
        },
        // Nobody follows a file; the feed's lines about it lost their names.
        DeletionTarget::Artifact => Hint::Activity { workspace, seq: 0 },
    });
}
