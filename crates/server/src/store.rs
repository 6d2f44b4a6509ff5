//! The truth: what is in the database. All SQL of the server is below this module, in words that both databases know:
//! `$1`, `RETURNING`, `ON CONFLICT`; integers are `BIGINT`, times are milliseconds, ids are text.
//!
//! What belongs to a workspace can only be reached through [`Within`], which only a [`Scope`] opens: a query that forgets
//! its workspace does not compile.

use std::str::FromStr as _;
use std::sync::Arc;
use std::time::Duration;

use protocol::id::WorkspaceId;
use protocol::workspace::problem::ProblemCode;
use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Any, AnyPool, Connection as _, Transaction};

use crate::config::Secret;
pub(crate) use crate::problem::Chain;
use crate::problem::Refusal;

pub mod activity;
pub mod approvals;
pub mod artifacts;
pub mod audit;
pub mod batch;
pub mod bindings;
mod call;
pub mod cursors;
pub mod deletions;
pub mod devices;
pub mod documents;
pub mod events;
pub mod fold;
pub mod invitations;
pub mod items;
pub mod leases;
pub mod live;
pub mod members;
pub mod people;
pub mod retention;
mod rows;
mod schema;
pub mod threads;
pub mod tickets;
pub mod turn_requests;
pub mod uploads;
mod warm;
pub mod webhooks;
pub mod workspaces;

/// Which database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The embedded one.
    Sqlite,
    /// A server's.
    Postgres,
}

/// A connection that nobody used for so long is asked whether it still lives, before it is used again.
const BELIEVED: Duration = Duration::from_secs(1);

/// Why the database did not do it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Its own words.
    #[error("the database refused")]
    Database(#[from] sqlx::Error),
    /// The embedded one's words.
    #[error("the database refused")]
    Embedded(#[from] rusqlite::Error),
    /// The embedded one's thread ended in the middle.
    #[error("the database's thread broke, and nothing was written")]
    Interrupted,
    /// The machine has no thread left.
    #[error("a thread for the database cannot be started")]
    Thread(#[source] std::io::Error),
    /// A newer zspark-server made it.
    #[error("the database was made by a newer zspark-server (it has the step {step}); please upgrade this one")]
    Newer {
        /// The step that is not known here.
        step: String,
    },
    /// The address is none of ours.
    #[error("`database_url` must begin with postgres:// or sqlite://, not {0}://")]
    Address(String),
    /// Postgres has programs of its own for this.
    #[error("this copies the embedded database only; for Postgres use pg_dump")]
    Elsewhere,
    /// Nothing is written over.
    #[error("{0} is there already")]
    Exists(String),
    /// The workspace was deleted after its door was passed.
    #[error("the workspace was deleted meanwhile")]
    Gone,
    /// A row holds what no version of zspark wrote.
    #[error("the database holds something that cannot be read: {0}")]
    Damaged(String),
}

impl StoreError {
    /// Something with this key is there already.
    #[must_use]
    pub fn is_taken(&self) -> bool {
        matches!(self, Self::Database(sqlx::Error::Database(error)) if error.is_unique_violation())
    }

    /// It may work later: no connection, or no room on the disk.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        let error = match self {
            Self::Database(error) => error,
            Self::Embedded(error) => {
                return error.sqlite_error().is_some_and(|it| may_pass(it.extended_code));
            }
            Self::Interrupted
            | Self::Thread(_)
            | Self::Newer { .. }
            | Self::Address(_)
            | Self::Elsewhere
            | Self::Exists(_)
            | Self::Gone
            | Self::Damaged(_) => return false,
        };
        if let sqlx::Error::Database(error) = error {
            // Postgres: connection lost (08), resources (53: disk full is 53100), shutdown (57P).
            return error.code().is_some_and(|code| {
                ["08", "53", "57P"]
                    .iter()
                    .any(|it| code.starts_with(it) && code.len() == 5)
                    || (code.len() < 5 && code.parse().is_ok_and(may_pass))
            });
        }
        matches!(
            error,
            sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::Tls(_)
        )
    }
}

/// What SQLite says when it is busy (5), when reading or writing fails (10) or the disk is full (13); extended codes have more
/// above the low byte.
fn may_pass(code: i32) -> bool {
    matches!(code & 0xff, 5 | 10 | 13)
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        if matches!(error, StoreError::Gone) {
            return Self::not_found();
        }
        tracing::error!(error = %Chain(&error), "the database refused");
        if error.is_passing() {
            Self::new(
                ProblemCode::Unavailable,
                "The database cannot take this right now. Nothing was changed.",
            )
        } else {
            Self::new(ProblemCode::Internal, "The server failed. Nothing was changed.")
        }
    }
}

impl From<sqlx::Error> for Refusal {
    fn from(error: sqlx::Error) -> Self {
        StoreError::from(error).into()
    }
}

/// The database.
#[derive(Debug, Clone)]
pub struct Store {
    kind: Kind,
    /// It may hold a password.
    url: Arc<Secret>,
    write: AnyPool,
    read: AnyPool,
    /// The embedded database by another way, for documents.
    embedded: Option<Arc<documents::Embedded>>,
    familiar: Arc<people::Familiar>,
    /// Of the pool for reading, which on Postgres is the one for writing too.
    warm: Arc<warm::Warm>,
}

