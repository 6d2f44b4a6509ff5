//! Finds a patch that a model hands to `apply_patch` through the shell instead of calling the tool.

use super::parse;

/// A patch found in a command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heredoc {
    /// The line goes to this folder first.
    pub dir: Option<String>,
    /// The patch.
    pub patch: String,
}

/// The patch of `apply_patch <<'EOF' … EOF`, perhaps behind `cd DIR &&`, or of `apply_patch 'PATCH'`. `None` where the line does
/// anything else too.
#[must_use]
pub fn heredoc_patch(text: &str) -> Option<Heredoc> {
    let text = text.trim();
    argument(text).or_else(|| heredoc(text))
}

fn argument(text: &str) -> Option<Heredoc> {
    let segments = parse(text).segments?;
    let (dir, call) = match segments.as_slice() {
        [call] => (None, call),
        [cd, call] if text.contains("&&") => (Some(folder(&cd.words)?), call),
        _ => return None,
    };
    let [program, patch] = call.words.as_slice() else {
        return None;
    };
    let is_patch =
        is_apply_patch(&program.text) && patch.literal && patch.text.trim_start().starts_with("*** Begin Patch");
    is_patch.then(|| Heredoc {
        dir,
        patch: patch.text.clone(),
    })
}

fn heredoc(text: &str) -> Option<Heredoc> {
    let (head, body) = text.split_once('\n')?;
    let (before, tag) = head.split_once("<<")?;
    let strips_tabs = tag.starts_with('-');
    let tag = tag.trim_start_matches('-').trim();
    let quoted = tag
        .strip_prefix('\'')
        .and_then(|it| it.strip_suffix('\''))
        .or_else(|| tag.strip_prefix('"').and_then(|it| it.strip_suffix('"')));
    let word = quoted.unwrap_or(tag);
    if word.is_empty() || !word.chars().all(|it| it.is_ascii_alphanumeric() || it == '_') {
        return None;
    }
    let (dir, call) = match before.rsplit_once("&&") {
        Some((cd, call)) => match parse(cd).segments?.as_slice() {
            [cd] => (Some(folder(&cd.words)?), call),
            _ => return None,
        },
        None => (None, before),
    };
    if !is_apply_patch(call.trim()) {
        return None;
    }
    let mut patch = String::new();
    let mut lines = body.lines();
    loop {
        let line = lines.next()?;
        let line = if strips_tabs {
            line.trim_start_matches('\t')
        } else {
            line
        };
        if line == word {
            break;
        }
        patch.push_str(line);
        patch.push('\n');
    }
    // An unquoted tag lets the shell change the patch; taking it as it stands is what the model meant.
    (lines.all(|it| it.trim().is_empty()) && patch.trim_start().starts_with("*** Begin Patch"))
        .then_some(Heredoc { dir, patch })
}

fn folder(words: &[super::Word]) -> Option<String> {
    match words {
        [cd, folder] if cd.text == "cd" && folder.literal => Some(folder.text.clone()),
        _ => None,
    }
}

fn is_apply_patch(program: &str) -> bool {
    matches!(program, "apply_patch" | "applypatch")
}
