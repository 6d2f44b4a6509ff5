//! Diffs as people and the log see them.

use std::path::Path;
use std::time::Duration;

use protocol::change::{ChangeKind, FileChange};
use similar::{Algorithm, ChangeTag, TextDiff};

/// The longest diff kept in one change.
const MOST: usize = 64 * 1024;
/// How long a diff may take; then it gets coarser, not wrong.
const PATIENCE: Duration = Duration::from_millis(500);

/// Describes a change of `path` from `before` to `after`.
#[must_use]
pub fn change(
    path: &Path,
    kind: ChangeKind,
    moved_from: Option<&Path>,
    before: Option<&[u8]>,
    after: Option<&[u8]>,
) -> FileChange {
    let mut change = FileChange {
        path: path.to_string_lossy().into_owned(),
        kind,
        moved_from: moved_from.map(|it| it.to_string_lossy().into_owned()),
        added: 0,
        removed: 0,
        diff: String::new(),
        binary: false,
        truncated: false,
    };
    let (Some(before), Some(after)) = (text(before.unwrap_or_default()), text(after.unwrap_or_default())) else {
        change.binary = true;
        return change;
    };
    let diff = lines(before, after);
    for line in diff.iter_all_changes() {
        match line.tag() {
            ChangeTag::Insert => change.added += 1,
            ChangeTag::Delete => change.removed += 1,
            ChangeTag::Equal => {}
        }
    }
    change.diff = diff.unified_diff().context_radius(3).to_string();
    if change.diff.len() > MOST {
        let cut = change.diff[..floor(&change.diff, MOST)]
            .rfind('\n')
            .map_or(0, |it| it + 1);
        change.diff.truncate(cut);
        change.truncated = true;
    }
    change
}

/// The line diff all places use, so that a hunk's number means the same everywhere.
pub(crate) fn lines<'a>(before: &'a str, after: &'a str) -> TextDiff<'a, 'a, 'a, str> {
    TextDiff::configure()
        .algorithm(Algorithm::Myers)
        .timeout(PATIENCE)
        .diff_lines(before, after)
}

/// `bytes` as text, unless they are none.
pub(crate) fn text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok().filter(|it| !it.contains('\0'))
}

fn floor(text: &str, at: usize) -> usize {
    (0..=at).rev().find(|it| text.is_char_boundary(*it)).unwrap_or(0)
}
