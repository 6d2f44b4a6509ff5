//! The engine's parts, from outside.

mod exec;
mod log;
mod sandbox;
mod stage;
