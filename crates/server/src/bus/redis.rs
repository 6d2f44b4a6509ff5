//! The way for hints between nodes: Redis, which may be slow, lie, hang or be gone. Whoever publishes never waits for it,
//! and what comes from it is only ever a reason to look into the database.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::{Stream, StreamExt as _};
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, Msg};
use serde::{Deserialize, Serialize};
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::Health;
use super::here::Here;
use super::hint::Hint;
use super::outbox::Outbox;

/// How long Redis may take for anything.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often a message makes the round through Redis when nothing else does.
const HEARTBEAT: Duration = Duration::from_secs(2);
/// How long awareness waits for other hints to go with.
const GATHER: Duration = Duration::from_millis(10);
/// Hints in one message.
const BATCH: usize = 64;
/// No message of ours is longer.
const LONGEST: usize = 64 * 1024;
/// Between attempts to connect, at first and at last.
const WAITS: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// Why there can be no link at all.
#[derive(Debug, thiserror::Error)]
#[error("`redis_url` is not one that can be used")]
pub struct LinkError(#[from] redis::RedisError);

/// Why a link broke. It is made anew.
#[derive(Debug, thiserror::Error)]
enum Broken {
    #[error("Redis refused")]
    Redis(#[from] redis::RedisError),
    #[error("Redis did not answer in time")]
    Slow(#[from] tokio::time::error::Elapsed),
    #[error("nothing came back from Redis any more")]
    Silent,
}

/// What goes through Redis.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Envelope {
    /// Which node says so: it has told itself already.
    node: String,
    hints: Vec<Hint>,
    /// Some of what this node did was told to nobody.
    #[serde(default)]
    missed: bool,
}

/// This node's way to the others. Dropping it ends it.
#[derive(Debug)]
pub struct Link {
    shared: Arc<Shared>,
    #[expect(dead_code, reason = "holds the task, which ends with it")]
    tasks: JoinSet<()>,
}

#[derive(Debug)]
struct Shared {
    client: Client,
    node: String,
    prefix: String,
    outbox: Mutex<Outbox>,
    /// Something waits that goes out now, or with what comes next.
    work: Notify,
    later: Notify,
    health: watch::Sender<Health>,
    /// Something that others read in the database was not told to them.
    untold: Notify,
    connection: Mutex<Option<MultiplexedConnection>>,
    here: Here,
}

impl Link {
    pub(super) fn open(url: &str, prefix: &str, here: Here) -> Result<Self, LinkError> {
        let shared = Arc::new(Shared {
            client: Client::open(url)?,
            node: uuid::Uuid::now_v7().to_string(),
            prefix: prefix.to_owned(),
            outbox: Mutex::default(),
            work: Notify::new(),
            later: Notify::new(),
            health: watch::channel(Health::Away).0,
            untold: Notify::new(),
            connection: Mutex::default(),
            here,
        });
        let mut tasks = JoinSet::new();
        tasks.spawn(run(shared.clone()));
        Ok(Self { shared, tasks })
    }

    pub(super) fn health(&self) -> watch::Receiver<Health> {
        self.shared.health.subscribe()
    }

    /// Tells the other nodes only. Never waits.
    pub fn send(&self, hint: Hint) {
        if *self.shared.health.borrow() == Health::Connected {
            let may_wait = matches!(hint, Hint::Awareness { .. });
            lock(&self.shared.outbox).push(hint);
            if may_wait {
                self.shared.later.notify_one();
            } else {
                self.shared.work.notify_one();
            }
        } else if hint.is_kept() {
            // Redis may be away for this node only: then the others do not look for themselves.
            self.shared.untold.notify_one();
        }
    }

    /// When something could not be told through Redis, once for all that came together.
    pub(crate) async fn untold(&self) {
        self.shared.untold.notified().await;
    }

    /// What this node calls itself, for as long as it runs.
    pub(crate) fn node(&self) -> &str {
        &self.shared.node
    }

    /// For what is kept in Redis itself; none while it is away.
    #[must_use]
    pub fn connection(&self) -> Option<MultiplexedConnection> {
        lock(&self.shared.connection).clone()
    }

    /// What every key of ours begins with.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.shared.prefix
    }
}

/// Connects, again and again.
async fn run(shared: Arc<Shared>) {
    let mut wait = WAITS.0;
    loop {
        let begun = Instant::now();
        let Err(error) = connected(&shared).await;
        let was = shared.health.send_replace(Health::Away);
        *lock(&shared.connection) = None;
        lock(&shared.outbox).clear();
        if was == Health::Connected {
            // What was on its way may have arrived nowhere.
            shared.untold.notify_one();
            tracing::warn!(error = %crate::problem::Chain(&error), "Redis is away: nodes look for themselves");
        } else {
            tracing::debug!(error = %crate::problem::Chain(&error), "Redis is still away");
        }
        if begun.elapsed() > WAITS.1 {
            wait = WAITS.0;
        }
        // Many nodes lose Redis at once and shall not all come back at once.
        sleep(wait.mul_f64(0.5 + rand::random::<f64>())).await;
        wait = (wait * 2).min(WAITS.1);
    }
}

/// One life of the connections.
async fn connected(shared: &Shared) -> Result<std::convert::Infallible, Broken> {
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(PATIENCE))
        .set_response_timeout(Some(PATIENCE));
    let mut connection = shared
        .client
        .get_multiplexed_async_connection_with_config(&config)
        .await?;
    let mut ear = timeout(PATIENCE, shared.client.get_async_pubsub()).await??;
    let hints = format!("{}hints", shared.prefix);
    // Only this node hears this one: what it says there and hears again proves that both connections work.
    let echo = format!("{}echo:{}", shared.prefix, shared.node);
    timeout(PATIENCE, ear.subscribe(&[&hints, &echo])).await??;
    *lock(&shared.connection) = Some(connection.clone());
    shared.health.send_replace(Health::Connected);
    tracing::info!("Redis carries hints between nodes");
    // What happened before the subscription was not heard.
    shared.here.tell(Hint::Missed);
    // And what this node did meanwhile was told to nobody.
    lock(&shared.outbox).lost = true;
    shared.work.notify_one();
    let mut messages = ear.into_on_message();
    let mut echoed = Instant::now();
    let mut asked: Option<Instant> = None;
    let mut due: Option<Instant> = None;
    loop {
        let next = match asked {
            Some(asked) => asked + PATIENCE,
            None => echoed + HEARTBEAT,
        };
        tokio::select! {
            message = messages.next() => {
                let message = message.ok_or(Broken::Silent)?;
                if message.get_channel_name() == echo {
                    echoed = Instant::now();
                    asked = None;
                } else {
                    hear(shared, &message);
                }
            }
            () = shared.later.notified(), if due.is_none() => due = Some(Instant::now() + GATHER),
            () = speaks(shared, due) => {
                due = None;
                if speak(shared, &mut connection, &hints, &echo, &mut messages).await? {
                    echoed = Instant::now();
                    asked = None;
                }
            }
            () = sleep_until(next) => {
                if asked.is_some() {
                    return Err(Broken::Silent);
                }
                asked = Some(Instant::now());
                redis::cmd("PUBLISH").arg(&echo).arg("").query_async::<()>(&mut connection).await?;
            }
        }
    }
}

