//! Model providers as configured, and how what people type becomes a base URL and an id.

use std::collections::{BTreeMap, BTreeSet};

use protocol::setting::WireApi;

use super::layer::ProviderTable;

/// The id of the demo model.
pub const DEMO: &str = "demo";
/// The id of the provider that Codex has built in.
pub(super) const OPENAI: &str = "openai";

/// A provider: how it is reached, but not its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderConfig {
    /// The table name.
    pub id: String,
    /// For people.
    pub name: String,
    /// Ends before `/responses` or `/chat/completions`; empty for the demo.
    pub base_url: String,
    /// The variable that holds the key where none is stored.
    pub env_key: Option<String>,
    /// How it is spoken to.
    pub wire_api: WireApi,
    /// Appended to every URL.
    pub query_params: BTreeMap<String, String>,
    /// Sent with every request.
    pub http_headers: BTreeMap<String, String>,
    /// Headers whose values are in environment variables.
    pub env_http_headers: BTreeMap<String, String>,
    /// Retries of a request that did not get through.
    pub request_max_retries: Option<u32>,
    /// Retries of a stream that was cut.
    pub stream_max_retries: Option<u32>,
    /// Milliseconds without a byte until a stream counts as stalled.
    pub stream_idle_timeout_ms: Option<u64>,
    /// Not from a file.
    pub built_in: bool,
}

impl ProviderConfig {
    /// Layers of one table, lowest first, put together key by key. `None` where no layer names a URL.
    pub(super) fn merge<'a>(id: &str, tables: impl Iterator<Item = &'a ProviderTable>) -> Option<Self> {
        let mut all = ProviderTable::default();
        for it in tables {
            let it = it.clone();
            all = ProviderTable {
                name: it.name.or(all.name),
                base_url: it.base_url.or(all.base_url),
                env_key: it.env_key.or(all.env_key),
                wire_api: it.wire_api.or(all.wire_api),
                query_params: it.query_params.or(all.query_params),
                http_headers: it.http_headers.or(all.http_headers),
                env_http_headers: it.env_http_headers.or(all.env_http_headers),
                request_max_retries: it.request_max_retries.or(all.request_max_retries),
                stream_max_retries: it.stream_max_retries.or(all.stream_max_retries),
                stream_idle_timeout_ms: it.stream_idle_timeout_ms.or(all.stream_idle_timeout_ms),
            };
        }
        Some(Self {
            id: id.to_owned(),
            name: all.name.unwrap_or_else(|| id.to_owned()),
            base_url: base_url(&all.base_url?),
            env_key: all.env_key.filter(|it| !it.is_empty()),
            wire_api: all.wire_api.unwrap_or(WireApi::Responses),
            query_params: all.query_params.unwrap_or_default(),
            http_headers: all.http_headers.unwrap_or_default(),
            env_http_headers: all.env_http_headers.unwrap_or_default(),
            request_max_retries: all.request_max_retries,
            stream_max_retries: all.stream_max_retries,
            stream_idle_timeout_ms: all.stream_idle_timeout_ms,
            built_in: false,
        })
    }

    pub(super) fn demo() -> Self {
        Self {
            id: DEMO.to_owned(),
            name: "Demo".to_owned(),
            base_url: String::new(),
            built_in: true,
            ..Self::blank()
        }
    }

    /// What a Codex file means that names no provider.
    pub(super) fn openai(base: Option<&str>, env: &BTreeMap<String, String>) -> Self {
        let base = base
            .or_else(|| env.get("OPENAI_BASE_URL").map(String::as_str))
            .filter(|it| !it.is_empty());
        let key = if env.contains_key("CODEX_API_KEY") {
            "CODEX_API_KEY"
        } else {
            "OPENAI_API_KEY"
        };
        Self {
            id: OPENAI.to_owned(),
            name: "OpenAI".to_owned(),
            base_url: base_url(base.unwrap_or("https://api.openai.com/v1")),
            env_key: Some(key.to_owned()),
            built_in: true,
            ..Self::blank()
        }
    }

    fn blank() -> Self {
        Self {
            id: String::new(),
            name: String::new(),
            base_url: String::new(),
            env_key: None,
            wire_api: WireApi::Responses,
            query_params: BTreeMap::new(),
            http_headers: BTreeMap::new(),
            env_http_headers: BTreeMap::new(),
            request_max_retries: None,
            stream_max_retries: None,
            stream_idle_timeout_ms: None,
            built_in: false,
        }
    }

    /// Whether a request without a key makes no sense. Servers on this machine are used without one.
    #[must_use]
    pub fn needs_key(&self) -> bool {
        self.id != DEMO && (self.env_key.is_some() || !is_loopback(&self.base_url))
    }

    /// All headers, those from the environment included.
    #[must_use]
    pub fn headers(&self, env: &BTreeMap<String, String>) -> BTreeMap<String, String> {
        let mut headers = self.http_headers.clone();
        for (name, variable) in &self.env_http_headers {
            if let Some(value) = env.get(variable).filter(|it| !it.trim().is_empty()) {
                headers.insert(name.clone(), value.clone());
            }
        }
        headers
    }

    /// The variables that may hold something secret.
    pub(super) fn variables(&self) -> impl Iterator<Item = &String> {
        self.env_key.iter().chain(self.env_http_headers.values())
    }
}

/// What a person typed as a base URL, put right: a scheme where there is none, no endpoint path, no slash at the end.
#[must_use]
pub fn base_url(typed: &str) -> String {
    let mut url = typed.trim().to_owned();
    if !url.is_empty() && !url.contains("://") {
        let scheme = if is_loopback(&format!("http://{url}")) {
            "http"
        } else {
            "https"
        };
        url = format!("{scheme}://{url}");
    }
    loop {
        let shorter = url.trim_end_matches('/');
        let shorter = shorter.strip_suffix("/chat/completions").unwrap_or(shorter);
        let shorter = shorter.strip_suffix("/responses").unwrap_or(shorter);
        if shorter.len() == url.len() || shorter.ends_with(':') {
            return url;
        }
        url = shorter.to_owned();
    }
}

/// Whether a URL points to this machine.
fn is_loopback(url: &str) -> bool {
    let rest = url.split_once("://").map_or(url, |it| it.1);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    let host = match host.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    host.eq_ignore_ascii_case("localhost")
        || host
            .parse::<std::net::IpAddr>()
            .is_ok_and(|it| it.is_loopback() || it.is_unspecified())
}

/// A table name made from a name for people, unlike all taken ones.
pub(super) fn new_id(name: &str, taken: &BTreeSet<String>) -> String {
    let words: Vec<String> = name
        .split(|it: char| !it.is_ascii_alphanumeric())
        .filter(|it| !it.is_empty())
        .map(str::to_ascii_lowercase)
        .collect();
    let slug = if words.is_empty() {
        "provider".to_owned()
    } else {
        words.join("-")
    };
    let reserved = |id: &str| id == DEMO || id == OPENAI || taken.contains(id);
    let mut id = slug.clone();
    let mut number = 2_u32;
    while reserved(&id) {
        id = format!("{slug}-{number}");
        number += 1;
    }
    id
}
