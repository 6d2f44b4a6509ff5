//! The demo's work: a listing in, a report and a spreadsheet out. All plain functions.

use std::collections::BTreeMap;

use super::words::Words;

/// Lists a folder with sizes.
pub(super) const LOOK: &str = "ls -l";
/// The same for PowerShell: kind, size and name, separated by tabs.
pub(super) const LOOK_WINDOWS: &str =
    "Get-ChildItem -Force | ForEach-Object { \"$($_.Mode.Substring(0,1))`t$($_.Length)`t$($_.Name)\" }";

const REPORT: &str = "zspark-demo-report";
const SHEET: &str = "zspark-demo-files";

/// What a folder has.
pub(super) struct Files(Vec<File>);

struct File {
    name: String,
    folder: bool,
    bytes: u64,
}

impl Files {
    /// Reads a listing; lines of another shape are no files.
    pub(super) fn parse(listing: &str) -> Self {
        Self(
            listing
                .lines()
                .filter_map(|it| tabbed(it).or_else(|| long(it)))
                .collect(),
        )
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn report_name(&self) -> String {
        self.free(REPORT, "md")
    }

    pub(super) fn sheet_name(&self) -> String {
        self.free(SHEET, "csv")
    }

    /// A name that no file has yet: the person's files stay as they are.
    fn free(&self, stem: &str, ending: &str) -> String {
        let taken = |name: &str| self.0.iter().any(|it| it.name == name);
        let mut name = format!("{stem}.{ending}");
        let mut number = 2;
        while taken(&name) {
            name = format!("{stem}-{number}.{ending}");
            number += 1;
        }
        name
    }

    /// A patch that adds both files.
    pub(super) fn patch(&self, words: &Words) -> String {
        let mut patch = String::from("*** Begin Patch\n");
        for (name, text) in [
            (self.report_name(), self.report(words)),
            (self.sheet_name(), self.sheet()),
        ] {
            patch.push_str(&format!("*** Add File: {name}\n"));
            for line in text.lines() {
                patch.push_str(&format!("+{line}\n"));
            }
        }
        patch.push_str("*** End Patch");
        patch
    }

    fn report(&self, words: &Words) -> String {
        let files = || self.0.iter().filter(|it| !it.folder);
        let bytes = files().map(|it| it.bytes).sum();
        let mut text = (words.report)(files().count(), self.0.len() - files().count(), bytes);
        text.push_str("\n\n");
        let mut kinds: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
        for file in files() {
            let kind = kinds.entry(ending(&file.name)).or_default();
            kind.0 += 1;
            kind.1 += file.bytes;
        }
        if kinds.is_empty() {
            text.push_str(words.nothing);
            return text;
        }
        text.push_str(&format!("{}\n\n{}\n| --- | ---: | ---: |\n", words.kinds, words.table));
        for (kind, (count, bytes)) in kinds {
            text.push_str(&format!("| {kind} | {count} | {bytes} |\n"));
        }
        text
    }

    fn sheet(&self) -> String {
        let mut text = String::from("name,kind,type,bytes\n");
        for file in &self.0 {
            let kind = if file.folder { "folder" } else { "file" };
            let ending = if file.folder { "" } else { ending(&file.name) };
            text.push_str(&format!(
                "{},{kind},{},{}\n",
                cell(&file.name),
                cell(ending),
                file.bytes
            ));
        }
        text
    }
}

fn ending(name: &str) -> &str {
    match name.rsplit_once('.') {
        Some((stem, ending)) if !stem.is_empty() => ending,
        _ => "-",
    }
}

/// A cell of a CSV file. A name that a spreadsheet would take for a formula stays text.
fn cell(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '@']) || (text.starts_with('-') && text.len() > 1);
    let text = if formula { format!("'{text}") } else { text.to_owned() };
    if text.contains([',', '"']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text
    }
}

fn tabbed(line: &str) -> Option<File> {
    let mut columns = line.split('\t');
    let (kind, bytes, name) = (columns.next()?, columns.next()?, columns.next()?);
    Some(File {
        name: name.to_owned(),
        folder: kind == "d",
        bytes: bytes.parse().unwrap_or(0),
    })
}

/// `-rw-r--r-- 1 me us 12 Nov 21 00:28 name`; where dates are written 2026-11-21, there is one column fewer.
fn long(line: &str) -> Option<File> {
    let mode = line.get(..10)?;
    let kind = mode.chars().next()?;
    if !matches!(kind, '-' | 'd' | 'l') || !mode.chars().skip(1).all(|it| "rwxsStT-".contains(it)) {
        return None;
    }
    let mut rest = line;
    let mut word = || {
        let (word, tail) = rest.split_once(' ')?;
        rest = tail.trim_start();
        Some(word)
    };
    for _ in 0..4 {
        word()?;
    }
    let bytes = word()?.parse().ok()?;
    let date = word()?;
    let further = if date.len() == 10 && date.matches('-').count() == 2 {
        1
    } else {
        2
    };
    for _ in 0..further {
        word()?;
    }
    let name = if kind == 'l' {
        rest.split(" -> ").next().unwrap_or(rest)
    } else {
        rest
    };
    Some(File {
        name: name.to_owned(),
        folder: kind == 'd',
        bytes,
    })
}