/// Until something is to be said.
async fn speaks(shared: &Shared, due: Option<Instant>) {
    match due {
        Some(due) => tokio::select! {
            () = shared.work.notified() => {}
            () = sleep_until(due) => {}
        },
        None => shared.work.notified().await,
    }
}

/// Sends what waits. Answers whether this node's own voice was heard meanwhile.
async fn speak(
    shared: &Shared,
    connection: &mut MultiplexedConnection,
    channel: &str,
    echo: &str,
    messages: &mut (impl Stream<Item = Msg> + Unpin),
) -> Result<bool, Broken> {
    let mut echoed = false;
    loop {
        let (hints, lost) = {
            let mut outbox = lock(&shared.outbox);
            (outbox.take(BATCH), std::mem::take(&mut outbox.lost))
        };
        if hints.is_empty() && !lost {
            return Ok(echoed);
        }
        let envelope = Envelope {
            node: shared.node.clone(),
            hints,
            missed: lost,
        };
        let Ok(text) = serde_json::to_vec(&envelope) else {
            continue;
        };
        let mut command = redis::cmd("PUBLISH");
        command.arg(channel).arg(text);
        let sent = command.query_async::<()>(connection);
        tokio::pin!(sent);
        // What comes in meanwhile does not wait for what goes out.
        loop {
            tokio::select! {
                done = &mut sent => break done?,
                message = messages.next() => {
                    let message = message.ok_or(Broken::Silent)?;
                    if message.get_channel_name() == echo {
                        echoed = true;
                    } else {
                        hear(shared, &message);
                    }
                }
            }
        }
    }
}

/// Passes on what another node says, if it can be that.
fn hear(shared: &Shared, message: &Msg) {
    if is_own(message.get_payload_bytes(), &shared.node) {
        return;
    }
    let Some(envelope) = read(message.get_payload_bytes()) else {
        tracing::debug!("something that is none of ours came through Redis");
        return;
    };
    let missed = envelope.missed.then_some(Hint::Missed);
    for hint in envelope.hints.into_iter().chain(missed) {
        shared.here.tell(hint);
    }
}

/// Redis gives back what this node said, too: that is known by how it begins, and not read.
fn is_own(bytes: &[u8], node: &str) -> bool {
    bytes
        .strip_prefix(b"{\"node\":\"")
        .is_some_and(|it| it.starts_with(node.as_bytes()))
}

fn read(bytes: &[u8]) -> Option<Envelope> {
    if bytes.len() > LONGEST {
        return None;
    }
    let envelope: Envelope = serde_json::from_slice(bytes).ok()?;
    (envelope.hints.len() <= BATCH && envelope.hints.iter().all(Hint::is_sane)).then_some(envelope)
}

/// A panic elsewhere leaves nothing half-done in these.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
