//! Model providers: what is asked ([`Prompt`]), what comes back ([`Piece`]), and the wires in between.
//!
//! A provider's stream retries by itself what is worth retrying; dropping it cancels the request.

pub mod provider;

mod run;

mod capability;

pub mod window;

pub mod prompt;

pub mod http;

pub mod error;

pub use error::{Class, Error};
pub use http::Http;
pub use prompt::{Format, Piece, Prompt, Tool};
pub use provider::{Connection, Provider, connect};
