//! The table of rules in `state.sqlite`: opened when first needed, copied before it is migrated, set aside when it is damaged.

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use protocol::approval::{Rule, RuleDraft};
use protocol::{Code, Failure, RuleId};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteRow, SqliteSynchronous,
};
use sqlx::{Executor, Row};
use tokio::sync::OnceCell;

use super::Error;
use crate::home::Home;

/// Each brings the tables one version further; `PRAGMA user_version` counts them.
const MIGRATIONS: &[&str] = &["CREATE TABLE rules (
    id TEXT PRIMARY KEY,
    draft TEXT NOT NULL,
    origin TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    matched INTEGER NOT NULL DEFAULT 0,
    last_matched_ms INTEGER
)"];

/// Rules on disk, with a copy in memory for as long as nobody changes the file.
pub(super) struct Store {
    home: Home,
    pool: OnceCell<SqlitePool>,
    known: Mutex<Option<(Stamp, Arc<Vec<Rule>>)>>,
    damage: Mutex<Option<Failure>>,
}

/// Tells whether this or another process changed the database.
type Stamp = [Option<(SystemTime, u64)>; 2];

impl Store {
    pub(super) fn new(home: &Home) -> Self {
        Self {
            home: home.clone(),
            pool: OnceCell::new(),
            known: Mutex::new(None),
            damage: Mutex::new(None),
        }
    }

    /// All rules, oldest first. Without a database there are none, and none is made.
    pub(super) async fn all(&self) -> Result<Arc<Vec<Rule>>, Error> {
        let stamp = self.stamp();
        if stamp[0].is_none() && self.pool.get().is_none() {
            return Ok(Arc::default());
        }
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((_, rules)) = known.filter(|(seen, _)| *seen == stamp) {
            return Ok(rules);
        }
        let pool = self.pool().await?;
        // Opening may have touched the file; what is written after this moment changes the stamp again.
        let stamp = self.stamp();
        let rows = sqlx::query("SELECT * FROM rules ORDER BY created_ms, id")
            .fetch_all(pool)
            .await?;
        let rules: Arc<Vec<Rule>> = Arc::new(rows.iter().map(rule).collect::<Result<_, sqlx::Error>>()?);
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = Some((stamp, Arc::clone(&rules)));
        Ok(rules)
    }

    pub(super) async fn save(
        &self,
        id: Option<&RuleId>,
        draft: RuleDraft,
        origin: &str,
        now_ms: u64,
    ) -> Result<Rule, Error> {
        let pool = self.pool().await?;
        let json = serde_json::to_string(&draft).map_err(|error| sqlx::Error::Encode(error.into()))?;
        let query = match id {
            Some(id) => sqlx::query("UPDATE rules SET draft = ?2 WHERE id = ?1 RETURNING *")
                .bind(id.as_str().to_owned())
                .bind(json),
            None => {
                sqlx::query("INSERT INTO rules (id, draft, origin, created_ms) VALUES (?1, ?2, ?3, ?4) RETURNING *")
                    .bind(RuleId::new().to_string())
                    .bind(json)
                    .bind(origin.to_owned())
                    .bind(signed(now_ms))
            }
        };
        let row = query.fetch_optional(pool).await?.ok_or(Error::NotFound)?;
        self.forget();
        Ok(rule(&row)?)
    }

    pub(super) async fn delete(&self, id: &RuleId) -> Result<(), Error> {
        let done = sqlx::query("DELETE FROM rules WHERE id = ?1")
            .bind(id.as_str())
            .execute(self.pool().await?)
            .await?;
        self.forget();
        if done.rows_affected() == 0 {
            Err(Error::NotFound)
        } else {
            Ok(())
        }
    }

    /// Counts a match. Rules of files are not in the table, so nothing happens to them.
    pub(super) async fn count(&self, ids: &[RuleId], now_ms: u64) -> Result<(), Error> {
        let in_table = {
            let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            let rules = known.as_ref().map(|it| Arc::clone(&it.1)).unwrap_or_default();
            ids.iter()
                .filter(|id| rules.iter().any(|it| it.id == **id))
                .cloned()
                .collect::<Vec<_>>()
        };
        for id in in_table {
            sqlx::query("UPDATE rules SET matched = matched + 1, last_matched_ms = ?2 WHERE id = ?1")
                .bind(id.as_str())
                .bind(signed(now_ms))
                .execute(self.pool().await?)
                .await?;
            self.forget();
        }
        Ok(())
    }

    pub(super) async fn close(&self) {
        if let Some(pool) = self.pool.get() {
            pool.close().await;
        }
    }

