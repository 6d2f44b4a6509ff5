//! What time does to threads: questions expire, leases end, streamed pieces go, and deleted threads with all they had.

use std::collections::BTreeMap;
use std::time::Duration;

use protocol::id::{ThreadId, WorkspaceId};
use protocol::workspace::log::{ApprovalStatus, ServerEvent};
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::bus::Hint;
use crate::store::approvals::{self, Verdict};
use crate::store::events::{drop_pieces, say};
use crate::store::{StoreError, retention};

/// How often it is looked at.
const EVERY: Duration = Duration::from_secs(5);
/// So many rows are worked on at a time.
const PORTION: usize = 200;
/// A lease is shown for so long after its end, so that a machine that is late does not flicker.
const LATE_MS: u64 = 5_000;
/// A deleted thread's rows stay for so long, in case somebody has to get them back out of the database.
const GRACE_MS: u64 = 10 * 60 * 1000;

/// Looks now and then, until it is stopped.
pub async fn run(app: App, stop: CancellationToken) {
    let mut ticks = tokio::time::interval(EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    while stop.run_until_cancelled(ticks.tick()).await.is_some() {
        if let Err(error) = once(&app).await {
            tracing::warn!(%error, "what time does to threads has to wait");
        }
    }
}

/// Does what is due by now.
pub async fn once(app: &App) -> Result<(), StoreError> {
    expire(app).await?;
    end_leases(app).await?;
    forget_pieces(app).await?;
    while purge(app).await? {}
    Ok(())
}

/// Forgets a part of a thread that was deleted a while ago: files first, then its log. False when there is none.
async fn purge(app: &App) -> Result<bool, StoreError> {
    let now_ms = app.clock.now_ms();
    let Some(due) = app.store.deleted_thread(now_ms.saturating_sub(GRACE_MS)).await? else {
        return Ok(false);
    };
    let mut unneeded = Vec::new();
    let mut tx = app.store.begin().await?;
    let gone = app
        .store
        .within(&due.scope)
        .forget_files(&mut tx, &due.thread, now_ms, &mut unneeded)
        .await?;
    tx.commit().await?;
    for place in unneeded {
        app.storage.delete(&place).await;
    }
    if gone > 0 {
        return Ok(true);
    }
    app.store.purge_log(due.log, PORTION as u64).await
}

/// Questions that nobody answered in time.
async fn expire(app: &App) -> Result<(), StoreError> {
    loop {
        let now_ms = app.clock.now_ms();
        let due = app.store.overdue_approvals(now_ms, PORTION).await?;
        if due.is_empty() {
            return Ok(());
        }
        for (log, approval_id) in due {
            let mut tx = app.store.begin().await?;
            let Some(row) = app.store.hold_log(&mut tx, log).await? else {
                continue;
            };
            let waits = approvals::find(&mut tx, log, &approval_id).await?;
            if !waits.is_some_and(|it| it.is_pending()) {
                continue;
            }
            let event = ServerEvent::ApprovalExpired {
                approval_id: approval_id.clone(),
            };
            let seq = say(&mut tx, log, now_ms, &event).await?;
            let verdict = Verdict {
                status: ApprovalStatus::Expired,
                by: None,
                at_ms: now_ms,
                seq,
            };
            approvals::decide(&mut tx, log, &approval_id, verdict).await?;
            tx.commit().await?;
            let thread = row.thread()?;
            app.bus.publish(Hint::Thread {
                workspace: thread.workspace_id.clone(),
                thread: thread.id.clone(),
            });
            app.bus.publish(Hint::Events {
                workspace: thread.workspace_id,
                thread: thread.id,
                head_seq: seq,
            });
        }
    }
}

/// Machines that are gone: their threads look free again. They lost the right itself when its time was over.
async fn end_leases(app: &App) -> Result<(), StoreError> {
    let before_ms = app.clock.now_ms().saturating_sub(LATE_MS);
    for (workspace, thread) in app.store.end_leases(before_ms).await? {
        app.bus.publish(Hint::Thread {
            workspace: WorkspaceId(workspace),
            thread: ThreadId(thread),
        });
    }
    Ok(())
}

/// Pieces of streamed text whose item has ended a while ago: the item has all of it.
async fn forget_pieces(app: &App) -> Result<(), StoreError> {
    let kept_ms = app.config.limits.pieces_ttl_s.saturating_mul(1000);
    loop {
        let before_ms = app.clock.now_ms().saturating_sub(kept_ms);
        let due = app.store.old_pieces(before_ms, PORTION).await?;
        let mut logs: BTreeMap<_, Vec<String>> = BTreeMap::new();
        for (log, item) in due {
            logs.entry(log).or_default().push(item);
        }
        if logs.is_empty() {
            return Ok(());
        }
        for (log, items) in logs {
            let mut tx = app.store.begin().await?;
            retention::hold(&mut tx, log).await?;
            drop_pieces(&mut tx, log, &items).await?;
            tx.commit().await?;
        }
    }
}
