//! Webhooks, and what each of them is to be told: lines of the feed, queued in the transaction that writes them, so that
//! none is lost. One node at a time sends for a webhook; when that node dies its lease ends, and another one goes on.

use protocol::id::{DeliveryId, UserId, WebhookId, WorkspaceId};
use protocol::workspace::people::Activity;
use protocol::workspace::webhook::{Delivery, DeliveryState, Webhook};
use serde_json::json;
use sqlx::{Any, Transaction};

use super::{Store, StoreError, Within, activity, int, uint};
use crate::config::Secret;

/// At most so many in one workspace.
pub const MOST: usize = 20;
/// At most so many deliveries of one webhook wait; beyond it the oldest one is given up.
pub const QUEUE: u64 = 1000;
/// Deliveries of so many lines of the feed are kept to look at after they ended.
pub const KEPT: u64 = 10_000;
/// For how long a node sends for a webhook without being heard of. Longer than one attempt takes.
pub const LEASE_MS: u64 = 30_000;
/// Nodes that look at the same moment take different webhooks of so many.
const CHOICE: u64 = 8;

/// What a new webhook is.
#[derive(Debug)]
pub struct NewHook<'a> {
    /// Where to.
    pub url: &'a str,
    /// Which lines; all of them when absent.
    pub verbs: Option<&'a [String]>,
    /// What its deliveries are signed with.
    pub secret: &'a Secret,
    /// Who makes it.
    pub by: &'a UserId,
}

/// The right to send for a webhook, for a while.
#[derive(Debug)]
pub struct Claim {
    /// Which.
    pub webhook: WebhookId,
    /// Where it is.
    pub workspace: WorkspaceId,
    /// Where to.
    pub url: String,
    /// What to sign with.
    pub secret: Secret,
    /// Of several nodes that think they have it, the one with the highest number does.
    lease: i64,
}

/// What is to be sent.
#[derive(Debug)]
pub struct Due {
    /// Which delivery.
    pub id: DeliveryId,
    /// How often it was tried before.
    pub attempts: u64,
    /// The line as everybody sees it; none when not everybody may see it any more.
    pub activity: Option<Activity>,
}

/// What came of it.
#[derive(Debug)]
pub struct Tried {
    /// How far the delivery is.
    pub state: DeliveryState,
    /// How often it was tried by now.
    pub attempts: u64,
    /// When it was tried.
    pub at_ms: u64,
    /// When it is tried next, if it is still pending.
    pub due_at_ms: u64,
    /// What the receiver answered.
    pub status: Option<u16>,
    /// Why it did not arrive.
    pub error: Option<String>,
}

type HookRow = (String, String, Option<String>, String, i64);
type Row = (
    String,
    i64,
    String,
    i64,
    i64,
    i64,
    Option<i64>,
    Option<i64>,
    Option<String>,
);

