//! A receiver of webhooks with real TLS on loopback, which answers as a test says and tells what came.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use serde_json::Value;
use server::config::{Config, Names};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::PrivatePkcs8KeyDer;

/// The name that its certificate is for.
pub(crate) const NAME: &str = "hooks.test";

/// What it answers.
#[derive(Debug, Clone)]
pub(crate) enum Say {
    /// This status.
    Status(u16),
    /// That it is elsewhere.
    Redirect(String),
    /// Nothing, for as long as somebody waits.
    Nothing,
    /// That all is well, and then bytes for as long as somebody takes them.
    Endless,
}

/// What came.
#[derive(Debug)]
pub(crate) struct Arrival {
    pub(crate) line: String,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) text: String,
    /// How many bytes of an endless answer were taken before the other side hung up.
    pub(crate) taken: usize,
}

impl Arrival {
    pub(crate) fn body(&self) -> Value {
        serde_json::from_str(&self.text).unwrap()
    }
}

pub(crate) struct Receiver {
    address: SocketAddr,
    root: Vec<u8>,
    connections: Arc<AtomicUsize>,
    arrivals: mpsc::UnboundedReceiver<Arrival>,
    /// Dropping it ends all of it.
    _tasks: JoinSet<()>,
}

impl Receiver {
    /// One that answers its first request with `say(0)`, and so on.
    pub(crate) async fn start(say: impl Fn(usize) -> Say + Send + Sync + 'static) -> Self {
        let mut authority = CertificateParams::new(Vec::new()).unwrap();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let own = CertificateParams::new(vec![NAME.to_owned()]).unwrap();
        let own = own.signed_by(&key, &authority).unwrap();
        let tls = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![own.der().clone()],
                PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
            )
            .unwrap();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let (came, arrivals) = mpsc::unbounded_channel();
        let mut tasks = JoinSet::new();
        let (counted, acceptor) = (connections.clone(), TlsAcceptor::from(Arc::new(tls)));
        let say = Arc::new((AtomicUsize::new(0), say));
        tasks.spawn(async move {
            let mut talks = JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                counted.fetch_add(1, Ordering::SeqCst);
                let (acceptor, came, say) = (acceptor.clone(), came.clone(), say.clone());
                talks.spawn(async move {
                    let next = || (say.1)(say.0.fetch_add(1, Ordering::SeqCst));
                    // Whoever does not like the certificate is gone.
                    if let Some(arrival) = talk(acceptor, stream, next).await {
                        // The test may be over.
                        let _ = came.send(arrival);
                    }
                });
            }
        });
        Self {
            address,
            root: authority.der().to_vec(),
            connections,
            arrivals,
            _tasks: tasks,
        }
    }

    /// Lets a node find it by any name, and go there.
    pub(crate) fn reachable(&self, config: &mut Config) {
        let address = self.address.ip();
        self.reachable_by(config, move |_| vec![address]);
    }

    /// The same with names of one's own.
    pub(crate) fn reachable_by(
        &self,
        config: &mut Config,
        names: impl Fn(&str) -> Vec<IpAddr> + Send + Sync + 'static,
    ) {
        config.rhythm.poll = Duration::from_millis(50);
        config.egress.allowed = vec![self.address.ip()];
        config.egress.root = Some(self.root.clone());
        config.egress.names = Names::told(names);
        // Only where a test is about it.
        config.egress.patience = Duration::from_secs(30);
    }

    pub(crate) fn url(&self) -> String {
        self.url_of(NAME)
    }

    pub(crate) fn url_of(&self, name: &str) -> String {
        format!("https://{name}:{}/hook?for=lab", self.address.port())
    }

    /// How many connections there were.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// What comes next.
    pub(crate) async fn next(&mut self) -> Arrival {
        tokio::time::timeout(Duration::from_secs(30), self.arrivals.recv())
            .await
            .expect("nothing was delivered for 30 seconds")
            .expect("the receiver runs")
    }

    /// What came by now and was not asked for.
    pub(crate) fn came(&mut self) -> Vec<Arrival> {
        std::iter::from_fn(|| self.arrivals.try_recv().ok()).collect()
    }
}

async fn talk(acceptor: TlsAcceptor, stream: TcpStream, next: impl Fn() -> Say) -> Option<Arrival> {
    let mut stream = acceptor.accept(stream).await.ok()?;
    let mut read = Vec::new();
    let head = loop {
        if let Some(end) = read.windows(4).position(|it| it == b"\r\n\r\n") {
            break end + 4;
        }
        assert!(stream.read_buf(&mut read).await.ok()? > 0, "half a request");
    };
    let text = String::from_utf8(read[..head].to_vec()).unwrap();
    let mut lines = text.trim_end().split("\r\n");
    let line = lines.next().unwrap().to_owned();
    let headers: BTreeMap<String, String> = lines
        .map(|it| it.split_once(": ").unwrap())
        .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
        .collect();
    let length: usize = headers["content-length"].parse().unwrap();
    while read.len() < head + length {
        assert!(stream.read_buf(&mut read).await.ok()? > 0, "half a body");
    }
    let mut arrival = Arrival {
        line,
        headers,
        text: String::from_utf8(read.split_off(head)).unwrap(),
        taken: 0,
    };
    match next() {
        Say::Status(status) => {
            let answer = format!("HTTP/1.1 {status} Said\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok");
            // What arrived, arrived, whether or not the answer does.
            let _ = stream.write_all(answer.as_bytes()).await;
            let _ = stream.shutdown().await;
        }
        Say::Redirect(to) => {
            let answer = format!("HTTP/1.1 307 Elsewhere\r\nlocation: {to}\r\ncontent-length: 0\r\n\r\n");
            let _ = stream.write_all(answer.as_bytes()).await;
            let _ = stream.shutdown().await;
        }
        Say::Nothing => {
            // Until the other side hangs up.
            while stream
                .read_buf(&mut Vec::with_capacity(64))
                .await
                .is_ok_and(|it| it > 0)
            {}
        }
        Say::Endless => {
            stream
                .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1099511627776\r\n\r\n")
                .await
                .ok()?;
            while stream.write_all(&[b'a'; 16 << 10]).await.is_ok() {
                arrival.taken += 16 << 10;
            }
        }
    }
    Some(arrival)
}
