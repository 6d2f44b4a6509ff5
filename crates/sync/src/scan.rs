//! Looks through an update before `yrs` sees it, without building anything: client ids and clocks within their bounds,
//! counts that the bytes can hold, no nesting that would use up the stack. `yrs` panics or truncates on some of these, and
//! a stack that overflows ends the process.

use crate::frame::{FrameError, Reader};

#[cfg(test)]
mod tests;

/// What an update has in it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Contents {
    /// Pieces of content, gaps not counted.
    pub pieces: u64,
    /// Ranges that it deletes.
    pub deletions: u64,
}

impl Contents {
    /// Changes nothing for anybody.
    pub fn is_empty(self) -> bool {
        self == Self::default()
    }
}

/// Why an update is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ScanError {
    /// The bytes are no update.
    #[error("{0}")]
    Bytes(#[from] FrameError),
    /// A clock would run over.
    #[error("a clock is too large")]
    Clock,
    /// A kind of content that does not exist.
    #[error("content of the kind {0} is not known")]
    Kind(u8),
    /// Values within values within values.
    #[error("values are nested too deeply")]
    Depth,
    /// More entries than there are bytes.
    #[error("a count is larger than the update")]
    Count,
}

const DEEPEST: usize = 64;

/// Clocks are counted in 32 bits, and some of the arithmetic on them is signed.
const LAST_CLOCK: u64 = i32::MAX as u64;

/// Looks through an update in the first encoding.
pub fn update(bytes: &[u8]) -> Result<Contents, ScanError> {
    let mut rest = Reader::new(bytes);
    let mut contents = Contents::default();
    for _ in 0..count(&mut rest)? {
        let blocks = count(&mut rest)?;
        rest.number()?;
        let mut clock = rest.number()?;
        for _ in 0..blocks {
            let (length, gap) = block(&mut rest)?;
            contents.pieces += u64::from(!gap);
            clock = clock.saturating_add(length);
            if clock > LAST_CLOCK {
                return Err(ScanError::Clock);
            }
        }
    }
    for _ in 0..count(&mut rest)? {
        rest.number()?;
        for _ in 0..count(&mut rest)? {
            let (from, length) = (rest.number()?, rest.number()?);
            if from.saturating_add(length) > LAST_CLOCK {
                return Err(ScanError::Clock);
            }
            contents.deletions += 1;
        }
    }
    rest.end()?;
    Ok(contents)
}

/// Looks through a state vector.
pub fn vector(bytes: &[u8]) -> Result<(), ScanError> {
    let mut rest = Reader::new(bytes);
    for _ in 0..count(&mut rest)? {
        rest.number()?;
        if rest.number()? > LAST_CLOCK {
            return Err(ScanError::Clock);
        }
    }
    rest.end()?;
    Ok(())
}

/// A count of entries of at least one byte each.
fn count(rest: &mut Reader<'_>) -> Result<u64, ScanError> {
    let count = rest.number()?;
    if count > rest.len() as u64 {
        return Err(ScanError::Count);
    }
    Ok(count)
}

/// One block: how many clocks it takes, and whether it is only a gap.
fn block(rest: &mut Reader<'_>) -> Result<(u64, bool), ScanError> {
    const ORIGIN: u8 = 0x80;
    const RIGHT_ORIGIN: u8 = 0x40;
    const PARENT_SUB: u8 = 0x20;
    let info = rest.byte()?;
    match info {
        0 => return Ok((at_least_one(rest.number()?)?, false)),
        10 => return Ok((at_least_one(rest.number()?)?, true)),
        _ => {}
    }
    if info & ORIGIN != 0 {
        id(rest)?;
    }
    if info & RIGHT_ORIGIN != 0 {
        id(rest)?;
    }
    if info & (ORIGIN | RIGHT_ORIGIN) == 0 {
        if rest.number()? == 1 {
            rest.text()?;
        } else {
            id(rest)?;
        }
        if info & PARENT_SUB != 0 {
            rest.text()?;
        }
    }
    Ok((content(rest, info & 0x0f)?, false))
}

fn id(rest: &mut Reader<'_>) -> Result<(), ScanError> {
    rest.number()?;
    if rest.number()? > LAST_CLOCK {
        return Err(ScanError::Clock);
    }
    Ok(())
}

fn at_least_one(length: u64) -> Result<u64, ScanError> {
    if (1..=LAST_CLOCK).contains(&length) {
        Ok(length)
    } else {
        Err(ScanError::Clock)
    }
}

/// The content of an item: how many clocks it takes.
fn content(rest: &mut Reader<'_>, kind: u8) -> Result<u64, ScanError> {
    match kind {
        1 => Ok(at_least_one(rest.number()?)?),
        3 => {
            rest.buffer()?;
            Ok(1)
        }
        4 => Ok(rest.text()?.encode_utf16().count() as u64),
        5 => {
            rest.text()?;
            Ok(1)
        }
        6 => {
            rest.text()?;
            rest.text()?;
            Ok(1)
        }
        7 => {
            // XML elements and hooks have a name.
            match rest.byte()? {
                0..=2 | 4 | 6 => {}
                3 | 5 => {
                    rest.text()?;
                }
                other => return Err(ScanError::Kind(other)),
            }
            Ok(1)
        }
        8 => {
            let values = count(rest)?;
            for _ in 0..values {
                value(rest, 0)?;
            }
            Ok(values)
        }
        9 => {
            rest.text()?;
            value(rest, 0)?;
            Ok(1)
        }
        other => Err(ScanError::Kind(other)),
    }
}

fn value(rest: &mut Reader<'_>, depth: usize) -> Result<(), ScanError> {
    if depth > DEEPEST {
        return Err(ScanError::Depth);
    }
    match rest.byte()? {
        // undefined, null, false, true
        120 | 121 | 126 | 127 => {}
        // A signed number of any length up to ten bytes.
        125 => {
            for length in 1.. {
                if rest.byte()? & 0x80 == 0 {
                    break;
                }
                if length == 10 {
                    return Err(FrameError::Number.into());
                }
            }
        }
        124 => {
            rest.bytes(4)?;
        }
        122 | 123 => {
            rest.bytes(8)?;
        }
        119 => {
            rest.text()?;
        }
        118 => {
            for _ in 0..count(rest)? {
                rest.text()?;
                value(rest, depth + 1)?;
            }
        }
        117 => {
            for _ in 0..count(rest)? {
                value(rest, depth + 1)?;
            }
        }
        116 => {
            rest.buffer()?;
        }
        other => return Err(ScanError::Kind(other)),
    }
    Ok(())
}
