//! The shared workspace: a server on which a team sees each other's threads live, continues them, writes together and
//! shares files. It knows no agent; it shares only the vocabulary.

pub mod node;

mod listen;

pub mod api;

pub mod live;

pub mod job;

pub mod ingest;

pub mod gate;

pub mod route;

pub mod app;

pub mod document;

pub mod presence;

pub mod follow;

pub mod artifact;

pub mod webhook;

pub mod sockets;

pub mod store;

pub mod bus;

pub mod fold;

pub mod auth;

pub mod metrics;

pub mod rate;

pub mod problem;

pub mod config;

pub mod clock;
