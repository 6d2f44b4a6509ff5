//! Sends what webhooks are to be told, some at a time and one for each webhook; tries again later and later what did not
//! arrive, and gives it up in the end.

use std::time::Duration;

use protocol::workspace::webhook::{DeliveryState, WebhookPayload};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::bus::Hint;
use crate::problem::Chain;
use crate::store::StoreError;
use crate::store::webhooks::{Claim, Due, Tried};
use crate::webhook::{SendError, Sender};

/// So many attempts at a time on one node.
const AT_ONCE: usize = 32;

/// Until told to stop. Attempts under way come to their end, which is near; what waits is left to whoever looks next.
pub(crate) async fn run(app: App, sender: Sender, stop: CancellationToken) {
    let mut hints = app.bus.subscribe();
    let mut looks = interval(app.config.rhythm.poll);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut attempts = JoinSet::new();
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            // Something may have become due, here or on a node that is gone.
            _ = looks.tick() => {}
            () = line(&mut hints) => {}
            // There is room again, and its webhook is free.
            Some(_) = attempts.join_next() => {}
        }
        while attempts.len() < AT_ONCE {
            match app.store.claim_webhook(app.clock.now_ms()).await {
                Ok(Some(claim)) => {
                    attempts.spawn(attempt(app.clone(), sender.clone(), claim));
                }
                Ok(None) => break,
                Err(error) => {
                    tracing::debug!(error = %Chain(&error), "nobody can tell whether a webhook is to be told something");
                    break;
                }
            }
        }
    }
    while attempts.join_next().await.is_some() {}
}

/// Until some feed may have a new line.
async fn line(hints: &mut Receiver<Hint>) {
    loop {
        match hints.recv().await {
            Ok(Hint::Activity { .. } | Hint::Missed) | Err(RecvError::Lagged(_)) => return,
            Ok(_) => {}
            // The bus lives as long as the node.
            Err(RecvError::Closed) => std::future::pending().await,
        }
    }
}

async fn attempt(app: App, sender: Sender, claim: Claim) {
    if let Err(error) = once(&app, &sender, &claim).await {
        // The lease ends, and then somebody tries again: the receiver can tell by the delivery's id.
        tracing::warn!(error = %Chain(&error), webhook = %claim.webhook, "it is not known what became of a delivery");
    }
}

async fn once(app: &App, sender: &Sender, claim: &Claim) -> Result<(), StoreError> {
    let now_ms = app.clock.now_ms();
    let Some(due) = app.store.due_delivery(claim, now_ms).await? else {
        return app.store.release_webhook(claim).await;
    };
    let tried = match body(claim, &due, now_ms) {
        Some(body) => {
            let sent = sender
                .send(&claim.webhook, &claim.url, &claim.secret, now_ms, body)
                .await;
            if let Err(error) = &sent {
                tracing::debug!(error = %Chain(error), webhook = %claim.webhook, "a delivery did not arrive");
            }
            let jitter = rand::random_range(0.8..1.2);
            judge(
                sent.map(|it| it.as_u16()),
                due.attempts + 1,
                app.clock.now_ms(),
                &app.config.egress.retries,
                jitter,
            )
        }
        None => Tried {
            state: DeliveryState::Dead,
            attempts: due.attempts,
            at_ms: now_ms,
            due_at_ms: now_ms,
            status: None,
            error: Some("not everybody may see this line any more".to_owned()),
        },
    };
    app.store.settle_delivery(claim, &due.id, &tried).await?;
    Ok(())
}

/// What is sent; nothing when not everybody may see the line any more.
fn body(claim: &Claim, due: &Due, now_ms: u64) -> Option<String> {
    let payload = WebhookPayload {
        webhook_id: claim.webhook.clone(),
        delivery_id: due.id.clone(),
        workspace_id: claim.workspace.clone(),
        sent_at_ms: now_ms,
        activity: due.activity.clone()?,
    };
    serde_json::to_string(&payload).ok()
}

/// What an attempt comes to. After each failure it waits longer, and after the last wait it is given up.
fn judge(sent: Result<u16, SendError>, attempts: u64, at_ms: u64, retries: &[Duration], jitter: f64) -> Tried {
    let error = match sent {
        Ok(status) => {
            return Tried {
                state: DeliveryState::Delivered,
                attempts,
                at_ms,
                due_at_ms: at_ms,
                status: Some(status),
                error: None,
            };
        }
        Err(error) => error,
    };
    let wait = usize::try_from(attempts)
        .ok()
        .and_then(|it| retries.get(it.checked_sub(1)?));
    let status = match &error {
        SendError::Status(status) => Some(status.as_u16()),
        SendError::Target(_)
        | SendError::Address(_)
        | SendError::Late(_)
        | SendError::Connection(_)
        | SendError::Broken(_) => None,
    };
    Tried {
        state: if wait.is_some() {
            DeliveryState::Pending
        } else {
            DeliveryState::Dead
        },
        attempts,
        at_ms,
        due_at_ms: at_ms + wait.map_or(0, |it| milliseconds(it.mul_f64(jitter))),
        status,
        error: Some(error.to_string()),
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
