//! The vocabulary of zspark: what goes in ([`request::Request`]), what comes out ([`event::Event`],
//! [`event::Live`]), and what a surface may branch on when something fails ([`failure::Failure`]).
//!
//! Plain data: no IO, no async. Only types of this crate are serializable promises.

pub mod id;

pub mod failure;

pub mod context;

pub mod attachment;

pub mod artifact;

pub mod change;

pub mod item;

pub mod approval;

pub mod setting;

pub mod thread;

pub mod event;

pub mod request;

pub mod host;

pub mod workspace;

pub mod typescript;

pub use event::{Event, EventKind, Frame, Live, Topic};
pub use failure::{Code, Failure};
pub use id::{ApprovalId, ArtifactId, ItemId, RuleId, ThreadId, TurnId};
pub use item::{Item, ItemKind, ItemStatus};
pub use request::{Answer, Method, Request};
