//! Signing in: the authorization code with PKCE, refresh tokens that work once, and tokens on behalf of somebody.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::Inner;
use super::form::{API, SCOPE, changed};

/// What a code or a refresh token stands for.
#[derive(Debug, Clone)]
pub(super) struct Grant {
    tenant: String,
    client: String,
    redirect: String,
    challenge: String,
    nonce: Option<String>,
}

/// Signs the person in without asking them anything, and says where the browser goes next.
pub(super) fn authorize(
    inner: &mut Inner,
    tenant: &str,
    parameters: &BTreeMap<String, String>,
) -> Result<String, &'static str> {
    let get = |name: &str| parameters.get(name).cloned();
    let redirect = get("redirect_uri").ok_or("redirect_uri")?;
    let mut back = url::Url::parse(&redirect).map_err(|_| "redirect_uri")?;
    let is_here = back.scheme() == "http" && matches!(back.host_str(), Some("127.0.0.1" | "localhost"));
    if !is_here {
        return Err("AADSTS50011: this redirect is not registered");
    }
    if get("response_type").as_deref() != Some("code") {
        return Err("AADSTS700054: only code");
    }
    // Entra takes `plain` as well; nobody should send it.
    if get("code_challenge_method").as_deref() != Some("S256") {
        return Err("code_challenge_method must be S256");
    }
    let grant = Grant {
        tenant: tenant.to_owned(),
        client: get("client_id").ok_or("client_id")?,
        redirect,
        challenge: get("code_challenge")
            .filter(|it| it.len() == 43)
            .ok_or("code_challenge")?,
        nonce: get("nonce"),
    };
    let code = inner.give("code");
    inner.codes.insert(code.clone(), grant);
    back.query_pairs_mut().append_pair("code", &code);
    if let Some(state) = get("state") {
        back.query_pairs_mut().append_pair("state", &state);
    }
    Ok(back.into())
}

/// Gives tokens for a code, for a refresh token, or for a person's own token.
pub(super) fn token(inner: &mut Inner, tenant: &str, fields: &BTreeMap<String, String>) -> Result<Value, Value> {
    let field = |name: &str| fields.get(name).map(String::as_str).unwrap_or_default();
    match field("grant_type") {
        "authorization_code" => {
            // A code works once: the second time, Entra says 54005.
            let grant = inner
                .codes
                .remove(field("code"))
                .ok_or_else(|| refused("invalid_grant", "AADSTS54005: the code was already redeemed"))?;
            let proof = URL_SAFE_NO_PAD.encode(Sha256::digest(field("code_verifier")));
            let is_same = grant.tenant == tenant
                && grant.client == field("client_id")
                && grant.redirect == field("redirect_uri")
                && grant.challenge == proof;
            if !is_same || !(43..=128).contains(&field("code_verifier").len()) {
                return Err(refused(
                    "invalid_grant",
                    "AADSTS501481: the code verifier does not match",
                ));
            }
            Ok(tokens(inner, grant))
        }
        "refresh_token" => {
            let grant = inner.refresh_tokens.remove(field("refresh_token"));
            match grant {
                Some(grant) if grant.client == field("client_id") => Ok(tokens(inner, grant)),
                Some(_) | None => Err(refused("invalid_grant", "AADSTS70000: the refresh token is not valid")),
            }
        }
        "urn:ietf:params:oauth:grant-type:jwt-bearer" => {
            if let Some(refusal) = &inner.refusal {
                return Err(refusal.clone());
            }
            let is_ours = field("client_id") == API
                && !field("client_secret").is_empty()
                && field("requested_token_use") == "on_behalf_of"
                && field("scope").ends_with("/.default")
                && field("assertion").split('.').count() == 3;
            if !is_ours {
                return Err(refused("invalid_client", "AADSTS7000215: wrong secret"));
            }
            let token = inner.give("graph-token");
            inner.graph_tokens.push(token.clone());
            Ok(json!({"token_type": "Bearer", "expires_in": 3600, "access_token": token}))
        }
        _ => Err(refused("unsupported_grant_type", "AADSTS70003")),
    }
}

fn tokens(inner: &mut Inner, grant: Grant) -> Value {
    let claims = json!({
        "iss": inner.form.v2_issuer(&grant.tenant),
        "tid": grant.tenant,
        "azp": grant.client,
    });
    let claims = changed(&changed(&inner.form.v2(inner.now_s), &claims), &inner.person);
    let id_claims = changed(
        &claims,
        &json!({"aud": grant.client, "azp": null, "azpacr": null, "scp": null, "nonce": grant.nonce}),
    );
    let signer = inner.signer();
    let refresh_token = inner.give("refresh");
    inner.refresh_tokens.insert(refresh_token.clone(), grant);
    json!({
        "token_type": "Bearer",
        "scope": format!("api://{API}/{SCOPE}"),
        "expires_in": 3599,
        "access_token": signer.token(&claims),
        "id_token": signer.token(&id_claims),
        "refresh_token": refresh_token,
    })
}

fn refused(error: &str, description: &str) -> Value {
    json!({"error": error, "error_description": description})
}
