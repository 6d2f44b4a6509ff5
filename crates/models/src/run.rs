//! One prompt on its way: placing the request, reading the answer, and trying again.

use std::collections::HashSet;
use std::time::Duration;

use futures::StreamExt;
use futures::stream::BoxStream;
use protocol::context::Entry;
use protocol::setting::WireApi;
use reqwest::header;
use tokio::time::timeout;

use crate::capability::{self, Feature};
use crate::chat::{self, decode::Chat};
use crate::complaint::{self, Complaint};
use crate::connection::Connection;
use crate::error::{Class, Error};
use crate::http::{Http, chain};
use crate::prompt::{Piece, Prompt};
use crate::responses::{self, decode::Responses};
use crate::sse::Sse;
use crate::wire::{self, Answer, Body, Decoder};

/// A provider that asks for more than this is not waited for.
const LONGEST_WAIT: Duration = Duration::from_secs(120);
/// After the last event, how long the end of the body is waited for, so that the connection can be used again.
const TAIL: Duration = Duration::from_millis(200);

/// Answers a prompt.
pub(crate) fn stream(http: Http, connection: Connection, prompt: Prompt) -> BoxStream<'static, Result<Piece, Error>> {
    let run = Run {
        http,
        connection,
        prompt,
        refused: HashSet::new(),
        answer: Answer::default(),
        attempt: 0,
        phase: Phase::Place,
    };
    futures::stream::unfold(run, |mut run| async move { run.next().await.map(|piece| (piece, run)) }).boxed()
}

struct Run {
    http: Http,
    connection: Connection,
    prompt: Prompt,
    /// What this prompt goes without, beyond what is remembered for all.
    refused: HashSet<Feature>,
    answer: Answer,
    /// Retries so far.
    attempt: u32,
    phase: Phase,
}

enum Phase {
    /// The request is to be made.
    Place,
    /// It is made again after this.
    Wait(Duration),
    /// The answer is coming.
    Read(Box<Reading>),
    /// Nothing more comes.
    Over,
}

struct Reading {
    response: reqwest::Response,
    sse: Sse,
    decoder: Box<dyn Decoder>,
}

impl Run {
    async fn next(&mut self) -> Option<Result<Piece, Error>> {
        loop {
            if let Some(piece) = self.answer.ready.pop_front() {
                return Some(piece);
            }
            match &mut self.phase {
                Phase::Over => return None,
                Phase::Wait(wait) => {
                    tokio::time::sleep(*wait).await;
                    self.phase = Phase::Place;
                }
                Phase::Place => match self.place().await {
                    Ok(reading) => self.phase = Phase::Read(Box::new(reading)),
                    Err(error) => self.failed(error),
                },
                Phase::Read(reading) => {
                    if let Err(error) = read(reading, &mut self.answer, &self.connection).await {
                        self.failed(error);
                    } else if let Some(incomplete) = self.answer.ended.take() {
                        self.answer.ready.push_back(Ok(Piece::Done { incomplete }));
                        self.phase = Phase::Over;
                    }
                }
            }
        }
    }

    /// Decides what a failure means: another attempt, or the end.
    fn failed(&mut self, error: Error) {
        if self.answer.called && error.retryable() {
            // Calls were handed out and may be running. The next request goes on from their outputs.
            tracing::warn!(%error, "an answer broke off after its calls");
            self.answer.ready.push_back(Ok(Piece::Done { incomplete: None }));
            self.phase = Phase::Over;
            return;
        }
        let max = if matches!(error.class, Class::Unreachable | Class::Server) {
            self.connection.request_max_retries
        } else {
            self.connection.stream_max_retries
        };
        let asked = error.retry_after.unwrap_or_default();
        if !error.retryable() || self.attempt >= max || asked > LONGEST_WAIT {
            self.answer.ready.push_back(Err(error));
            self.phase = Phase::Over;
            return;
        }
        let wait = asked.max(backoff(self.connection.retry_wait, self.attempt, rand::random()));
        self.attempt += 1;
        self.answer.forget();
        self.answer.ready.push_back(Ok(Piece::Retrying {
            attempt: self.attempt,
            max,
            wait_ms: u64::try_from(wait.as_millis()).unwrap_or(u64::MAX),
            failure: error.failure(),
        }));
        self.phase = Phase::Wait(wait);
    }

