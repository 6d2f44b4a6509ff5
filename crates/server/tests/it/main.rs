//! The server, tried from outside over HTTP and websockets.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod audit;
mod documents;
mod membership;
mod ops;
mod people;
mod world;
