//! `AGENTS.md`: what people write down once for every agent that works in their folders.

#[cfg(test)]
mod tests;

use std::ffi::OsStr;
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::config;
use crate::home::Home;

/// One folder's word comes first in this file, else in that one.
const NAMES: [&str; 2] = ["AGENTS.override.md", "AGENTS.md"];

/// Instructions found in one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instruction {
    /// The file.
    pub path: PathBuf,
    /// Its text, perhaps cut at the cap.
    pub text: String,
}

/// The instructions for a folder, in the order in which they are read: the person's own, then from the project's root down to the
/// folder. Together at most `cap` bytes; what comes later is cut first. Where a folder has no `AGENTS.md`, `others` are names of
/// files that do instead.
#[must_use]
pub fn discover(home: &Home, cwd: &Path, cap: usize, others: &[String]) -> Vec<Instruction> {
    let cwd = cwd.canonicalize().unwrap_or_else(|_| cwd.to_path_buf());
    let mut folders = vec![home.root().to_path_buf()];
    folders.extend(config::chain(&cwd));
    read(&folders, cap, others)
}

/// The instructions of the folders below `cwd` down to a file that is touched.
#[must_use]
pub fn below(cwd: &Path, touched: &Path, cap: usize, others: &[String]) -> Vec<Instruction> {
    let mut folders: Vec<PathBuf> = touched
        .ancestors()
        .skip(1)
        .take_while(|it| it.starts_with(cwd) && *it != cwd)
        .map(Path::to_path_buf)
        .collect();
    folders.reverse();
    read(&folders, cap, others)
}

fn read(folders: &[PathBuf], cap: usize, others: &[String]) -> Vec<Instruction> {
    let mut left = cap;
    let mut found: Vec<Instruction> = Vec::new();
    for folder in folders {
        // A name, not a path: a project must not point elsewhere.
        let others = others
            .iter()
            .map(String::as_str)
            .filter(|it| Path::new(it).file_name() == Some(OsStr::new(it)));
        let first = NAMES.into_iter().chain(others).find_map(|name| {
            let path = folder.join(name);
            Some((beginning(&path, left)?, path))
        });
        let Some((text, path)) = first.filter(|(text, _)| !text.trim().is_empty()) else {
            continue;
        };
        left -= text.len().min(left);
        found.push(Instruction { path, text });
    }
    found
}

/// At most `cap` bytes of a file, cut between characters; `None` where there is no file.
fn beginning(path: &Path, cap: usize) -> Option<String> {
    if !path.is_file() {
        return None;
    }
    let mut bytes = Vec::new();
    let limit = u64::try_from(cap).unwrap_or(u64::MAX);
    std::fs::File::open(path)
        .ok()?
        .take(limit)
        .read_to_end(&mut bytes)
        .ok()?;
    if let Err(error) = std::str::from_utf8(&bytes)
        && error.error_len().is_none()
    {
        bytes.truncate(error.valid_up_to());
    }
    let mut text = String::from_utf8_lossy(&bytes).into_owned();
    // A replaced byte takes more room than the byte did.
    let mut end = text.len().min(cap);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.truncate(end);
    Some(text)
}
