//! Taking rollouts into the index: reads what is new of a file and writes what it means, a bounded part at a time.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io;
use std::ops::ControlFlow;
use std::path::Path;

use protocol::thread::TurnSummary;
use protocol::{EventKind, ThreadId};
use sqlx::{Row, Sqlite, SqlitePool, Transaction};

use super::super::rollout::{self, Lines};
use super::super::search;
use super::super::state::State;
use super::{Known, json, number, signed};

/// Bytes of a rollout that are taken in at once.
const PART: u64 = 4 * 1024 * 1024;

/// The threads whose rollout is not what the index knows, and those that are gone.
pub(super) async fn differing(pool: &SqlitePool, files: &[(ThreadId, u64)]) -> Result<Vec<ThreadId>, sqlx::Error> {
    let rows = sqlx::query("SELECT id, len FROM threads").fetch_all(pool).await?;
    let mut known = HashMap::new();
    for row in &rows {
        known.insert(row.try_get::<String, _>("id")?, number(row, "len")?);
    }
    let mut differing = Vec::new();
    for (id, len) in files {
        if known.remove(id.as_str()) != Some(*len) {
            differing.push(id.clone());
        }
    }
    differing.extend(known.into_keys().map(ThreadId));
    Ok(differing)
}

/// Takes in what is new of one thread, or forgets it when its rollout is gone.
pub(super) async fn thread(pool: &SqlitePool, root: &Path, id: &ThreadId) -> Result<(), sqlx::Error> {
    let Some(path) = rollout::path(root, id) else {
        return forget(pool, id).await;
    };
    loop {
        // The writers' lock is taken before the row is read, so that two processes do not take in the same part.
        let mut transaction = pool.begin_with("BEGIN IMMEDIATE").await?;
        let row = sqlx::query("SELECT state, len FROM threads WHERE id = ?")
            .bind(id.as_str())
            .fetch_optional(&mut *transaction)
            .await?;
        let known = row
            .map(|row| {
                Ok::<_, sqlx::Error>(Known {
                    state: json(&row, "state")?,
                    len: number(&row, "len")?,
                })
            })
            .transpose()?;
        let fresh = known.is_none();
        let known = known.unwrap_or_else(|| Known::nothing(id.clone()));
        let (path_, id_) = (path.clone(), id.clone());
        let part = tokio::task::spawn_blocking(move || Part::read(&path_, &id_, known)).await;
        let part = match part.map_err(io::Error::other)? {
            Ok(part) => part,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                drop(transaction);
                return forget(pool, id).await;
            }
            Err(error) => return Err(sqlx::Error::Io(error)),
        };
        if part.anew && !fresh {
            erase(&mut transaction, id).await?;
        }
        part.write(&mut transaction, id).await?;
        transaction.commit().await?;
        if part.complete {
            return Ok(());
        }
    }
}

async fn forget(pool: &SqlitePool, id: &ThreadId) -> Result<(), sqlx::Error> {
    let mut transaction = pool.begin_with("BEGIN IMMEDIATE").await?;
    erase(&mut transaction, id).await?;
    transaction.commit().await
}

async fn erase(transaction: &mut Transaction<'static, Sqlite>, id: &ThreadId) -> Result<(), sqlx::Error> {
    for statement in [
        "DELETE FROM words WHERE rowid IN (SELECT rowid FROM items WHERE thread = ?)",
        "DELETE FROM items WHERE thread = ?",
        "DELETE FROM turns WHERE thread = ?",
        "DELETE FROM threads WHERE id = ?",
    ] {
        sqlx::query(statement)
            .bind(id.as_str())
            .execute(&mut **transaction)
            .await?;
    }
    Ok(())
}

/// What a part of a rollout means.
struct Part {
    state: State,
    /// The title the index knew before.
    title: String,
    turns: BTreeMap<u64, TurnSummary>,
    texts: Vec<Text>,
    len: u64,
    /// The rollout is not the one the index knew: it begins anew.
    anew: bool,
    complete: bool,
}

/// An item's words, and the line they are from.
struct Text {
    item: String,
    kind: &'static str,
    words: String,
    seq: u64,
    offset: u64,
    len: u64,
}

