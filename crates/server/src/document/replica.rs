//! One document in memory: the bytes as they lie on the disk until somebody needs more than all of it, then a `yrs` document.
//! Whatever `yrs` does with hostile bytes ends here: panics are caught and the document is given up, never its process.

use std::panic::{AssertUnwindSafe, catch_unwind};

use bytes::Bytes;
use sync::frame::NOTHING_SEEN;
use sync::scan;
use yrs::updates::decoder::Decode as _;
use yrs::updates::encoder::Encode as _;
use yrs::{Doc, OffsetKind, Options, ReadTxn as _, StateVector, Transact as _, Update, WriteTxn as _};

use crate::store::documents::Stored;

#[cfg(test)]
mod tests;

/// What waits for updates that never came may take so much.
const PENDING_BYTES: usize = 1 << 20;

/// A document in memory.
#[derive(Debug)]
pub(crate) struct Replica {
    form: Form,
    /// About what it takes, in bytes.
    size: usize,
    /// Of what waits for earlier updates.
    pending: usize,
}

#[derive(Debug)]
enum Form {
    /// As on the disk.
    Stored {
        snapshot: Option<(Bytes, Bytes)>,
        tail: Vec<Bytes>,
    },
    /// Taken up by `yrs`, with all of it encoded once it was asked for.
    Built { doc: Doc, whole: Option<Bytes> },
    /// `yrs` panicked within it. It has to be read from the disk again.
    Broken,
}

/// What an update did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Applied {
    /// Nothing: all of it was known.
    Nothing,
    /// This, which is what others lack: the update itself, or less.
    Change(Bytes),
}

/// Why a document did not do it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReplicaError {
    /// The bytes were refused; the document is as it was.
    #[error("the update is refused")]
    Refused(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Too much waits for updates that did not come. What waited was let go.
    #[error("too much waits for earlier updates")]
    Pending,
    /// The document would become larger than documents may be.
    #[error("the document is full")]
    TooLarge,
    /// `yrs` panicked. The document has to be read again.
    #[error("the document broke")]
    Broken,
}

impl From<scan::ScanError> for ReplicaError {
    fn from(error: scan::ScanError) -> Self {
        Self::Refused(Box::new(error))
    }
}

impl From<yrs::encoding::read::Error> for ReplicaError {
    fn from(error: yrs::encoding::read::Error) -> Self {
        Self::Refused(Box::new(error))
    }
}

impl Replica {
    /// As it was read.
    pub(crate) fn of(stored: Stored) -> Self {
        let snapshot = stored.snapshot.as_ref().map_or(0, |(_, state)| state.len());
        Self {
            size: snapshot + stored.tail.iter().map(Bytes::len).sum::<usize>(),
            form: Form::Stored {
                snapshot: stored.snapshot,
                tail: stored.tail,
            },
            pending: 0,
        }
    }

    /// About what it takes, in bytes.
    pub(crate) fn size(&self) -> usize {
        self.size
    }

    /// What it has seen, as far as that is known without work. Too little only makes the other side send too much.
    pub(crate) fn vector(&mut self) -> Bytes {
        match &self.form {
            Form::Stored {
                snapshot: Some((vector, _)),
                ..
            } => vector.clone(),
            Form::Stored { .. } | Form::Broken => Bytes::from_static(NOTHING_SEEN),
            Form::Built { doc, .. } => doc.try_transact().map_or_else(
                |_| Bytes::from_static(NOTHING_SEEN),
                |it| it.state_vector().encode_v1().into(),
            ),
        }
    }

    /// What somebody who has seen `vector` lacks, in one piece or several that may be sent one after the other.
    pub(crate) fn missing(&mut self, vector: &Bytes) -> Result<Vec<Bytes>, ReplicaError> {
        scan::vector(vector)?;
        if **vector == *NOTHING_SEEN {
            if let Form::Stored { snapshot, tail } = &self.form {
                return Ok(snapshot.iter().map(|(_, state)| state).chain(tail).cloned().collect());
            }
            return Ok(vec![self.whole()?]);
        }
        let vector = StateVector::decode_v1(vector)?;
        self.guarded(|doc, _| Ok(vec![read(doc)?.encode_state_as_update_v1(&vector).into()]))
    }

    /// All of it.
    pub(crate) fn whole(&mut self) -> Result<Bytes, ReplicaError> {
        self.guarded(|doc, whole| {
            if let Some(whole) = whole {
                return Ok(whole.clone());
            }
            let state = Bytes::from(read(doc)?.encode_state_as_update_v1(&StateVector::default()));
            *whole = Some(state.clone());
            Ok(state)
        })
    }

    /// What it has seen and all of it, as a snapshot has them.
    pub(crate) fn fold(&mut self) -> Result<(Bytes, Bytes), ReplicaError> {
        let state = self.whole()?;
        self.size = state.len();
        Ok((self.vector(), state))
    }

