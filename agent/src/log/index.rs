//! The index: what lists, searches and quick openings need, projected from the rollouts into SQLite.
//!
//! It may be behind, and it may be thrown away: whoever asks first has it take in what it does not know yet. Writers
//! only leave a thread's name here and never wait.

mod intake;

mod schema;

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use protocol::thread::{ThreadSummary, TurnSummary};
use protocol::{Failure, ItemId, ThreadId};
use sqlx::{Row, SqlitePool};
use tokio::sync::Notify;
use tokio::task::JoinSet;

use super::rollout;
use super::state::State;
use crate::clock::Clock;

/// How long appended events are let gather before they are taken in.
const GATHER: Duration = Duration::from_millis(300);
/// Bytes that whoever opens a thread waits for; with more to take in the rollout itself is read.
const CATCH_UP: u64 = 1024 * 1024;
/// Places found by a search.
const HITS: i64 = 100;

/// The index of one home. Its background task ends with it.
pub(super) struct Index {
    shared: Arc<Shared>,
    tasks: Mutex<JoinSet<()>>,
}

struct Shared {
    path: PathBuf,
    threads: PathBuf,
    clock: Clock,
    /// Threads that grew, moved or went.
    dirty: Mutex<HashSet<ThreadId>>,
    wake: Notify,
    pool: tokio::sync::Mutex<Option<SqlitePool>>,
    /// Held by whoever takes a thread in, so that writers of this process do not wait for each other in SQLite.
    intake: tokio::sync::Mutex<()>,
    damage: Mutex<Option<Failure>>,
}

/// A thread as the index knows it.
pub(super) struct Known {
    pub(super) state: State,
    /// Bytes of the rollout that were taken in.
    pub(super) len: u64,
}

impl Known {
    /// A thread that is not in the index.
    pub(super) fn nothing(id: ThreadId) -> Self {
        Self {
            state: State::new(id),
            len: 0,
        }
    }
}

/// Where an item that was found is.
pub(super) struct Place {
    pub(super) thread: ThreadSummary,
    /// None: the title matched.
    pub(super) item: Option<ItemId>,
    pub(super) seq: u64,
    pub(super) offset: u64,
    pub(super) len: u64,
}

impl Index {
    pub(super) fn new(path: PathBuf, threads: PathBuf, clock: Clock) -> Self {
        Self {
            shared: Arc::new(Shared {
                path,
                threads,
                clock,
                dirty: Mutex::default(),
                wake: Notify::new(),
                pool: tokio::sync::Mutex::default(),
                intake: tokio::sync::Mutex::default(),
                damage: Mutex::default(),
            }),
            tasks: Mutex::default(),
        }
    }

    /// Begins to take in what is appended. Called where there is a runtime.
    pub(super) fn start(&self) {
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        if tasks.is_empty() {
            let shared = self.shared.clone();
            tasks.spawn(async move {
                loop {
                    shared.wake.notified().await;
                    tokio::time::sleep(GATHER).await;
                    shared.take_in_all().await;
                }
            });
        }
    }

    /// A thread grew, moved or went.
    pub(super) fn grown(&self, id: &ThreadId) {
        let mut dirty = self.shared.dirty();
        if !dirty.contains(id) {
            dirty.insert(id.clone());
            self.shared.wake.notify_one();
        }
    }

