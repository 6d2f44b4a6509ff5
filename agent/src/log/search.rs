//! Full text: what of an item is searched, how text becomes words, and the snippet around what was found. Pure.
//!
//! Chinese, Japanese and Korean are written without spaces (or with endings), so each of their letters is a word of its
//! own and a run of them is a phrase: any part of a sentence is found, however short.

use protocol::ItemKind;

/// Bytes of one item that are searched.
const LIMIT: usize = 64 * 1024;
/// Characters of a snippet before the first match, and in all.
const BEFORE: usize = 40;
const SNIPPET: usize = 160;

/// What of an item is searched.
pub(super) fn words(kind: &ItemKind) -> Option<String> {
    let words = match kind {
        ItemKind::UserMessage { text, attachments, .. } => {
            let names = attachments.iter().map(|it| it.name.as_str());
            std::iter::once(text.as_str())
                .chain(names)
                .collect::<Vec<_>>()
                .join("\n")
        }
        ItemKind::AgentMessage { text } => text.clone(),
        ItemKind::Command { command, .. } => command.clone(),
        ItemKind::FileChange { changes, .. } => {
            changes.iter().map(|it| it.path.as_str()).collect::<Vec<_>>().join("\n")
        }
        ItemKind::Artifact { artifact } => artifact.path.clone(),
        ItemKind::ImageView { path } => path.clone(),
        ItemKind::Reasoning { .. }
        | ItemKind::Plan { .. }
        | ItemKind::CommandInput { .. }
        | ItemKind::ToolCall { .. }
        | ItemKind::Error { .. } => return None,
    };
    Some(words).filter(|it| !it.is_empty())
}

/// Text with spaces around letters that are words of their own.
pub(super) fn segmented(text: &str) -> String {
    let text = text.get(..text.floor_char_boundary(LIMIT)).unwrap_or_default();
    let mut spaced = String::with_capacity(text.len());
    for letter in text.chars() {
        if stands_alone(letter) {
            spaced.extend([' ', letter, ' ']);
        } else {
            spaced.push(letter);
        }
    }
    spaced
}

fn stands_alone(letter: char) -> bool {
    matches!(letter,
        '\u{2e80}'..='\u{2fdf}' | '\u{3005}'..='\u{3007}' | '\u{3040}'..='\u{30ff}' | '\u{3100}'..='\u{312f}'
        | '\u{31a0}'..='\u{31ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{ac00}'..='\u{d7af}'
        | '\u{f900}'..='\u{faff}' | '\u{ff66}'..='\u{ff9d}' | '\u{20000}'..='\u{3ffff}')
}

/// The full-text expression of a query: all words, the last one perhaps only begun. `None` without a word.
pub(super) fn expression(query: &str) -> Option<String> {
    let words: Vec<&str> = terms(query).collect();
    let (last, others) = words.split_last()?;
    let mut expression = String::new();
    for word in others {
        expression.push_str(&phrase(word));
        expression.push_str(" AND ");
    }
    expression.push_str(&phrase(last));
    if !last.ends_with(stands_alone) {
        expression.push('*');
    }
    Some(expression)
}

fn terms(query: &str) -> impl Iterator<Item = &str> {
    query
        .split_whitespace()
        .filter(|it| it.chars().any(char::is_alphanumeric))
}

fn phrase(word: &str) -> String {
    format!("\"{}\"", segmented(word).replace('"', " "))
}

/// Text around the first match on one line; `\u{2}` and `\u{3}` enclose what matched.
pub(super) fn snippet(text: &str, query: &str) -> String {
    let letters: Vec<char> = text.split_whitespace().collect::<Vec<_>>().join(" ").chars().collect();
    let mut matched = vec![false; letters.len()];
    let mut first = letters.len();
    for term in terms(query) {
        // The index ignores punctuation; where a term is not found as typed, its parts are.
        let parts = std::iter::once(term).chain(term.split(|it: char| !it.is_alphanumeric()));
        let mut hits = parts.filter(|it| !it.is_empty()).map(|it| occurrences(&letters, it));
        for (begin, end) in hits.find(|it| !it.is_empty()).unwrap_or_default() {
            first = first.min(begin);
            if let Some(range) = matched.get_mut(begin..end) {
                range.fill(true);
            }
        }
    }
    let begin = if first == letters.len() {
        0
    } else {
        first.saturating_sub(BEFORE)
    };
    let end = letters.len().min(begin + SNIPPET);
    let mut snippet = String::new();
    if begin > 0 {
        snippet.push('…');
    }
    let mut inside = false;
    for (letter, hit) in letters.iter().zip(&matched).take(end).skip(begin) {
        if *hit != inside {
            snippet.push(if *hit { '\u{2}' } else { '\u{3}' });
            inside = *hit;
        }
        snippet.push(*letter);
    }
    if inside {
        snippet.push('\u{3}');
    }
    if end < letters.len() {
        snippet.push('…');
    }
    snippet
}

/// Where `term` occurs, whatever the case.
fn occurrences(letters: &[char], term: &str) -> Vec<(usize, usize)> {
    let same = |a: &char, b: &char| a == b || a.to_lowercase().eq(b.to_lowercase());
    let term: Vec<char> = term.chars().collect();
    letters
        .windows(term.len())
        .enumerate()
        .filter(|(_, window)| window.iter().zip(&term).all(|(a, b)| same(a, b)))
        .map(|(begin, _)| (begin, begin + term.len()))
        .collect()
}

#[cfg(test)]
mod tests;
