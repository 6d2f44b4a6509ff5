//! The rollout file of one thread: one JSON event a line, appended only. Knows lines and offsets, not what events mean.
//!
//! Lines begin with `{"seq":N,"atMs":N,"type":"…"`, and `seq` only grows, so a place in the file is found by bisection
//! and uninteresting lines are passed over unparsed.

use std::fs::File;
use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use protocol::{Event, ThreadId};

/// Bytes read at once.
const BLOCK: usize = 64 * 1024;

/// Where the rollout of `id` is below `root`; `None` when `id` is no UUIDv7 and so names no thread.
///
/// The path follows from the id alone, so finding a thread needs no index.
pub(super) fn path(root: &Path, id: &ThreadId) -> Option<PathBuf> {
    let uuid = uuid::Uuid::try_parse(id.as_str()).ok()?;
    if uuid.get_version_num() != 7 || uuid.hyphenated().to_string() != id.as_str() {
        return None;
    }
    let (seconds, _) = uuid.get_timestamp()?.to_unix();
    let born = jiff::Timestamp::from_second(i64::try_from(seconds).ok()?).ok()?;
    let date = born.to_zoned(jiff::tz::TimeZone::UTC).date();
    Some(
        root.join(format!("{:04}", date.year()))
            .join(format!("{:02}", date.month()))
            .join(format!("{id}.jsonl")),
    )
}

/// The thread whose rollout `path` is.
pub(super) fn id_of(path: &Path) -> Option<ThreadId> {
    if path.extension()? != "jsonl" {
        return None;
    }
    Some(ThreadId::from(path.file_stem()?.to_str()?))
}

/// The beginning of a line: enough to know whether to parse the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Prefix<'a> {
    pub(super) seq: u64,
    pub(super) kind: &'a str,
}

/// Reads the beginning of a line without parsing it; `None` when it is not one of ours.
pub(super) fn prefix(line: &[u8]) -> Option<Prefix<'_>> {
    let rest = line.strip_prefix(b"{\"seq\":")?;
    let (seq, rest) = digits(rest)?;
    let rest = rest.strip_prefix(b",\"atMs\":")?;
    let (_, rest) = digits(rest)?;
    let rest = rest.strip_prefix(b",\"type\":\"")?;
    let end = memchr::memchr(b'"', rest)?;
    let kind = std::str::from_utf8(rest.get(..end)?).ok()?;
    Some(Prefix { seq, kind })
}

fn digits(text: &[u8]) -> Option<(u64, &[u8])> {
    let end = text.iter().position(|it| !it.is_ascii_digit())?;
    let (number, rest) = text.split_at_checked(end)?;
    Some((std::str::from_utf8(number).ok()?.parse().ok()?, rest))
}

/// A line, understood as far as this version can.
#[derive(Debug)]
pub(super) enum Line {
    Event(Box<Event>),
    /// Written by a newer version, or damaged. It keeps its place: `seq` if it can be read.
    Strange {
        seq: Option<u64>,
        why: serde_json::Error,
    },
}

/// Parses a line.
pub(super) fn parse(line: &[u8]) -> Line {
    match serde_json::from_slice::<Event>(line) {
        Ok(event) => Line::Event(Box::new(event)),
        Err(why) => Line::Strange {
            seq: prefix(line).map(|it| it.seq),
            why,
        },
    }
}

/// Parses lines in order and counts `seq` over those that cannot be read.
pub(super) struct Lines {
    pub(super) seq: u64,
}

impl Lines {
    /// The event of the next line, if this version understands it.
    pub(super) fn next(&mut self, line: &[u8], file: &Path) -> Option<Event> {
        match parse(line) {
            Line::Event(event) => {
                self.seq = self.seq.max(event.seq);
                Some(*event)
            }
            Line::Strange { seq, why } => {
                self.pass(seq);
                tracing::warn!(file = %file.display(), seq = self.seq, %why, "a line of a rollout was passed over");
                None
            }
        }
    }

