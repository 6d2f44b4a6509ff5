//! Connections that were used just now. A pool hands out the one that rested longest: on Postgres each question then goes to
//! another process, whose memory and plans are cold. What is asked for every request goes to the one that answered last.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sqlx::pool::PoolConnection;
use sqlx::{Any, AnyPool};

use super::BELIEVED;

#[cfg(test)]
mod tests;

/// So many are kept from the pool at most.
pub(super) const MOST: u32 = 2;
/// And for so long: the pool may have reasons of its own to end them.
const LONGEST: Duration = Duration::from_secs(300);

/// The connections.
#[derive(Debug, Default)]
pub(super) struct Warm(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    /// The one that was used last at the end.
    held: Vec<Held>,
    closed: bool,
}

/// A connection on loan. Dropped, it goes back to the pool: so it does when what it was asked has failed.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) connection: PoolConnection<Any>,
    taken: Instant,
    used: Instant,
}

impl Warm {
    /// The one that was used last, or one of the pool's.
    pub(super) async fn take(&self, pool: &AnyPool) -> Result<Held, sqlx::Error> {
        let last = self.kept().held.pop();
        // Whether one that rested still lives is for the pool to find out.
        if let Some(held) = last.filter(|it| it.used.elapsed() < BELIEVED) {
            return Ok(held);
        }
        let now = Instant::now();
        Ok(Held {
            connection: pool.acquire().await?,
            taken: now,
            used: now,
        })
    }

    /// Gives one back that has answered.
    pub(super) fn give(&self, mut held: Held) {
        held.used = Instant::now();
        let mut kept = self.kept();
        if kept.held.len() < MOST as usize && held.taken.elapsed() < LONGEST && !kept.closed {
            kept.held.push(held);
        }
    }

    /// All of them go back to the pool, and so will those that are on loan: it waits for them when it closes.
    pub(super) fn close(&self) {
        let mut kept = self.kept();
        kept.closed = true;
        kept.held.clear();
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
