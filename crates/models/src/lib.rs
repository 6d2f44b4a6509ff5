//! Model providers: what is asked ([`Prompt`]), what comes back ([`Piece`]), and the wires in between.
//!
//! A provider's stream retries by itself what is worth retrying; dropping it cancels the request.
//! Modules stand in dependency order: each uses only those below it. Start reading at `run`: the life of one prompt.

mod check;

mod local;

mod demo;

mod provider;

mod list;

mod run;

mod chat;

mod responses;

mod wire;

mod complaint;

mod sse;

mod http;

mod capability;

mod connection;

mod error;

mod prompt;

mod window;

pub use check::test;
pub use connection::Connection;
pub use demo::demo;

pub use error::{Class, Error};
pub use http::Http;
pub use local::{discover, discover_at};
pub use prompt::{Format, Piece, Prompt, Tool};
pub use provider::{Provider, connect};
pub use window::known as known_context_window;
