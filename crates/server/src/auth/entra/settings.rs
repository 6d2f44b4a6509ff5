//! The section `[auth]`, checked: a server whose sign-in is half configured does not start, and says which key is wrong.

use std::collections::{BTreeMap, BTreeSet};

use protocol::workspace::people::Role;
use url::Url;

use crate::config::{Auth, Cloud, ConfigError, Guests, Secret, Unmapped};

/// What [`Auth`] means, in a form in which nothing is missing.
#[derive(Debug, Clone)]
pub struct Settings {
    pub(super) cloud: &'static str,
    pub(super) tenants: BTreeSet<String>,
    pub(super) api_client_id: String,
    pub(super) audiences: BTreeSet<String>,
    pub(super) clients: Vec<String>,
    pub(super) scope: String,
    pub(super) scope_audience: String,
    pub(super) roles: RoleMap,
    pub(super) guests: Guests,
    pub(super) skew_s: u64,
    pub(super) refresh_s: u64,
    pub(super) secret: Option<Secret>,
    pub(super) endpoints: Endpoints,
}

/// From app roles and groups to roles on this server.
#[derive(Debug, Clone)]
pub(super) struct RoleMap {
    pub(super) roles: BTreeMap<String, Role>,
    pub(super) groups: BTreeMap<String, Role>,
    pub(super) unmapped: Unmapped,
}

impl RoleMap {
    /// The highest that anything gives; what `unmapped` says when nothing does.
    pub(super) fn role(&self, roles: &[String], groups: &[String]) -> Option<Role> {
        let by_role = roles.iter().filter_map(|it| self.roles.get(it));
        let by_group = groups.iter().filter_map(|it| self.groups.get(it));
        by_role.chain(by_group).max().copied().or(match self.unmapped {
            Unmapped::Member => Some(Role::Member),
            Unmapped::Viewer => Some(Role::Viewer),
            Unmapped::Deny => None,
        })
    }
}

/// Where a cloud is, and what it calls itself.
#[derive(Debug, Clone)]
pub(super) struct Endpoints {
    /// Without a slash at the end.
    pub(super) authority: String,
    issuer_v2: String,
    issuer_v1: String,
    /// Without a slash at the end.
    pub(super) graph: String,
    /// Plain HTTP on this machine, for tests.
    pub(super) loopback: bool,
}

/// Where the tenant's id stands in an issuer's template.
const PLACE: &str = "{tid}";

impl Endpoints {
    fn of(cloud: Cloud) -> Self {
        let (authority, v1, graph) = match cloud {
            Cloud::Global => (
                "https://login.microsoftonline.com",
                "https://sts.windows.net/",
                "https://graph.microsoft.com",
            ),
            // `login.chinacloudapi.cn` is another name of the same authority; issuers have this one.
            Cloud::China => (
                "https://login.partner.microsoftonline.cn",
                "https://sts.chinacloudapi.cn/",
                "https://microsoftgraph.chinacloudapi.cn",
            ),
            Cloud::Usgov => (
                "https://login.microsoftonline.us",
                "https://sts.windows.net/",
                "https://graph.microsoft.us",
            ),
        };
        Self {
            authority: authority.to_owned(),
            issuer_v2: format!("{authority}/{PLACE}/v2.0"),
            issuer_v1: format!("{v1}{PLACE}/"),
            graph: graph.to_owned(),
            loopback: false,
        }
    }

    /// The issuer of a tenant's v2 tokens. Metadata of no single tenant has `{tenantid}` there.
    pub(super) fn issuer_v2(&self, tid: &str) -> String {
        self.issuer_v2.replace(PLACE, tid)
    }

    /// The issuer of a tenant's v1 tokens.
    pub(super) fn issuer_v1(&self, tid: &str) -> String {
        self.issuer_v1.replace(PLACE, tid)
    }

    /// Where a tenant's metadata is.
    pub(super) fn discovery(&self, tid: &str) -> String {
        format!("{}/{tid}/v2.0/.well-known/openid-configuration", self.authority)
    }

    /// Where a tenant gives tokens.
    pub(super) fn token(&self, tid: &str) -> String {
        format!("{}/{tid}/oauth2/v2.0/token", self.authority)
    }
}

