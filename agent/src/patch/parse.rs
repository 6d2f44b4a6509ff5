//! From text to [`Patch`]. Forgives what models do around a patch (a heredoc, a code fence, blank lines); not what
//! they do in it.

use super::{Error, Hunk, Line, Patch, Step};

/// Reads a patch.
///
/// # Errors
/// When it is none; names the line.
pub fn parse(text: &str) -> Result<Patch, Error> {
    let all: Vec<&str> = text.lines().collect();
    let begin = all
        .iter()
        .position(|it| it.trim() == "*** Begin Patch")
        .ok_or_else(|| syntax(0, "the first line must be '*** Begin Patch'"))?;
    // Something before it may only be a wrapper.
    if let Some(stray) = all[..begin].iter().position(|it| !wrapper(it)) {
        return Err(syntax(stray, "the first line must be '*** Begin Patch'"));
    }
    let end = all
        .iter()
        .rposition(|it| it.trim() == "*** End Patch")
        .ok_or_else(|| syntax(all.len(), "the last line must be '*** End Patch'"))?;
    let mut lines = Lines {
        all: &all[..end],
        at: begin + 1,
    };
    let mut steps = Vec::new();
    while let Some(line) = lines.next() {
        let number = lines.at - 1;
        let head = line.trim();
        if head.is_empty() {
            continue;
        }
        if let Some(path) = head.strip_prefix("*** Add File:") {
            steps.push(add(path.trim(), &mut lines));
        } else if let Some(path) = head.strip_prefix("*** Delete File:") {
            steps.push(Step::Delete {
                path: path.trim().to_owned(),
            });
        } else if let Some(path) = head.strip_prefix("*** Update File:") {
            steps.push(update(path.trim(), &mut lines)?);
        } else {
            return Err(syntax(
                number,
                &format!(
                    "'{head}' is not a file header; expected '*** Add File: ', '*** Delete File: ' or '*** Update File: '"
                ),
            ));
        }
    }
    if steps.is_empty() {
        return Err(syntax(begin, "the patch is empty"));
    }
    Ok(Patch { steps })
}

struct Lines<'a> {
    all: &'a [&'a str],
    at: usize,
}

impl<'a> Lines<'a> {
    fn peek(&self) -> Option<&'a str> {
        self.all.get(self.at).copied()
    }

    fn next(&mut self) -> Option<&'a str> {
        let line = self.peek()?;
        self.at += 1;
        Some(line)
    }
}

fn add(path: &str, lines: &mut Lines<'_>) -> Step {
    let mut content = String::new();
    while let Some(text) = lines.peek().and_then(|it| it.strip_prefix('+')) {
        lines.at += 1;
        content += text;
        content.push('\n');
    }
    Step::Add {
        path: path.to_owned(),
        content,
    }
}

fn update(path: &str, lines: &mut Lines<'_>) -> Result<Step, Error> {
    let mut moved_to = None;
    if let Some(to) = lines.peek().and_then(|it| it.trim().strip_prefix("*** Move to:")) {
        moved_to = Some(to.trim().to_owned());
        lines.at += 1;
    }
    let mut hunks: Vec<Hunk> = Vec::new();
    let mut open = Hunk::default();
    while let Some(line) = lines.peek() {
        let number = lines.at;
        if line.trim_end() == "*** End of File" {
            open.at_end = true;
            close(&mut hunks, &mut open);
        } else if line.starts_with("*** ") {
            break;
        } else if let Some(anchor) = line.strip_prefix("@@") {
            if !open.lines.is_empty() {
                close(&mut hunks, &mut open);
            }
            let anchor = anchor.trim();
            // `@@ -1,2 +3,4 @@` is a habit from another format; the numbers are not to be trusted.
            let ranges = anchor.starts_with('-') && anchor.contains("@@");
            let anchor = if ranges {
                anchor.rsplit("@@").next().unwrap_or_default().trim()
            } else {
                anchor
            };
            if !anchor.is_empty() {
                open.anchors.push(anchor.to_owned());
            }
        } else {
            open.lines.push(match line.split_at_checked(1) {
                Some((" ", text)) => Line::Keep(text.to_owned()),
                Some(("-", text)) => Line::Remove(text.to_owned()),
                Some(("+", text)) => Line::Add(text.to_owned()),
                // Editors and models drop the one space of an empty line.
                None if line.is_empty() => Line::Keep(String::new()),
                _ => {
                    return Err(syntax(
                        number,
                        &format!("'{line}' must begin with ' ', '+', '-' or '@@' inside '*** Update File: {path}'"),
                    ));
                }
            });
        }
        lines.at += 1;
    }
    // Blank lines before the next header are no context.
    while matches!(open.lines.last(), Some(Line::Keep(text)) if text.is_empty()) && lines.peek().is_some() {
        open.lines.pop();
    }
    close(&mut hunks, &mut open);
    if hunks.is_empty() && moved_to.is_none() {
        return Err(syntax(
            lines.at.saturating_sub(1),
            &format!("the update of {path} changes nothing"),
        ));
    }
    Ok(Step::Update {
        path: path.to_owned(),
        moved_to,
        hunks,
    })
}

fn close(hunks: &mut Vec<Hunk>, open: &mut Hunk) {
    let hunk = std::mem::take(open);
    if !hunk.lines.is_empty() {
        hunks.push(hunk);
    }
}

/// A line that some models put before a patch.
fn wrapper(line: &str) -> bool {
    let line = line.trim();
    line.is_empty() || line.starts_with("```") || line.contains("<<")
}

fn syntax(index: usize, why: &str) -> Error {
    Error::Syntax {
        line: index + 1,
        why: why.to_owned(),
    }
}
