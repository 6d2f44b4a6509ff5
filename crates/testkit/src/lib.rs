//! Development only: a scripted model server for both wires with every fault there is, temporary homes, an authority of
//! Entra's shape, and real database servers that vanish with the test.
//!
//! ```ignore
//! let gate = Gate::new();
//! let server = ModelServer::start(Script::turns([
//!     Step::call("exec_command", json!({ "cmd": "ls" })),
//!     Step::say("Two files").hold(&gate).text(" and a folder."),
//! ])).await?;
//! // … point a provider at server.base_url(), send a prompt, then:
//! gate.reached().await;   // the first half is out
//! gate.open();
//! assert!(server.requests()[1].has_tool_output());
//! ```

pub mod server;

pub mod render;

pub mod script;

pub mod received;

pub mod gate;

pub mod home;

pub mod authority;

#[cfg(unix)]
pub mod daemon;

pub use authority::Authority;
pub use gate::Gate;
pub use home::TempHome;
pub use received::Received;
pub use script::{Script, Shape, Step};
pub use server::ModelServer;