    pub(super) fn damage(&self) -> Option<Failure> {
        self.damage.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn forget(&self) {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    fn stamp(&self) -> Stamp {
        let of = |path: PathBuf| {
            let metadata = std::fs::metadata(path).ok()?;
            Some((metadata.modified().ok()?, metadata.len()))
        };
        [of(self.home.state()), of(beside(&self.home.state(), "-wal"))]
    }

    async fn pool(&self) -> Result<&SqlitePool, Error> {
        self.pool
            .get_or_try_init(|| async {
                self.home.prepare()?;
                let path = self.home.state();
                match open(&path).await {
                    Err(Error::Database(error)) if is_damage(&error) => {
                        let aside = set_aside(&path)?;
                        let failure = Failure::new(
                            Code::StoreDamaged,
                            "Your saved rules were damaged and could not be read, so none of them is in force.",
                        )
                        .hint(format!(
                            "Look through the rules in the settings. The damaged file was kept: {}",
                            aside.display()
                        ))
                        .details(error.to_string());
                        *self.damage.lock().unwrap_or_else(PoisonError::into_inner) = Some(failure);
                        open(&path).await
                    }
                    other => other,
                }
            })
            .await
    }
}

async fn open(path: &Path) -> Result<SqlitePool, Error> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Normal)
        .busy_timeout(std::time::Duration::from_secs(5));
    let pool = SqlitePoolOptions::new()
        .max_connections(1)
        .connect_with(options)
        .await?;
    let version: i64 = sqlx::query_scalar("PRAGMA user_version").fetch_one(&pool).await?;
    let version = usize::try_from(version).unwrap_or(0);
    let Some(missing) = MIGRATIONS.get(version..) else {
        return Err(Error::Newer);
    };
    if missing.is_empty() {
        return Ok(pool);
    }
    if version > 0 {
        let copy = beside(path, &format!(".before-{}", MIGRATIONS.len()));
        if !copy.exists() {
            sqlx::query("VACUUM INTO ?1")
                .bind(copy.to_string_lossy().into_owned())
                .execute(&pool)
                .await?;
        }
    }
    let mut change = pool.begin_with("BEGIN IMMEDIATE").await?;
    // Another process may have been faster.
    let now: i64 = sqlx::query_scalar("PRAGMA user_version")
        .fetch_one(&mut *change)
        .await?;
    for migration in MIGRATIONS.get(usize::try_from(now).unwrap_or(0)..).unwrap_or_default() {
        change.execute(*migration).await?;
    }
    change
        .execute(sqlx::AssertSqlSafe(format!(
            "PRAGMA user_version = {}",
            MIGRATIONS.len()
        )))
        .await?;
    change.commit().await?;
    Ok(pool)
}

/// `SQLITE_CORRUPT` and `SQLITE_NOTADB`.
fn is_damage(error: &sqlx::Error) -> bool {
    let code = error
        .as_database_error()
        .and_then(|it| it.code())
        .and_then(|it| i32::from_str(&it).ok());
    code.is_some_and(|it| matches!(it & 0xff, 11 | 26))
}

/// Keeps a damaged database for whoever can still read it.
fn set_aside(path: &Path) -> std::io::Result<PathBuf> {
    let free = (1_u32..)
        .map(|it| format!(".damaged-{it}"))
        .find(|it| !beside(path, it).exists());
    let suffix = free.unwrap_or_else(|| ".damaged".to_owned());
    tracing::warn!(path = %path.display(), "the database of rules is damaged and is kept aside");
    for part in ["", "-wal", "-shm"] {
        let file = beside(path, part);
        if file.exists() {
            std::fs::rename(&file, beside(path, &format!("{suffix}{part}")))?;
        }
    }
    Ok(beside(path, &suffix))
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

fn rule(row: &SqliteRow) -> Result<Rule, sqlx::Error> {
    let draft: String = row.try_get("draft")?;
    let unsigned = |it: i64| u64::try_from(it).unwrap_or(0);
    Ok(Rule {
        id: RuleId(row.try_get("id")?),
        // A rule that this version does not understand may forbid something, so it is an error and not skipped.
        draft: serde_json::from_str(&draft).map_err(|error| sqlx::Error::Decode(error.into()))?,
        created_ms: unsigned(row.try_get("created_ms")?),
        origin: row.try_get("origin")?,
        matched: unsigned(row.try_get("matched")?),
        last_matched_ms: row.try_get::<Option<i64>, _>("last_matched_ms")?.map(unsigned),
    })
}

fn signed(it: u64) -> i64 {
    i64::try_from(it).unwrap_or(i64::MAX)
}
