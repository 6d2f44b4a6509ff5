//! The table of routes: each has a path, the least that a caller must be, and words for the OpenAPI document. The gate, the
//! document and the test of the role matrix all read this one table.

use axum::handler::Handler;
use axum::http::Method;
use axum::routing::{MethodRouter, on};
use protocol::workspace::people::Role;
use schemars::{JsonSchema, Schema, SchemaGenerator};

use crate::app::App;

/// What a JSON body may have unless a route's line says more, in bytes.
pub const BODY_BYTES: usize = 256 * 1024;

/// Who may come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Anybody.
    Open,
    /// Anybody who is signed in.
    Person,
    /// Members of the path's `{workspace}` with at least this role. Everybody else is told that there is nothing.
    In(Role),
    /// The handler itself looks, because credentials may come by a ticket: websockets.
    Socket,
}

/// What the gate looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// Who may come in.
    pub access: Access,
    /// What a JSON body may have, in bytes.
    pub body_bytes: usize,
    /// It changes something even in an archived workspace.
    pub even_archived: bool,
}

type Describe = fn(&mut SchemaGenerator) -> Schema;

/// One line of the table.
#[derive(Debug, Clone)]
pub struct Route {
    /// The method.
    pub method: Method,
    /// Below `/api/v1` unless it is open; `{workspace}` and the like are parameters.
    pub path: &'static str,
    /// Who may come in.
    pub access: Access,
    body_bytes: usize,
    even_archived: bool,
    /// One sentence.
    pub summary: &'static str,
    /// The body it takes.
    pub takes: Option<Describe>,
    /// The body it answers.
    pub gives: Option<Describe>,
    pub(crate) handler: MethodRouter<App>,
}

impl Route {
    /// A route. `path` is whole, such as `/api/v1/me`.
    pub fn new<H, T>(method: Method, path: &'static str, access: Access, summary: &'static str, handler: H) -> Self
    where
        H: Handler<T, App>,
        T: 'static,
    {
        let filter = axum::routing::MethodFilter::try_from(method.clone()).unwrap_or(axum::routing::MethodFilter::GET);
        Self {
            method,
            path,
            access,
            body_bytes: BODY_BYTES,
            even_archived: false,
            summary,
            takes: None,
            gives: None,
            handler: on(filter, handler),
        }
    }

    /// What the gate looks at.
    #[must_use]
    pub fn rules(&self) -> Rules {
        Rules {
            access: self.access,
            body_bytes: self.body_bytes,
            even_archived: self.even_archived,
        }
    }

    /// Lets a JSON body have so many bytes, instead of [`BODY_BYTES`].
    #[must_use]
    pub fn at_most(mut self, bytes: usize) -> Self {
        self.body_bytes = bytes;
        self
    }

    /// Lets it change something in an archived workspace.
    #[must_use]
    pub fn even_archived(mut self) -> Self {
        self.even_archived = true;
        self
    }

    /// The JSON body it takes.
    #[must_use]
    pub fn takes<T: JsonSchema>(mut self) -> Self {
        self.takes = Some(|it| it.subschema_for::<T>());
        self
    }

    /// The JSON body it answers.
    #[must_use]
    pub fn gives<T: JsonSchema>(mut self) -> Self {
        self.gives = Some(|it| it.subschema_for::<T>());
        self
    }
}
