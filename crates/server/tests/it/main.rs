//! The server, tried from outside over HTTP and websockets.
#![cfg(unix)]
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

mod artifacts;
mod audit;
mod backup;
mod checklist;
mod deletion;
mod documents;
mod entra;
mod faults;
mod gate;
mod line;
mod live;
mod log_model;
mod log_rights;
mod membership;
mod ops;
mod people;
mod program;
mod rate;
mod replica;
mod replica_documents;
mod roles;
mod threads;
mod webhooks;
mod world;
