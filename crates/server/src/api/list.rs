//! Lists in parts.

use protocol::workspace::people::Listed;
use serde::Deserialize;

/// Which part.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Part {
    /// What the part before ended with.
    #[serde(default)]
    pub(crate) after: String,
    #[serde(default)]
    limit: Option<usize>,
}

/// Which part of what is numbered.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Lines {
    /// The last line already seen.
    #[serde(default)]
    pub(crate) after: u64,
    #[serde(default)]
    limit: Option<usize>,
}

const USUAL: usize = 100;
const MOST: usize = 500;

impl Part {
    /// How many.
    pub(crate) fn limit(&self) -> usize {
        limit(self.limit)
    }

    /// The part, with where the next one begins.
    pub(crate) fn of<T>(&self, items: Vec<T>, key: impl Fn(&T) -> String) -> Listed<T> {
        let next = (items.len() == self.limit()).then(|| items.last().map(key)).flatten();
        Listed { items, next }
    }
}

impl Lines {
    /// How many.
    pub(crate) fn limit(&self) -> usize {
        limit(self.limit)
    }

    /// The part, with where the next one begins.
    pub(crate) fn of<T>(&self, items: Vec<T>, key: impl Fn(&T) -> u64) -> Listed<T> {
        let next = (items.len() == self.limit())
            .then(|| items.last().map(|it| key(it).to_string()))
            .flatten();
        Listed { items, next }
    }
}

fn limit(asked: Option<usize>) -> usize {
    asked.unwrap_or(USUAL).clamp(1, MOST)
}
