//! The index's file: its tables, and what to do when it is broken.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::SqlitePool;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};

/// Another number makes everybody's index be built anew; nothing is ever migrated. It changes with these tables, with
/// what [`State`](super::State) holds or how it is folded, and with what is searched.
const VERSION: i64 = 1;

/// `turns` and `items` hold what is finished in them; `words` is the full text of `items`, by the same row.
/// An item without an id is the thread's title.
const TABLES: [&str; 5] = [
    "CREATE TABLE threads (id TEXT PRIMARY KEY, len INTEGER NOT NULL, updated_ms INTEGER NOT NULL, \
     title TEXT NOT NULL, summary TEXT NOT NULL, state TEXT NOT NULL)",
    "CREATE TABLE turns (thread TEXT NOT NULL, first_seq INTEGER NOT NULL, turn TEXT NOT NULL, \
     PRIMARY KEY (thread, first_seq)) WITHOUT ROWID",
    "CREATE TABLE items (rowid INTEGER PRIMARY KEY, thread TEXT NOT NULL, id TEXT NOT NULL, kind TEXT NOT NULL, \
     seq INTEGER NOT NULL, offset INTEGER NOT NULL, len INTEGER NOT NULL, UNIQUE (thread, id))",
    "CREATE VIRTUAL TABLE words USING fts5 (text, content = '', contentless_delete = 1, \
     tokenize = 'unicode61 remove_diacritics 2')",
    "PRAGMA user_version = 1",
];

/// Opens the index, or makes an empty one.
pub(super) async fn open(path: &Path) -> Result<SqlitePool, sqlx::Error> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    if !looks_whole(path)? {
        return Err(sqlx::Error::Decode("the file is no SQLite database".into()));
    }
    let pool = connect(path).await?;
    match version(&pool).await? {
        VERSION => return Ok(pool),
        0 => {}
        _ => {
            pool.close().await;
            remove(path)?;
            return make(connect(path).await?).await;
        }
    }
    make(pool).await
}

/// SQLite writes over a short file that is none of its own; we keep it.
fn looks_whole(path: &Path) -> std::io::Result<bool> {
    let mut begin = [0; 16];
    match std::fs::File::open(path).and_then(|mut it| it.read(&mut begin)) {
        Ok(0) => Ok(true),
        Ok(read) => Ok(begin.get(..read) == Some(b"SQLite format 3\0")),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(true),
        Err(error) => Err(error),
    }
}

async fn connect(path: &Path) -> Result<SqlitePool, sqlx::Error> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Normal)
        .busy_timeout(Duration::from_secs(5));
    // Without limits of age the pool has nothing to watch, so it is idle when nothing happens.
    SqlitePoolOptions::new()
        .max_connections(2)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
        .connect_with(options)
        .await
}

async fn version(pool: &SqlitePool) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar("PRAGMA user_version").fetch_one(pool).await
}

async fn make(pool: SqlitePool) -> Result<SqlitePool, sqlx::Error> {
    let mut transaction = pool.begin_with("BEGIN IMMEDIATE").await?;
    let version: i64 = sqlx::query_scalar("PRAGMA user_version")
        .fetch_one(&mut *transaction)
        .await?;
    // Another process may have been quicker.
    if version == 0 {
        for table in TABLES {
            sqlx::query(table).execute(&mut *transaction).await?;
        }
    }
    transaction.commit().await?;
    Ok(pool)
}

/// Looks at all of it.
pub(super) async fn check(pool: &SqlitePool) -> Result<(), sqlx::Error> {
    let found: String = sqlx::query_scalar("PRAGMA quick_check(1)").fetch_one(pool).await?;
    if found != "ok" {
        return Err(sqlx::Error::Protocol(found));
    }
    sqlx::query("SELECT t.len FROM threads t, turns u, items i, words LIMIT 1")
        .fetch_optional(pool)
        .await?;
    Ok(())
}

/// The file is not what it should be. Being locked, full or unreadable is something else.
pub(super) fn damaged(error: &sqlx::Error) -> bool {
    const ERROR: i32 = 1;
    const CORRUPT: i32 = 11;
    const NOT_A_DATABASE: i32 = 26;
    /// The file ends in the middle of a page.
    const SHORT_READ: i32 = 522;
    if matches!(error, sqlx::Error::Decode(_) | sqlx::Error::ColumnDecode { .. }) {
        return true;
    }
    let code = error.as_database_error().and_then(|it| it.code());
    code.and_then(|it| it.parse::<i32>().ok())
        // Our statements are right, so a plain error means that a table is not there.
        .is_some_and(|it| it == SHORT_READ || matches!(it & 0xff, ERROR | CORRUPT | NOT_A_DATABASE))
}

/// Keeps a damaged index under another name.
pub(super) fn move_aside(path: &Path, now_ms: u64) -> std::io::Result<PathBuf> {
    let mut aside = path.as_os_str().to_owned();
    aside.push(format!(".damaged-{now_ms}"));
    let aside = PathBuf::from(aside);
    std::fs::rename(path, &aside)?;
    remove(path)?;
    Ok(aside)
}

/// Removes the index.
pub(super) fn remove(path: &Path) -> std::io::Result<()> {
    for end in ["", "-wal", "-shm"] {
        let mut file = path.as_os_str().to_owned();
        file.push(end);
        match std::fs::remove_file(file) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
    }
    Ok(())
}