impl Within<'_> {
    /// All of them, without their secrets.
    pub async fn webhooks(&self) -> Result<Vec<Webhook>, StoreError> {
        let rows: Vec<HookRow> = sqlx::query_as(
            "SELECT id, url, verbs, made_by, created_at_ms FROM webhooks WHERE workspace_id = $1 ORDER BY id LIMIT $2",
        )
        .bind(self.workspace.as_str())
        .bind(int(MOST as u64))
        .fetch_all(self.store.read())
        .await?;
        rows.into_iter()
            .map(|(id, url, verbs, made_by, created_at)| {
                Ok(Webhook {
                    verbs: verbs.as_deref().map(|it| verbs_of(&id, it)).transpose()?,
                    id: WebhookId(id),
                    url,
                    made_by: UserId(made_by),
                    created_at_ms: uint(created_at),
                    secret: None,
                })
            })
            .collect()
    }

    /// Makes one. None when there are [`MOST`]. The workspace must be held.
    pub async fn add_webhook(
        &self,
        tx: &mut Transaction<'_, Any>,
        now_ms: u64,
        new: &NewHook<'_>,
    ) -> Result<Option<WebhookId>, StoreError> {
        let (there,): (i64,) = sqlx::query_as("SELECT COUNT(*) FROM webhooks WHERE workspace_id = $1")
            .bind(self.workspace.as_str())
            .fetch_one(&mut **tx)
            .await?;
        if uint(there) >= MOST as u64 {
            return Ok(None);
        }
        let id = WebhookId::new();
        sqlx::query(
            "INSERT INTO webhooks (id, workspace_id, url, verbs, secret, made_by, created_at_ms, lease, lease_until_ms, \
             served_at_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, 0, 0, 0)",
        )
        .bind(id.as_str())
        .bind(self.workspace.as_str())
        .bind(new.url)
        .bind(new.verbs.map(|it| json!(it).to_string()))
        .bind(&new.secret.0)
        .bind(new.by.as_str())
        .bind(int(now_ms))
        .execute(&mut **tx)
        .await?;
        Ok(Some(id))
    }

    /// Takes one away with its deliveries. The workspace must be held, so that no new ones come meanwhile.
    pub async fn remove_webhook(&self, tx: &mut Transaction<'_, Any>, id: &WebhookId) -> Result<bool, StoreError> {
        sqlx::query("DELETE FROM webhook_deliveries WHERE workspace_id = $1 AND webhook_id = $2")
            .bind(self.workspace.as_str())
            .bind(id.as_str())
            .execute(&mut **tx)
            .await?;
        let done = sqlx::query("DELETE FROM webhooks WHERE workspace_id = $1 AND id = $2")
            .bind(self.workspace.as_str())
            .bind(id.as_str())
            .execute(&mut **tx)
            .await?;
        Ok(done.rows_affected() == 1)
    }

    /// The deliveries of one, those of the newest lines first: of lines before `before`, in this state if one is named. None
    /// when there is no such webhook.
    pub async fn deliveries(
        &self,
        webhook: &WebhookId,
        state: Option<DeliveryState>,
        before: u64,
        limit: usize,
    ) -> Result<Option<Vec<Delivery>>, StoreError> {
        let there: Option<(i64,)> = sqlx::query_as("SELECT 1 FROM webhooks WHERE workspace_id = $1 AND id = $2")
            .bind(self.workspace.as_str())
            .bind(webhook.as_str())
            .fetch_optional(self.store.read())
            .await?;
        if there.is_none() {
            return Ok(None);
        }
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT id, seq, state, attempts, created_at_ms, due_at_ms, last_at_ms, last_status, last_error \
             FROM webhook_deliveries WHERE workspace_id = $1 AND webhook_id = $2 AND seq < $3 AND ($4 = '' OR state = $4) \
             ORDER BY seq DESC LIMIT $5",
        )
        .bind(self.workspace.as_str())
        .bind(webhook.as_str())
        .bind(int(before))
        .bind(state.map_or("", DeliveryState::as_str))
        .bind(int(limit as u64))
        .fetch_all(self.store.read())
        .await?;
        Ok(Some(rows.into_iter().map(delivery).collect::<Result<_, _>>()?))
    }

    /// Queues a dead delivery anew, as if it had never been tried. The workspace must be held.
    pub async fn redeliver(
        &self,
        tx: &mut Transaction<'_, Any>,
        webhook: &WebhookId,
        id: &DeliveryId,
        now_ms: u64,
    ) -> Result<Redelivery, StoreError> {
        let (waiting,): (i64,) = sqlx::query_as(
            "SELECT COUNT(*) FROM webhook_deliveries WHERE workspace_id = $1 AND webhook_id = $2 AND state = 'pending'",
        )
        .bind(self.workspace.as_str())
        .bind(webhook.as_str())
        .fetch_one(&mut **tx)
        .await?;
        if uint(waiting) >= QUEUE {
            return Ok(Redelivery::Full);
        }
        let row: Option<Row> = sqlx::query_as(
            "UPDATE webhook_deliveries SET state = 'pending', attempts = 0, due_at_ms = $4 \
             WHERE workspace_id = $1 AND webhook_id = $2 AND id = $3 AND state = 'dead' \
             RETURNING id, seq, state, attempts, created_at_ms, due_at_ms, last_at_ms, last_status, last_error",
        )
        .bind(self.workspace.as_str())
        .bind(webhook.as_str())
        .bind(id.as_str())
        .bind(int(now_ms))
        .fetch_optional(&mut **tx)
        .await?;
        if let Some(row) = row {
            return Ok(Redelivery::Queued(delivery(row)?));
        }
        let there: Option<(i64,)> =
            sqlx::query_as("SELECT 1 FROM webhook_deliveries WHERE workspace_id = $1 AND webhook_id = $2 AND id = $3")
                .bind(self.workspace.as_str())
                .bind(webhook.as_str())
                .bind(id.as_str())
                .fetch_optional(&mut **tx)
                .await?;
        Ok(if there.is_some() {
            Redelivery::NotDead
        } else {
            Redelivery::Nowhere
        })
    }

    /// Queues a line for every webhook that asks for such lines, in the line's own transaction. The workspace's row is
    /// taken by then, so nobody else adds to these queues.
    pub(super) async fn queue_deliveries(
        &self,
        tx: &mut Transaction<'_, Any>,
        now_ms: u64,
        seq: u64,
        verb: &str,
    ) -> Result<(), StoreError> {
        let hooks: Vec<(String, Option<String>)> =
            sqlx::query_as("SELECT id, verbs FROM webhooks WHERE workspace_id = $1")
                .bind(self.workspace.as_str())
                .fetch_all(&mut **tx)
                .await?;
        if hooks.is_empty() {
            return Ok(());
        }
        for (id, verbs) in hooks {
            let verbs = verbs.as_deref().map(|it| verbs_of(&id, it)).transpose()?;
            if verbs.is_some_and(|it| !it.iter().any(|it| it == verb)) {
                continue;
            }
            sqlx::query(
                "INSERT INTO webhook_deliveries (id, workspace_id, webhook_id, seq, state, attempts, created_at_ms, \
                 due_at_ms) VALUES ($1, $2, $3, $4, 'pending', 0, $5, $5)",
            )
            .bind(DeliveryId::new().0)
            .bind(self.workspace.as_str())
            .bind(&id)
            .bind(int(seq))
            .bind(int(now_ms))
            .execute(&mut **tx)
            .await?;
            sqlx::query(
                "UPDATE webhook_deliveries SET state = 'dead', last_error = $3 \
                 WHERE webhook_id = $1 AND state = 'pending' AND seq <= (SELECT seq FROM webhook_deliveries \
                 WHERE webhook_id = $1 AND state = 'pending' ORDER BY seq DESC LIMIT 1 OFFSET $2)",
            )
            .bind(&id)
            .bind(int(QUEUE))
            .bind(format!("more than {QUEUE} deliveries were waiting"))
            .execute(&mut **tx)
            .await?;
        }
        sqlx::query("DELETE FROM webhook_deliveries WHERE workspace_id = $1 AND seq <= $2 AND state <> 'pending'")
            .bind(self.workspace.as_str())
            .bind(int(seq) - int(KEPT))
            .execute(&mut **tx)
            .await?;
        Ok(())
    }
}

