//! From a tenant's metadata and key document to keys that may be used. Pure: nothing here is fetched.

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::Value;
use url::Url;

use super::settings::Endpoints;
use super::token::is_key_name;

/// A public key of Entra.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) modulus: Vec<u8>,
    pub(super) exponent: Vec<u8>,
    /// Whose tokens it signs, with `{tenantid}` when it signs those of all tenants.
    pub(super) issuer: Option<String>,
}

impl Key {
    /// It may sign tokens of this v2 issuer's tenant.
    pub(super) fn is_for(&self, tid: &str, issuer_v2: &str) -> bool {
        self.issuer
            .as_deref()
            .is_none_or(|it| it.replace("{tenantid}", tid) == issuer_v2)
    }
}

/// Keys by name.
pub(super) type Keys = BTreeMap<String, Arc<Key>>;

/// Why a document is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum DocumentError {
    /// No JSON of the expected form.
    #[error("the document cannot be read")]
    Form,
    /// It says that it is somebody else's.
    #[error("the metadata is of another issuer")]
    Issuer,
    /// The keys are elsewhere.
    #[error("the keys are on another host than the authority")]
    Elsewhere,
    /// Nothing to check a token with.
    #[error("the document has no usable key")]
    NoKey,
}

/// What of a tenant's metadata is used.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Metadata {
    issuer: String,
    pub(super) jwks_uri: Url,
    #[serde(default)]
    cloud_instance_name: Option<String>,
}

impl Metadata {
    /// Reads it, if it is this tenant's.
    pub(super) fn read(bytes: &[u8], tid: &str, endpoints: &Endpoints) -> Result<Self, DocumentError> {
        let metadata: Self = serde_json::from_slice(bytes).map_err(|_| DocumentError::Form)?;
        let expected = [endpoints.issuer_v2(tid), endpoints.issuer_v2("{tenantid}")];
        if !expected.contains(&metadata.issuer) {
            return Err(DocumentError::Issuer);
        }
        let home = Url::parse(&endpoints.authority).map_err(|_| DocumentError::Form)?;
        let same = metadata.jwks_uri.origin() == home.origin()
            && metadata.jwks_uri.username().is_empty()
            && metadata.jwks_uri.password().is_none();
        if same {
            Ok(metadata)
        } else {
            Err(DocumentError::Elsewhere)
        }
    }

    /// The usable keys of the document that belongs to this metadata.
    pub(super) fn keys(&self, bytes: &[u8]) -> Result<Keys, DocumentError> {
        let document: Document = serde_json::from_slice(bytes).map_err(|_| DocumentError::Form)?;
        let mut keys = Keys::new();
        for entry in document.keys {
            if let Some((kid, key)) = usable(&entry, self.cloud_instance_name.as_deref()) {
                keys.entry(kid).or_insert_with(|| Arc::new(key));
            }
        }
        if keys.is_empty() {
            return Err(DocumentError::NoKey);
        }
        Ok(keys)
    }
}

#[derive(Deserialize)]
struct Document {
    keys: Vec<Value>,
}

/// RSA, for signatures, long enough, of this cloud. Others are passed over: Entra may add kinds that we do not know.
fn usable(entry: &Value, cloud: Option<&str>) -> Option<(String, Key)> {
    let text = |name: &str| entry.get(name).and_then(Value::as_str);
    let is_or_absent = |name: &str, wanted: &str| entry.get(name).is_none_or(|it| it.as_str() == Some(wanted));
    let fits = text("kty") == Some("RSA")
        && is_or_absent("use", "sig")
        && is_or_absent("alg", "RS256")
        && entry
            .get("cloud_instance_name")
            .is_none_or(|it| it.as_str().is_some_and(|it| Some(it) == cloud))
        && entry.get("issuer").is_none_or(Value::is_string);
    let kid = text("kid").filter(|it| is_key_name(it))?;
    let modulus = number(text("n")?)?;
    let exponent = number(text("e")?)?;
    let bits = modulus.len() * 8 - modulus.first().map_or(8, |it| it.leading_zeros() as usize);
    if !fits || !(2048..=8192).contains(&bits) || exponent.len() > 4 || exponent == [1] {
        return None;
    }
    let issuer = text("issuer").map(str::to_owned);
    Some((
        kid.to_owned(),
        Key {
            modulus,
            exponent,
            issuer,
        },
    ))
}

/// Big-endian without leading zeros, which some documents have and `ring` refuses.
fn number(text: &str) -> Option<Vec<u8>> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    let zeros = bytes.iter().take_while(|it| **it == 0).count();
    let bytes = bytes.get(zeros..)?;
    (!bytes.is_empty()).then(|| bytes.to_vec())
}

#[cfg(test)]
mod tests;
