//! Large contents beside the log: files by their SHA-256, and outputs of commands that grow while they are read.

mod output;

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

pub use output::{Writer, output_path, read};

use crate::home::Home;

/// Bytes copied at once.
const BLOCK: usize = 256 * 1024;

/// Contents by their SHA-256. Putting the same content twice keeps it once.
#[derive(Debug, Clone)]
pub struct Blobs {
    root: PathBuf,
}

impl Blobs {
    /// The contents kept in `home`.
    #[must_use]
    pub fn new(home: &Home) -> Self {
        Self { root: home.blobs() }
    }

    /// Keeps the content of a file and gives back its name. Streams, so size does not matter.
    ///
    /// # Errors
    /// When the file cannot be read or the copy not written.
    pub fn put_file(&self, path: &Path) -> io::Result<String> {
        self.put_from(&mut File::open(path)?)
    }

    /// Keeps `bytes` and gives back their name.
    ///
    /// # Errors
    /// When the copy cannot be written.
    pub fn put(&self, mut bytes: &[u8]) -> io::Result<String> {
        let hash = hex(&Sha256::digest(bytes));
        if self.path(&hash).is_some_and(|it| it.exists()) {
            return Ok(hash);
        }
        self.put_from(&mut bytes)
    }

    fn put_from(&self, source: &mut dyn Read) -> io::Result<String> {
        std::fs::create_dir_all(&self.root)?;
        let mut draft = tempfile::NamedTempFile::new_in(&self.root)?;
        let mut hash = Sha256::new();
        let mut buffer = vec![0; BLOCK];
        loop {
            let count = match source.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            let bytes = buffer.get(..count).unwrap_or_default();
            hash.update(bytes);
            draft.write_all(bytes)?;
        }
        let hash = hex(&hash.finalize());
        let path = self.path(&hash).ok_or(io::ErrorKind::InvalidInput)?;
        if !path.exists() {
            if let Some(folder) = path.parent() {
                std::fs::create_dir_all(folder)?;
            }
            draft.persist(&path).map_err(|error| error.error)?;
        }
        Ok(hash)
    }

    /// Where the content named `hash` is, if there; `None` when `hash` is no such name.
    #[must_use]
    pub fn path(&self, hash: &str) -> Option<PathBuf> {
        let name = hash.len() == 64 && hash.bytes().all(|it| matches!(it, b'0'..=b'9' | b'a'..=b'f'));
        let folder = hash.get(..2).filter(|_| name)?;
        Some(self.root.join(folder).join(hash))
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, it| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{it:02x}");
        text
    })
}