impl Settings {
    /// Checks all of it.
    ///
    /// # Errors
    /// Something is missing or makes no sense. The message names the key.
    pub fn new(auth: &Auth) -> Result<Self, ConfigError> {
        let tenants: BTreeSet<String> = auth
            .tenants
            .iter()
            .map(|it| guid("auth.tenants", it))
            .collect::<Result<_, _>>()?;
        if tenants.is_empty() {
            return wrong("auth.tenants", "needs the id of at least one tenant");
        }
        let api_client_id = auth.api_client_id.clone().unwrap_or_default();
        if !is_word(&api_client_id) {
            return wrong(
                "auth.api_client_id",
                "needs the application (client) id of the API's registration",
            );
        }
        if !is_word(&auth.required_scope) {
            return wrong(
                "auth.required_scope",
                "needs the bare name of one scope, such as access_as_user",
            );
        }
        if auth.clock_skew_s > 300 {
            return wrong("auth.clock_skew_s", "may be 300 at most");
        }
        if !(1..=86_400).contains(&auth.jwks_refresh_s) {
            return wrong("auth.jwks_refresh_s", "must be from 1 to 86400");
        }
        for (key, words) in [
            ("auth.audiences", &auth.audiences),
            ("auth.allowed_clients", &auth.allowed_clients),
        ] {
            if !words.iter().all(|it| is_word(it)) {
                return wrong(key, "has an empty entry, or one with a space in it");
            }
        }
        let mut clients = auth.allowed_clients.clone();
        if clients.is_empty() {
            // One registration may be both: the API, and the public client that people sign in with.
            clients.push(api_client_id.clone());
        }
        let mut groups = BTreeMap::new();
        for (group, role) in &auth.group_map {
            groups.insert(guid("auth.group_map", group)?, *role);
        }
        let app_id_uri = auth.audiences.iter().find(|it| it.contains("://"));
        let scope_audience = app_id_uri.cloned().unwrap_or_else(|| format!("api://{api_client_id}"));
        let mut audiences: BTreeSet<String> = auth.audiences.iter().cloned().collect();
        audiences.insert(api_client_id.clone());
        Ok(Self {
            cloud: auth.cloud.as_str(),
            tenants,
            api_client_id,
            audiences,
            clients,
            scope: auth.required_scope.clone(),
            scope_audience,
            roles: RoleMap {
                roles: auth.role_map.clone(),
                groups,
                unmapped: auth.unmapped,
            },
            guests: auth.guests,
            skew_s: auth.clock_skew_s,
            refresh_s: auth.jwks_refresh_s,
            secret: auth.client_secret.clone().filter(|it| !it.0.is_empty()),
            endpoints: endpoints(auth)?,
        })
    }
}

/// The cloud's, or those of a test on this machine.
fn endpoints(auth: &Auth) -> Result<Endpoints, ConfigError> {
    let mut endpoints = Endpoints::of(auth.cloud);
    let templates = [
        ("auth.issuer_v2_template", &auth.issuer_v2_template),
        ("auth.issuer_v1_template", &auth.issuer_v1_template),
    ];
    for (key, template) in templates {
        let Some(template) = template else { continue };
        if auth.authority_override.is_none() {
            return wrong(
                key,
                "goes only together with auth.authority_override, which is for tests",
            );
        }
        if template.matches(PLACE).count() != 1 {
            return wrong(key, "must have {tid} in it once");
        }
    }
    if let Some(authority) = &auth.authority_override {
        let authority = on_this_machine("auth.authority_override", authority)?;
        endpoints = Endpoints {
            issuer_v2: format!("{authority}/{PLACE}/v2.0"),
            issuer_v1: format!("{authority}/{PLACE}/"),
            authority,
            graph: endpoints.graph,
            loopback: true,
        };
        if let Some(template) = &auth.issuer_v2_template {
            endpoints.issuer_v2.clone_from(template);
        }
        if let Some(template) = &auth.issuer_v1_template {
            endpoints.issuer_v1.clone_from(template);
        }
    }
    if let Some(graph) = &auth.graph_override {
        if auth.authority_override.is_none() {
            return wrong(
                "auth.graph_override",
                "goes only together with auth.authority_override, which is for tests",
            );
        }
        endpoints.graph = on_this_machine("auth.graph_override", graph)?;
    }
    Ok(endpoints)
}

fn on_this_machine(key: &str, url: &Url) -> Result<String, ConfigError> {
    let is_here = match url.host() {
        Some(url::Host::Ipv4(it)) => it.is_loopback(),
        Some(url::Host::Ipv6(it)) => it.is_loopback(),
        Some(url::Host::Domain(it)) => it == "localhost",
        None => false,
    };
    let is_plain = url.username().is_empty() && url.password().is_none() && url.query().is_none();
    if is_here && is_plain && matches!(url.scheme(), "http" | "https") {
        Ok(url.as_str().trim_end_matches('/').to_owned())
    } else {
        wrong(
            key,
            "is for tests and takes loopback addresses only, such as http://127.0.0.1:9000",
        )
    }
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && !text.contains(char::is_whitespace)
}

/// As Entra writes them: in small letters.
fn guid(key: &str, text: &str) -> Result<String, ConfigError> {
    let small = text.to_ascii_lowercase();
    if is_guid(&small) {
        Ok(small)
    } else {
        wrong(
            key,
            &format!("takes ids like 6d1ff2a5-1f3a-4c5e-9a54-0c8f3f4b2a10, not `{text}`"),
        )
    }
}

/// Eight, four, four, four and twelve hexadecimal digits in small letters.
pub(super) fn is_guid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, it)| match at {
            8 | 13 | 18 | 23 => it == b'-',
            _ => matches!(it, b'0'..=b'9' | b'a'..=b'f'),
        })
}

fn wrong<T>(key: &str, what: &str) -> Result<T, ConfigError> {
    Err(ConfigError::Value(format!("{key} {what} (see docs/entra-setup.md)")))
}

#[cfg(test)]
mod tests;
