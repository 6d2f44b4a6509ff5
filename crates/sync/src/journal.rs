//! An append-only file of records that survives a crash at any byte: what was said to be kept is there again, and a record
//! that a crash cut off is put aside, never read as something else.
//!
//! A record is its length (4 bytes, little end first), the CRC-32 of its bytes (the same), and the bytes. Calls block: they
//! end when the bytes are on the disk.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

#[cfg(test)]
mod tests;

/// What every record has before its bytes.
const HEAD: usize = 8;
/// A length above this is no length.
const LONGEST: usize = 64 * 1024 * 1024;

/// Why a journal cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The disk refused.
    #[error("{path} cannot be {what}")]
    Io {
        /// Which file.
        path: PathBuf,
        /// What was tried: `read`, `written` …
        what: &'static str,
        /// Why not.
        source: io::Error,
    },
    /// Somebody else has it open.
    #[error("{0} is open in another program")]
    Taken(PathBuf),
    /// A record in the middle is not what was written; what follows it is still there.
    #[error("{path} is damaged at byte {at}")]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// Where the record begins.
        at: u64,
    },
    /// A record has 1 byte at least and 64 MiB at most.
    #[error("a record cannot have {0} bytes")]
    Length(usize),
}

/// An open journal. Nobody else can open it at the same time.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: File,
    /// Bytes of whole records.
    length: u64,
    /// Held as long as this lives.
    _lock: File,
}

impl Journal {
    /// Opens a file, or makes it, and hands its records over in order, each with the place where it begins. What a crash cut
    /// off at the end goes into a file beside it that ends in `.cut`.
    ///
    /// # Errors
    /// The disk refuses, the file is open elsewhere, or a record in the middle is damaged.
    pub fn open(path: &Path, mut each: impl FnMut(u64, Vec<u8>)) -> Result<Self, JournalError> {
        let fail = |what| move |source| failed(path, what, source);
        let folder = folder(path);
        std::fs::create_dir_all(folder).map_err(fail("made"))?;
        let lock_path = beside(path, "lock");
        let lock = open(&lock_path).map_err(fail("opened"))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(JournalError::Taken(path.to_owned())),
            Err(TryLockError::Error(source)) => return Err(failed(path, "locked", source)),
        }
        let mut file = open(path).map_err(fail("opened"))?;
        let all = file.metadata().map_err(fail("read"))?.len();
        let mut reader = io::BufReader::new(&mut file);
        let mut length = 0;
        while let Some(record) = read(&mut reader, all - length).map_err(fail("read"))? {
            match record {
                Ok(bytes) => {
                    let begins = length;
                    length += (HEAD + bytes.len()) as u64;
                    each(begins, bytes);
                }
                Err(Bad::Cut) => break,
                Err(Bad::Damaged) => {
                    return Err(JournalError::Damaged {
                        path: path.to_owned(),
                        at: length,
                    });
                }
            }
        }
        drop(reader);
        if length < all {
            put_aside(path, &mut file, length).map_err(fail("repaired"))?;
        }
        sync_folder(folder).map_err(fail("kept"))?;
        Ok(Self {
            path: path.to_owned(),
            file,
            length,
            _lock: lock,
        })
    }

    /// Adds records, and answers where each begins when all of them are on the disk. After an error none of them is there.
    ///
    /// # Errors
    /// The disk refuses, or a record is empty or too long.
    pub fn append<R: AsRef<[u8]>>(&mut self, records: &[R]) -> Result<Vec<u64>, JournalError> {
        let before = self.length;
        let places = self.jot(records)?;
        if let Err(source) = self.file.sync_data() {
            self.length = before;
            let _ = self.file.set_len(before);
            return Err(failed(&self.path, "written", source));
        }
        Ok(places)
    }

    /// Adds records without waiting for the disk: for what can be had again. A power cut may lose or spoil them.
    ///
    /// # Errors
    /// The disk refuses, or a record is empty or too long.
    pub fn jot<R: AsRef<[u8]>>(&mut self, records: &[R]) -> Result<Vec<u64>, JournalError> {
        let (mut bytes, mut places) = (Vec::new(), Vec::with_capacity(records.len()));
        for record in records {
            places.push(self.length + bytes.len() as u64);
            write(&mut bytes, record.as_ref())?;
        }
        let written = self
            .file
            .seek(SeekFrom::Start(self.length))
            .and_then(|_| self.file.write_all(&bytes));
        if let Err(source) = written {
            // Should this fail too, the next append writes over the rest, and an open puts it aside.
            let _ = self.file.set_len(self.length);
            return Err(failed(&self.path, "written", source));
        }
        self.length += bytes.len() as u64;
        Ok(places)
    }

    /// Reads the record that begins at a place.
    ///
    /// # Errors
    /// The disk refuses, or no whole record begins there.
    pub fn read(&mut self, at: u64) -> Result<Vec<u8>, JournalError> {
        let left = self.length.saturating_sub(at);
        let found = self
            .file
            .seek(SeekFrom::Start(at))
            .and_then(|_| read(&mut self.file, left))
            .map_err(|source| failed(&self.path, "read", source))?;
        match found {
            Some(Ok(bytes)) => Ok(bytes),
            Some(Err(_)) | None => Err(JournalError::Damaged {
                path: self.path.clone(),
                at,
            }),
        }
    }

    /// Puts other records in the place of all there are, and answers where each begins. A crash leaves the old ones or the
    /// new ones.
    ///
    /// # Errors
    /// The disk refuses, or a record is empty or too long. The old records are there then.
    pub fn replace<R: AsRef<[u8]>>(&mut self, records: &[R]) -> Result<Vec<u64>, JournalError> {
        let (mut bytes, mut places) = (Vec::new(), Vec::with_capacity(records.len()));
        for record in records {
            places.push(bytes.len() as u64);
            write(&mut bytes, record.as_ref())?;
        }
        let fresh_path = beside(&self.path, "new");
        let made = open(&fresh_path).and_then(|mut it| {
            it.set_len(0)?;
            it.write_all(&bytes)?;
            it.sync_all()?;
            Ok(it)
        });
        let fresh = made.map_err(|source| failed(&fresh_path, "written", source))?;
        std::fs::rename(&fresh_path, &self.path).map_err(|source| failed(&self.path, "replaced", source))?;
        self.file = fresh;
        self.length = bytes.len() as u64;
        sync_folder(folder(&self.path)).map_err(|source| failed(&self.path, "kept", source))?;
        Ok(places)
    }

    /// Bytes of all records.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.length
    }
}

