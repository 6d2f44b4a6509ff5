//! The models a provider lists, and what it says of their context windows.

use std::time::Duration;

use protocol::setting::Model;
use serde_json::Value;
use tokio::time::timeout;

use crate::connection::Connection;
use crate::error::{Class, Error};
use crate::http::Http;
use crate::run::{is_html, not_sent, refusal, request};
use crate::window;

/// A list of models is small; a provider that takes longer is not there.
const LIMIT: Duration = Duration::from_secs(15);

/// Asks `GET {base_url}/models`.
pub(crate) async fn models(http: &Http, connection: &Connection) -> Result<Vec<Model>, Error> {
    let late = || Error::new(Class::Stalled, &connection.name).words("no answer to the list of models");
    let ask = request(http, connection, reqwest::Method::GET, "models")?;
    let response = timeout(LIMIT, ask.send())
        .await
        .map_err(|_| late())?
        .map_err(|error| not_sent(&error, connection))?;
    if !response.status().is_success() || is_html(&response) {
        return Err(refusal(response, connection).await.1);
    }
    let bytes = timeout(LIMIT, response.bytes())
        .await
        .map_err(|_| late())?
        .map_err(|error| not_sent(&error, connection))?;
    let not_a_list = || {
        let words: String = String::from_utf8_lossy(&bytes).chars().take(200).collect();
        Error::new(Class::NotAProvider, &connection.name).words(connection.scrub(&words))
    };
    let json: Value = serde_json::from_slice(&bytes).map_err(|_| not_a_list())?;
    let mut models = parse(&json).ok_or_else(not_a_list)?;
    for model in &mut models {
        match model.context_window {
            Some(tokens) => http.keep_window(&connection.base_url, &model.id, tokens),
            None => model.context_window = window::known(&model.id),
        }
    }
    Ok(models)
}

/// `{"data":[{"id":…}]}` as everybody has it, `{"models":[{"name":…}]}`, or a bare list.
fn parse(json: &Value) -> Option<Vec<Model>> {
    let list = json
        .get("data")
        .or_else(|| json.get("models"))
        .unwrap_or(json)
        .as_array()?;
    let mut models: Vec<Model> = list
        .iter()
        .filter_map(|model| {
            let id = ["id", "name", "model"]
                .iter()
                .find_map(|key| model.get(key).and_then(Value::as_str))?;
            let tokens = [
                "context_length",
                "max_model_len",
                "context_window",
                "max_context_length",
            ]
            .iter()
            .find_map(|key| model.get(key))
            .or_else(|| model.pointer("/meta/n_ctx"))
            .and_then(Value::as_u64)
            .filter(|it| *it > 0);
            Some(Model {
                id: id.to_owned(),
                context_window: tokens,
            })
        })
        .collect();
    models.sort_by(|a, b| a.id.cmp(&b.id));
    models.dedup_by(|a, b| a.id == b.id);
    Some(models)
}
