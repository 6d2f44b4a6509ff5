//! Outputs of commands: written as they come, read by windows of lines while they still grow.
//!
//! Beside each output lies an index of where every 1024th line begins. It covers a beginning of the output, may be
//! missing, and is extended by whoever had to look further.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use protocol::item::OutputRef;
use protocol::request::OutputWindow;

/// Lines from one mark to the next.
const STEP: u64 = 1024;
/// Bytes read at once.
const BLOCK: usize = 256 * 1024;
/// Bytes shown of one line.
const LINE: usize = 4 * 1024;
/// Lines of one window.
const LINES: u32 = 10_000;

/// The file of the output named `blob` in `folder`; `None` when that is no such name.
#[must_use]
pub fn output_path(folder: &Path, blob: &str) -> Option<PathBuf> {
    let name = !blob.is_empty()
        && blob
            .bytes()
            .all(|it| it.is_ascii_alphanumeric() || matches!(it, b'-' | b'_'));
    name.then(|| folder.join(format!("{blob}.out")))
}

/// Writes the output of one command.
#[derive(Debug)]
pub struct Writer {
    file: File,
    path: PathBuf,
    name: String,
    bytes: u64,
    marks: Marks,
    /// The last byte was not a newline.
    open_line: bool,
}

impl Writer {
    /// A new, empty output in `folder`.
    ///
    /// # Errors
    /// When the file cannot be made.
    pub fn create(folder: &Path, name: &str) -> io::Result<Self> {
        std::fs::create_dir_all(folder)?;
        let path = output_path(folder, name).ok_or(io::ErrorKind::InvalidInput)?;
        Ok(Self {
            file: File::create(&path)?,
            path,
            name: name.to_owned(),
            bytes: 0,
            marks: Marks::default(),
            open_line: false,
        })
    }

    /// Appends a piece.
    ///
    /// # Errors
    /// When the disk says no.
    pub fn append(&mut self, piece: &[u8]) -> io::Result<()> {
        self.file.write_all(piece)?;
        self.marks.scan(piece, self.bytes);
        self.bytes += piece.len() as u64;
        if let Some(last) = piece.last() {
            self.open_line = *last != b'\n';
        }
        Ok(())
    }

    /// Bytes so far.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Lines so far; one that did not end yet counts.
    #[must_use]
    pub fn lines(&self) -> u64 {
        self.marks.newlines + u64::from(self.open_line)
    }

    /// What an item says of the output so far.
    #[must_use]
    pub fn reference(&self) -> OutputRef {
        OutputRef {
            blob: self.name.clone(),
            bytes: self.bytes,
            lines: self.lines(),
        }
    }

    /// Nothing more comes.
    #[must_use]
    pub fn finish(self) -> OutputRef {
        self.marks.save(&self.path);
        self.reference()
    }
}

/// Reads up to `limit` lines of the output at `path`, from `line` on or from the first line after it with `query`.
///
/// # Errors
/// When the output cannot be read.
pub fn read(path: &Path, line: u64, limit: u32, query: Option<&str>) -> io::Result<OutputWindow> {
    let file = File::open(path)?;
    let marks = Marks::complete(&file, path)?;
    let total = marks.newlines + u64::from(marks.open_line);
    let empty = |exhausted| OutputWindow {
        line,
        lines: Vec::new(),
        total,
        exhausted,
    };
    if line >= total {
        return Ok(empty(query.is_some()));
    }
    let start = Start {
        line,
        offset: marks.offset_of(&file, line)?,
    };
    let start = match query.filter(|it| !it.is_empty()) {
        None => start,
        Some(query) => match find(&file, start, marks.covered, query.as_bytes())? {
            Some(start) => start,
            None => return Ok(empty(true)),
        },
    };
    Ok(OutputWindow {
        line: start.line,
        lines: lines(&file, start.offset, marks.covered, limit.min(LINES))?,
        total,
        exhausted: false,
    })
}

/// Where a line begins.
#[derive(Clone, Copy)]
struct Start {
    line: u64,
    offset: u64,
}

/// Where every [`STEP`]th line begins, as far as the output was looked at.
#[derive(Debug, Default)]
struct Marks {
    covered: u64,
    newlines: u64,
    /// Of lines `STEP`, `2 * STEP` …
    offsets: Vec<u64>,
    /// What was looked at does not end with a newline.
    open_line: bool,
}

impl Marks {
    fn scan(&mut self, piece: &[u8], at: u64) {
        for newline in memchr::memchr_iter(b'\n', piece) {
            self.newlines += 1;
            if self.newlines.is_multiple_of(STEP) {
                self.offsets.push(at + newline as u64 + 1);
            }
        }
        if let Some(last) = piece.last() {
            self.open_line = *last != b'\n';
        }
        self.covered = at + piece.len() as u64;
    }

    /// The marks of the whole output as it is now.
    fn complete(file: &File, path: &Path) -> io::Result<Self> {
        let len = file.metadata()?.len();
        let mut marks = Self::load(path).filter(|it| it.covered <= len).unwrap_or_default();
        let known = marks.covered;
        blocks(file, known, len, |offset, block| {
            marks.scan(block, offset);
            true
        })?;
        if marks.covered - known > 4 * BLOCK as u64 {
            marks.save(path);
        }
        Ok(marks)
    }

