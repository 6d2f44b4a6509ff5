//! The `zspark` binary from the outside: what it prints, how it exits, what it leaves behind.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod chores;
mod crash;
mod json;
mod prose;
mod refused;
mod resume;
mod run;
mod sdk;
