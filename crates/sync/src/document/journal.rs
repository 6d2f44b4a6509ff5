//! A document on this machine's disk: facts are added to a file, and the file is written anew when it holds much more than the
//! document. Calls block: they end when the bytes are on the disk.

use std::path::{Path, PathBuf};

use bytes::{BufMut as _, Bytes, BytesMut};

use super::{Edit, Fact, Kept};
use crate::frame::{FrameError, Reader, put_number};
use crate::journal::{Journal, JournalError};

#[cfg(test)]
mod tests;

/// What can be had again waits for company up to so many bytes.
const WAITING_BYTES: usize = 64 << 10;
/// A file is not written anew for less.
const SLACK_BYTES: u64 = 64 << 10;

/// The first record of a file says how the others are to be read.
const FORMAT: u64 = 1;
const EPOCH: u64 = 2;
const EDIT: u64 = 3;
const HEARD: u64 = 4;
const STORED: u64 = 5;

/// Which version of the records this is.
const VERSION: u64 = 1;

/// Why a document cannot be kept.
#[derive(Debug, thiserror::Error)]
pub enum KeeperError {
    /// The file cannot be used.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// A newer program wrote it, or it is another file.
    #[error("{path} holds a record that is not understood")]
    Record {
        /// Which file.
        path: PathBuf,
        /// Why not.
        source: FrameError,
    },
    /// The document that was replaced could not be put aside.
    #[error("{path} cannot be put aside")]
    Aside {
        /// Which file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
}

/// Keeps one document.
#[derive(Debug)]
pub struct Keeper {
    path: PathBuf,
    journal: Journal,
    waiting: Vec<Bytes>,
    waiting_bytes: usize,
    /// Something waits of which nobody may be told before it is on the disk.
    is_due: bool,
    /// How long the file was when it held nothing else than the document.
    least: u64,
}

impl Keeper {
    /// Opens a file, or makes it, and answers what was kept in it.
    ///
    /// # Errors
    /// It cannot be read, or not understood.
    pub fn open(path: &Path) -> Result<(Self, Kept), KeeperError> {
        let mut kept = Kept::default();
        let mut bad = None;
        let journal = Journal::open(path, |_, record| {
            if bad.is_none() {
                bad = read(&record.into(), &mut kept).err();
            }
        })?;
        if let Some(source) = bad {
            return Err(KeeperError::Record {
                path: path.to_owned(),
                source,
            });
        }
        let mut keeper = Self {
            path: path.to_owned(),
            least: 0,
            waiting: Vec::new(),
            waiting_bytes: 0,
            is_due: false,
            journal,
        };
        if keeper.journal.length() == 0 {
            keeper.wait(format());
        }
        Ok((keeper, kept))
    }

    /// Takes facts. An edit and an epoch have to be [`Keeper::write`]n before anybody is told; answers whether that is due.
    pub fn note(&mut self, facts: Vec<Fact>) -> bool {
        for fact in facts {
            self.is_due |= matches!(fact, Fact::Epoch(_) | Fact::Edit(_));
            self.wait(record(&fact));
        }
        self.is_due || self.waiting_bytes > WAITING_BYTES
    }

    /// Writes what was noted. What could not be written is tried again the next time.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn write(&mut self) -> Result<(), KeeperError> {
        if !self.waiting.is_empty() {
            self.journal.append(&self.waiting)?;
            self.written();
        }
        Ok(())
    }

    /// The file holds much more than the document: time to [`Keeper::replace`] it.
    #[must_use]
    pub fn is_long(&self) -> bool {
        self.journal.length() > 2 * self.least + SLACK_BYTES
    }

    /// Writes everything anew, in place of all there is, what was noted included.
    ///
    /// # Errors
    /// The disk refuses. What was there is there still.
    pub fn replace(&mut self, kept: &Kept) -> Result<(), KeeperError> {
        let mut records = vec![format()];
        records.extend(kept.epoch.map(|it| record(&Fact::Epoch(it))));
        records.push(record(&Fact::Stored(kept.stored)));
        records.extend(kept.updates.iter().map(|it| record(&Fact::Heard(it.clone()))));
        records.extend(kept.pending.iter().map(|it| record(&Fact::Edit(it.clone()))));
        // Should it not work out, it is not tried again before there is twice as much.
        self.least = self.journal.length();
        self.journal.replace(&records)?;
        self.least = self.journal.length();
        self.written();
        Ok(())
    }

    /// Puts the document aside, into a file beside this one that ends in `.epoch-` and its epoch, and begins with nothing.
    ///
    /// # Errors
    /// The disk refuses. What was there is there still.
    pub fn start_over(&mut self, epoch: u64) -> Result<(), KeeperError> {
        self.write()?;
        let mut name = self.path.as_os_str().to_owned();
        name.push(format!(".epoch-{epoch}"));
        let aside = PathBuf::from(name);
        let copied = std::fs::copy(&self.path, &aside).and_then(|_| std::fs::File::open(&aside)?.sync_all());
        copied.map_err(|source| KeeperError::Aside { path: aside, source })?;
        self.replace(&Kept::default())
    }

    fn written(&mut self) {
        self.waiting.clear();
        self.waiting_bytes = 0;
        self.is_due = false;
    }

    fn wait(&mut self, record: Bytes) {
        self.waiting_bytes += record.len();
        self.waiting.push(record);
    }
}

fn format() -> Bytes {
    let mut out = BytesMut::new();
    put_number(&mut out, FORMAT);
    put_number(&mut out, VERSION);
    out.freeze()
}

fn record(fact: &Fact) -> Bytes {
    let mut out = BytesMut::new();
    match fact {
        Fact::Epoch(epoch) => {
            put_number(&mut out, EPOCH);
            put_number(&mut out, *epoch);
        }
        Fact::Edit(edit) => {
            put_number(&mut out, EDIT);
            put_number(&mut out, edit.number);
            out.put_slice(&edit.update);
        }
        Fact::Heard(update) => {
            put_number(&mut out, HEARD);
            out.put_slice(update);
        }
        Fact::Stored(number) => {
            put_number(&mut out, STORED);
            put_number(&mut out, *number);
        }
    }
    out.freeze()
}

fn read(record: &Bytes, kept: &mut Kept) -> Result<(), FrameError> {
    let mut rest = Reader::new(record);
    let rest_of = |rest: &mut Reader<'_>| rest.bytes(rest.len() as u64).map(|it| record.slice_ref(it));
    match rest.number()? {
        FORMAT => match rest.number()? {
            VERSION => {}
            newer => return Err(FrameError::Unknown(newer)),
        },
        EPOCH => kept.epoch = Some(rest.number()?),
        EDIT => {
            let number = rest.number()?;
            let update = rest_of(&mut rest)?;
            // The document is their sum in the order of the file, so an edit is also part of that.
            kept.updates.push(update.clone());
            kept.pending.push(Edit { number, update });
        }
        HEARD => {
            let update = rest_of(&mut rest)?;
            kept.updates.push(update);
        }
        STORED => {
            kept.stored = rest.number()?;
            kept.pending.retain(|it| it.number > kept.stored);
        }
        other => return Err(FrameError::Unknown(other)),
    }
    rest.end()
}