    /// Makes the request, without what the provider turns out not to take.
    async fn place(&mut self) -> Result<Reading, Error> {
        let images = wire::images(&self.prompt.input).await;
        loop {
            let mut refused = self.http.refused(&self.connection.base_url, &self.prompt.model);
            refused.extend(&self.refused);
            let Body { bytes, sent } = self.body(&refused, &images);
            let response = send(&self.http, &self.connection, bytes).await?;
            if response.status().is_success() && !is_html(&response) {
                return Ok(Reading {
                    response,
                    sse: Sse::default(),
                    decoder: self.decoder(),
                });
            }
            let (complaint, error) = refusal(response, &self.connection).await;
            if error.class != Class::BadRequest && error.class != Class::NoSuchEndpoint {
                return Err(error);
            }
            let Some(feature) = capability::named(&complaint.text(), &sent) else {
                return Err(error);
            };
            tracing::info!(?feature, provider = %self.connection.name, "the provider does not take this; going without");
            if feature.depends_on_thread() {
                self.refused.insert(feature);
            } else {
                self.http.refuse(&self.connection.base_url, &self.prompt.model, feature);
            }
        }
    }

    fn body(&self, refused: &HashSet<Feature>, images: &wire::Images) -> Body {
        let kept: &[Entry] = &self.answer.kept;
        match self.connection.wire_api {
            WireApi::Responses => responses::body(&self.prompt, kept, refused, images),
            WireApi::Chat => chat::body(&self.prompt, kept, refused, images, &self.connection.base_url),
        }
    }

    fn decoder(&self) -> Box<dyn Decoder> {
        let freeform = wire::freeform_names(&self.prompt);
        match self.connection.wire_api {
            WireApi::Responses => Box::new(Responses::new(freeform)),
            WireApi::Chat => Box::new(Chat::new(freeform)),
        }
    }
}

/// Reads on until there is something to hand out, or the end.
async fn read(reading: &mut Reading, answer: &mut Answer, connection: &Connection) -> Result<(), Error> {
    let Reading { response, sse, decoder } = reading;
    let cut = || Error::new(Class::Cut, &connection.name);
    while answer.ready.is_empty() && answer.ended.is_none() {
        let chunk = timeout(connection.stream_idle_timeout, response.chunk())
            .await
            .map_err(|_| {
                Error::new(Class::Stalled, &connection.name)
                    .words(format!("nothing was sent for {:?}", connection.stream_idle_timeout))
            })?
            .map_err(|error| cut().words(connection.scrub(&chain(&error))))?;
        let complain = |complaint: Complaint| scrubbed(&complaint, connection);
        match chunk {
            Some(bytes) => sse
                .push(&bytes, |name, data| decoder.event(name, data, answer))
                .map_err(complain)?,
            None => {
                sse.finish(|name, data| decoder.event(name, data, answer))
                    .map_err(complain)?;
                if answer.ended.is_none() {
                    decoder.end(answer);
                }
                if answer.ended.is_none() {
                    return Err(cut().words("the stream ended without its last event"));
                }
                return Ok(());
            }
        }
    }
    if answer.ended.is_some() {
        // What comes after the end is of no interest, but read to its end the connection is kept alive.
        let _late = timeout(TAIL, async { while let Ok(Some(_)) = response.chunk().await {} }).await;
    }
    Ok(())
}

/// Sends the body and waits for the head of the answer.
async fn send(http: &Http, connection: &Connection, body: Vec<u8>) -> Result<reqwest::Response, Error> {
    let path = match connection.wire_api {
        WireApi::Responses => "responses",
        WireApi::Chat => "chat/completions",
    };
    let request = request(http, connection, reqwest::Method::POST, path)?
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::ACCEPT, "text/event-stream")
        .body(body);
    match timeout(connection.stream_idle_timeout, request.send()).await {
        Ok(sent) => sent.map_err(|error| not_sent(&error, connection)),
        Err(_) => Err(Error::new(Class::Stalled, &connection.name).words("no answer to the request")),
    }
}

