//! Where the server is and who asks there: every request and every websocket goes through here.

use std::error::Error;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use protocol::workspace::problem::{Problem, ProblemCode};
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Error as SocketError;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};
use url::{Host, Url};

use crate::trouble::Trouble;

/// A websocket to a node.
pub type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// What this client calls itself.
const USER_AGENT: &str = concat!("zspark-sync/", env!("CARGO_PKG_VERSION"));
/// In development mode the server takes a name for a person.
const DEVELOPMENT: HeaderName = HeaderName::from_static("x-domain-user");
/// A node that does not take a connection in this time is away.
const CONNECT: Duration = Duration::from_secs(10);
/// A node that sends nothing for this time while an answer is due is away.
const SILENCE: Duration = Duration::from_secs(60);
/// One message of a websocket: a whole document of the largest size, with room for what frames it.
const MESSAGE_BYTES: usize = 72 * 1024 * 1024;
/// The body of an answer that is read as a whole.
const ANSWER_BYTES: usize = 32 * 1024 * 1024;

/// Who asks. Its `Debug` shows nothing of it.
#[derive(Clone)]
pub enum Credential {
    /// An access token.
    Bearer(String),
    /// A name, which only a server in development mode takes.
    Development(String),
}

impl std::fmt::Debug for Credential {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        to.write_str(match self {
            Self::Bearer(_) => "Bearer(..)",
            Self::Development(_) => "Development(..)",
        })
    }
}

impl Credential {
    /// What goes into the first frame of a live socket, or into a fresh one.
    #[must_use]
    pub fn secret(&self) -> &str {
        match self {
            Self::Bearer(it) | Self::Development(it) => it,
        }
    }

    fn header(&self) -> Result<(HeaderName, HeaderValue), Trouble> {
        let (name, value) = match self {
            Self::Bearer(token) => (AUTHORIZATION, format!("Bearer {token}")),
            Self::Development(name) => (DEVELOPMENT, name.clone()),
        };
        let mut value: HeaderValue = value.parse().map_err(|it| Trouble::Credentials(Box::new(it)))?;
        value.set_sensitive(true);
        Ok((name, value))
    }
}

/// Gives the credential that is good now. Asked for each request, so it keeps it until it has to be renewed.
#[async_trait]
pub trait Credentials: Send + Sync + std::fmt::Debug {
    /// A credential. With `fresh` the one given last was refused or is about to end: another one, if there is any.
    ///
    /// # Errors
    /// Nobody is signed in, or the authority cannot be reached.
    async fn credential(&self, fresh: bool) -> Result<Credential, Box<dyn Error + Send + Sync>>;
}

/// One that never changes: in development mode, or where a token lives as long as the program.
#[async_trait]
impl Credentials for Credential {
    async fn credential(&self, _fresh: bool) -> Result<Credential, Box<dyn Error + Send + Sync>> {
        Ok(self.clone())
    }
}

/// Why no door can be made.
#[derive(Debug, thiserror::Error)]
pub enum DoorError {
    /// There must be one.
    #[error("no address of a server is given")]
    NoNode,
    /// A token must not cross a network in the clear.
    #[error("{0} is not safe: use https, or http on this machine")]
    Unsafe(Url),
    /// The system has no roots of trust, or the like.
    #[error("no client can be made")]
    Client(#[from] reqwest::Error),
}

/// The way to one server, which may have several nodes.
#[derive(Debug)]
pub struct Door {
    nodes: Vec<Url>,
    /// Counts the nodes that failed; the rest of it is the one to ask.
    turn: AtomicUsize,
    http: reqwest::Client,
    credentials: Arc<dyn Credentials>,
}

impl Door {
    /// A way to a server by the addresses of its nodes, such as `https://zspark.example.org`. When one cannot be reached the
    /// next one is asked.
    ///
    /// # Errors
    /// No address, or one over which a token would go in the clear.
    pub fn new(nodes: Vec<Url>, credentials: Arc<dyn Credentials>) -> Result<Self, DoorError> {
        if nodes.is_empty() {
            return Err(DoorError::NoNode);
        }
        if let Some(node) = nodes.iter().find(|it| !is_safe(it)) {
            return Err(DoorError::Unsafe(node.clone()));
        }
        let http = reqwest::Client::builder()
            .user_agent(USER_AGENT)
            // A token goes where it was meant to go and nowhere else.
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT)
            .read_timeout(SILENCE)
            .build()?;
        Ok(Self {
            nodes,
            turn: AtomicUsize::new(0),
            http,
            credentials,
        })
    }

