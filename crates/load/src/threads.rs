//! Shared threads: the server beside the plainest thing that could do the same.

mod broadcast;
mod event;
mod fanout;
mod ingest;
mod replay;
mod watcher;

pub(crate) use broadcast::broadcast;
pub(crate) use fanout::fanout;
pub(crate) use ingest::ingest;
pub(crate) use replay::replay;
