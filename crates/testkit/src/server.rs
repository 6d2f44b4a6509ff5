//! The scripted model server: loopback, an ephemeral port, both wires, and a memory of all it was sent.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::connect_info::Connected;
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, Method, Uri, header};
use axum::response::Response;
use axum::serve::{IncomingStream, Listener};
use futures::{Stream, StreamExt};
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::received::Received;
use crate::render::{self, Out};
use crate::script::{Script, Step};

/// Runs until it is dropped.
#[derive(Debug)]
pub struct ModelServer {
    port: u16,
    state: Arc<Inner>,
    /// Dropping it ends the server.
    _tasks: JoinSet<()>,
}

#[derive(Debug)]
struct Inner {
    script: Mutex<Script>,
    received: Mutex<Vec<Received>>,
    count: watch::Sender<usize>,
    connections: Arc<AtomicU64>,
    closed: Arc<watch::Sender<u64>>,
}

impl ModelServer {
    /// Starts on a free port.
    ///
    /// # Errors
    /// No port can be had.
    pub async fn start(script: Script) -> anyhow::Result<Self> {
        Self::start_at(0, script).await
    }

    /// Starts on this port.
    ///
    /// # Errors
    /// The port is taken.
    pub async fn start_at(port: u16, script: Script) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", port)).await?;
        let port = listener.local_addr()?.port();
        let connections = Arc::new(AtomicU64::new(0));
        let closed = Arc::new(watch::Sender::new(0));
        let state = Arc::new(Inner {
            script: Mutex::new(script),
            received: Mutex::default(),
            count: watch::Sender::new(0),
            connections: connections.clone(),
            closed: closed.clone(),
        });
        let counting = Counting {
            listener,
            connections,
            closed,
        };
        let router = Router::new().fallback(answer).with_state(state.clone());
        let service = router.into_make_service_with_connect_info::<Peer>();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            if let Err(error) = axum::serve(counting, service).await {
                // A test that waits for this server fails by itself; this says why.
                panic!("the scripted model server ended: {error}");
            }
        });
        Ok(Self {
            port,
            state,
            _tasks: tasks,
        })
    }

    /// Ready to be a provider's base URL.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("http://127.0.0.1:{}/v1", self.port)
    }

    /// The port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// All requests to a model so far.
    #[must_use]
    pub fn requests(&self) -> Vec<Received> {
        lock(&self.state.received).clone()
    }

    /// Waits until this many requests have come, and gives all.
    pub async fn received(&self, number: usize) -> Vec<Received> {
        let mut count = self.state.count.subscribe();
        // The sender lives in self, so waiting cannot fail.
        drop(count.wait_for(|it| *it >= number).await);
        self.requests()
    }

    /// TCP connections so far.
    #[must_use]
    pub fn connections(&self) -> u64 {
        self.state.connections.load(Ordering::SeqCst)
    }

    /// Waits until this many connections have ended.
    pub async fn closed(&self, number: u64) {
        let mut closed = self.state.closed.subscribe();
        // The sender lives in self, so waiting cannot fail.
        drop(closed.wait_for(|it| *it >= number).await);
    }

    /// Adds a step at the end.
    pub fn push(&self, step: Step) {
        lock(&self.state.script).steps.push(step);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn answer(
    State(state): State<Arc<Inner>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let path = uri.path().trim_end_matches('/');
    let chat = path.ends_with("/chat/completions");
    if method == Method::POST && (chat || path.ends_with("/responses")) {
        return model(&state, &peer, &uri, &headers, &body, chat);
    }
    if method == Method::GET && path.ends_with("/models") {
        return models(&state);
    }
    if method == Method::GET && path == "/__requests" {
        let all = json!({
            "connections": state.connections.load(Ordering::SeqCst),
            "requests": &*lock(&state.received),
        });
        return reply(200, "application/json", all.to_string());
    }
    if method == Method::POST
        && let Some(name) = path.strip_prefix("/__release/")
    {
        return match lock(&state.script).gates.get(name) {
            Some(gate) => {
                gate.open();
                reply(200, "application/json", "{}".to_owned())
            }
            None => reply(404, "application/json", "{}".to_owned()),
        };
    }
    reply(404, "text/plain", "404 page not found".to_owned())
}

/// Lists the models; an object as it is, a name as OpenAI does.
fn models(state: &Inner) -> Response {
    let script = lock(&state.script);
    let usual = [Value::from("scripted")];
    let models = if script.models.is_empty() {
        &usual[..]
    } else {
        &script.models
    };
    let data: Vec<Value> = models
        .iter()
        .map(|it| match it.as_str() {
            Some(id) => json!({ "id": id, "object": "model", "owned_by": "scripted" }),
            None => it.clone(),
        })
        .collect();
    reply(
        200,
        "application/json",
        json!({ "object": "list", "data": data }).to_string(),
    )
}

fn model(state: &Arc<Inner>, peer: &Peer, uri: &Uri, headers: &HeaderMap, body: &Bytes, chat: bool) -> Response {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let request = {
        let mut received = lock(&state.received);
        let request = Received {
            number: received.len(),
            method: "POST".to_owned(),
            path: uri.to_string(),
            headers: headers
                .iter()
                .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
                .collect(),
            body,
            connection: peer.connection,
        };
        received.push(request.clone());
        request
    };
    let number = request.number;
    state.count.send_replace(number + 1);
    let script = lock(&state.script).clone();
    if let Some(word) = script.reject.iter().find_map(|word| rejected(word, &request.body)) {
        let error = json!({ "error": {
            "message": format!("Unsupported parameter: '{word}' is not supported with this model."),
            "type": "invalid_request_error", "param": word, "code": "unsupported_parameter",
        }});
        return reply(400, "application/json", error.to_string());
    }
    let step = match &script.choose {
        Some(choose) => Some(choose(&request)),
        None => take(&mut lock(&state.script).steps, &request),
    };
    let Some(step) = step else {
        return reply(
            500,
            "application/json",
            json!({ "error": { "message": "the script has no step left" } }).to_string(),
        );
    };
    if let Some(status) = step.status {
        let mut reply = reply(status.code, "application/json", status.body);
        for (name, value) in &status.headers {
            if let (Ok(name), Ok(value)) = (header::HeaderName::try_from(name), header::HeaderValue::try_from(value)) {
                reply.headers_mut().insert(name, value);
            }
        }
        return reply;
    }
    let model = request.body.get("model").and_then(Value::as_str).unwrap_or("scripted");
    let out = if chat {
        let wants_usage = request
            .body
            .pointer("/stream_options/include_usage")
            .is_some_and(|it| it == true);
        render::chat(&step, number, model, wants_usage)
    } else {
        render::responses(&step, number, model)
    };
    let mut response = Response::new(Body::from_stream(stream(out, peer.clone())));
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        header::HeaderValue::from_static("text/event-stream"),
    );
    response
}

