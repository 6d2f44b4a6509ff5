//! "Test connection": asks a model for one word and says exactly what is wrong.

use std::time::{Duration, Instant};

use futures::StreamExt;
use protocol::context::{Entry, Role};
use protocol::setting::{Model, ProviderTest, WireApi};
use protocol::{Code, Failure};
use tokio::time::timeout;

use crate::connection::Connection;
use crate::error::{Class, Error};
use crate::http::Http;
use crate::list;
use crate::prompt::{Piece, Prompt};
use crate::provider::connect;

/// A person is waiting at the button; a local model may have to be loaded first.
const LIMIT: Duration = Duration::from_secs(60);

/// Asks for one word. Without a model, the first one listed is asked.
pub async fn test(http: Http, connection: Connection, model: Option<String>) -> ProviderTest {
    let mut connection = connection;
    // The person can press the button again.
    connection.request_max_retries = 0;
    connection.stream_max_retries = 0;
    connection.stream_idle_timeout = connection.stream_idle_timeout.min(LIMIT);

    let listed = list::models(&http, &connection).await;
    let models = listed.clone().unwrap_or_default();
    if let Err(error) = &listed
        && matches!(
            error.class,
            Class::Unreachable | Class::Untrusted | Class::BadAddress | Class::Client
        )
    {
        return failed(error.failure(), models);
    }
    let model = model
        .filter(|it| !it.trim().is_empty())
        .or_else(|| models.first().map(|it| it.id.clone()));
    let Some(model) = model else {
        let failure = match listed {
            Err(error) => error.failure(),
            Ok(_) => Failure::new(Code::NoSuchModel, format!("{} lists no models.", connection.name))
                .hint("Enter the name of the model to use."),
        };
        return failed(failure, models);
    };
    let error = match first_word(&http, &connection, &model).await {
        Ok(first_word_ms) => {
            return ProviderTest {
                ok: true,
                first_word_ms: Some(first_word_ms),
                failure: None,
                models,
                suggested_wire_api: None,
            };
        }
        Err(error) => error,
    };
    let mut failure = error.failure();
    let mut suggested_wire_api = None;
    // Not every provider says "no such endpoint" when it lacks the wire.
    if matches!(
        error.class,
        Class::NoSuchEndpoint | Class::BadRequest | Class::NotAProvider | Class::Cut | Class::Server
    ) {
        let other = match connection.wire_api {
            WireApi::Responses => WireApi::Chat,
            WireApi::Chat => WireApi::Responses,
        };
        connection.wire_api = other;
        if first_word(&http, &connection, &model).await.is_ok() {
            suggested_wire_api = Some(other);
            failure = failure.hint(match other {
                WireApi::Chat => "The model answers over Chat Completions. Choose that wire API.",
                WireApi::Responses => "The model answers over the Responses API. Choose that wire API.",
            });
        }
    }
    if failure.code == Code::NoSuchModel && !models.is_empty() {
        let names: Vec<&str> = models.iter().take(5).map(|it| it.id.as_str()).collect();
        failure = failure.hint(format!(
            "It lists {} models, such as {}.",
            models.len(),
            names.join(", ")
        ));
    }
    ProviderTest {
        suggested_wire_api,
        ..failed(failure, models)
    }
}

fn failed(failure: Failure, models: Vec<Model>) -> ProviderTest {
    ProviderTest {
        ok: false,
        first_word_ms: None,
        failure: Some(failure),
        models,
        suggested_wire_api: None,
    }
}

/// Milliseconds until the model says something.
async fn first_word(http: &Http, connection: &Connection, model: &str) -> Result<u64, Error> {
    let mut prompt = Prompt::new(model, "Answer with one word.");
    prompt.input.push(Entry::text(Role::User, "Say hello."));
    let start = Instant::now();
    let provider = connect(http.clone(), connection.clone());
    let mut pieces = provider.stream(prompt);
    let word = async {
        while let Some(piece) = pieces.next().await {
            match piece? {
                Piece::Text(_) | Piece::Reasoning(_) | Piece::Entry(_) | Piece::Done { .. } => return Ok(()),
                Piece::ReasoningBreak | Piece::Usage(_) | Piece::Retrying { .. } => {}
            }
        }
        Err(Error::new(Class::Cut, &connection.name))
    };
    match timeout(LIMIT, word).await {
        Ok(said) => said.map(|()| u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX)),
        Err(_) => Err(Error::new(Class::Stalled, &connection.name).words("no word within a minute")),
    }
}
