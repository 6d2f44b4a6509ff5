//! What the workspace server and its clients say to each other, over HTTP (`/api/v1/`) and over the live socket.
//!
//! Names are in `snake_case` here, unlike in the engine's own vocabulary, so that one can always tell whose field it is:
//! the payload of a shared event is the log's [`crate::EventKind`], in `camelCase`, passed on as it was written.
//! Times are milliseconds since the epoch.

pub mod artifact;

pub mod job;

pub mod document;

pub mod live;

pub mod log;

pub mod people;

pub mod problem;

pub mod ticket;

pub mod webhook;

pub mod sign_in;
