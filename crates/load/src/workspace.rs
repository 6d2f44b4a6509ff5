//! A workspace of zspark's, and what one asks for in it.

use anyhow::{Context as _, Result, bail};
use protocol::workspace::log::{Acked, Batch, EventPage, Lease, NewEvent};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// Who everybody is here, in the words of development mode.
pub(crate) const PERSON: (&str, &str) = ("x-domain-user", "load");
/// The machine that writes.
const PRODUCER: &str = "load";

/// A workspace at some address.
#[derive(Debug, Clone)]
pub(crate) struct Workspace {
    http: reqwest::Client,
    address: String,
    id: String,
}

/// A thread in it, and the right to append to it.
#[derive(Debug)]
pub(crate) struct Thread {
    workspace: Workspace,
    id: String,
    lease: Lease,
    next: u64,
}

impl Workspace {
    /// A new one.
    pub(crate) async fn make(address: &str) -> Result<Self> {
        let mut workspace = Self {
            http: reqwest::Client::builder().no_proxy().build()?,
            address: address.to_owned(),
            id: String::new(),
        };
        let made: Value = workspace.post("/workspaces", &json!({"name": "Load"})).await?;
        workspace.id = made["id"].as_str().context("a workspace without an id")?.to_owned();
        Ok(workspace)
    }

    /// The same one at another address.
    pub(crate) fn at(self, address: &str) -> Self {
        Self {
            address: address.to_owned(),
            ..self
        }
    }

    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// A new thread.
    pub(crate) async fn thread(&self) -> Result<Thread> {
        let path = format!("/workspaces/{}/threads", self.id);
        let made: Value = self.post(&path, &json!({"title": "Load"})).await?;
        let id = made["id"].as_str().context("a thread without an id")?.to_owned();
        let asks = json!({"producer_id": PRODUCER, "device_id": "load", "ttl_s": 300});
        let lease = self.post(&format!("{path}/{id}/lease"), &asks).await?;
        Ok(Thread {
            workspace: self.clone(),
            id,
            lease,
            next: 1,
        })
    }

    async fn post<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T> {
        self.post_text(path, serde_json::to_string(body)?).await
    }

    async fn post_text<T: DeserializeOwned>(&self, path: &str, body: String) -> Result<T> {
        let request = self.http.post(self.url(path)).header(PERSON.0, PERSON.1);
        let response = request
            .header("content-type", "application/json")
            .body(body)
            .send()
            .await?;
        answer(path, response).await
    }

    async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        let response = self.http.get(self.url(path)).header(PERSON.0, PERSON.1).send().await?;
        answer(path, response).await
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}/api/v1{path}", self.address)
    }
}

impl Thread {
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    pub(crate) fn workspace(&self) -> &Workspace {
        &self.workspace
    }

    /// The next batch, with these events in it.
    pub(crate) fn batch(&mut self, payloads: &[Value]) -> Batch {
        let base = self.next;
        self.next += payloads.len() as u64;
        let events = (base..).zip(payloads).map(|(number, payload)| NewEvent {
            event_id: format!("{}-{number}", self.id),
            at_ms: number,
            payload: payload.clone(),
        });
        Batch {
            producer_id: PRODUCER.to_owned(),
            lease_epoch: self.lease.epoch,
            base,
            events: events.collect(),
        }
    }

    /// Appends a batch that is JSON already.
    pub(crate) async fn append(&self, batch: String) -> Result<Acked> {
        self.workspace.post_text(&self.path(), batch).await
    }

    /// A page of events.
    pub(crate) async fn page(&self, after: u64) -> Result<EventPage> {
        self.workspace.get(&format!("{}?after={after}", self.path())).await
    }

    fn path(&self) -> String {
        format!("/workspaces/{}/threads/{}/events", self.workspace.id, self.id)
    }
}

async fn answer<T: DeserializeOwned>(path: &str, response: reqwest::Response) -> Result<T> {
    let status = response.status();
    let body = response.bytes().await?;
    if !status.is_success() {
        bail!("{path}: {status} {}", String::from_utf8_lossy(&body));
    }
    serde_json::from_slice(&body).with_context(|| format!("{path}: {}", String::from_utf8_lossy(&body)))
}
