//! The document itself, in `yrs`. What comes from outside is looked through before `yrs` sees it; should `yrs` panic all the
//! same, the document is given up and says so.

use std::panic::{AssertUnwindSafe, catch_unwind};

use bytes::Bytes;
use yrs::updates::decoder::Decode as _;
use yrs::updates::encoder::Encode as _;
use yrs::{
    ClientID, Doc, OffsetKind, Options, ReadTxn as _, StateVector, Transact as _, Transaction, TransactionMut, Update,
    WriteTxn as _,
};

use super::DocumentError;
use crate::scan;

/// What waits for updates that never came may take so much.
const WAITING_BYTES: usize = 1 << 20;

/// A document in memory.
#[derive(Debug)]
pub(super) struct Replica {
    /// None after `yrs` panicked within it.
    doc: Option<Doc>,
    /// Bytes that wait for earlier updates.
    waiting: usize,
}

/// What an update from elsewhere did.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// All of it was known.
    Nothing,
    /// This was new: the update, or less.
    Change(Bytes),
    /// It waits for something earlier that nobody sent.
    Waits(Bytes),
}

impl Replica {
    /// An empty one. `client` has 53 bits.
    pub(super) fn new(client: u64) -> Self {
        let doc = Doc::with_options(Options {
            client_id: ClientID::new(client),
            offset_kind: OffsetKind::Utf16,
            // Tidying up formats is an edit, and edits are for people.
            cleanup_formatting: false,
            ..Options::default()
        });
        Self {
            doc: Some(doc),
            waiting: 0,
        }
    }

    /// Changes it, and answers the update that says how, if it changed.
    pub(super) fn edit<T>(
        &mut self,
        change: impl FnOnce(&mut TransactionMut<'_>) -> T,
    ) -> Result<(T, Option<Bytes>), DocumentError> {
        self.guarded(|doc| {
            let mut tx = doc.try_transact_mut().map_err(|_| DocumentError::Broken)?;
            let answer = change(&mut tx);
            let update = tx.has_changes().then(|| Bytes::from(tx.encode_update_v1()));
            Ok((answer, update))
        })
    }

    /// Takes in an update that was made elsewhere. `trim` when it may hold much that is known, as answers to a state vector
    /// do: they list everything that was ever deleted.
    pub(super) fn take(&mut self, update: &Bytes, trim: bool) -> Result<Taken, DocumentError> {
        if scan::update(update).map_err(refused)?.is_empty() {
            return Ok(Taken::Nothing);
        }
        let (taken, waits) = self.guarded(|doc| {
            let decoded = Update::decode_v1(update).map_err(refused)?;
            let mut tx = doc.try_transact_mut().map_err(|_| DocumentError::Broken)?;
            let waited = tx.has_missing_updates();
            tx.apply_update(decoded).map_err(refused)?;
            let waits = tx.has_missing_updates();
            let taken = if waits {
                Taken::Waits(update.clone())
            } else if waited {
                // What waited until now belongs to the change, too.
                Taken::Change(update.clone())
            } else if !tx.has_changes() {
                Taken::Nothing
            } else if trim {
                Taken::Change(tx.encode_update_v1().into())
            } else {
                Taken::Change(update.clone())
            };
            Ok((taken, waits))
        })?;
        self.waiting = if waits { self.waiting + update.len() } else { 0 };
        if self.waiting > WAITING_BYTES {
            self.waiting = 0;
            self.guarded(|doc| {
                doc.try_transact_mut()
                    .map_err(|_| DocumentError::Broken)?
                    .prune_pending();
                Ok(())
            })?;
            return Err(DocumentError::Behind);
        }
        Ok(taken)
    }

    /// What it has seen.
    pub(super) fn vector(&mut self) -> Result<Bytes, DocumentError> {
        self.read(|tx| tx.state_vector().encode_v1().into())
    }

    /// What somebody who has seen `vector` lacks.
    pub(super) fn missing(&mut self, vector: &Bytes) -> Result<Bytes, DocumentError> {
        scan::vector(vector).map_err(refused)?;
        let vector = StateVector::decode_v1(vector).map_err(refused)?;
        self.read(|tx| tx.encode_state_as_update_v1(&vector).into())
    }

    /// All of it, what waits included.
    pub(super) fn whole(&mut self) -> Result<Bytes, DocumentError> {
        self.read(|tx| tx.encode_state_as_update_v1(&StateVector::default()).into())
    }

    /// Looks at it.
    pub(super) fn read<T>(&mut self, look: impl FnOnce(&Transaction<'_>) -> T) -> Result<T, DocumentError> {
        self.guarded(|doc| Ok(look(&doc.try_transact().map_err(|_| DocumentError::Broken)?)))
    }

    fn guarded<T>(&mut self, work: impl FnOnce(&Doc) -> Result<T, DocumentError>) -> Result<T, DocumentError> {
        let doc = self.doc.as_ref().ok_or(DocumentError::Broken)?;
        match catch_unwind(AssertUnwindSafe(|| work(doc))) {
            Ok(done) => done,
            Err(_) => {
                // What is left of it may not even be safe to drop.
                std::mem::forget(self.doc.take());
                Err(DocumentError::Broken)
            }
        }
    }
}

/// Several updates of one's own as one.
pub(super) fn merged(updates: &[Bytes]) -> Result<Bytes, DocumentError> {
    match updates {
        [only] => Ok(only.clone()),
        several => match catch_unwind(|| yrs::merge_updates_v1(several)) {
            Ok(Ok(merged)) => Ok(merged.into()),
            Ok(Err(error)) => Err(refused(error)),
            Err(_) => Err(DocumentError::Broken),
        },
    }
}

fn refused(error: impl std::error::Error + Send + Sync + 'static) -> DocumentError {
    DocumentError::Refused(Box::new(error))
}