    /// What was moved aside because it was damaged.
    pub(super) fn damage(&self) -> Option<Failure> {
        self.shared
            .damage
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Takes in all that was left here.
    pub(super) async fn settle(&self) {
        self.shared.take_in_all().await;
    }

    /// Takes in all that was left here and lets go of the file. Whoever asks again opens it again.
    pub(super) async fn close(&self) {
        self.shared.take_in_all().await;
        let _intake = self.shared.intake.lock().await;
        if let Some(pool) = self.shared.pool.lock().await.take() {
            pool.close().await;
        }
    }

    /// Compares all rollouts with what is known and takes in the difference. Gives back which threads differed.
    pub(super) async fn catch_up(&self) -> Result<Vec<ThreadId>, sqlx::Error> {
        self.shared.catch_up().await
    }

    /// Forgets everything and takes it in again.
    pub(super) async fn rebuild(&self) -> Result<(), sqlx::Error> {
        self.shared.rebuild().await
    }

    /// A thread whose rollout has `len` bytes, as far as it is known without making anyone wait for long.
    pub(super) async fn know(&self, id: &ThreadId, len: u64) -> Option<Known> {
        let known = self.shared.attempt(|pool| async move { thread(&pool, id).await }).await;
        let behind = match &known {
            Ok(known) => len.saturating_sub(known.as_ref().map_or(0, |it| it.len)),
            Err(_) => 0,
        };
        let known = match behind {
            0 => known,
            1..=CATCH_UP => {
                self.shared.dirty().remove(id);
                match self.shared.take_in(id).await {
                    Ok(()) => self.shared.attempt(|pool| async move { thread(&pool, id).await }).await,
                    Err(error) => Err(error),
                }
            }
            _ => {
                self.grown(id);
                known
            }
        };
        known.unwrap_or_else(|error| {
            tracing::warn!(%id, %error, "the index cannot be asked");
            None
        })
    }

    /// The turns that a stretch from event `first` to event `last` shows a part of, in order.
    pub(super) async fn turns(&self, id: &ThreadId, first: u64, last: u64) -> Result<Vec<TurnSummary>, sqlx::Error> {
        self.shared
            .attempt(|pool| async move { turns(&pool, id, first, last).await })
            .await
    }

    /// All threads, archived or not.
    pub(super) async fn list(&self) -> Result<Vec<ThreadSummary>, sqlx::Error> {
        self.shared
            .attempt(|pool| async move {
                let rows = sqlx::query("SELECT summary FROM threads").fetch_all(&pool).await?;
                rows.iter().map(|it| json(it, "summary")).collect()
            })
            .await
    }

    /// Places where a full-text expression matches: titles first, then the newest.
    pub(super) async fn find(&self, expression: &str) -> Result<Vec<Place>, sqlx::Error> {
        self.shared
            .attempt(|pool| async move { find(&pool, expression).await })
            .await
    }
}

impl Shared {
    fn dirty(&self) -> MutexGuard<'_, HashSet<ThreadId>> {
        self.dirty.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks the index; when that shows that it is damaged, moves it aside, builds it anew and asks again.
    /// `ask` takes the pool by value: a future that borrows from its caller's argument cannot be shown to be `Send`.
    async fn attempt<T, F>(&self, ask: impl Fn(SqlitePool) -> F) -> Result<T, sqlx::Error>
    where
        F: Future<Output = Result<T, sqlx::Error>>,
    {
        let asked = match self.pool().await {
            Ok(pool) => ask(pool).await,
            Err(error) => Err(error),
        };
        match asked {
            Err(error) if schema::damaged(&error) => {
                self.recover(&error).await?;
                ask(self.pool().await?).await
            }
            asked => asked,
        }
    }

    async fn pool(&self) -> Result<SqlitePool, sqlx::Error> {
        let mut pool = self.pool.lock().await;
        match pool.as_ref() {
            Some(pool) => Ok(pool.clone()),
            None => Ok(pool.insert(schema::open(&self.path).await?).clone()),
        }
    }

    async fn recover(&self, why: &sqlx::Error) -> Result<(), sqlx::Error> {
        {
            let _intake = self.intake.lock().await;
            let mut pool = self.pool.lock().await;
            if let Some(pool) = pool.take() {
                pool.close().await;
            }
            // Somebody else may have been here first.
            match schema::open(&self.path).await {
                Ok(whole) if schema::check(&whole).await.is_ok() => {
                    *pool = Some(whole);
                    return Ok(());
                }
                Ok(broken) => broken.close().await,
                Err(_) => {}
            }
            let aside = schema::move_aside(&self.path, self.clock.now_ms()).map_err(sqlx::Error::Io)?;
            tracing::warn!(error = %why, aside = %aside.display(), "the index is damaged and is built anew");
            let failure = Failure::new(
                protocol::Code::StoreDamaged,
                "The index of your threads was damaged. It was built anew from the threads themselves; nothing is lost.",
            )
            .hint(format!("The damaged file was kept: {}", aside.display()))
            .details(why.to_string());
            *self.damage.lock().unwrap_or_else(PoisonError::into_inner) = Some(failure);
        }
        self.take_in_files().await.map(|_| ())
    }

    async fn rebuild(&self) -> Result<(), sqlx::Error> {
        {
            let _intake = self.intake.lock().await;
            let mut pool = self.pool.lock().await;
            if let Some(pool) = pool.take() {
                pool.close().await;
            }
            schema::remove(&self.path).map_err(sqlx::Error::Io)?;
        }
        self.take_in_files().await.map(|_| ())
    }

