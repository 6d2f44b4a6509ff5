//! Finds the place of each hunk in a file and makes the new content. Tolerant in looking, exact in keeping: a line
//! that stays is the file's own, whatever whitespace the patch has for it.

use std::path::Path;

use super::{Error, Hunk, Line, refuse};

/// How much two lines may differ and still be the same.
const LEVELS: [fn(&str, &str) -> bool; 4] = [
    |a, b| a == b,
    |a, b| a.trim_end() == b.trim_end(),
    |a, b| a.trim() == b.trim(),
    |a, b| plain(a) == plain(b),
];

/// The new content of the file `old` at `path`.
pub(super) fn apply(old: &[u8], hunks: &[Hunk], path: &Path) -> Result<Vec<u8>, Error> {
    if hunks.is_empty() {
        return Ok(old.to_vec());
    }
    let text = std::str::from_utf8(old).map_err(|_| refuse(path, "is not UTF-8 text"))?;
    let (mark, text) = text
        .strip_prefix('\u{feff}')
        .map_or(("", text), |rest| ("\u{feff}", rest));
    let file: Vec<&str> = text.split_inclusive('\n').collect();
    let bare: Vec<&str> = file
        .iter()
        .map(|it| it.trim_end_matches('\n').trim_end_matches('\r'))
        .collect();
    let crlf = file.iter().filter(|it| it.ends_with("\r\n")).count() * 2 > file.len();
    let newline = if crlf { "\r\n" } else { "\n" };
    let unended = file.last().is_some_and(|it| !it.ends_with('\n'));

    let mut edits: Vec<(usize, usize, &Hunk)> = Vec::new();
    let mut from = 0;
    for (index, hunk) in hunks.iter().enumerate() {
        let (at, length) = locate(&bare, hunk, from).map_err(|missing| match missing {
            Missing::Anchor(anchor) => Error::NoAnchor {
                path: path.display().to_string(),
                hunk: index + 1,
                anchor,
            },
            Missing::Lines => Error::NotFound {
                path: path.display().to_string(),
                hunk: index + 1,
                lines: expected(hunk).join("\n"),
            },
        })?;
        if edits
            .iter()
            .any(|(other, count, _)| at < other + count && *other < at + length)
        {
            return Err(refuse(
                path,
                &format!("cannot be patched: hunk {} overlaps another one", index + 1),
            ));
        }
        edits.push((at, length, hunk));
        from = at + length;
    }
    edits.sort_by_key(|(at, ..)| *at);

    let mut new: Vec<String> = Vec::with_capacity(file.len());
    let mut done = 0;
    for (at, length, hunk) in edits {
        new.extend(file[done..at].iter().map(|it| (*it).to_owned()));
        let mut old = file[at..at + length].iter();
        for line in &hunk.lines {
            match line {
                Line::Keep(_) => new.extend(old.next().map(|it| (*it).to_owned())),
                Line::Remove(_) => {
                    old.next();
                }
                Line::Add(text) => new.push(format!("{}{newline}", text.trim_end_matches('\r'))),
            }
        }
        done = at + length;
    }
    new.extend(file[done..].iter().map(|it| (*it).to_owned()));
    // Only the last line may lack its end, and only if the file's last one did.
    let last = new.len().saturating_sub(1);
    for (index, line) in new.iter_mut().enumerate() {
        if index < last && !line.ends_with('\n') {
            line.push_str(newline);
        } else if index == last && unended {
            let bare = line.trim_end_matches('\n').trim_end_matches('\r').len();
            line.truncate(bare);
        }
    }
    Ok(format!("{mark}{}", new.concat()).into_bytes())
}

enum Missing {
    Anchor(String),
    Lines,
}

/// The lines the hunk wants to see in the file.
fn expected(hunk: &Hunk) -> Vec<&str> {
    hunk.lines
        .iter()
        .filter_map(|it| match it {
            Line::Keep(text) | Line::Remove(text) => Some(text.as_str()),
            Line::Add(_) => None,
        })
        .collect()
}

/// Where the hunk goes: first line and number of lines.
fn locate(file: &[&str], hunk: &Hunk, from: usize) -> Result<(usize, usize), Missing> {
    let wanted = expected(hunk);
    let mut begin = from;
    for anchor in &hunk.anchors {
        let line = find(file, &[anchor], begin, false)
            .or_else(|| find(file, &[anchor], 0, false))
            .ok_or_else(|| Missing::Anchor(anchor.clone()))?;
        begin = line + 1;
    }
    if wanted.is_empty() {
        let at = if hunk.anchors.is_empty() || hunk.at_end {
            file.len()
        } else {
            begin
        };
        return Ok((at, 0));
    }
    let found = find(file, &wanted, begin, hunk.at_end)
        // The anchor itself may be repeated as the first line.
        .or_else(|| find(file, &wanted, begin.saturating_sub(1), hunk.at_end))
        // Hunks out of order are fine where only one place is meant.
        .or_else(|| find(file, &wanted, 0, hunk.at_end).filter(|_| hunk.anchors.is_empty()));
    found.map(|at| (at, wanted.len())).ok_or(Missing::Lines)
}

/// The first place at or after `from` where the lines are, by the strictest comparison that finds one.
fn find(file: &[&str], wanted: &[impl AsRef<str>], from: usize, at_end: bool) -> Option<usize> {
    let last = file.len().checked_sub(wanted.len())?;
    for same in LEVELS {
        let here = |at: usize| wanted.iter().zip(&file[at..]).all(|(a, b)| same(a.as_ref(), b));
        if at_end && last >= from && here(last) {
            return Some(last);
        }
        if let Some(at) = (from..=last).find(|at| here(*at)) {
            return Some(at);
        }
    }
    None
}

/// Typographic signs as a keyboard would write them.
fn plain(line: &str) -> String {
    line.trim()
        .chars()
        .map(|it| match it {
            '\u{2010}'..='\u{2015}' | '\u{2212}' => '-',
            '\u{2018}'..='\u{201b}' => '\'',
            '\u{201c}'..='\u{201f}' => '"',
            '\u{a0}' | '\u{2002}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => ' ',
            other => other,
        })
        .collect()
}
