//! What the server does by itself, now and then. Any number of nodes may do so at once.

pub(crate) mod call;

pub(crate) mod deletion;

pub mod log;

pub(crate) mod retention;
pub mod uploads;
pub mod versions;
pub(crate) mod webhook;