/// What became of the wish to send something again.
#[derive(Debug)]
pub enum Redelivery {
    /// It will be.
    Queued(Delivery),
    /// It was not given up.
    NotDead,
    /// Too many wait already.
    Full,
    /// There is no such delivery.
    Nowhere,
}

impl Store {
    /// A webhook that has something to send and that no living node sends for: the one that waited longest for its turn, so
    /// that slow receivers of one workspace do not hold up those of another. Of several nodes that ask, one gets it.
    pub async fn claim_webhook(&self, now_ms: u64) -> Result<Option<Claim>, StoreError> {
        let due: Vec<(String,)> = sqlx::query_as(
            "SELECT w.id FROM webhooks w JOIN workspaces s ON s.id = w.workspace_id \
             WHERE s.deleted_at_ms IS NULL AND w.lease_until_ms <= $1 AND w.id IN \
             (SELECT webhook_id FROM webhook_deliveries WHERE state = 'pending' AND due_at_ms <= $1) \
             ORDER BY w.served_at_ms, w.id LIMIT $2",
        )
        .bind(int(now_ms))
        .bind(int(CHOICE))
        .fetch_all(self.read())
        .await?;
        for (id,) in due {
            let row: Option<(String, String, String, i64)> = sqlx::query_as(
                "UPDATE webhooks SET lease = lease + 1, lease_until_ms = $3, served_at_ms = $2 \
                 WHERE id = $1 AND lease_until_ms <= $2 RETURNING workspace_id, url, secret, lease",
            )
            .bind(&id)
            .bind(int(now_ms))
            .bind(int(now_ms + LEASE_MS))
            .fetch_optional(self.write())
            .await?;
            if let Some((workspace, url, secret, lease)) = row {
                return Ok(Some(Claim {
                    webhook: WebhookId(id),
                    workspace: WorkspaceId(workspace),
                    url,
                    secret: Secret(secret),
                    lease,
                }));
            }
        }
        Ok(None)
    }