/// The first step that fits and can still be taken.
fn take(steps: &mut Vec<Step>, request: &Received) -> Option<Step> {
    let at = steps.iter().position(|it| it.when.fits(request))?;
    let step = steps.get_mut(at)?;
    let taken = step.clone();
    if let Some(times) = &mut step.times {
        *times -= 1;
        if *times == 0 {
            steps.remove(at);
        }
    }
    Some(taken)
}

/// The field the request is refused for, if `word` finds one.
fn rejected(word: &str, body: &Value) -> Option<String> {
    const OLDEST: &[&str] = &["model", "messages", "input", "instructions", "stream", "tools"];

    let has = match word {
        "*" => {
            let object = body.as_object()?;
            return object.keys().find(|it| !OLDEST.contains(&it.as_str())).cloned();
        }
        "developer" => {
            let entries = body.get("messages").or_else(|| body.get("input"))?.as_array()?;
            entries
                .iter()
                .any(|it| it.get("role").is_some_and(|it| it == "developer"))
        }
        "image" => return body.to_string().contains("data:image").then(|| "image_url".to_owned()),
        "custom" => body
            .get("tools")?
            .as_array()?
            .iter()
            .any(|it| it.get("type").is_some_and(|it| it == "custom")),
        field => body.get(field).is_some(),
    };
    has.then(|| word.to_owned())
}

fn reply(status: u16, kind: &'static str, body: String) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = axum::http::StatusCode::from_u16(status).unwrap_or_default();
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, header::HeaderValue::from_static(kind));
    response
}

fn stream(out: Vec<Out>, peer: Peer) -> impl Stream<Item = io::Result<Bytes>> {
    let start = tokio::time::Instant::now();
    futures::stream::iter(out)
        .then(move |out| {
            let peer = peer.clone();
            async move {
                match out {
                    Out::Bytes(bytes) => Some(Ok(bytes)),
                    Out::Gate(gate) => {
                        gate.pass().await;
                        None
                    }
                    Out::At(after) => {
                        tokio::time::sleep_until(start + after).await;
                        None
                    }
                    Out::Cut => {
                        // hyper writes what it has before it asks again.
                        tokio::task::yield_now().await;
                        Some(Err(io::Error::other("cut by the script")))
                    }
                    Out::Reset => {
                        peer.reset.store(true, Ordering::SeqCst);
                        tokio::task::yield_now().await;
                        Some(Err(io::Error::other("reset by the script")))
                    }
                    Out::Stall => std::future::pending().await,
                }
            }
        })
        .filter_map(std::future::ready)
}

/// A connection as handlers know it.
#[derive(Clone, Debug)]
struct Peer {
    connection: u64,
    reset: Arc<AtomicBool>,
}

impl Connected<IncomingStream<'_, Counting>> for Peer {
    fn connect_info(stream: IncomingStream<'_, Counting>) -> Self {
        stream.remote_addr().clone()
    }
}

/// Counts connections, and can end one with a reset.
struct Counting {
    listener: TcpListener,
    connections: Arc<AtomicU64>,
    closed: Arc<watch::Sender<u64>>,
}

impl Listener for Counting {
    type Io = Io;
    type Addr = Peer;

    async fn accept(&mut self) -> (Io, Peer) {
        loop {
            match self.listener.accept().await {
                Ok((stream, _)) => {
                    // Deltas are measured, so they must not wait for each other.
                    let _best_effort = stream.set_nodelay(true);
                    let peer = Peer {
                        connection: self.connections.fetch_add(1, Ordering::SeqCst) + 1,
                        reset: Arc::default(),
                    };
                    let io = Io {
                        stream,
                        reset: peer.reset.clone(),
                        closed: self.closed.clone(),
                    };
                    return (io, peer);
                }
                Err(_) => tokio::task::yield_now().await,
            }
        }
    }

    fn local_addr(&self) -> io::Result<Peer> {
        Ok(Peer {
            connection: 0,
            reset: Arc::default(),
        })
    }
}

struct Io {
    stream: TcpStream,
    reset: Arc<AtomicBool>,
    closed: Arc<watch::Sender<u64>>,
}

impl Drop for Io {
    fn drop(&mut self) {
        self.closed.send_modify(|it| *it += 1);
        if self.reset.load(Ordering::SeqCst) {
            // Closing with nothing to linger for is what sends a reset.
            let _best_effort = self.stream.set_zero_linger();
        }
    }
}

impl AsyncRead for Io {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Io {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.reset.load(Ordering::SeqCst) {
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
