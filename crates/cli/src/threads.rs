//! `zspark threads`: the list as a table or as JSON.

use protocol::thread::ThreadSummary;

use crate::exec::plain;

/// Columns of the folder; longer ones lose their beginning.
const FOLDER: usize = 32;

/// One line a thread: id, when it was used last, folder, title.
pub(crate) fn table(threads: &[ThreadSummary], now_ms: u64) -> String {
    let rows: Vec<[String; 4]> = threads
        .iter()
        .map(|it| {
            [
                it.id.to_string(),
                ago(now_ms.saturating_sub(it.updated_ms)),
                end_of(&plain(&it.cwd)),
                title(it),
            ]
        })
        .collect();
    let header = ["THREAD", "UPDATED", "FOLDER", "TITLE"].map(str::to_owned);
    let all = || std::iter::once(&header).chain(&rows);
    let widths = [0, 1, 2].map(|column| all().map(|it| it[column].chars().count()).max().unwrap_or(0));
    all().map(|row| line(row, widths)).collect()
}

fn line([id, updated, folder, title]: &[String; 4], [a, b, c]: [usize; 3]) -> String {
    format!("{id:a$}  {updated:b$}  {folder:c$}  {title}")
        .trim_end()
        .to_owned()
        + "\n"
}

fn title(thread: &ThreadSummary) -> String {
    let title = plain(thread.title.lines().next().unwrap_or_default());
    if thread.pinned { format!("* {title}") } else { title }
}

fn end_of(folder: &str) -> String {
    let length = folder.chars().count();
    if length <= FOLDER {
        return folder.to_owned();
    }
    let end: String = folder.chars().skip(length - FOLDER + 1).collect();
    format!("…{end}")
}

fn ago(ms: u64) -> String {
    let minutes = ms / 60_000;
    match minutes {
        0 => "just now".to_owned(),
        1..60 => format!("{minutes} min ago"),
        60..1_440 => format!("{} h ago", minutes / 60),
        1_440..2_880 => "yesterday".to_owned(),
        _ => format!("{} days ago", minutes / 1_440),
    }
}

#[cfg(test)]
mod tests;