impl Store {
    /// Opens it and brings its tables up to date. `url` is `postgres://…` or `sqlite://…`.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        sqlx::any::install_default_drivers();
        let kind = match url.split_once(':').map_or(url, |(scheme, _)| scheme) {
            "sqlite" => Kind::Sqlite,
            "postgres" | "postgresql" => Kind::Postgres,
            other => return Err(StoreError::Address(other.to_owned())),
        };
        let options = AnyConnectOptions::from_str(url)?;
        let embedded = match kind {
            Kind::Sqlite => {
                let options = SqliteConnectOptions::from_str(url)?;
                Some(Arc::new(documents::Embedded::new(options.get_filename())))
            }
            Kind::Postgres => None,
        };
        let pool = |connections: u32| {
            AnyPoolOptions::new()
                .max_connections(connections)
                .acquire_timeout(Duration::from_secs(5))
                // Asking whether a connection lives costs as much as a small query; one that was used just now is believed.
                // If it died since, whoever uses it hears so as of any that dies under way.
                .test_before_acquire(false)
                // A full disk makes SQLite end a transaction by itself. The driver then counts it as open for ever, and such a
                // connection is of no use any more.
                .before_acquire(|connection, known| {
                    Box::pin(async move {
                        if known.idle_for > BELIEVED {
                            connection.ping().await?;
                        }
                        Ok(!connection.is_in_transaction())
                    })
                })
                .after_connect(move |connection, _| {
                    Box::pin(async move {
                        if kind == Kind::Sqlite {
                            sqlx::raw_sql("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA busy_timeout = 5000;")
                                .execute(&mut *connection)
                                .await?;
                            if connections == 1 {
                                // What a statement would undo is kept in memory. Who writes would otherwise make and delete a
                                // file for it in each transaction.
                                sqlx::raw_sql("PRAGMA temp_store = MEMORY").execute(connection).await?;
                            }
                        }
                        Ok(())
                    })
                })
        };
        // SQLite has one writer at a time anyway; one connection makes the others wait in order instead of failing.
        let (write, read) = match kind {
            Kind::Sqlite => (
                pool(1).connect_with(options.clone()).await?,
                pool(4 + warm::MOST).connect_lazy_with(options),
            ),
            Kind::Postgres => {
                let pool = pool(16).connect_with(options).await?;
                (pool.clone(), pool)
            }
        };
        let store = Self {
            kind,
            url: Arc::new(Secret(url.to_owned())),
            write,
            read,
            embedded,
            familiar: Arc::default(),
            warm: Arc::default(),
        };
        let mut transaction = store.begin().await?;
        schema::migrate(kind, &mut transaction).await?;
        transaction.commit().await?;
        Ok(store)
    }

    /// Which database it is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// A transaction that will write. Keep it short: the embedded database has one at a time.
    pub async fn begin(&self) -> Result<Transaction<'static, Any>, StoreError> {
        Ok(match self.kind {
            Kind::Sqlite => self.write.begin_with("BEGIN IMMEDIATE").await?,
            Kind::Postgres => self.write.begin().await?,
        })
    }

    /// As [`Store::begin`], for statements of which one plan is as good as another: they find rows by their whole key, or
    /// insert. Postgres plans them once for a connection, not each time, which for a full batch of events takes as long as
    /// a third of writing it.
    pub(crate) async fn begin_known(&self) -> Result<Transaction<'static, Any>, StoreError> {
        match self.kind {
            Kind::Sqlite => self.begin().await,
            Kind::Postgres => Ok(self
                .write
                .begin_with("BEGIN; SET LOCAL plan_cache_mode = force_generic_plan")
                .await?),
        }
    }

    /// Whether it answers.
    pub async fn answers(&self) -> bool {
        sqlx::query("SELECT 1").execute(&self.read).await.is_ok()
    }

    /// For reading outside of a transaction.
    pub(crate) fn read(&self) -> &AnyPool {
        &self.read
    }

    /// For single statements that write.
    pub(crate) fn write(&self) -> &AnyPool {
        &self.write
    }

    /// What belongs to one workspace.
    #[must_use]
    pub fn within(&self, scope: &Scope) -> Within<'_> {
        Within {
            store: self,
            workspace: scope.workspace.clone(),
        }
    }

    /// Copies the embedded database into a new file, as it is at one moment. Writers go on meanwhile.
    pub async fn copy_to(&self, file: &std::path::Path) -> Result<(), StoreError> {
        if self.kind == Kind::Postgres {
            return Err(StoreError::Elsewhere);
        }
        if file.exists() {
            return Err(StoreError::Exists(file.display().to_string()));
        }
        sqlx::query("VACUUM INTO $1")
            .bind(file.to_string_lossy().into_owned())
            .execute(&self.read)
            .await?;
        Ok(())
    }

    /// Ends all connections.
    pub async fn close(&self) {
        self.warm.close();
        if let Some(embedded) = &self.embedded {
            embedded.close();
        }
        self.read.close().await;
        self.write.close().await;
    }
}

/// The right to reach into a workspace, given by the gate after it has looked up the caller's role there
/// ([`people::Membership`]), or by a job that works through all of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    workspace: WorkspaceId,
}

impl Scope {
    /// Opens a workspace to whoever holds this. Called where a role was checked, and nowhere else.
    pub(crate) fn of(workspace: WorkspaceId) -> Self {
        Self { workspace }
    }

    /// Which workspace.
    #[must_use]
    pub fn workspace(&self) -> &WorkspaceId {
        &self.workspace
    }
}

/// The part of the database that belongs to one workspace. Each noun adds its queries in a file of its own.
#[derive(Debug, Clone)]
pub struct Within<'a> {
    pub(crate) store: &'a Store,
    pub(crate) workspace: WorkspaceId,
}

/// Milliseconds and sequence numbers as the databases have them.
pub(crate) fn int(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// And back.
pub(crate) fn uint(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}
