//! The OpenAPI document, made from the table of routes.

use axum::Json;
use axum::http::Method;
use protocol::workspace::live::{ClientFrame, ServerFrame};
use protocol::workspace::log::ServerEvent;
use protocol::workspace::problem::Problem;
use schemars::generate::SchemaSettings;
use schemars::transform::RestrictFormats;
use serde_json::{Map, Value, json};

use crate::route::{Access, Route};

pub(super) fn routes() -> Vec<Route> {
    vec![Route::new(
        Method::GET,
        "/openapi.json",
        Access::Open,
        "This document.",
        show,
    )]
}

async fn show() -> Json<Value> {
    Json(document(&super::routes()))
}

/// OpenAPI 3.1, whose schemas are JSON Schema as schemars writes it.
fn document(routes: &[Route]) -> Value {
    let mut settings = SchemaSettings::draft2020_12().with(|it| {
        it.definitions_path = "/components/schemas".into();
        it.meta_schema = None;
    });
    settings.transforms.push(Box::new(RestrictFormats::default()));
    let mut schemas = settings.into_generator();
    let problem = json!({
        "description": "It could not be done; the body says why.",
        "content": { "application/json": { "schema": schemas.subschema_for::<Problem>() } }
    });
    let mut paths: Map<String, Value> = Map::new();
    for route in routes {
        let mut operation = json!({
            "summary": route.summary,
            "operationId": operation_id(route),
            "parameters": parameters(route.path),
            "responses": { "default": problem, success(route): answer(route, &mut schemas) },
            "security": if route.access == Access::Open { json!([]) } else { json!([{ "bearer": [] }]) },
        });
        if let Access::In(role) = route.access {
            operation["description"] = format!("For members whose role is at least {}.", role.as_str()).into();
        }
        if let Some(takes) = route.takes {
            operation["requestBody"] = json!({
                "required": true,
                "content": { "application/json": { "schema": takes(&mut schemas) } }
            });
        }
        let path = paths.entry(route.path).or_insert_with(|| json!({}));
        path[route.method.as_str().to_lowercase()] = operation;
    }
    // What goes over the live socket has no place of its own in OpenAPI, and clients need it all the same.
    schemas.subschema_for::<ClientFrame>();
    schemas.subschema_for::<ServerFrame>();
    schemas.subschema_for::<ServerEvent>();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "zspark-server",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "The shared workspace of zspark. Frames of the live socket are the schemas ClientFrame and ServerFrame."
        },
        "paths": paths,
        "components": {
            "schemas": schemas.take_definitions(true),
            "securitySchemes": { "bearer": { "type": "http", "scheme": "bearer", "bearerFormat": "JWT" } }
        }
    })
}

fn success(route: &Route) -> &'static str {
    if route.access == Access::Socket { "101" } else { "200" }
}

fn answer(route: &Route, schemas: &mut schemars::SchemaGenerator) -> Value {
    match route.gives {
        Some(gives) => json!({
            "description": "Done.",
            "content": { "application/json": { "schema": gives(schemas) } }
        }),
        None => json!({ "description": "Done." }),
    }
}

/// `getWorkspacesWorkspaceThreads`: the method and the path in camel case.
fn operation_id(route: &Route) -> String {
    let mut id = route.method.as_str().to_lowercase();
    let words = route
        .path
        .trim_start_matches("/api/v1")
        .split(|it: char| !it.is_ascii_alphanumeric());
    for word in words.filter(|it| !it.is_empty()) {
        let (first, rest) = word.split_at(1);
        id.push_str(&first.to_uppercase());
        id.push_str(rest);
    }
    id
}

fn parameters(path: &str) -> Vec<Value> {
    path.split('/')
        .filter_map(|it| it.strip_prefix('{')?.strip_suffix('}'))
        .map(|name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }))
        .collect()
}

#[cfg(test)]
mod tests;
