//! A world for a test: one node or several on a database of their own, and people who talk to them.

use std::net::SocketAddr;
use std::path::PathBuf;

use reqwest::{Method, StatusCode};
use serde_json::Value;
use server::clock::Clock;
use server::config::{Config, Mode};
use server::node::Node;

/// A node on the embedded database in development mode.
pub(crate) struct World {
    pub(crate) node: Node,
    pub(crate) folder: tempfile::TempDir,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(|_| ()).await
    }

    /// With another configuration.
    pub(crate) async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut config = development(folder.path().to_owned());
        change(&mut config);
        let node = Node::start(config, Clock::system()).await.unwrap();
        Self { node, folder }
    }

    /// Somebody who is signed in.
    pub(crate) fn person(&self, name: &str) -> Person {
        Person {
            name: name.to_owned(),
            base: format!("http://{}/api/v1", self.node.address()),
            http: reqwest::Client::new(),
        }
    }
}

/// What a test's node is told.
pub(crate) fn development(data_dir: PathBuf) -> Config {
    Config {
        mode: Mode::Development,
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        data_dir,
        ..Config::default()
    }
}

/// Somebody at a node.
#[derive(Clone)]
pub(crate) struct Person {
    pub(crate) name: String,
    pub(crate) base: String,
    pub(crate) http: reqwest::Client,
}

impl Person {
    /// Asks, and answers the status and the JSON body (null when there is none).
    pub(crate) async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> (StatusCode, Value) {
        let mut request = self
            .http
            .request(method, format!("{}{path}", self.base))
            .header("x-domain-user", &self.name);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = request.send().await.unwrap();
        let status = response.status();
        let bytes = response.bytes().await.unwrap();
        let body = if bytes.is_empty() {
            Value::Null
        } else {
            serde_json::from_slice(&bytes).unwrap()
        };
        (status, body)
    }

    /// Asks for what must be there.
    pub(crate) async fn get(&self, path: &str) -> Value {
        let (status, body) = self.ask(Method::GET, path, None).await;
        assert!(status.is_success(), "GET {path}: {status} {body}");
        body
    }

    /// Sends what must be taken.
    pub(crate) async fn post(&self, path: &str, body: Value) -> Value {
        let (status, body) = self.ask(Method::POST, path, Some(body)).await;
        assert!(status.is_success(), "POST {path}: {status} {body}");
        body
    }
}