/// Why bytes are no record.
enum Bad {
    /// A crash may have left them so.
    Cut,
    /// It cannot.
    Damaged,
}

/// The next record of `left` bytes; none at the end.
fn read(from: &mut impl Read, left: u64) -> io::Result<Option<Result<Vec<u8>, Bad>>> {
    if left == 0 {
        return Ok(None);
    }
    let Some(room) = left.checked_sub(HEAD as u64) else {
        return Ok(Some(Err(Bad::Cut)));
    };
    let (mut length, mut sum) = ([0; 4], [0; 4]);
    from.read_exact(&mut length)?;
    from.read_exact(&mut sum)?;
    let length = u32::from_le_bytes(length) as usize;
    if length as u64 > room {
        return Ok(Some(Err(Bad::Cut)));
    }
    if length > LONGEST {
        return Ok(Some(Err(Bad::Damaged)));
    }
    let mut bytes = vec![0; length];
    from.read_exact(&mut bytes)?;
    if length > 0 && crc32fast::hash(&bytes) == u32::from_le_bytes(sum) {
        return Ok(Some(Ok(bytes)));
    }
    // A file may grow before its bytes come: then it ends in zeros. It may also end in a record of which some are missing.
    let is_cut = length as u64 == room || only_zeros(from)?;
    Ok(Some(Err(if is_cut { Bad::Cut } else { Bad::Damaged })))
}

fn only_zeros(from: &mut impl Read) -> io::Result<bool> {
    let mut piece = [0; 4096];
    loop {
        match from.read(&mut piece)? {
            0 => return Ok(true),
            count if piece.iter().take(count).any(|it| *it != 0) => return Ok(false),
            _ => {}
        }
    }
}

fn write(to: &mut Vec<u8>, record: &[u8]) -> Result<(), JournalError> {
    let length = u32::try_from(record.len()).ok().filter(|_| record.len() <= LONGEST);
    let Some(length) = length.filter(|it| *it > 0) else {
        return Err(JournalError::Length(record.len()));
    };
    to.extend_from_slice(&length.to_le_bytes());
    to.extend_from_slice(&crc32fast::hash(record).to_le_bytes());
    to.extend_from_slice(record);
    Ok(())
}

/// Nothing is thrown away, though nobody was told that it was kept.
fn put_aside(path: &Path, file: &mut File, length: u64) -> io::Result<()> {
    let mut rest = Vec::new();
    file.seek(SeekFrom::Start(length))?;
    file.read_to_end(&mut rest)?;
    let mut aside = open(&beside(path, "cut"))?;
    aside.seek(SeekFrom::End(0))?;
    aside.write_all(&rest)?;
    aside.sync_all()?;
    file.set_len(length)?;
    file.sync_all()
}

fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// A renamed or new file is there after a crash only if its folder is on the disk too.
fn sync_folder(folder: &Path) -> io::Result<()> {
    #[cfg(unix)]
    File::open(folder)?.sync_all()?;
    #[cfg(not(unix))]
    let _ = folder;
    Ok(())
}

fn folder(path: &Path) -> &Path {
    path.parent()
        .filter(|it| !it.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    PathBuf::from(name)
}

fn failed(path: &Path, what: &'static str, source: io::Error) -> JournalError {
    JournalError::Io {
        path: path.to_owned(),
        what,
        source,
    }
}
