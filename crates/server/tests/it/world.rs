//! A world for a test: one node or several on a database of their own, and people who talk to them.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::LazyLock;

use reqwest::{Method, StatusCode};
use serde_json::Value;
use server::clock::Clock;
use server::config::{Config, Mode};
use server::node::Node;
use testkit::daemon::{Postgres, Redis};

/// One node on the embedded database, or several on Postgres and Redis, in development mode.
pub(crate) struct World {
    /// The first node.
    pub(crate) node: Node,
    /// The other ones.
    pub(crate) others: Vec<Node>,
    pub(crate) folder: tempfile::TempDir,
    /// Several nodes have one of their own.
    pub(crate) redis: Option<Redis>,
    /// A person's connections are kept: a new client takes long to make.
    http: reqwest::Client,
}

impl World {
    /// One node on the embedded database.
    pub(crate) async fn new() -> Self {
        Self::with(|_| ()).await
    }

    /// With another configuration.
    pub(crate) async fn with(change: impl FnOnce(&mut Config)) -> Self {
        Self::at(Clock::system(), change).await
    }

    /// With another configuration, at a time that the test tells.
    pub(crate) async fn at(clock: Clock, change: impl FnOnce(&mut Config)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut config = development(folder.path().to_owned());
        change(&mut config);
        let node = Node::start(config, clock).await.unwrap();
        Self {
            node,
            others: Vec::new(),
            folder,
            redis: None,
            http: reqwest::Client::new(),
        }
    }

    /// Two nodes on a new Postgres database, with a Redis of their own.
    pub(crate) async fn team() -> Self {
        Self::team_with(|_| ()).await
    }

    /// With another configuration of both.
    pub(crate) async fn team_with(change: impl Fn(&mut Config)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (database, redis) =
            tokio::task::spawn_blocking(|| (postgres().database().unwrap(), Redis::start().unwrap()))
                .await
                .unwrap();
        let mut config = development(folder.path().to_owned());
        config.database_url = Some(database);
        config.redis_url = Some(redis.url());
        change(&mut config);
        let node = Node::start(config.clone(), Clock::system()).await.unwrap();
        let other = Node::start(config, Clock::system()).await.unwrap();
        Self {
            node,
            others: vec![other],
            folder,
            redis: Some(redis),
            http: reqwest::Client::new(),
        }
    }

    /// Both: what must hold on either database is tried in each.
    pub(crate) async fn each() -> [Self; 2] {
        [Self::new().await, Self::team().await]
    }

    /// Somebody who is signed in at the first node.
    pub(crate) fn person(&self, name: &str) -> Person {
        self.person_at(&self.node, name)
    }

    /// Somebody who is signed in at the last node: another one if there are several.
    pub(crate) fn far_person(&self, name: &str) -> Person {
        self.person_at(self.others.last().unwrap_or(&self.node), name)
    }

    /// Stops the nodes in order, and then what they stood on.
    pub(crate) async fn stop(self) {
        for node in self.others {
            node.stop().await;
        }
        self.node.stop().await;
        drop((self.redis, self.folder));
    }

    fn person_at(&self, node: &Node, name: &str) -> Person {
        Person {
            name: name.to_owned(),
            base: format!("http://{}/api/v1", node.address()),
            http: self.http.clone(),
        }
    }
}

/// The Postgres that all tests of this program share, each with a database of its own. Its keeper ends it with us.
pub(crate) fn postgres() -> &'static Postgres {
    static SHARED: LazyLock<Postgres> = LazyLock::new(|| Postgres::start().unwrap());
    &SHARED
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