    /// The oldest delivery of a claimed webhook that is due.
    pub async fn due_delivery(&self, claim: &Claim, now_ms: u64) -> Result<Option<Due>, StoreError> {
        let row: Option<(String, i64, i64)> = sqlx::query_as(
            "SELECT id, attempts, seq FROM webhook_deliveries \
             WHERE webhook_id = $1 AND state = 'pending' AND due_at_ms <= $2 ORDER BY seq LIMIT 1",
        )
        .bind(claim.webhook.as_str())
        .bind(int(now_ms))
        .fetch_optional(self.read())
        .await?;
        let Some((id, attempts, seq)) = row else {
            return Ok(None);
        };
        Ok(Some(Due {
            id: DeliveryId(id),
            attempts: uint(attempts),
            activity: activity::public_line(self, &claim.workspace, uint(seq)).await?,
        }))
    }

    /// Lets go of a webhook that turned out to have nothing to send.
    pub async fn release_webhook(&self, claim: &Claim) -> Result<(), StoreError> {
        sqlx::query("UPDATE webhooks SET lease_until_ms = 0 WHERE id = $1 AND lease = $2")
            .bind(claim.webhook.as_str())
            .bind(claim.lease)
            .execute(self.write())
            .await?;
        Ok(())
    }

    /// Writes down what came of an attempt, and lets go of the webhook. False when this node no longer has it, or when the
    /// delivery was given up meanwhile: then nothing changes.
    pub async fn settle_delivery(&self, claim: &Claim, id: &DeliveryId, tried: &Tried) -> Result<bool, StoreError> {
        let mut tx = self.begin().await?;
        let done = sqlx::query(
            "UPDATE webhook_deliveries SET state = $3, attempts = $4, last_at_ms = $5, due_at_ms = $6, last_status = $7, \
             last_error = $8 WHERE id = $1 AND webhook_id = $2 AND state = 'pending'",
        )
        .bind(id.as_str())
        .bind(claim.webhook.as_str())
        .bind(tried.state.as_str())
        .bind(int(tried.attempts))
        .bind(int(tried.at_ms))
        .bind(int(tried.due_at_ms))
        .bind(tried.status.map(i64::from))
        .bind(tried.error.as_deref())
        .execute(&mut *tx)
        .await?;
        // Deliveries first, then their webhook: in the same order as whoever removes both.
        let held = sqlx::query("UPDATE webhooks SET lease_until_ms = 0 WHERE id = $1 AND lease = $2")
            .bind(claim.webhook.as_str())
            .bind(claim.lease)
            .execute(&mut *tx)
            .await?;
        if held.rows_affected() == 0 {
            return Ok(false);
        }
        tx.commit().await?;
        Ok(done.rows_affected() == 1)
    }
}

fn verbs_of(webhook: &str, text: &str) -> Result<Vec<String>, StoreError> {
    serde_json::from_str(text).map_err(|_| StoreError::Damaged(format!("the verbs of the webhook {webhook}")))
}

fn delivery(
    (id, seq, state, attempts, created_at, due_at, last_at, last_status, last_error): Row,
) -> Result<Delivery, StoreError> {
    let state = DeliveryState::ALL
        .into_iter()
        .find(|it| it.as_str() == state)
        .ok_or_else(|| StoreError::Damaged(format!("the state {state} of a delivery")))?;
    Ok(Delivery {
        id: DeliveryId(id),
        seq: uint(seq),
        state,
        attempts: uint(attempts),
        created_at_ms: uint(created_at),
        due_at_ms: (state == DeliveryState::Pending).then_some(uint(due_at)),
        last_at_ms: last_at.map(uint),
        last_status: last_status.and_then(|it| u16::try_from(it).ok()),
        last_error,
    })
}
