//! From a file and the environment to a [`Config`]. The environment wins over the file, flags win over both.

use std::path::Path;

use url::Url;

use super::{Auth, Cloud, Config, ConfigError, Secret};

/// Reads an environment variable. Handed in, so that tests own the environment.
pub type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

impl Config {
    /// What the file and the environment say.
    ///
    /// # Errors
    /// The file cannot be read, or something in it or in the environment makes no sense; the message says what and where.
    pub fn load(file: Option<&Path>, environment: Environment<'_>) -> Result<Self, ConfigError> {
        let mut config = match file {
            Some(path) => {
                let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Read {
                    path: path.display().to_string(),
                    source,
                })?;
                toml::from_str(&text).map_err(|error| ConfigError::Syntax {
                    path: path.display().to_string(),
                    message: error.to_string().trim_end().to_owned(),
                })?
            }
            None => Self::default(),
        };
        config.take_environment(environment)?;
        Ok(config)
    }

    fn take_environment(&mut self, environment: Environment<'_>) -> Result<(), ConfigError> {
        let text = |name: &str| environment(name).filter(|it| !it.trim().is_empty());
        if let Some(url) = text("DATABASE_URL") {
            self.database_url = Some(url);
        }
        if let Some(url) = text("REDIS_URL") {
            self.redis_url = Some(url);
        }
        if let Some(place) = text("ZSPARK_ARTIFACT_STORAGE_DIR") {
            self.artifact_storage_dir = Some(place);
        }
        if let Some(address) = text("ZSPARK_SERVER_URL") {
            self.server_url = Some(url("ZSPARK_SERVER_URL", &address)?);
        }
        if let Some(listen) = text("ZSPARK_LISTEN") {
            self.listen = listen.parse().map_err(|_| {
                value(
                    "ZSPARK_LISTEN",
                    "an address and a port, such as 127.0.0.1:8787",
                    &listen,
                )
            })?;
        }
        if let Some(folder) = text("ZSPARK_DATA_DIR") {
            self.data_dir = folder.into();
        }
        if let Some(word) = text("ZSPARK_BEHIND_PROXY") {
            self.behind_proxy = match word.as_str() {
                "1" | "true" => true,
                "0" | "false" => false,
                _ => return Err(value("ZSPARK_BEHIND_PROXY", "true or false", &word)),
            };
        }
        self.auth.take_environment(&text)
    }
}

impl Auth {
    fn take_environment(&mut self, text: &dyn Fn(&str) -> Option<String>) -> Result<(), ConfigError> {
        if let Some(tenant) = text("ZSPARK_TENANT_ID") {
            self.tenants = words(&tenant);
        }
        if let Some(client) = text("ZSPARK_CLIENT_ID") {
            self.api_client_id = Some(client);
        }
        if let Some(secret) = text("ZSPARK_CLIENT_SECRET") {
            self.client_secret = Some(Secret(secret));
        }
        if let Some(clients) = text("ZSPARK_ALLOWED_CLIENTS") {
            self.allowed_clients = words(&clients);
        }
        if let Some(scope) = text("ZSPARK_API_SCOPE") {
            // `api://<client id>/access_as_user`: what tokens are for, and the scope's bare name.
            let (audience, name) = scope
                .rsplit_once('/')
                .filter(|(audience, name)| audience.contains("://") && !name.is_empty())
                .ok_or_else(|| value("ZSPARK_API_SCOPE", "api://<client id>/<name of the scope>", &scope))?;
            if !self.audiences.iter().any(|it| it == audience) {
                self.audiences.push(audience.to_owned());
            }
            name.clone_into(&mut self.required_scope);
        }
        if let Some(authority) = text("ZSPARK_AUTHORITY") {
            self.take_authority(&authority)?;
        }
        Ok(())
    }

    /// `https://login.microsoftonline.com/<tenant>` and its like name the cloud.
    fn take_authority(&mut self, authority: &str) -> Result<(), ConfigError> {
        let parsed = url("ZSPARK_AUTHORITY", authority)?;
        let host = parsed.host_str().unwrap_or_default();
        self.cloud = match host {
            "login.microsoftonline.com" => Cloud::Global,
            "login.partner.microsoftonline.cn" | "login.chinacloudapi.cn" => Cloud::China,
            "login.microsoftonline.us" => Cloud::Usgov,
            _ => {
                // For tests; that it is loopback is checked with the rest of the section.
                let mut origin = parsed.clone();
                origin.set_path("");
                self.authority_override = Some(origin);
                self.cloud
            }
        };
        let tenant = parsed.path().trim_matches('/').split('/').next().unwrap_or_default();
        let is_one = !tenant.is_empty() && !["common", "organizations", "consumers"].contains(&tenant);
        if self.tenants.is_empty() && is_one {
            self.tenants.push(tenant.to_owned());
        }
        Ok(())
    }
}

fn words(text: &str) -> Vec<String> {
    text.split([',', ' '])
        .filter(|it| !it.is_empty())
        .map(str::to_owned)
        .collect()
}

fn url(name: &str, text: &str) -> Result<Url, ConfigError> {
    Url::parse(text)
        .ok()
        .filter(|it| matches!(it.scheme(), "http" | "https") && it.has_host())
        .ok_or_else(|| value(name, "an address that begins with https://", text))
}

fn value(name: &str, wanted: &str, got: &str) -> ConfigError {
    ConfigError::Value(format!("{name} must be {wanted}, not `{got}`"))
}

#[cfg(test)]
mod tests;
