//! What the server is told when it starts: a file, the environment, and flags, in growing order.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;
use protocol::workspace::people::Role;
use serde::Deserialize;
use url::Url;

mod egress;
mod load;

pub use egress::{Egress, Names};
pub use load::Environment;

/// How strictly to look at who comes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Nobody gets in without a token of Microsoft Entra ID.
    #[default]
    Production,
    /// On loopback and without Entra, the header `X-Domain-User` says who one is.
    Development,
}

/// Which of Microsoft's clouds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Cloud {
    /// login.microsoftonline.com
    #[default]
    Global,
    /// login.partner.microsoftonline.cn, operated by 21Vianet.
    China,
    /// login.microsoftonline.us
    Usgov,
}

impl Cloud {
    /// As it is written.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Global => "global",
            Self::China => "china",
            Self::Usgov => "usgov",
        }
    }
}

/// What somebody is whom neither an app role nor a group gives a role.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Unmapped {
    /// May make workspaces and be anything in one up to member.
    #[default]
    Member,
    /// May read.
    Viewer,
    /// Nobody.
    Deny,
}

/// Whether people of other tenants may come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Guests {
    /// No.
    #[default]
    Deny,
    /// Yes.
    Allow,
}

/// The section `[auth]`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Auth {
    /// Which of Microsoft's clouds.
    pub cloud: Cloud,
    /// The tenants that may come, as GUIDs.
    pub tenants: Vec<String>,
    /// The application (client) id of the API's registration.
    pub api_client_id: Option<String>,
    /// What a token may be for, besides the client id itself: App ID URIs.
    pub audiences: Vec<String>,
    /// The client ids of the apps that may ask for tokens: the desktop, the web client.
    pub allowed_clients: Vec<String>,
    /// The scope that a person's token must have, as its bare name.
    pub required_scope: String,
    /// From app roles to roles on this server.
    pub role_map: BTreeMap<String, Role>,
    /// From groups' object ids to roles on this server.
    pub group_map: BTreeMap<String, Role>,
    /// What somebody is whom none of the two gives a role.
    pub unmapped: Unmapped,
    /// Whether people of other tenants may come.
    pub guests: Guests,
    /// How far clocks may differ, in seconds; 300 at most.
    pub clock_skew_s: u64,
    /// How often the keys are fetched anew, in seconds.
    pub jwks_refresh_s: u64,
    /// Another authority, for tests; loopback only.
    pub authority_override: Option<Url>,
    /// The issuer of v2 tokens there, with `{tid}`.
    pub issuer_v2_template: Option<String>,
    /// The issuer of v1 tokens there, with `{tid}`.
    pub issuer_v1_template: Option<String>,
    /// The API's secret, for asking Graph about more groups than a token holds.
    pub client_secret: Option<Secret>,
    /// Another Graph, for tests; loopback only.
    pub graph_override: Option<Url>,
}

impl Default for Auth {
    fn default() -> Self {
        Self {
            cloud: Cloud::default(),
            tenants: Vec::new(),
            api_client_id: None,
            audiences: Vec::new(),
            allowed_clients: Vec::new(),
            required_scope: "access_as_user".to_owned(),
            role_map: BTreeMap::new(),
            group_map: BTreeMap::new(),
            unmapped: Unmapped::default(),
            guests: Guests::default(),
            clock_skew_s: 60,
            jwks_refresh_s: 3600,
            authority_override: None,
            issuer_v2_template: None,
            issuer_v1_template: None,
            client_secret: None,
            graph_override: None,
        }
    }
}

impl Auth {
    /// Somebody meant to use Entra, whether all of it is there or not.
    #[must_use]
    pub fn is_meant(&self) -> bool {
        !self.tenants.is_empty()
            || self.api_client_id.is_some()
            || !self.audiences.is_empty()
            || !self.allowed_clients.is_empty()
            || self.client_secret.is_some()
            || self.authority_override.is_some()
    }
}

/// Text that no log and no error shows.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(pub String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("(secret)")
    }
}

/// What one place may take. Each is documented in `docs/server.md`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// One artifact, in bytes.
    pub artifact_bytes: u64,
    /// All artifacts of a workspace, in bytes.
    pub workspace_bytes: u64,
    /// Uploads of one person at a time.
    pub uploads: usize,
    /// One websocket message, in bytes.
    pub message_bytes: usize,
    /// One document, in bytes.
    pub document_bytes: usize,
    /// What one slow reader of a document may have waiting, in bytes.
    pub queue_bytes: usize,
    /// Sockets of one person.
    pub sockets: usize,
    /// Sockets of one address that have not said who they are.
    pub pending_sockets: usize,
    /// Document updates of one socket in a second.
    pub updates_per_s: u32,
    /// Awareness messages of one socket in a second.
    pub awareness_per_s: u32,
    /// Events of one person in a second.
    pub events_per_s: u32,
    /// Requests of one person in a second; twice as many at once.
    pub requests_per_s: u32,
    /// Refused tokens of one address in a minute.
    pub failures_per_min: u32,
    /// For how long streamed pieces of text are kept after their item ended, in seconds.
    pub pieces_ttl_s: u64,
    /// For how long a question waits, in seconds.
    pub approval_ttl_s: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            artifact_bytes: 2 << 30,
            workspace_bytes: 20 << 30,
            uploads: 4,
            message_bytes: 16 << 20,
            document_bytes: 64 << 20,
            queue_bytes: 4 << 20,
            sockets: 64,
            pending_sockets: 100,
            updates_per_s: 200,
            awareness_per_s: 50,
            events_per_s: 20_000,
            requests_per_s: 500,
            failures_per_min: 600,
            pieces_ttl_s: 24 * 3600,
            approval_ttl_s: 7 * 24 * 3600,
        }
    }
}