impl Part {
    fn read(path: &Path, id: &ThreadId, known: Known) -> io::Result<Self> {
        let file = File::open(path)?;
        let end = rollout::whole_lines(&file, file.metadata()?.len())?;
        let anew = !rollout::continues(&file, known.len, known.state.summary.head_seq, end)?;
        let (state, from) = if anew {
            (State::new(id.clone()), 0)
        } else {
            (known.state, known.len)
        };
        let mut part = Self {
            title: if anew {
                String::new()
            } else {
                state.summary.title.clone()
            },
            state,
            turns: BTreeMap::new(),
            texts: Vec::new(),
            len: from,
            anew: anew || from == 0,
            complete: false,
        };
        part.len = part.take(&file, path, from, end)?;
        part.complete = part.len >= end;
        part.turns
            .extend(part.state.last_turn.iter().map(|it| (it.first_seq, it.clone())));
        Ok(part)
    }

    fn take(&mut self, file: &File, path: &Path, from: u64, end: u64) -> io::Result<u64> {
        let mut lines = Lines {
            seq: self.state.summary.head_seq,
        };
        rollout::forwards(file, from, end, |offset, line| {
            match rollout::prefix(line) {
                Some(prefix) if prefix.kind == "contextAppended" => lines.pass(Some(prefix.seq)),
                Some(_) | None => {
                    if let Some(event) = lines.next(line, path) {
                        if matches!(event.kind, EventKind::TurnStarted { .. }) {
                            let ended = self.state.last_turn.iter().map(|it| (it.first_seq, it.clone()));
                            self.turns.extend(ended);
                        }
                        self.state.apply(&event);
                        if let EventKind::ItemCompleted { item, .. } = &event.kind
                            && let Some(words) = search::words(&item.kind)
                        {
                            self.texts.push(Text {
                                item: item.id.0.clone(),
                                kind: item.kind.name(),
                                words,
                                seq: event.seq,
                                offset,
                                len: line.len() as u64,
                            });
                        }
                    }
                }
            }
            self.state.summary.head_seq = lines.seq;
            if offset - from >= PART {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        })
    }

    async fn write(&self, transaction: &mut Transaction<'static, Sqlite>, id: &ThreadId) -> Result<(), sqlx::Error> {
        let encode = |error: serde_json::Error| sqlx::Error::Encode(error.into());
        for text in &self.texts {
            write_text(transaction, id, text).await?;
        }
        if self.state.summary.title != self.title {
            let title = Text {
                item: String::new(),
                kind: "title",
                words: self.state.summary.title.clone(),
                seq: 0,
                offset: 0,
                len: 0,
            };
            write_text(transaction, id, &title).await?;
        }
        for (first_seq, turn) in &self.turns {
            sqlx::query("INSERT OR REPLACE INTO turns (thread, first_seq, turn) VALUES (?, ?, ?)")
                .bind(id.as_str())
                .bind(signed(*first_seq))
                .bind(serde_json::to_string(turn).map_err(encode)?)
                .execute(&mut **transaction)
                .await?;
        }
        sqlx::query(
            "INSERT OR REPLACE INTO threads (id, len, updated_ms, title, summary, state) VALUES (?, ?, ?, ?, ?, ?)",
        )
        .bind(id.as_str())
        .bind(signed(self.len))
        .bind(signed(self.state.summary.updated_ms))
        .bind(&self.state.summary.title)
        .bind(serde_json::to_string(&self.state.summary).map_err(encode)?)
        .bind(serde_json::to_string(&self.state).map_err(encode)?)
        .execute(&mut **transaction)
        .await?;
        Ok(())
    }
}

async fn write_text(
    transaction: &mut Transaction<'static, Sqlite>,
    id: &ThreadId,
    text: &Text,
) -> Result<(), sqlx::Error> {
    let row: i64 = sqlx::query_scalar(
        "INSERT INTO items (thread, id, kind, seq, offset, len) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (thread, id) \
         DO UPDATE SET kind = excluded.kind, seq = excluded.seq, offset = excluded.offset, len = excluded.len \
         RETURNING rowid",
    )
    .bind(id.as_str())
    .bind(&text.item)
    .bind(text.kind)
    .bind(signed(text.seq))
    .bind(signed(text.offset))
    .bind(signed(text.len))
    .fetch_one(&mut **transaction)
    .await?;
    sqlx::query("INSERT OR REPLACE INTO words (rowid, text) VALUES (?, ?)")
        .bind(row)
        .bind(search::segmented(&text.words))
        .execute(&mut **transaction)
        .await?;
    Ok(())
}
