//! The engine's parts, from outside.
#![expect(clippy::unwrap_used, reason = "a test may panic")]
#![expect(clippy::wildcard_enum_match_arm, reason = "a test picks what it is about")]

mod approvals;
mod bad_input;
mod blob;
mod command;
mod exec;
mod faults;
mod log;
mod patch;
mod sandbox;
mod stage;
mod turns;
mod world;