    /// Counts a line without reading it.
    pub(super) fn pass(&mut self, seq: Option<u64>) {
        self.seq = seq.map_or(self.seq + 1, |it| self.seq.max(it));
    }
}

/// Reads into `buffer` at `offset`, until it is full or the file ends.
pub(super) fn read_at(file: &File, mut buffer: &mut [u8], mut offset: u64) -> io::Result<usize> {
    let mut total = 0;
    while !buffer.is_empty() {
        #[cfg(unix)]
        let read = std::os::unix::fs::FileExt::read_at(file, buffer, offset);
        #[cfg(windows)]
        let read = std::os::windows::fs::FileExt::seek_read(file, buffer, offset);
        match read {
            Ok(0) => break,
            Ok(count) => {
                total += count;
                offset += count as u64;
                buffer = buffer.get_mut(count..).unwrap_or_default();
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(total)
}

/// Calls `visit(offset, line)` for each whole line in `from..to`, in order; the newline is not part of it.
/// Gives back the offset after the last line visited.
pub(super) fn forwards(
    file: &File,
    from: u64,
    to: u64,
    mut visit: impl FnMut(u64, &[u8]) -> ControlFlow<()>,
) -> io::Result<u64> {
    let mut buffer: Vec<u8> = Vec::new();
    let mut start = from;
    loop {
        let have = buffer.len();
        let at = start + have as u64;
        let want = usize::try_from(to.saturating_sub(at))
            .unwrap_or(usize::MAX)
            .min(BLOCK.max(have));
        if want == 0 {
            return Ok(start);
        }
        buffer.resize(have + want, 0);
        let read = read_at(file, buffer.get_mut(have..).unwrap_or_default(), at)?;
        buffer.truncate(have + read);
        if read == 0 {
            return Ok(start);
        }
        let mut used = 0;
        let mut search = have;
        while let Some(end) = memchr::memchr(b'\n', buffer.get(search..).unwrap_or_default()) {
            let end = search + end;
            let flow = visit(start + used as u64, buffer.get(used..end).unwrap_or_default());
            used = end + 1;
            search = used;
            if flow.is_break() {
                return Ok(start + used as u64);
            }
        }
        buffer.drain(..used);
        start += used as u64;
    }
}

/// Calls `visit(offset, line)` for each whole line that ends at or before `end`, the last one first.
/// `end` is the offset after a newline.
pub(super) fn backwards(file: &File, end: u64, mut visit: impl FnMut(u64, &[u8]) -> ControlFlow<()>) -> io::Result<()> {
    let mut tail: Vec<u8> = Vec::new();
    let mut start = end;
    while start > 0 {
        // Long lines make the block grow, so that a line is not copied once for each block.
        let step = (BLOCK.max(tail.len()) as u64).min(start);
        start -= step;
        let mut block = vec![0; usize::try_from(step).unwrap_or(BLOCK)];
        let read = read_at(file, &mut block, start)?;
        block.truncate(read);
        block.append(&mut tail);
        let mut upto = block.len();
        loop {
            // The newline that ends the line at `..upto` is its last byte; the one before it begins the line.
            let body = block.get(..upto.saturating_sub(1)).unwrap_or_default();
            let begin = match memchr::memrchr(b'\n', body) {
                Some(newline) => newline + 1,
                None if start == 0 => 0,
                None => break,
            };
            if upto > 0 && visit(start + begin as u64, body.get(begin..).unwrap_or_default()).is_break() {
                return Ok(());
            }
            upto = begin;
            if upto == 0 {
                break;
            }
        }
        block.truncate(upto);
        tail = block;
    }
    Ok(())
}

/// The offset after the last newline at or before `len`.
pub(super) fn whole_lines(file: &File, len: u64) -> io::Result<u64> {
    let mut end = len;
    while end > 0 {
        let step = (BLOCK as u64).min(end);
        let mut block = vec![0; usize::try_from(step).unwrap_or(BLOCK)];
        let read = read_at(file, &mut block, end - step)?;
        if let Some(newline) = memchr::memrchr(b'\n', block.get(..read).unwrap_or_default()) {
            return Ok(end - step + newline as u64 + 1);
        }
        end -= step;
    }
    Ok(0)
}

/// The offset of the first line after event `after`, found by bisection. `len` ends at a newline.
pub(super) fn locate(file: &File, after: u64, len: u64) -> io::Result<u64> {
    if after == 0 {
        return Ok(0);
    }
    // Invariant: the line to find begins in `low..=high`, and both are beginnings of lines.
    let (mut low, mut high) = (0, len);
    while low < high {
        let middle = low + (high - low) / 2;
        match first_readable(file, middle, high)? {
            Some(found) if found.seq <= after => low = found.end,
            // It begins after `middle`, so what follows `after` may be the found line or one before it.
            Some(_) | None if high - low <= BLOCK as u64 => return walk(file, after, low, high),
            Some(_) | None => {
                let line_start = line_start(file, middle, low)?;
                if line_start <= low {
                    // One long line covers the lower half.
                    return walk(file, after, low, high);
                }
                high = line_start;
            }
        }
    }
    Ok(low)
}

struct Found {
    seq: u64,
    end: u64,
}

/// The first line with a readable beginning that begins at or after the line which covers `from`, before `to`.
fn first_readable(file: &File, from: u64, to: u64) -> io::Result<Option<Found>> {
    let begin = line_start(file, from, 0)?;
    let mut found = None;
    let mut seq = None;
    let end = forwards(file, begin, to, |_, line| match prefix(line) {
        Some(prefix) => {
            seq = Some(prefix.seq);
            ControlFlow::Break(())
        }
        None => ControlFlow::Continue(()),
    })?;
    if let Some(seq) = seq {
        found = Some(Found { seq, end });
    }
    Ok(found)
}

/// Where the line that covers byte `at` begins, not before `floor`.
fn line_start(file: &File, at: u64, floor: u64) -> io::Result<u64> {
    whole_lines(file, at).map(|it| it.max(floor))
}

fn walk(file: &File, after: u64, low: u64, high: u64) -> io::Result<u64> {
    let mut at = high;
    forwards(file, low, high, |offset, line| match prefix(line) {
        Some(prefix) if prefix.seq > after => {
            at = offset;
            ControlFlow::Break(())
        }
        Some(_) | None => ControlFlow::Continue(()),
    })?;
    Ok(at)
}

/// All rollouts below `root`, with the length of each.
pub(super) fn all(root: &Path) -> Vec<(ThreadId, u64)> {
    let folders = |path: &Path| -> Vec<PathBuf> {
        let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
        entries.map(|it| it.path()).collect()
    };
    let mut found = Vec::new();
    for month in folders(root).iter().flat_map(|year| folders(year)) {
        for entry in std::fs::read_dir(month).into_iter().flatten().flatten() {
            let path = entry.path();
            if let Some(id) = id_of(&path)
                && self::path(root, &id).as_ref() == Some(&path)
                && let Ok(metadata) = entry.metadata()
            {
                found.push((id, metadata.len()));
            }
        }
    }
    found
}

/// Whether the line before byte `len` is event `seq`, so that a fold that stood there may go on.
pub(super) fn continues(file: &File, len: u64, seq: u64, end: u64) -> io::Result<bool> {
    if len == 0 || len > end {
        return Ok(len == 0);
    }
    let mut newline = [0];
    read_at(file, &mut newline, len - 1)?;
    if newline != *b"\n" {
        return Ok(false);
    }
    let mut same = false;
    backwards(file, len, |_, line| {
        // A damaged line has no number to compare.
        same = prefix(line).is_none_or(|it| it.seq == seq);
        ControlFlow::Break(())
    })?;
    Ok(same)
}

#[cfg(test)]
mod tests;