    /// Takes an update in. `trim` when it may hold much that is known here, as answers to a state vector do: they always
    /// list everything that was ever deleted.
    pub(crate) fn apply(&mut self, update: &Bytes, trim: bool) -> Result<Applied, ReplicaError> {
        if scan::update(update)?.is_empty() {
            return Ok(Applied::Nothing);
        }
        let waited = self.pending;
        let (applied, waits) = self.guarded(|doc, whole| {
            let decoded = Update::decode_v1(update)?;
            let mut tx = doc.try_transact_mut().map_err(|_| ReplicaError::Broken)?;
            let waited = tx.has_missing_updates();
            tx.apply_update(decoded)
                .map_err(|it| ReplicaError::Refused(Box::new(it)))?;
            let waits = tx.has_missing_updates();
            // What waits is known to nobody here, so it goes out and to the disk as it came.
            let applied = if waited || waits {
                Applied::Change(update.clone())
            } else if !tx.has_changes() {
                Applied::Nothing
            } else if trim {
                Applied::Change(tx.encode_update_v1().into())
            } else {
                Applied::Change(update.clone())
            };
            if applied != Applied::Nothing {
                *whole = None;
            }
            Ok((applied, waits))
        })?;
        if let Applied::Change(change) = &applied {
            self.size += change.len();
        }
        self.pending = if waits { waited + update.len() } else { 0 };
        if self.pending > PENDING_BYTES {
            self.pending = 0;
            self.guarded(|doc, whole| {
                *whole = None;
                doc.try_transact_mut()
                    .map_err(|_| ReplicaError::Broken)?
                    .prune_pending();
                Ok(())
            })?;
            return Err(ReplicaError::Pending);
        }
        Ok(applied)
    }

    /// Works on the document after it was taken up, and gives it up when that panics.
    fn guarded<T>(
        &mut self,
        work: impl FnOnce(&Doc, &mut Option<Bytes>) -> Result<T, ReplicaError>,
    ) -> Result<T, ReplicaError> {
        let done = catch_unwind(AssertUnwindSafe(|| {
            if let Form::Stored { snapshot, tail } = &self.form {
                let doc = empty();
                let mut tx = doc.try_transact_mut().map_err(|_| ReplicaError::Broken)?;
                for update in snapshot.iter().map(|(_, state)| state).chain(tail) {
                    tx.apply_update(Update::decode_v1(update)?)
                        .map_err(|it| ReplicaError::Refused(Box::new(it)))?;
                }
                drop(tx);
                self.form = Form::Built { doc, whole: None };
            }
            match &mut self.form {
                Form::Built { doc, whole } => work(doc, whole),
                Form::Stored { .. } | Form::Broken => Err(ReplicaError::Broken),
            }
        }));
        done.unwrap_or_else(|_| {
            // What is left of it may not even be safe to drop.
            std::mem::forget(std::mem::replace(&mut self.form, Form::Broken));
            Err(ReplicaError::Broken)
        })
    }
}

/// The update that leads from `current` back to what `version` shows, as an edit like any other: those who are offline
/// now can still merge theirs. The edits since then are taken in under an undo manager, and undone.
pub(crate) fn way_back(current: &Bytes, version: &Bytes) -> Result<Bytes, ReplicaError> {
    let done = catch_unwind(AssertUnwindSafe(|| {
        let now = built(current)?;
        let seen = read(&now)?.state_vector();
        let names: Vec<String> = read(&now)?.root_refs().map(|(name, _)| name.to_owned()).collect();
        let doc = built(version)?;
        let mut undo = yrs::undo::UndoManager::<()>::new();
        for name in names {
            // The kind of a root is only how it is looked at; undoing goes by items.
            let root = doc
                .try_transact_mut()
                .map_err(|_| ReplicaError::Broken)?
                .get_or_insert_map(name);
            undo.expand_scope(&doc, &root);
        }
        undo.include_origin("since");
        {
            let mut tx = doc.try_transact_mut_with("since").map_err(|_| ReplicaError::Broken)?;
            tx.apply_update(Update::decode_v1(current)?)
                .map_err(|it| ReplicaError::Refused(Box::new(it)))?;
        }
        while undo.undo_blocking() {}
        let back = read(&doc)?.encode_state_as_update_v1(&seen);
        Ok(back.into())
    }));
    done.unwrap_or(Err(ReplicaError::Broken))
}

fn built(state: &Bytes) -> Result<Doc, ReplicaError> {
    let doc = empty();
    doc.try_transact_mut()
        .map_err(|_| ReplicaError::Broken)?
        .apply_update(Update::decode_v1(state)?)
        .map_err(|it| ReplicaError::Refused(Box::new(it)))?;
    Ok(doc)
}

fn empty() -> Doc {
    Doc::with_options(Options {
        offset_kind: OffsetKind::Utf16,
        // Tidying up formats is an edit, and edits are for people.
        cleanup_formatting: false,
        ..Options::default()
    })
}

fn read(doc: &Doc) -> Result<yrs::Transaction<'_>, ReplicaError> {
    doc.try_transact().map_err(|_| ReplicaError::Broken)
}
