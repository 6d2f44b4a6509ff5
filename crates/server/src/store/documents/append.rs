//! Adding updates, those of many documents at once. Updates are only added: the rows of their documents stay as they are.

use super::NewUpdate;
use crate::store::{Scope, Store, StoreError};

mod postgres;
mod sqlite;
#[cfg(test)]
mod tests;

/// At most about so many updates at once: Postgres takes 65,535 parameters, and each may take seven.
pub const UPDATES: usize = 2000;

/// Updates of one document, in their order.
#[derive(Debug, Clone)]
pub struct Addition<'a> {
    /// Its workspace, which was opened to who made them.
    pub scope: &'a Scope,
    /// Which document.
    pub document: &'a str,
    /// Which life of it.
    pub epoch: u64,
    /// What to add.
    pub updates: Vec<&'a NewUpdate>,
}

/// Where updates ended up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Added {
    /// The last one's number.
    pub last: u64,
    /// What the document's snapshot contains.
    pub snapshot: u64,
}

impl Store {
    /// Adds updates behind the last ones, all or none of them, and answers when they are on the disk; `None` where this life
    /// of the document is over. No document may come twice.
    pub async fn append_updates(
        &self,
        additions: &[Addition<'_>],
        now_ms: u64,
    ) -> Result<Vec<Option<Added>>, StoreError> {
        match &self.embedded {
            Some(embedded) => {
                // Where others write, this takes its turn among them. Where nobody does, it need not trouble their connection;
                // if somebody begins just now, one of the two waits for a moment.
                let _turn = match self.write().num_idle() {
                    0 => Some(self.write().acquire().await?),
                    _ => None,
                };
                sqlite::append(embedded, additions, now_ms).await
            }
            None => postgres::append(self, additions, now_ms).await,
        }
    }
}