    /// A credential that is good now; another one than before when `fresh`.
    ///
    /// # Errors
    /// There is none.
    pub async fn credential(&self, fresh: bool) -> Result<Credential, Trouble> {
        self.credentials.credential(fresh).await.map_err(Trouble::Credentials)
    }

    /// Asks, below `/api/v1`, and reads the answer.
    ///
    /// # Errors
    /// As [`Trouble`] says. What does not reach a node is asked of the next one; what reached one is not sent again.
    pub async fn ask<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<&(impl Serialize + Sync)>,
    ) -> Result<T, Trouble> {
        let response = self
            .send(method, path, |request| match body {
                Some(body) => request.json(body),
                None => request,
            })
            .await?;
        let status = response.status();
        let bytes = read_whole(response).await?;
        // A success without a body is `null`.
        let bytes = if bytes.is_empty() { b"null" } else { bytes.as_slice() };
        serde_json::from_slice(bytes).map_err(|it| Trouble::Nonsense(format!("{status}: {it}")))
    }

    /// Sends a request and answers once the headers of a success are there. `with` may be asked once for each try.
    ///
    /// # Errors
    /// As [`Trouble`] says.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        with: impl Fn(RequestBuilder) -> RequestBuilder,
    ) -> Result<Response, Trouble> {
        match self.try_nodes(&method, path, &with, false).await {
            // A token may end between being given and being looked at.
            Err(trouble) if is_unauthenticated(&trouble) => self.try_nodes(&method, path, &with, true).await,
            done => done,
        }
    }

    async fn try_nodes(
        &self,
        method: &Method,
        path: &str,
        with: &impl Fn(RequestBuilder) -> RequestBuilder,
        fresh: bool,
    ) -> Result<Response, Trouble> {
        let (name, value) = self.credential(fresh).await?.header()?;
        let mut last = None;
        for _ in &self.nodes {
            let turn = self.turn.load(Ordering::Relaxed);
            let url = self.url(turn, path)?;
            let request = self.http.request(method.clone(), url);
            match with(request.header(name.clone(), value.clone())).send().await {
                Ok(response) if response.status().is_success() => return Ok(response),
                Ok(response) => return Err(refused(response).await),
                Err(error) => {
                    self.move_on(turn);
                    let never_sent = error.is_connect();
                    last = Some(error);
                    if !never_sent {
                        break;
                    }
                }
            }
        }
        Err(match last {
            Some(error) => Trouble::Unreachable(Box::new(error)),
            None => Trouble::Ended,
        })
    }

    /// Opens a websocket below `/api/v1`, on one node. The next one is asked the next time, if this one cannot be reached.
    ///
    /// # Errors
    /// As [`Trouble`] says.
    pub async fn websocket(&self, path: &str) -> Result<Socket, Trouble> {
        match self.connect(path, false).await {
            Err(trouble) if is_unauthenticated(&trouble) => self.connect(path, true).await,
            done => done,
        }
    }

    async fn connect(&self, path: &str, fresh: bool) -> Result<Socket, Trouble> {
        let (name, value) = self.credential(fresh).await?.header()?;
        let turn = self.turn.load(Ordering::Relaxed);
        let mut url = self.url(turn, path)?;
        let scheme = if url.scheme() == "https" { "wss" } else { "ws" };
        url.set_scheme(scheme)
            .map_err(|()| Trouble::Nonsense(format!("{url} is no address")))?;
        let unreachable = |error: SocketError| Trouble::Unreachable(Box::new(error));
        let mut request = url.as_str().into_client_request().map_err(unreachable)?;
        let headers: &mut HeaderMap = request.headers_mut();
        headers.insert(name, value);
        headers.insert(reqwest::header::USER_AGENT, HeaderValue::from_static(USER_AGENT));
        let config = WebSocketConfig::default()
            .max_message_size(Some(MESSAGE_BYTES))
            .max_frame_size(Some(MESSAGE_BYTES));
        let connected = tokio::time::timeout(CONNECT, connect_async_with_config(request, Some(config), true)).await;
        match connected {
            Ok(Ok((socket, _))) => Ok(socket),
            Ok(Err(SocketError::Http(response))) => {
                let body = response.body().as_deref().unwrap_or_default();
                Err(Trouble::Refused(problem(response.status(), body)))
            }
            Ok(Err(error)) => Err(unreachable(error)),
            Err(late) => Err(Trouble::Unreachable(Box::new(late))),
        }
        .inspect_err(|_| self.move_on(turn))
    }

    /// The node of which a socket came ends or is gone: the next one is asked from now on.
    pub fn leave_node(&self) {
        self.move_on(self.turn.load(Ordering::Relaxed));
    }

    /// Only one of those who saw the same failure moves on.
    fn move_on(&self, turn: usize) {
        let _ = self
            .turn
            .compare_exchange(turn, turn.wrapping_add(1), Ordering::Relaxed, Ordering::Relaxed);
    }

    fn url(&self, turn: usize, path: &str) -> Result<Url, Trouble> {
        let node = self.nodes.get(turn % self.nodes.len()).ok_or(Trouble::Ended)?;
        let base = node.as_str().trim_end_matches('/');
        Url::parse(&format!("{base}/api/v1{path}")).map_err(|it| Trouble::Nonsense(format!("{path}: {it}")))
    }
}

