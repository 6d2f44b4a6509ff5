//! The authority's pages. `/elsewhere/…` answers like the others whatever faults are set: where redirects lead.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, Query, State as Shared};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

use super::{Endpoint, State, sign_in};

type Parameters = Query<Vec<(String, String)>>;

pub(super) fn router(state: Arc<State>) -> Router {
    Router::new()
        .route("/{tenant}/v2.0/.well-known/openid-configuration", get(metadata_v2))
        .route("/{tenant}/.well-known/openid-configuration", get(metadata_v1))
        .route("/{tenant}/discovery/v2.0/keys", get(keys_v2))
        .route("/{tenant}/discovery/keys", get(keys_v1))
        .route("/elsewhere/{tenant}/v2.0/metadata", get(elsewhere))
        .route("/elsewhere/keys", get(keys_elsewhere))
        .route("/{tenant}/oauth2/v2.0/authorize", get(authorize))
        .route("/{tenant}/oauth2/v2.0/token", post(token))
        .route("/graph/v1.0/me/getMemberObjects", post(groups))
        .with_state(state)
}

/// Counts the question, and answers by the fault if there is one.
async fn ask(state: &Arc<State>, endpoint: Endpoint, answer: impl AsyncFnOnce() -> Response) -> Response {
    let fault = state.lock().faults.get(&endpoint).cloned();
    state.asked.send_modify(|it| *it.entry(endpoint).or_default() += 1);
    match fault {
        Some(fault) => fault.answer(state).await,
        None => answer().await,
    }
}

async fn metadata_v2(Shared(state): Shared<Arc<State>>, Path(tenant): Path<String>) -> Response {
    ask(&state, Endpoint::Metadata, async || {
        Json(metadata(&state, &tenant, true)).into_response()
    })
    .await
}

async fn metadata_v1(Shared(state): Shared<Arc<State>>, Path(tenant): Path<String>) -> Response {
    ask(&state, Endpoint::Metadata, async || {
        Json(metadata(&state, &tenant, false)).into_response()
    })
    .await
}

async fn elsewhere(Shared(state): Shared<Arc<State>>, Path(tenant): Path<String>) -> Response {
    Json(metadata(&state, &tenant, true)).into_response()
}

/// Of a tenant, or of common, organizations and consumers, whose issuer is no tenant's.
fn metadata(state: &State, tenant: &str, is_v2: bool) -> Value {
    let form = state.lock().form.clone();
    let issued_to = match tenant {
        "common" | "organizations" => "{tenantid}",
        "consumers" => "9188040d-6c67-4c5b-b112-36a304b66dad",
        tenant => tenant,
    };
    let (issuer, path) = if is_v2 {
        (form.v2_issuer(issued_to), "/v2.0")
    } else {
        (form.v1_issuer(issued_to), "")
    };
    let url = &state.url;
    json!({
        "issuer": issuer,
        "jwks_uri": format!("{url}/{tenant}/discovery{path}/keys"),
        "authorization_endpoint": format!("{url}/{tenant}/oauth2/v2.0/authorize"),
        "token_endpoint": format!("{url}/{tenant}/oauth2/v2.0/token"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "cloud_instance_name": "loopback",
        "tenant_region_scope": null,
    })
}

async fn keys_v2(Shared(state): Shared<Arc<State>>) -> Response {
    ask(&state, Endpoint::Keys, async || {
        Json(keys(&state, true)).into_response()
    })
    .await
}

async fn keys_v1(Shared(state): Shared<Arc<State>>) -> Response {
    ask(&state, Endpoint::Keys, async || {
        Json(keys(&state, false)).into_response()
    })
    .await
}

async fn keys_elsewhere(Shared(state): Shared<Arc<State>>) -> Response {
    Json(keys(&state, true)).into_response()
}

/// v2 says whose tokens a key signs, v1 does not.
fn keys(state: &State, is_v2: bool) -> Value {
    let inner = state.lock();
    if let Some(published) = &inner.published {
        return published.clone();
    }
    let entries = inner.keys.iter().map(|it| {
        let mut entry = it.jwk();
        if is_v2 {
            entry["issuer"] = inner.form.issuer_v2.replace("{tid}", "{tenantid}").into();
        }
        entry
    });
    json!({ "keys": entries.collect::<Vec<_>>() })
}

async fn authorize(
    Shared(state): Shared<Arc<State>>,
    Path(tenant): Path<String>,
    Query(parameters): Parameters,
) -> Response {
    ask(&state, Endpoint::Authorize, async || {
        match sign_in::authorize(&mut state.lock(), &tenant, &once(parameters)) {
            Ok(to) => (StatusCode::FOUND, [(header::LOCATION, to)]).into_response(),
            Err(why) => (StatusCode::BAD_REQUEST, why).into_response(),
        }
    })
    .await
}

async fn token(Shared(state): Shared<Arc<State>>, Path(tenant): Path<String>, body: Bytes) -> Response {
    ask(&state, Endpoint::Token, async || {
        let fields = url::form_urlencoded::parse(&body).into_owned().collect();
        match sign_in::token(&mut state.lock(), &tenant, &once(fields)) {
            Ok(granted) => Json(granted).into_response(),
            Err(refused) => (StatusCode::BAD_REQUEST, Json(refused)).into_response(),
        }
    })
    .await
}

async fn groups(Shared(state): Shared<Arc<State>>, headers: HeaderMap, body: Bytes) -> Response {
    ask(&state, Endpoint::Graph, async || {
        let inner = state.lock();
        let bearer = headers.get(header::AUTHORIZATION).and_then(|it| it.to_str().ok());
        let is_known = bearer
            .and_then(|it| it.strip_prefix("Bearer "))
            .is_some_and(|it| inner.graph_tokens.iter().any(|known| known == it));
        let is_question = serde_json::from_slice::<Value>(&body).is_ok_and(|it| it["securityEnabledOnly"].is_boolean());
        if !is_known {
            return StatusCode::UNAUTHORIZED.into_response();
        }
        if !is_question {
            return StatusCode::BAD_REQUEST.into_response();
        }
        Json(json!({ "value": inner.groups })).into_response()
    })
    .await
}

/// The parameters, those left out that came twice.
fn once(pairs: Vec<(String, String)>) -> BTreeMap<String, String> {
    let mut counted: BTreeMap<String, (usize, String)> = BTreeMap::new();
    for (name, value) in pairs {
        let entry = counted.entry(name).or_insert((0, value));
        entry.0 += 1;
    }
    let single = counted.into_iter().filter(|(_, (count, _))| *count == 1);
    single.map(|(name, (_, value))| (name, value)).collect()
}
