//! What a cloud's tokens look like: issuers, and the claims of a person who may come.

use serde_json::{Map, Value, json};

/// The tenant that is admitted.
pub const TENANT: &str = "6d1ff2a5-1f3a-4c5e-9a54-0c8f3f4b2a10";
/// A tenant that is not.
pub const STRANGERS: &str = "0f8a1c6e-55d7-4b8e-8d0f-9d5b8e1f7c33";
/// The server's own application.
pub const API: &str = "b3c1a9d4-8e57-4f0a-9c2d-71e6a5d0f4b8";
/// Its App ID URI.
pub const API_URI: &str = "api://b3c1a9d4-8e57-4f0a-9c2d-71e6a5d0f4b8";
/// The desktop's application.
pub const DESKTOP: &str = "e7f2b6c0-3a49-4d1b-8f65-2c9d0a7e1b54";
/// The scope.
pub const SCOPE: &str = "access_as_user";
/// A person.
pub const PERSON: &str = "2a9c4f10-7b3e-4e8d-a6c5-f01d2e3b4c5a";
/// A group that gives a role.
pub const GROUP: &str = "91d0c7e2-6a5b-4f38-bc14-d3e2f1a0b9c8";

/// The issuers of a cloud, with `{tid}` where the tenant's id goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Form {
    /// For messages.
    pub name: String,
    /// Of v2 tokens.
    pub issuer_v2: String,
    /// Of v1 tokens.
    pub issuer_v1: String,
}

impl Form {
    /// An authority at this address.
    #[must_use]
    pub fn at(url: &str) -> Self {
        Self::new("loopback", &format!("{url}/{{tid}}/v2.0"), &format!("{url}/{{tid}}/"))
    }

    /// The worldwide cloud.
    #[must_use]
    pub fn global() -> Self {
        Self::new(
            "global",
            "https://login.microsoftonline.com/{tid}/v2.0",
            "https://sts.windows.net/{tid}/",
        )
    }

    /// The one that 21Vianet operates.
    #[must_use]
    pub fn china() -> Self {
        Self::new(
            "china",
            "https://login.partner.microsoftonline.cn/{tid}/v2.0",
            "https://sts.chinacloudapi.cn/{tid}/",
        )
    }

    /// The one of the US government.
    #[must_use]
    pub fn usgov() -> Self {
        Self::new(
            "usgov",
            "https://login.microsoftonline.us/{tid}/v2.0",
            "https://sts.windows.net/{tid}/",
        )
    }

    fn new(name: &str, issuer_v2: &str, issuer_v1: &str) -> Self {
        Self {
            name: name.to_owned(),
            issuer_v2: issuer_v2.to_owned(),
            issuer_v1: issuer_v1.to_owned(),
        }
    }

    /// The issuer of a tenant's v2 tokens.
    #[must_use]
    pub fn v2_issuer(&self, tid: &str) -> String {
        self.issuer_v2.replace("{tid}", tid)
    }

    /// The issuer of a tenant's v1 tokens.
    #[must_use]
    pub fn v1_issuer(&self, tid: &str) -> String {
        self.issuer_v1.replace("{tid}", tid)
    }

    /// The claims of a person's v2 token for the API.
    #[must_use]
    pub fn v2(&self, now_s: u64) -> Value {
        json!({
            "ver": "2.0",
            "iss": self.v2_issuer(TENANT),
            "aud": API,
            "tid": TENANT,
            "oid": PERSON,
            "sub": "mJ8sXkq0h2Q4b1n6cVt7yZ5wLr3aPd9eFgHiUo_TsKM",
            "azp": DESKTOP,
            "azpacr": "0",
            "scp": SCOPE,
            "name": "Ada Lovelace",
            "preferred_username": "ada@contoso.example",
            "iat": now_s,
            "nbf": now_s,
            "exp": now_s + 3600,
            "uti": "AbCdEfGhIjKlMnOpQrStUv",
            "rh": "0.AAAA",
        })
    }

    /// The claims of a person's v1 token for the API.
    #[must_use]
    pub fn v1(&self, now_s: u64) -> Value {
        let v1 = json!({
            "ver": "1.0",
            "iss": self.v1_issuer(TENANT),
            "aud": API_URI,
            "appid": DESKTOP,
            "appidacr": "0",
            "unique_name": "ada@contoso.example",
            "upn": "ada@contoso.example",
            "azp": null,
            "azpacr": null,
            "preferred_username": null,
        });
        changed(&self.v2(now_s), &v1)
    }
}

/// The claims with these changes; `null` takes one away.
#[must_use]
pub fn changed(claims: &Value, change: &Value) -> Value {
    let mut claims: Map<String, Value> = claims.as_object().cloned().unwrap_or_default();
    for (name, value) in change.as_object().into_iter().flatten() {
        if value.is_null() {
            claims.remove(name);
        } else {
            claims.insert(name.clone(), value.clone());
        }
    }
    Value::Object(claims)
}
