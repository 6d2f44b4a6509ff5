//! The scripted model of the benchmark: a small HTTP server in this process, so that a request's arrival and the
//! client's start are read from one clock. It speaks just enough of the Responses wire for both programs.

use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use serde_json::{Value, json};

/// What the model does in a turn.
#[derive(Debug, Clone, Copy)]
pub(super) enum Script {
    /// One short message.
    Answer,
    /// So many calls of `exec_command`, one a request, then a message.
    Calls(usize),
    /// One message in so many pieces.
    Deltas(usize),
}

/// The server. Its thread ends with the process.
pub(super) struct Model {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

struct State {
    script: Script,
    /// When each request of the turn had arrived as a whole.
    arrivals: Vec<Instant>,
}

impl Model {
    pub(super) fn start() -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let address = listener.local_addr()?;
        let state = Arc::new(Mutex::new(State {
            script: Script::Answer,
            arrivals: Vec::new(),
        }));
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let state = Arc::clone(&shared);
                // A client that goes away in the middle of an answer is none of our business.
                thread::spawn(move || serve(stream, &state).ok());
            }
        });
        Ok(Self { address, state })
    }

    pub(super) fn base_url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// The next turn goes by this script.
    pub(super) fn play(&self, script: Script) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.script = script;
        state.arrivals.clear();
    }

    /// When the requests since [`Self::play`] arrived.
    pub(super) fn arrivals(&self) -> Vec<Instant> {
        self.state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .arrivals
            .clone()
    }
}

fn serve(stream: TcpStream, state: &Mutex<State>) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut writer = BufWriter::new(stream);
    while let Some(post) = read_request(&mut reader)? {
        if !post {
            writer.write_all(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n")?;
            writer.flush()?;
            continue;
        }
        let (script, number) = {
            let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
            state.arrivals.push(Instant::now());
            (state.script, state.arrivals.len())
        };
        writer
            .write_all(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")?;
        answer(&mut writer, script, number)?;
        writer.write_all(b"0\r\n\r\n")?;
        writer.flush()?;
    }
    Ok(())
}

/// Reads one request to its end; tells whether it is a prompt. `None` when the client is done.
fn read_request(reader: &mut impl BufRead) -> io::Result<Option<bool>> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let post = line.starts_with("POST ");
    let mut length = 0;
    loop {
        line.clear();
        reader.read_line(&mut line)?;
        let header = line.trim().to_ascii_lowercase();
        if header.is_empty() {
            break;
        }
        if let Some(value) = header.strip_prefix("content-length:") {
            length = value.trim().parse().map_err(io::Error::other)?;
        }
    }
    io::copy(&mut reader.take(length), &mut io::sink())?;
    Ok(Some(post))
}

fn answer(to: &mut impl Write, script: Script, number: usize) -> io::Result<()> {
    send(
        to,
        &json!({"type": "response.created", "response": {"id": format!("resp_{number}")}}),
    )?;
    match script {
        Script::Calls(calls) if number <= calls => {
            let arguments = json!({"cmd": "true", "login": false}).to_string();
            let id = format!("call_{number}");
            let item = json!({
                "type": "function_call", "id": format!("fc_{number}"), "call_id": id,
                "name": "exec_command", "arguments": arguments,
            });
            send(
                to,
                &json!({"type": "response.output_item.done", "output_index": 0, "item": item}),
            )?;
        }
        Script::Deltas(count) => message(to, count)?,
        Script::Answer | Script::Calls(_) => message(to, 1)?,
    }
    let usage = json!({
        "input_tokens": 100, "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": 10, "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": 110,
    });
    send(
        to,
        &json!({"type": "response.completed", "response": {"id": format!("resp_{number}"), "usage": usage}}),
    )
}

fn message(to: &mut impl Write, pieces: usize) -> io::Result<()> {
    const PIECE: &str = "word ";
    let item = |content: Value| json!({"type": "message", "id": "msg_1", "role": "assistant", "content": content});
    let added = json!({"type": "response.output_item.added", "output_index": 0, "item": item(json!([]))});
    send(to, &added)?;
    let delta = json!({
        "type": "response.output_text.delta", "item_id": "msg_1", "output_index": 0, "content_index": 0, "delta": PIECE,
    });
    let delta = delta.to_string();
    for _ in 0..pieces {
        send_text(to, "response.output_text.delta", &delta)?;
    }
    let content = json!([{"type": "output_text", "text": PIECE.repeat(pieces)}]);
    send(
        to,
        &json!({"type": "response.output_item.done", "output_index": 0, "item": item(content)}),
    )
}

fn send(to: &mut impl Write, event: &Value) -> io::Result<()> {
    send_text(to, event["type"].as_str().unwrap_or_default(), &event.to_string())
}

fn send_text(to: &mut impl Write, name: &str, data: &str) -> io::Result<()> {
    let length = "event: \ndata: \n\n".len() + name.len() + data.len();
    write!(to, "{length:x}\r\nevent: {name}\ndata: {data}\n\n\r\n")
}
