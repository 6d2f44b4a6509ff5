//! The engine's parts, from outside.

mod approvals;
mod blob;
mod exec;
mod faults;
mod log;
mod patch;
mod sandbox;
mod stage;
mod turns;
mod world;