/// How often sockets and nodes look at things.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rhythm {
    /// Between looks at what other nodes did, while they cannot tell.
    pub poll: Duration,
    /// Between pings of a socket, and between looks at everything in any case.
    pub heartbeat: Duration,
    /// A socket that says or takes nothing for so long is closed.
    pub dead: Duration,
    /// Between looks at what a person may do.
    pub recheck: Duration,
    /// For signing in after a socket was opened.
    pub authenticate: Duration,
    /// For how long somebody is taken to be there without a word.
    pub presence: Duration,
}

impl Default for Rhythm {
    fn default() -> Self {
        Self {
            poll: Duration::from_secs(1),
            heartbeat: Duration::from_secs(20),
            dead: Duration::from_secs(40),
            recheck: Duration::from_secs(60),
            authenticate: Duration::from_secs(10),
            presence: Duration::from_secs(45),
        }
    }
}

/// Everything.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// How strictly to look at who comes.
    pub mode: Mode,
    /// Where to listen.
    pub listen: SocketAddr,
    /// Where the embedded database and the artifacts are.
    pub data_dir: PathBuf,
    /// `postgres://…` or `sqlite://…`; the embedded one unless said.
    pub database_url: Option<String>,
    /// `redis://…`; needed when several nodes share one database.
    pub redis_url: Option<String>,
    /// What the server's keys and channels in Redis begin with, so that others may use the same one.
    pub redis_prefix: String,
    /// Where artifacts are; `artifacts` in the data folder unless said. A folder, or `s3://…`, `az://…`.
    pub artifact_storage_dir: Option<String>,
    /// What the object store needs to know, such as `aws_access_key_id`; from the environment only.
    #[serde(skip)]
    pub storage_options: Vec<(String, String)>,
    /// The address that people use, such as `https://zspark.example.com`.
    pub server_url: Option<Url>,
    /// Web pages that may talk to this server, besides the desktop app and `server_url`.
    pub allowed_origins: Vec<String>,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Who may read `/metrics`.
    pub metrics_from: Vec<IpNet>,
    /// TLS ends in front of this server, which may therefore listen on more than loopback.
    pub behind_proxy: bool,
    /// For how many days lines of the audit log are kept; for ever unless said.
    pub audit_days: Option<u32>,
    /// Who may come.
    pub auth: Auth,
    /// What one place may take.
    pub limits: Limits,
    /// How often things are looked at. Not for files: only tests are in a hurry.
    #[serde(skip)]
    pub rhythm: Rhythm,
    /// It commits and tells nobody, like a node that dies in between. Not for files: only a test wants this.
    #[serde(skip)]
    pub silent: bool,
    /// Where webhooks may go, and how. Not for files: no configuration opens the way into one's own network.
    #[serde(skip)]
    pub egress: Egress,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            mode: Mode::default(),
            listen: SocketAddr::from(([127, 0, 0, 1], 8787)),
            data_dir: PathBuf::from("zspark-data"),
            database_url: None,
            redis_url: None,
            redis_prefix: "zspark:".to_owned(),
            artifact_storage_dir: None,
            storage_options: Vec::new(),
            server_url: None,
            allowed_origins: Vec::new(),
            trusted_proxies: Vec::new(),
            metrics_from: vec![
                IpNet::new_assert(Ipv4Addr::new(127, 0, 0, 0).into(), 8),
                IpNet::new_assert(Ipv6Addr::LOCALHOST.into(), 128),
            ],
            behind_proxy: false,
            audit_days: None,
            auth: Auth::default(),
            limits: Limits::default(),
            rhythm: Rhythm::default(),
            silent: false,
            egress: Egress::default(),
        }
    }
}

/// Why the server cannot be told this.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file is no TOML of ours.
    #[error("{path}: {message}")]
    Syntax {
        /// The file.
        path: String,
        /// What is wrong, with line and column.
        message: String,
    },
    /// The file cannot be read.
    #[error("cannot read {path}")]
    Read {
        /// The file.
        path: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A value makes no sense, alone or with another.
    #[error("{0}")]
    Value(String),
}
