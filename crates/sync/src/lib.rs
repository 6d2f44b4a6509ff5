//! A replica of shared threads and documents: what a client of the workspace server keeps and sends. It knows no agent and no
//! screen.
//!
//! In reading order, which is dependency order: a [`document`] that people write together; the [`client`] that joins the rest
//! to a server; a thread without a network ([`outbox`] and [`queue`] for the one who writes, [`mirror`] and [`inbox`] for those
//! who read); and what is pure or only a file.

pub mod document;

pub mod client;

pub mod outbox;

pub mod trouble;

pub mod queue;

pub mod mirror;

pub mod inbox;

pub mod journal;

pub mod pieces;

pub mod backoff;

pub mod scan;

pub mod frame;
