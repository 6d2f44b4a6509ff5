//! The thin client: HTTP, one live socket, reconnecting.

pub mod door;
