//! Model servers on this machine, found at the ports they usually listen on.

use std::time::Duration;

use futures::StreamExt;
use futures::stream::FuturesOrdered;
use protocol::setting::{LocalServer, WireApi};
use tokio::time::timeout;

use crate::connection::Connection;
use crate::http::Http;
use crate::list::models;

/// A server on this machine answers at once or not at all.
const LIMIT: Duration = Duration::from_millis(900);

const USUAL: &[(&str, u16)] = &[
    ("Ollama", 11_434),
    ("LM Studio", 1_234),
    ("vLLM", 8_000),
    ("SGLang", 30_000),
    ("llama.cpp", 8_080),
];

/// Looks at the usual ports, all at once, for less than a second.
pub async fn discover(http: Http) -> Vec<LocalServer> {
    discover_at(http, USUAL).await
}

/// Looks at these ports. Only what lists models counts as a model server.
pub async fn discover_at(http: Http, ports: &[(&str, u16)]) -> Vec<LocalServer> {
    let found: FuturesOrdered<_> = ports.iter().map(|(name, port)| look(&http, name, *port)).collect();
    found.filter_map(std::future::ready).collect().await
}

async fn look(http: &Http, name: &str, port: u16) -> Option<LocalServer> {
    // All of them have the chat wire; not all have the other, and not in all versions.
    let base_url = format!("http://127.0.0.1:{port}/v1");
    let connection = Connection::new("local", name, &base_url, WireApi::Chat);
    let models = timeout(LIMIT, models(http, &connection)).await.ok()?.ok()?;
    Some(LocalServer {
        name: name.to_owned(),
        base_url,
        wire_api: WireApi::Chat,
        models,
    })
}
