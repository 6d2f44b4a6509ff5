//! Both wires against the scripted server: what is sent, what is understood, and every fault.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod chat;

mod faults;

mod finding;

mod responses;

mod scripts;

use std::time::Duration;

use futures::StreamExt;
use models::{Connection, Error, Format, Http, Piece, Prompt, Tool, connect};
use protocol::context::{Content, Entry, Role};
use protocol::setting::WireApi;
use serde_json::json;
use testkit::{ModelServer, Script};

const KEY: &str = "sk-very-secret-key";
const BOTH: [WireApi; 2] = [WireApi::Responses, WireApi::Chat];

fn connection(base_url: &str, wire_api: WireApi) -> Connection {
    let mut connection = Connection::new("scripted", "Scripted", base_url, wire_api);
    connection.key = Some(KEY.to_owned());
    connection.retry_wait = Duration::from_millis(1);
    connection
}

/// A prompt with one tool of each kind.
fn prompt(text: &str) -> Prompt {
    let mut prompt = Prompt::new("scripted", "Be brief.");
    prompt.cache_key = "thread-1".to_owned();
    prompt.input = vec![
        Entry::text(Role::Developer, "The folder is /work."),
        Entry::text(Role::User, text),
    ];
    prompt.tools = vec![
        Tool {
            name: "exec_command".to_owned(),
            description: "Runs a command.".to_owned(),
            format: Format::Function(json!({ "type": "object", "properties": { "cmd": { "type": "string" } } })),
        },
        Tool {
            name: "apply_patch".to_owned(),
            description: "Edits files.".to_owned(),
            format: Format::Freeform("start: \"x\"".to_owned()),
        },
    ];
    prompt
}

/// All pieces until the end, and the error if there is one.
async fn all(connection: &Connection, prompt: Prompt) -> (Vec<Piece>, Option<Error>) {
    all_over(&Http::new("0.0.0"), connection, prompt).await
}

async fn all_over(http: &Http, connection: &Connection, prompt: Prompt) -> (Vec<Piece>, Option<Error>) {
    let mut stream = connect(http.clone(), connection.clone()).stream(prompt);
    let mut pieces = Vec::new();
    while let Some(piece) = stream.next().await {
        match piece {
            Ok(piece) => pieces.push(piece),
            Err(error) => {
                assert!(stream.next().await.is_none(), "an error is the last thing");
                return (pieces, Some(error));
            }
        }
    }
    (pieces, None)
}

async fn serve(script: Script) -> ModelServer {
    ModelServer::start(script).await.unwrap()
}

/// The text that a surface would show: forgotten at a retry.
fn shown(pieces: &[Piece]) -> String {
    let mut text = String::new();
    for piece in pieces {
        match piece {
            Piece::Text(more) => text.push_str(more),
            Piece::Retrying { .. } => text.clear(),
            Piece::Reasoning(_) | Piece::ReasoningBreak | Piece::Entry(_) | Piece::Usage(_) | Piece::Done { .. } => {}
        }
    }
    text
}

fn entries(pieces: &[Piece]) -> Vec<Entry> {
    let entries = pieces.iter().filter_map(|it| match it {
        Piece::Entry(entry) => Some(entry.clone()),
        Piece::Text(_)
        | Piece::Reasoning(_)
        | Piece::ReasoningBreak
        | Piece::Usage(_)
        | Piece::Retrying { .. }
        | Piece::Done { .. } => None,
    });
    entries.collect()
}

fn retries(pieces: &[Piece]) -> usize {
    pieces.iter().filter(|it| matches!(it, Piece::Retrying { .. })).count()
}

fn done(pieces: &[Piece]) -> bool {
    matches!(pieces.last(), Some(Piece::Done { incomplete: None }))
}

/// Name, arguments, freeform of each call.
fn calls(pieces: &[Piece]) -> Vec<(String, String, bool)> {
    let calls = entries(pieces).into_iter().filter_map(|it| match it {
        Entry::Call {
            name,
            arguments,
            freeform,
            ..
        } => Some((name, arguments, freeform)),
        Entry::Message { .. } | Entry::Reasoning { .. } | Entry::Output { .. } => None,
    });
    calls.collect()
}

fn output(call_id: &str, text: &str, freeform: bool) -> Entry {
    Entry::Output {
        call_id: call_id.to_owned(),
        content: vec![Content::Text { text: text.to_owned() }],
        freeform,
        ok: true,
    }
}
