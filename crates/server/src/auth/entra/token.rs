//! The parts of a token. Its claims come out only against a key: see [`Token::proved_by`].

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::json;
use super::keys::Key;
use crate::auth::bearer::LONGEST;
use crate::auth::denied::Reason;

/// What no token of Entra for an API has in its header. `nonce` marks tokens for Graph, whose signature others cannot check.
const REFUSED: [&str; 9] = ["crit", "b64", "jku", "x5u", "jwk", "x5c", "cty", "zip", "nonce"];

/// A token whose signature nobody has checked yet.
#[derive(Debug)]
pub(super) struct Token<'a> {
    kid: String,
    claims: Map<String, Value>,
    signed: &'a str,
    signature: Vec<u8>,
}

/// The claims of a token whose signature was right.
#[derive(Debug)]
pub(super) struct Claims(Map<String, Value>);

impl std::ops::Deref for Claims {
    type Target = Map<String, Value>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

#[cfg(test)]
impl From<Map<String, Value>> for Claims {
    fn from(claims: Map<String, Value>) -> Self {
        Self(claims)
    }
}

impl<'a> Token<'a> {
    /// Takes it apart.
    pub(super) fn parse(text: &'a str) -> Result<Self, Reason> {
        if text.len() > LONGEST {
            return Err(Reason::TooLong);
        }
        let (signed, signature) = text.rsplit_once('.').ok_or(Reason::Shape)?;
        let (header, claims) = signed.split_once('.').ok_or(Reason::Shape)?;
        let kid = header_kid(&json::object(&segment(header)?).ok_or(Reason::Json)?)?;
        let claims = json::object(&segment(claims)?).ok_or(Reason::Json)?;
        Ok(Self {
            kid,
            claims,
            signed,
            signature: segment(signature)?,
        })
    }

    /// The name of the key that it claims to be signed with.
    pub(super) fn kid(&self) -> &str {
        &self.kid
    }

    /// The tenant that it claims to be of: says only in whose keys to look.
    pub(super) fn claimed_tenant(&self) -> Option<&str> {
        self.claims.get("tid").and_then(Value::as_str)
    }

    /// The claims, if this key signed them. The algorithm is ours, whatever the header says.
    pub(super) fn proved_by(self, key: &Key) -> Result<Claims, Reason> {
        let public = ring::signature::RsaPublicKeyComponents {
            n: key.modulus.as_slice(),
            e: key.exponent.as_slice(),
        };
        public
            .verify(
                &ring::signature::RSA_PKCS1_2048_8192_SHA256,
                self.signed.as_bytes(),
                &self.signature,
            )
            .map_err(|_| Reason::Signature)?;
        Ok(Claims(self.claims))
    }
}

/// Not padded, no other alphabet, no bits left over, not empty.
fn segment(text: &str) -> Result<Vec<u8>, Reason> {
    match URL_SAFE_NO_PAD.decode(text) {
        Ok(bytes) if !bytes.is_empty() => Ok(bytes),
        Ok(_) | Err(_) => Err(Reason::Shape),
    }
}

fn header_kid(header: &Map<String, Value>) -> Result<String, Reason> {
    // Keys of other letters are other keys, and `ALG` beside `alg` was refused as a double; alone it is refused here.
    if header.get("alg").and_then(Value::as_str) != Some("RS256") {
        return Err(Reason::Algorithm);
    }
    if header.keys().any(|it| REFUSED.contains(&it.to_lowercase().as_str())) {
        return Err(Reason::Header);
    }
    if header.get("typ").is_some_and(|it| it.as_str() != Some("JWT")) {
        return Err(Reason::Header);
    }
    header
        .get("kid")
        .and_then(Value::as_str)
        .filter(|it| is_key_name(it))
        .map(str::to_owned)
        .ok_or(Reason::KeyName)
}

/// As Entra names keys.
pub(super) fn is_key_name(text: &str) -> bool {
    (1..=128).contains(&text.len())
        && text
            .bytes()
            .all(|it| it.is_ascii_alphanumeric() || it == b'_' || it == b'-')
}

#[cfg(test)]
mod tests;
