//! Writes the updates of all documents to the database, those of 20 ms in one transaction: one wait for the disk serves
//! everybody. Whoever waits hears only after the commit.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::Key;
use crate::bus::{Bus, Hint};
use crate::clock::Clock;
use crate::store::documents::{Added, Addition, NewUpdate, UPDATES};
use crate::store::{Chain, Scope, Store, StoreError};

/// How long to wait for more.
const GATHER: Duration = Duration::from_millis(20);

/// One transaction holds about so much.
const BATCH_BYTES: usize = 1 << 20;

/// So much may wait to be written, in units of 1 KiB. Beyond that rooms wait, and with them their sockets.
const WAITING: usize = 2 << 10;

/// A database that cannot take it is asked again so often; then whoever waits is told.
const TRIES: u32 = 5;

/// Updates of one document.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) key: Key,
    pub(crate) scope: Scope,
    pub(crate) epoch: u64,
    pub(crate) updates: Vec<NewUpdate>,
    /// Hears of this entry and no other, in order.
    pub(crate) reply: mpsc::UnboundedSender<Written>,
}

/// What became of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Written {
    /// It is on the disk.
    Kept {
        /// The first one's number.
        first: u64,
        /// The last one's number.
        last: u64,
        /// Of the snapshot.
        snapshot: u64,
    },
    /// This life of the document is over.
    Over,
    /// The database did not take it.
    Failed,
}

/// The way into the journal.
#[derive(Debug, Clone)]
pub(crate) struct Journal {
    entries: mpsc::UnboundedSender<(Entry, OwnedSemaphorePermit)>,
    room: Arc<Semaphore>,
}

impl Journal {
    /// Starts one. It ends when it is told to, after everything that it was given is written.
    pub(crate) fn start(tasks: &TaskTracker, stop: &CancellationToken, store: Store, bus: Bus, clock: Clock) -> Self {
        let (entries, waiting) = mpsc::unbounded_channel();
        let room = Arc::new(Semaphore::new(WAITING));
        tasks.spawn(write(waiting, stop.clone(), store, bus, clock));
        Self { entries, room }
    }

    /// Puts an entry in, when there is room.
    pub(crate) async fn put(&self, entry: Entry) {
        let bytes: usize = entry.updates.iter().map(|it| it.body.len()).sum();
        let units = u32::try_from((bytes >> 10) + 1).unwrap_or(u32::MAX).min(WAITING as u32);
        // Neither the semaphore nor the channel is ever closed while a way in is held.
        let Ok(permit) = self.room.clone().acquire_many_owned(units).await else {
            return;
        };
        let _ = self.entries.send((entry, permit));
    }
}

async fn write(
    mut waiting: mpsc::UnboundedReceiver<(Entry, OwnedSemaphorePermit)>,
    stop: CancellationToken,
    store: Store,
    bus: Bus,
    clock: Clock,
) {
    let mut left: Option<(Entry, OwnedSemaphorePermit)> = None;
    loop {
        let next = match left.take() {
            // As much as a transaction holds was there already.
            Some(next) => next,
            None => {
                let next = tokio::select! {
                    biased;
                    next = waiting.recv() => next,
                    () = stop.cancelled() => None,
                };
                let Some(next) = next else { return };
                // Whoever comes meanwhile need not wake anybody.
                tokio::time::sleep(GATHER).await;
                next
            }
        };
        let (mut bytes, mut updates) = (size(&next.0), next.0.updates.len());
        let (mut batch, mut permits) = (vec![next.0], vec![next.1]);
        while let Ok((entry, permit)) = waiting.try_recv() {
            bytes += size(&entry);
            updates += entry.updates.len();
            if bytes > BATCH_BYTES || updates > UPDATES {
                left = Some((entry, permit));
                break;
            }
            batch.push(entry);
            permits.push(permit);
        }
        let results = commit_or_give_up(&store, &batch, clock.now_ms()).await;
        for (entry, written) in batch.into_iter().zip(results) {
            let told = entry.reply.send(written).is_ok();
            if let Written::Kept { last, .. } = written {
                let hint = Hint::Document {
                    workspace: entry.key.0,
                    document: entry.key.1,
                    head_seq: last,
                };
                // The room that broke and was opened again does not know what the first one wrote.
                if told { bus.tell_others(hint) } else { bus.publish(hint) }
            }
        }
    }
}

fn size(entry: &Entry) -> usize {
    entry.updates.iter().map(|it| it.body.len()).sum()
}

async fn commit_or_give_up(store: &Store, batch: &[Entry], now_ms: u64) -> Vec<Written> {
    let mut pause = Duration::from_millis(100);
    for tried in 1..=TRIES {
        match commit(store, batch, now_ms).await {
            Ok(written) => return written,
            Err(error) => {
                tracing::error!(error = %Chain(&error), tried, "document updates could not be written");
                if !error.is_passing() && tried > 1 {
                    break;
                }
            }
        }
        if tried < TRIES {
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
    }
    vec![Written::Failed; batch.len()]
}

/// All entries in one transaction. Those of one document stay in their order; documents go in the order of their keys, so
/// that two nodes never wait for each other.
async fn commit(store: &Store, batch: &[Entry], now_ms: u64) -> Result<Vec<Written>, StoreError> {
    let mut documents: BTreeMap<(&Key, u64), Vec<usize>> = BTreeMap::new();
    for (index, entry) in batch.iter().enumerate() {
        documents.entry((&entry.key, entry.epoch)).or_default().push(index);
    }
    let mut additions = Vec::with_capacity(documents.len());
    for ((key, epoch), indices) in &documents {
        let entries: Vec<&Entry> = indices.iter().filter_map(|it| batch.get(*it)).collect();
        if let Some(entry) = entries.first() {
            additions.push(Addition {
                scope: &entry.scope,
                document: &key.1,
                epoch: *epoch,
                updates: entries.iter().flat_map(|it| &it.updates).collect(),
            });
        }
    }
    let added = store.append_updates(&additions, now_ms).await?;
    let mut results = vec![Written::Over; batch.len()];
    for ((indices, addition), added) in documents.values().zip(&additions).zip(added) {
        let Some(Added { last, snapshot }) = added else {
            continue;
        };
        let mut first = last + 1 - addition.updates.len() as u64;
        for index in indices {
            let count = batch.get(*index).map_or(0, |it| it.updates.len() as u64);
            if let Some(result) = results.get_mut(*index) {
                *result = Written::Kept {
                    first,
                    last: first + count - 1,
                    snapshot,
                };
            }
            first += count;
        }
    }
    Ok(results)
}
