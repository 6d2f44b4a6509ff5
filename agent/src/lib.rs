//! The agent engine: threads that turn what a person asks into work done under approval.
//!
//! Modules stand in reading order, which is dependency order: each uses only those below it.
//! Start reading at [`turn`]: the whole loop is there.

pub mod engine;

mod thread;

mod turn;

pub mod context;

pub mod doctor;

pub mod tools;

pub mod approval;

pub mod checkpoint;

pub mod exec;

pub mod artifact;

pub mod attachment;

pub mod files;

pub mod instructions;

pub mod patch;

pub mod tool;

pub mod sandbox;

pub mod log;

pub mod blob;

pub mod rule;

pub mod command;

pub mod secret;

pub mod config;

pub mod clock;

pub mod home;
