//! A thread of somebody else's as this machine has read it: on the disk, so that it is there without the server, and so that
//! after a crash reading goes on where it ended. Nothing is told before it is kept here.

use std::path::Path;

use protocol::workspace::log::{SharedEvent, Snapshot};
use serde::{Deserialize, Serialize};

use crate::inbox::Told;
use crate::journal::{Journal, JournalError};

/// One entry of the file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Entry {
    Event(SharedEvent),
    Rebased(Snapshot),
}

/// A copy on the disk.
#[derive(Debug)]
pub struct Mirror {
    journal: Journal,
    cursor: u64,
}

impl Mirror {
    /// Opens a copy, or begins one, and hands over what is in it. One that is damaged is begun anew: the server has it all.
    ///
    /// # Errors
    /// The file cannot be used, or is open elsewhere.
    pub fn open(path: &Path, mut tell: impl FnMut(Told)) -> Result<Self, JournalError> {
        let opened = Self::read(path, &mut tell);
        if !matches!(opened, Err(JournalError::Damaged { .. })) {
            return opened;
        }
        tracing::warn!(path = %path.display(), "the copy of a thread is damaged and is read again");
        tell(Told::Reset);
        std::fs::remove_file(path).map_err(|source| JournalError::Io {
            path: path.to_owned(),
            what: "removed",
            source,
        })?;
        Self::read(path, &mut tell)
    }

    fn read(path: &Path, tell: &mut impl FnMut(Told)) -> Result<Self, JournalError> {
        let (mut cursor, mut unreadable) = (0, None);
        let journal = Journal::open(path, |at, bytes| match serde_json::from_slice(&bytes) {
            Ok(Entry::Event(event)) => {
                cursor = event.seq;
                tell(Told::Event(event));
            }
            Ok(Entry::Rebased(snapshot)) => {
                cursor = snapshot.snapshot_seq;
                tell(Told::Rebased(snapshot));
            }
            Err(_) => unreadable = unreadable.or(Some(at)),
        })?;
        match unreadable {
            Some(at) => Err(JournalError::Damaged {
                path: path.to_owned(),
                at,
            }),
            None => Ok(Self { journal, cursor }),
        }
    }

    /// The last event that is kept; 0 for none.
    #[must_use]
    pub fn cursor(&self) -> u64 {
        self.cursor
    }

    /// Keeps what an inbox said is new. It may be shown afterwards.
    ///
    /// # Errors
    /// The disk refuses. Nothing of it is kept then.
    pub fn keep(&mut self, told: &[Told]) -> Result<(), JournalError> {
        // What was kept before a snapshot is in it, and what was kept before a reset is void.
        let begin = told.iter().rposition(|it| !matches!(it, Told::Event(_)));
        let mut cursor = self.cursor;
        let mut records = Vec::with_capacity(told.len());
        for told in told.iter().skip(begin.unwrap_or(0)) {
            let entry = match told {
                Told::Event(event) => {
                    cursor = event.seq;
                    Entry::Event(event.clone())
                }
                Told::Rebased(snapshot) => {
                    cursor = snapshot.snapshot_seq;
                    Entry::Rebased(snapshot.clone())
                }
                Told::Reset => {
                    cursor = 0;
                    continue;
                }
            };
            // These types always can be written.
            records.extend(serde_json::to_vec(&entry));
        }
        match begin {
            Some(_) => self.journal.replace(&records)?,
            // The server has it, and it is read again if a power cut takes it.
            None => self.journal.jot(&records)?,
        };
        self.cursor = cursor;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn event(seq: u64) -> Told {
        Told::Event(SharedEvent {
            seq,
            event_id: format!("e{seq}"),
            at_ms: 0,
            received_at_ms: 0,
            producer_id: "mac".into(),
            producer_seq: seq,
            payload: json!({"type": "unheardOf"}),
        })
    }

    fn read(path: &Path) -> (u64, Vec<Told>) {
        let mut told = Vec::new();
        let mirror = Mirror::open(path, |it| told.push(it)).unwrap();
        (mirror.cursor(), told)
    }

    #[test]
    fn what_was_read_is_there_without_the_server() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("thread");
        let mut mirror = Mirror::open(&path, |_| ()).unwrap();
        mirror.keep(&[event(1), event(2)]).unwrap();
        mirror.keep(&[event(3)]).unwrap();
        drop(mirror);
        assert_eq!(read(&path), (3, vec![event(1), event(2), event(3)]));
        let snapshot = Told::Rebased(Snapshot {
            snapshot_seq: 9,
            ..Snapshot::default()
        });
        let mut mirror = Mirror::open(&path, |_| ()).unwrap();
        mirror.keep(&[event(4), snapshot.clone(), event(10)]).unwrap();
        drop(mirror);
        assert_eq!(read(&path), (10, vec![snapshot, event(10)]));
        let mut mirror = Mirror::open(&path, |_| ()).unwrap();
        mirror.keep(&[Told::Reset]).unwrap();
        assert_eq!(mirror.cursor(), 0);
        mirror.keep(&[event(1)]).unwrap();
        drop(mirror);
        assert_eq!(read(&path), (1, vec![event(1)]));
    }

    #[test]
    fn a_damaged_copy_is_begun_anew() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("thread");
        let mut mirror = Mirror::open(&path, |_| ()).unwrap();
        mirror.keep(&[event(1), event(2), event(3)]).unwrap();
        drop(mirror);
        let mut bytes = std::fs::read(&path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        std::fs::write(&path, &bytes).unwrap();
        let (cursor, told) = read(&path);
        assert_eq!((cursor, told.last()), (0, Some(&Told::Reset)));
        assert_eq!(read(&path), (0, Vec::new()));
    }
}
