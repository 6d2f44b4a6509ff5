//! A replica of shared threads and documents: what a client of the workspace server keeps and sends.

pub mod backoff;
pub mod frame;
pub mod journal;
pub mod trouble;

pub mod inbox;
pub mod mirror;
pub mod outbox;
pub mod queue;

pub mod client;
