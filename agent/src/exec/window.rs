//! What a reader gets of an output of any length: its head and its tail, and how much is missing between.

use std::collections::VecDeque;

/// Bytes kept of what a process wrote between two looks.
pub(super) const MOST: usize = 1024 * 1024;

/// Keeps the first and the last bytes of a stream in bounded memory.
#[derive(Debug)]
pub struct Window {
    most: usize,
    head: Vec<u8>,
    tail: VecDeque<u8>,
    total: u64,
}

/// A window as text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shown {
    /// The text, invalid UTF-8 replaced, a line in the middle for what was left out.
    pub text: String,
    /// Bytes in all.
    pub bytes: u64,
    /// Bytes left out.
    pub omitted: u64,
    /// It does not look like text.
    pub binary: bool,
}

impl Shown {
    /// Roughly how many tokens the whole would be.
    #[must_use]
    pub fn tokens(&self) -> u64 {
        self.bytes.div_ceil(4)
    }
}

impl Window {
    /// Keeps at most `most` bytes.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self {
            most,
            head: Vec::new(),
            tail: VecDeque::new(),
            total: 0,
        }
    }

    /// Takes the next bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        self.total += bytes.len() as u64;
        let room = (self.most / 2).saturating_sub(self.head.len()).min(bytes.len());
        let (front, rest) = bytes.split_at(room);
        self.head.extend_from_slice(front);
        let half = self.most - self.most / 2;
        let rest = &rest[rest.len().saturating_sub(half)..];
        let excess = (self.tail.len() + rest.len()).saturating_sub(half);
        self.tail.drain(..excess);
        self.tail.extend(rest);
    }

    /// What is kept, cut to `limit` bytes, and begins anew.
    pub fn take(&mut self, limit: usize) -> Shown {
        let fresh = Self::new(self.most);
        let Self { head, tail, total, .. } = std::mem::replace(self, fresh);
        let kept = head.len() + tail.len();
        let whole = kept as u64 == total;
        if whole && kept <= limit {
            let mut bytes = head;
            bytes.extend(tail);
            return Shown {
                binary: binary(&bytes),
                text: String::from_utf8_lossy(&bytes).into_owned(),
                bytes: total,
                omitted: 0,
            };
        }
        let mut bytes = head;
        let head_end = if whole { kept } else { bytes.len() };
        bytes.extend(tail);
        let front = start(&bytes[..head_end.min(limit / 2)]);
        let back_from = bytes.len().saturating_sub(limit - limit / 2).max(front.len());
        let back = end(&bytes[back_from..]);
        let omitted = total - front.len() as u64 - back.len() as u64;
        Shown {
            binary: binary(front) || binary(back),
            text: format!(
                "{}\n... {omitted} bytes omitted ...\n{}",
                String::from_utf8_lossy(front),
                String::from_utf8_lossy(back)
            ),
            bytes: total,
            omitted,
        }
    }
}

/// The last `limit` bytes of `bytes` as text that begins with a whole character.
pub(super) fn last(bytes: &VecDeque<u8>, limit: usize) -> String {
    let from = bytes.len().saturating_sub(limit);
    let cut: Vec<u8> = bytes.range(from..).copied().collect();
    let whole = if from == 0 { &cut[..] } else { end(&cut) };
    let text = String::from_utf8_lossy(whole);
    // A replaced byte takes three, so the text may be longer than its bytes were.
    let cut = (text.len().saturating_sub(limit)..=text.len()).find(|it| text.is_char_boundary(*it));
    text[cut.unwrap_or(0)..].to_owned()
}

/// How many bytes at the end of `bytes` are the beginning of a character that is not complete yet.
pub(super) fn unfinished(bytes: &[u8]) -> usize {
    for back in 1..=bytes.len().min(3) {
        let byte = bytes[bytes.len() - back];
        if byte & 0b1100_0000 == 0b1000_0000 {
            continue;
        }
        let length = match byte {
            0b1100_0000..=0b1101_1111 => 2,
            0b1110_0000..=0b1110_1111 => 3,
            0b1111_0000..=0b1111_0111 => 4,
            _ => 1,
        };
        return if length > back { back } else { 0 };
    }
    0
}

/// `bytes` without a character cut at the end.
fn start(bytes: &[u8]) -> &[u8] {
    &bytes[..bytes.len() - unfinished(bytes)]
}

/// `bytes` without a character cut at the beginning.
fn end(bytes: &[u8]) -> &[u8] {
    let skip = bytes
        .iter()
        .take(3)
        .take_while(|it| **it & 0b1100_0000 == 0b1000_0000)
        .count();
    &bytes[skip..]
}

fn binary(bytes: &[u8]) -> bool {
    let sample = &bytes[..bytes.len().min(8192)];
    sample.contains(&0) || {
        let replaced = String::from_utf8_lossy(start(sample)).matches('\u{fffd}').count();
        replaced * 10 > sample.len()
    }
}

#[cfg(test)]
mod tests;