    fn load(path: &Path) -> Option<Self> {
        let bytes = std::fs::read(path.with_extension("lines")).ok()?;
        let mut numbers = bytes
            .chunks_exact(8)
            .filter_map(|it| it.try_into().ok().map(u64::from_le_bytes));
        let (covered, newlines, open_line) = (numbers.next()?, numbers.next()?, numbers.next()? != 0);
        let offsets: Vec<u64> = numbers.collect();
        (offsets.len() as u64 == newlines / STEP).then_some(Self {
            covered,
            newlines,
            offsets,
            open_line,
        })
    }

    fn save(&self, path: &Path) {
        let numbers = [self.covered, self.newlines, u64::from(self.open_line)];
        let bytes: Vec<u8> = numbers
            .iter()
            .chain(&self.offsets)
            .flat_map(|it| it.to_le_bytes())
            .collect();
        let write = || {
            let mut draft = tempfile::NamedTempFile::new_in(path.parent().unwrap_or(Path::new(".")))?;
            draft.write_all(&bytes)?;
            draft.persist(path.with_extension("lines")).map_err(|error| error.error)
        };
        // Without it the next reader counts again.
        if let Err(error) = write() {
            tracing::debug!(path = %path.display(), %error, "the line index of an output was not kept");
        }
    }

    fn offset_of(&self, file: &File, line: u64) -> io::Result<u64> {
        let mark = usize::try_from(line / STEP).unwrap_or(usize::MAX);
        let from = mark
            .checked_sub(1)
            .and_then(|it| self.offsets.get(it))
            .copied()
            .unwrap_or(0);
        let mut left = line % STEP;
        let mut found = from;
        if left > 0 {
            blocks(file, from, self.covered, |offset, block| {
                for newline in memchr::memchr_iter(b'\n', block) {
                    left -= 1;
                    if left == 0 {
                        found = offset + newline as u64 + 1;
                        return false;
                    }
                }
                true
            })?;
        }
        Ok(found)
    }
}

/// The first line from `start` on that contains `query`.
fn find(file: &File, start: Start, end: u64, query: &[u8]) -> io::Result<Option<Start>> {
    let finder = memchr::memmem::Finder::new(query);
    let mut place = start;
    // The end of the last block, in which a match may have begun.
    let mut carry: Vec<u8> = Vec::new();
    let mut found = None;
    blocks(file, start.offset, end, |offset, block| {
        let base = offset - carry.len() as u64;
        carry.extend_from_slice(block);
        let hit = finder.find(&carry);
        let upto = hit.unwrap_or_else(|| carry.len().saturating_sub(query.len() - 1));
        let passed = carry.get(..upto).unwrap_or_default();
        place.line += memchr::memchr_iter(b'\n', passed).count() as u64;
        if let Some(newline) = memchr::memrchr(b'\n', passed) {
            place.offset = base + newline as u64 + 1;
        }
        if hit.is_some() {
            found = Some(place);
            return false;
        }
        carry.drain(..upto);
        true
    })?;
    Ok(found)
}

fn lines(file: &File, from: u64, end: u64, limit: u32) -> io::Result<Vec<String>> {
    let limit = limit as usize;
    let mut lines = Vec::new();
    let mut line: Vec<u8> = Vec::new();
    let mut open = false;
    let keep = |line: &mut Vec<u8>, piece: &[u8]| {
        let room = LINE.saturating_sub(line.len()).min(piece.len());
        line.extend_from_slice(piece.get(..room).unwrap_or_default());
    };
    if limit == 0 {
        return Ok(lines);
    }
    blocks(file, from, end, |_, block| {
        let mut rest = block;
        while let Some(newline) = memchr::memchr(b'\n', rest) {
            let (piece, after) = rest.split_at(newline);
            keep(&mut line, piece);
            lines.push(shown(&line));
            line.clear();
            open = false;
            rest = after.get(1..).unwrap_or_default();
            if lines.len() == limit {
                return false;
            }
        }
        open |= !rest.is_empty();
        keep(&mut line, rest);
        true
    })?;
    if open && lines.len() < limit {
        lines.push(shown(&line));
    }
    Ok(lines)
}

fn shown(line: &[u8]) -> String {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    String::from_utf8_lossy(line).into_owned()
}

/// Calls `visit(offset, block)` for what lies in `from..to`, until it says no.
fn blocks(file: &File, from: u64, to: u64, mut visit: impl FnMut(u64, &[u8]) -> bool) -> io::Result<()> {
    use std::io::{Read, Seek};
    let mut file = file;
    file.seek(io::SeekFrom::Start(from))?;
    let mut buffer = vec![0; BLOCK.min(usize::try_from(to.saturating_sub(from)).unwrap_or(BLOCK))];
    let mut at = from;
    while at < to {
        let want = usize::try_from(to - at).unwrap_or(BLOCK).min(buffer.len());
        let read = match file.read(buffer.get_mut(..want).unwrap_or_default()) {
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        if read == 0 || !visit(at, buffer.get(..read).unwrap_or_default()) {
            break;
        }
        at += read as u64;
    }
    Ok(())
}