fn is_unauthenticated(trouble: &Trouble) -> bool {
    trouble
        .problem()
        .is_some_and(|it| it.code == ProblemCode::Unauthenticated)
}

/// Whether a token may go there.
fn is_safe(url: &Url) -> bool {
    let is_here = match url.host() {
        Some(Host::Ipv4(it)) => IpAddr::V4(it).is_loopback(),
        Some(Host::Ipv6(it)) => IpAddr::V6(it).is_loopback(),
        Some(Host::Domain(it)) => it == "localhost",
        None => false,
    };
    url.scheme() == "https" || (url.scheme() == "http" && is_here)
}

/// Reads a body that has a limit.
async fn read_whole(mut response: Response) -> Result<Vec<u8>, Trouble> {
    let mut bytes = Vec::new();
    while let Some(piece) = response
        .chunk()
        .await
        .map_err(|it| Trouble::Unreachable(Box::new(it)))?
    {
        if bytes.len() + piece.len() > ANSWER_BYTES {
            return Err(Trouble::Nonsense(format!("it has more than {ANSWER_BYTES} bytes")));
        }
        bytes.extend_from_slice(&piece);
    }
    Ok(bytes)
}

async fn refused(response: Response) -> Trouble {
    let status = response.status();
    match read_whole(response).await {
        Ok(bytes) => Trouble::Refused(problem(status, &bytes)),
        Err(trouble) => trouble,
    }
}

/// A proxy in between has answers of its own.
fn problem(status: StatusCode, body: &[u8]) -> Problem {
    serde_json::from_slice(body).unwrap_or_else(|_| {
        let code = match status.as_u16() {
            401 => ProblemCode::Unauthenticated,
            403 => ProblemCode::Forbidden,
            404 => ProblemCode::NotFound,
            408 => ProblemCode::TooSlow,
            413 => ProblemCode::TooLarge,
            429 => ProblemCode::RateLimited,
            500..600 => ProblemCode::Unavailable,
            _ => ProblemCode::InvalidRequest,
        };
        Problem::new(code, format!("Something before the server answered {status}."))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_goes_over_https_or_nowhere_but_on_this_machine() {
        let door = |it: &str| Door::new(vec![it.parse().unwrap()], Arc::new(Credential::Bearer("t".into())));
        for good in [
            "https://a.example",
            "http://127.0.0.1:8787",
            "http://[::1]:8787",
            "http://localhost/",
        ] {
            assert!(door(good).is_ok(), "{good}");
        }
        for bad in [
            "http://a.example",
            "http://10.0.0.1",
            "ftp://127.0.0.1",
            "http://localhost.evil.example",
        ] {
            assert!(matches!(door(bad), Err(DoorError::Unsafe(_))), "{bad}");
        }
        assert!(matches!(
            Door::new(Vec::new(), Arc::new(Credential::Bearer("t".into()))),
            Err(DoorError::NoNode)
        ));
    }

    #[test]
    fn what_a_proxy_answers_counts_too() {
        assert_eq!(
            problem(StatusCode::BAD_GATEWAY, b"<html>").code,
            ProblemCode::Unavailable
        );
        let body = br#"{"code":"gap","message":"m","expected":4}"#;
        assert_eq!(problem(StatusCode::CONFLICT, body).facts["expected"], 4);
    }

    #[test]
    fn a_credential_shows_nothing_of_itself() {
        let shown = format!("{:?}", Credential::Bearer("secret".into()));
        assert!(!shown.contains("secret"), "{shown}");
    }
}