/// A request with everything that all requests to this provider carry.
pub(crate) fn request(
    http: &Http,
    connection: &Connection,
    method: reqwest::Method,
    path: &str,
) -> Result<reqwest::RequestBuilder, Error> {
    let bad = |why: String| Error::new(Class::BadAddress, &connection.name).words(connection.scrub(&why));
    let address = format!("{}/{path}", connection.base_url.trim().trim_end_matches('/'));
    let mut url = reqwest::Url::parse(&address).map_err(|error| bad(format!("{address}: {error}")))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(bad(address));
    }
    if !connection.query.is_empty() {
        url.query_pairs_mut().extend_pairs(&connection.query);
    }
    let mut headers = header::HeaderMap::new();
    if let Some(key) = &connection.key {
        let mut value = header::HeaderValue::try_from(format!("Bearer {}", key.trim())).map_err(|_| {
            Error::new(Class::Unauthorized, &connection.name).words("the key has characters that no key can have")
        })?;
        value.set_sensitive(true);
        headers.insert(header::AUTHORIZATION, value);
    }
    for (name, value) in &connection.headers {
        let name = header::HeaderName::try_from(name).map_err(|error| bad(format!("header {name}: {error}")))?;
        let mut value = header::HeaderValue::try_from(value)
            .map_err(|_| bad(format!("the value of the header {name} cannot be sent")))?;
        value.set_sensitive(true);
        headers.insert(name, value);
    }
    let client = http.client(&url, &connection.name)?;
    Ok(client.request(method, url).headers(headers))
}

/// Why a request got no answer at all.
pub(crate) fn not_sent(error: &reqwest::Error, connection: &Connection) -> Error {
    let words = chain(error);
    let lower = words.to_lowercase();
    let class = if error.is_builder() {
        Class::BadAddress
    } else if lower.contains("certificate") || lower.contains("unknownissuer") {
        Class::Untrusted
    } else {
        Class::Unreachable
    };
    Error::new(class, &connection.name).words(connection.scrub(&words))
}

/// Reads an answer that is no success, as far as it is of interest.
pub(crate) async fn refusal(mut response: reqwest::Response, connection: &Connection) -> (Complaint, Error) {
    const MOST: usize = 64 << 10;

    let status = response.status();
    let html = is_html(&response);
    let asked = complaint::retry_after(response.headers());
    let moved = response
        .headers()
        .get(header::LOCATION)
        .and_then(|it| it.to_str().ok())
        .map(str::to_owned);
    let mut bytes = Vec::new();
    let limit = Duration::from_secs(10).min(connection.stream_idle_timeout);
    let _cut = timeout(limit, async {
        while let Ok(Some(chunk)) = response.chunk().await {
            if bytes.len() < MOST {
                bytes.extend_from_slice(&chunk);
            }
        }
    })
    .await;
    let body = String::from_utf8_lossy(&bytes);
    if status.is_redirection() {
        let words = format!(
            "HTTP {}: it redirects to {}",
            status.as_u16(),
            moved.unwrap_or_default()
        );
        let error = Error::new(Class::NotAProvider, &connection.name).words(connection.scrub(&words));
        return (Complaint::default(), error);
    }
    if (html || body.trim_start().starts_with('<')) && !status.is_server_error() && status.as_u16() != 429 {
        let words = format!("HTTP {}: {}", status.as_u16(), first_words(&body));
        let error = Error::new(Class::NotAProvider, &connection.name).words(connection.scrub(&words));
        return (Complaint::default(), error);
    }
    let complaint = Complaint::from_body(status.as_u16(), &body);
    let mut error = scrubbed(&complaint, connection);
    error.retry_after = asked.or(error.retry_after);
    (complaint, error)
}

fn scrubbed(complaint: &Complaint, connection: &Connection) -> Error {
    let mut error = complaint.error(&connection.name);
    error.words = error.words.map(|it| connection.scrub(&it));
    error
}

pub(crate) fn is_html(response: &reqwest::Response) -> bool {
    let kind = response
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|it| it.to_str().ok());
    kind.is_some_and(|it| it.to_ascii_lowercase().contains("html"))
}

/// The beginning of a page as a person would read it.
fn first_words(page: &str) -> String {
    let mut text = String::new();
    let mut tag = false;
    for letter in page.chars() {
        match letter {
            '<' => tag = true,
            '>' if tag => {
                tag = false;
                text.push(' ');
            }
            _ if !tag => text.push(letter),
            _ => {}
        }
    }
    let words: Vec<&str> = text.split_whitespace().take(40).collect();
    words.join(" ")
}

/// Doubles with each retry, up to ten seconds, a tenth up or down so that many do not come back at once.
fn backoff(first: Duration, attempt: u32, chance: f64) -> Duration {
    let wait = first.saturating_mul(1 << attempt.min(10)).min(Duration::from_secs(10));
    wait.mul_f64(0.9 + 0.2 * chance.clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests;
