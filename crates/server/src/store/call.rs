//! Calls between nodes through Postgres itself.

use sqlx::postgres::PgListener;

use super::{Store, StoreError};

const CHANNEL: &str = "zspark_missed";

/// The calls of all nodes on this database, from now on.
#[derive(Debug)]
pub(crate) struct Calls(PgListener);

impl Calls {
    /// The name of a node that calls; nothing when the connection was lost and is there again.
    pub(crate) async fn next(&mut self) -> Result<Option<String>, StoreError> {
        Ok(self.0.try_recv().await?.map(|it| it.payload().to_owned()))
    }
}

impl Store {
    /// Tells all nodes on this Postgres that they missed something of this one's.
    pub(crate) async fn call(&self, node: &str) -> Result<(), StoreError> {
        sqlx::query("SELECT CAST(pg_notify($1, $2) AS TEXT)")
            .bind(CHANNEL)
            .bind(node)
            .execute(self.write())
            .await?;
        Ok(())
    }

    /// Begins to listen for such calls, on a connection of its own.
    pub(crate) async fn calls(&self) -> Result<Calls, StoreError> {
        let mut listener = PgListener::connect(&self.url.0).await?;
        listener.listen(CHANNEL).await?;
        Ok(Calls(listener))
    }
}
