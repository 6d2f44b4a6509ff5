//! The engine's parts, from outside.

mod log;