    async fn catch_up(&self) -> Result<Vec<ThreadId>, sqlx::Error> {
        match self.take_in_files().await {
            Err(error) if schema::damaged(&error) => {
                self.recover(&error).await?;
                Ok(Vec::new())
            }
            caught_up => caught_up,
        }
    }

    /// Takes in all rollouts that differ from what is known.
    async fn take_in_files(&self) -> Result<Vec<ThreadId>, sqlx::Error> {
        let root = self.threads.clone();
        let files = tokio::task::spawn_blocking(move || rollout::all(&root)).await;
        let files = files.map_err(|error| sqlx::Error::Io(std::io::Error::other(error)))?;
        let differing = intake::differing(&self.pool().await?, &files).await?;
        for id in &differing {
            self.dirty().remove(id);
            self.take_in(id).await?;
        }
        Ok(differing)
    }

    async fn take_in(&self, id: &ThreadId) -> Result<(), sqlx::Error> {
        let _intake = self.intake.lock().await;
        let pool = self.pool().await?;
        intake::thread(&pool, &self.threads, id).await
    }

    async fn take_in_all(&self) {
        loop {
            // One at a time under the lock: when none is left, none is being taken in by somebody else either.
            let intake = self.intake.lock().await;
            let Some(id) = self.any_dirty() else {
                return;
            };
            let taken = match self.pool().await {
                Ok(pool) => intake::thread(&pool, &self.threads, &id).await,
                Err(error) => Err(error),
            };
            drop(intake);
            let taken = match taken {
                Err(error) if schema::damaged(&error) => self.recover(&error).await,
                taken => taken,
            };
            if let Err(error) = taken {
                // The next list compares all files and so finds it again.
                tracing::warn!(%id, %error, "a thread was not taken into the index");
            }
        }
    }

    fn any_dirty(&self) -> Option<ThreadId> {
        let mut dirty = self.dirty();
        let id = dirty.iter().next().cloned()?;
        dirty.remove(&id);
        Some(id)
    }
}

async fn thread(pool: &SqlitePool, id: &ThreadId) -> Result<Option<Known>, sqlx::Error> {
    let row = sqlx::query("SELECT state, len FROM threads WHERE id = ?")
        .bind(id.as_str())
        .fetch_optional(pool)
        .await?;
    row.map(|row| {
        Ok(Known {
            state: json(&row, "state")?,
            len: number(&row, "len")?,
        })
    })
    .transpose()
}

async fn turns(pool: &SqlitePool, id: &ThreadId, first: u64, last: u64) -> Result<Vec<TurnSummary>, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT turn FROM turns WHERE thread = ?1 AND first_seq <= ?3 AND first_seq >= \
         (SELECT coalesce(max(first_seq), 0) FROM turns WHERE thread = ?1 AND first_seq <= ?2) ORDER BY first_seq",
    )
    .bind(id.as_str())
    .bind(signed(first))
    .bind(signed(last))
    .fetch_all(pool)
    .await?;
    rows.iter().map(|it| json(it, "turn")).collect()
}

async fn find(pool: &SqlitePool, expression: &str) -> Result<Vec<Place>, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT t.summary, i.id, i.seq, i.offset, i.len FROM words JOIN items i ON i.rowid = words.rowid \
         JOIN threads t ON t.id = i.thread WHERE words MATCH ? \
         ORDER BY i.id = '' DESC, t.updated_ms DESC, i.seq DESC LIMIT ?",
    )
    .bind(expression)
    .bind(HITS)
    .fetch_all(pool)
    .await?;
    rows.iter()
        .map(|row| {
            let id: &str = row.try_get("id")?;
            Ok(Place {
                thread: json(row, "summary")?,
                item: (!id.is_empty()).then(|| ItemId::from(id)),
                seq: number(row, "seq")?,
                offset: number(row, "offset")?,
                len: number(row, "len")?,
            })
        })
        .collect()
}

fn json<T: serde::de::DeserializeOwned>(row: &sqlx::sqlite::SqliteRow, column: &str) -> Result<T, sqlx::Error> {
    serde_json::from_str(row.try_get(column)?).map_err(|error| sqlx::Error::Decode(error.into()))
}

fn number(row: &sqlx::sqlite::SqliteRow, column: &str) -> Result<u64, sqlx::Error> {
    let number: i64 = row.try_get(column)?;
    Ok(u64::try_from(number).unwrap_or_default())
}

/// SQLite's integers have a sign; ours are places and counts far below its limit.
fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
