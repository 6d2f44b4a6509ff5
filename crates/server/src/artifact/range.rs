//! The part of a file that a `Range` header asks for.

use std::ops::Range;

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// All of it.
    Whole,
    /// These bytes.
    Part(Range<u64>),
    /// Nothing that is there: 416.
    Nothing,
}

/// Reads the header. Several ranges at once are answered with 416: nobody who resumes a download needs them, and
/// overlapping ones are an old way to make servers work hard.
#[must_use]
pub fn asked(header: Option<&str>, size: u64) -> Asked {
    let Some(header) = header else {
        return Asked::Whole;
    };
    // An unknown unit is ignored, as RFC 9110 says.
    let Some(range) = header.trim().strip_prefix("bytes=") else {
        return Asked::Whole;
    };
    let Some((first, last)) = range.split_once('-') else {
        return Asked::Nothing;
    };
    let number = |text: &str| {
        let is_number = !text.is_empty() && text.bytes().all(|it| it.is_ascii_digit());
        is_number.then(|| text.parse::<u64>().ok()).flatten()
    };
    let part = match (number(first), number(last)) {
        (Some(first), Some(last)) if first <= last => first..last.saturating_add(1).min(size),
        (Some(first), None) if last.is_empty() => first..size,
        (None, Some(length)) if first.is_empty() => size.saturating_sub(length)..size,
        _ => return Asked::Nothing,
    };
    if part.start < part.end {
        Asked::Part(part)
    } else {
        Asked::Nothing
    }
}

#[cfg(test)]
mod tests;
