//! A step as what goes over the wire, for both wires.

use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};

use crate::gate::Gate;
use crate::script::{End, Part, Shape, Step};

/// One thing the body does.
#[derive(Debug, Clone)]
pub(crate) enum Out {
    /// Sends these bytes.
    Bytes(Bytes),
    /// Waits for the test.
    Gate(Gate),
    /// Waits until this long after the beginning.
    At(Duration),
    /// Breaks off.
    Cut,
    /// Resets the connection.
    Reset,
    /// Does nothing more.
    Stall,
}

/// Collects what is sent.
struct Sink {
    out: Vec<Out>,
    /// Events that go out in one write.
    pending: Vec<u8>,
    events: usize,
    pace: Option<f64>,
    deltas: f64,
}

/// Unpaced events are written together: a real server's kernel does so too when the client is slow.
const TOGETHER: usize = 16;

impl Sink {
    fn new(pace: Option<f64>) -> Self {
        Self {
            out: Vec::new(),
            pending: Vec::new(),
            events: 0,
            pace,
            deltas: 0.0,
        }
    }

    fn raw(&mut self, bytes: &[u8]) {
        self.pending.extend_from_slice(bytes);
        self.events += 1;
        if self.events >= TOGETHER {
            self.flush();
        }
    }

    fn event(&mut self, name: Option<&str>, data: &Value) {
        let name = name.map(|it| format!("event: {it}\n")).unwrap_or_default();
        self.raw(format!("{name}data: {data}\n\n").as_bytes());
    }

    /// Before each delta of a paced stream.
    fn beat(&mut self) {
        if let Some(pace) = self.pace {
            self.flush();
            self.out
                .push(Out::At(Duration::from_secs_f64(self.deltas / pace.max(0.001))));
            self.deltas += 1.0;
        }
    }

    fn flush(&mut self) {
        if !self.pending.is_empty() {
            self.out.push(Out::Bytes(std::mem::take(&mut self.pending).into()));
        }
        self.events = 0;
    }

    fn step(&mut self, out: Out) {
        self.flush();
        self.out.push(out);
    }
}

fn pieces(text: &str, letters: usize) -> Vec<String> {
    let all: Vec<char> = text.chars().collect();
    all.chunks(letters).map(|it| it.iter().collect()).collect()
}

/// The answer over `POST /v1/responses`. `number` makes ids unique within a server.
pub(crate) fn responses(step: &Step, number: usize, model: &str) -> Vec<Out> {
    let mut sink = Sink::new(step.pace);
    let id = format!("resp_{number}");
    let mut sent = Responses {
        sink: &mut sink,
        output: Vec::new(),
        open: None,
        number,
        letters: step.delta_chars,
    };
    let begun = json!({ "id": id, "object": "response", "status": "in_progress", "model": model, "output": [] });
    sent.event("response.created", json!({ "response": begun }));
    for (at, part) in step.parts.iter().enumerate() {
        sent.part(at, part);
    }
    match &step.end {
        End::Cut | End::Reset | End::Stall | End::Unended => {}
        End::Proper | End::Incomplete(_) | End::Failed(..) => sent.close(),
    }
    let output = std::mem::take(&mut sent.output);
    let usage = step.usage.map(|(input, written)| {
        json!({
            "input_tokens": input, "input_tokens_details": { "cached_tokens": input / 2 },
            "output_tokens": written, "output_tokens_details": { "reasoning_tokens": 0 },
            "total_tokens": input + written,
        })
    });
    let response = |status: &str| json!({ "id": id, "object": "response", "status": status, "model": model, "output": output, "usage": usage });
    match &step.end {
        End::Proper => sent.event("response.completed", json!({ "response": response("completed") })),
        End::Incomplete(reason) => {
            let mut response = response("incomplete");
            if let Some(object) = response.as_object_mut() {
                object.insert("incomplete_details".to_owned(), json!({ "reason": reason }));
            }
            sent.event("response.incomplete", json!({ "response": response }));
        }
        End::Failed(code, message) => {
            let error = json!({ "code": code, "message": message });
            let response = json!({ "id": id, "object": "response", "status": "failed", "error": error });
            sent.event("response.failed", json!({ "response": response }));
        }
        End::Cut => sink.step(Out::Cut),
        End::Reset => sink.step(Out::Reset),
        End::Stall => sink.step(Out::Stall),
        End::Unended => {}
    }
    sink.flush();
    sink.out
}

struct Responses<'a> {
    sink: &'a mut Sink,
    output: Vec<Value>,
    /// The message being written: its id and text.
    open: Option<(String, String)>,
    number: usize,
    letters: usize,
}

impl Responses<'_> {
    fn event(&mut self, kind: &str, mut data: Value) {
        if let Some(object) = data.as_object_mut() {
            object.insert("type".to_owned(), kind.into());
        }
        self.sink.event(Some(kind), &data);
    }

    fn part(&mut self, at: usize, part: &Part) {
        let number = self.number;
        match part {
            Part::Text(text) => self.text(at, text),
            Part::Gate(gate) => self.sink.step(Out::Gate(gate.clone())),
            Part::Raw(bytes) => self.sink.raw(bytes.as_bytes()),
            Part::Reasoning(text) => {
                self.close();
                let id = format!("rs_{number}_{at}");
                let index = self.output.len();
                let begun = json!({ "type": "reasoning", "id": id, "summary": [] });
                self.event(
                    "response.output_item.added",
                    json!({ "output_index": index, "item": begun }),
                );
                for (at, section) in text.split("\n\n").enumerate() {
                    let part = json!({ "type": "summary_text", "text": "" });
                    let place = json!({ "item_id": id, "output_index": index, "summary_index": at, "part": part });
                    self.event("response.reasoning_summary_part.added", place);
                    for delta in pieces(section, self.letters) {
                        self.sink.beat();
                        let delta =
                            json!({ "item_id": id, "output_index": index, "summary_index": at, "delta": delta });
                        self.event("response.reasoning_summary_text.delta", delta);
                    }
                }
                let summary: Vec<Value> = text
                    .split("\n\n")
                    .map(|text| json!({ "type": "summary_text", "text": text }))
                    .collect();
                let encrypted = format!("encrypted-{number}-{at}");
                self.done(json!({ "type": "reasoning", "id": id, "summary": summary, "encrypted_content": encrypted }));
            }
            Part::Call {
                id,
                name,
                arguments,
                custom,
            } => {
                self.close();
                let call_id = id.clone().unwrap_or_else(|| format!("call_{number}_{at}"));
                let (kind, key, delta_event) = if *custom {
                    ("custom_tool_call", "input", "response.custom_tool_call_input.delta")
                } else {
                    ("function_call", "arguments", "response.function_call_arguments.delta")
                };
                let id = format!("{}_{number}_{at}", if *custom { "ctc" } else { "fc" });
                let item = |text: &str, status: &str| json!({ "type": kind, "id": id, "call_id": call_id, "name": name, key: text, "status": status });
                let index = self.output.len();
                let begun = item("", "in_progress");
                self.event(
                    "response.output_item.added",
                    json!({ "output_index": index, "item": begun }),
                );
                for delta in pieces(arguments, 16) {
                    self.event(
                        delta_event,
                        json!({ "item_id": id, "output_index": index, "delta": delta }),
                    );
                }
                self.done(item(arguments, "completed"));
            }
        }
    }

    fn text(&mut self, at: usize, text: &str) {
        let id = match &self.open {
            Some((id, _)) => id.clone(),
            None => {
                let id = format!("msg_{}_{at}", self.number);
                let begun = json!({ "type": "message", "id": id, "role": "assistant", "content": [] });
                self.event(
                    "response.output_item.added",
                    json!({ "output_index": self.output.len(), "item": begun }),
                );
                id
            }
        };
        for delta in pieces(text, self.letters) {
            self.sink.beat();
            let place = json!({ "item_id": id, "output_index": self.output.len(), "content_index": 0, "delta": delta });
            self.event("response.output_text.delta", place);
        }
        let before = self.open.take().map(|(_, text)| text).unwrap_or_default();
        self.open = Some((id, before + text));
    }

    /// Ends the message being written.
    fn close(&mut self) {
        if let Some((id, text)) = self.open.take() {
            let content = json!([{ "type": "output_text", "text": text, "annotations": [] }]);
            self.done(json!({
                "type": "message", "id": id, "role": "assistant", "status": "completed", "content": content
            }));
        }
    }

    fn done(&mut self, item: Value) {
        let index = self.output.len();
        self.output.push(item.clone());
        self.event(
            "response.output_item.done",
            json!({ "output_index": index, "item": item }),
        );
    }
}

/// The answer over `POST /v1/chat/completions`.
pub(crate) fn chat(step: &Step, number: usize, model: &str, wants_usage: bool) -> Vec<Out> {
    let mut sink = Sink::new(step.pace);
    let chunk = |delta: &Value, finish: Option<&str>| {
        json!({
            "id": format!("chatcmpl-{number}"), "object": "chat.completion.chunk", "model": model,
            "choices": [{ "index": 0, "delta": delta, "finish_reason": finish }],
        })
    };
    sink.event(None, &chunk(&json!({ "role": "assistant", "content": "" }), None));
    for part in &step.parts {
        match part {
            Part::Text(text) => {
                for delta in pieces(text, step.delta_chars) {
                    sink.beat();
                    sink.event(None, &chunk(&json!({ "content": delta }), None));
                }
            }
            Part::Reasoning(text) => {
                for delta in pieces(text, step.delta_chars) {
                    sink.beat();
                    sink.event(None, &chunk(&json!({ "reasoning_content": delta }), None));
                }
            }
            Part::Gate(gate) => sink.step(Out::Gate(gate.clone())),
            Part::Raw(bytes) => sink.raw(bytes.as_bytes()),
            Part::Call { .. } => {}
        }
    }
    let calls = calls(step, number);
    for delta in call_deltas(&calls, step.shape) {
        sink.event(None, &chunk(&json!({ "tool_calls": delta }), None));
    }
    let finish = match &step.end {
        End::Proper if calls.is_empty() => Some("stop"),
        End::Proper => Some("tool_calls"),
        End::Incomplete(reason) if reason == "content_filter" => Some("content_filter"),
        End::Incomplete(_) => Some("length"),
        End::Failed(code, message) => {
            sink.event(None, &json!({ "error": { "code": code, "message": message } }));
            None
        }
        End::Cut | End::Reset | End::Stall | End::Unended => None,
    };
    if let Some(finish) = finish {
        if step.shape != Shape::NoFinish {
            sink.event(None, &chunk(&json!({}), Some(finish)));
        }
        if let Some((input, written)) = step.usage.filter(|_| wants_usage) {
            let usage = json!({
                "prompt_tokens": input, "completion_tokens": written, "total_tokens": input + written,
                "prompt_tokens_details": { "cached_tokens": input / 2 },
            });
            let id = format!("chatcmpl-{number}");
            sink.event(
                None,
                &json!({ "id": id, "object": "chat.completion.chunk", "choices": [], "usage": usage }),
            );
        }
        if step.shape != Shape::BareEnd {
            sink.raw(b"data: [DONE]\n\n");
        }
    }
    match &step.end {
        End::Cut => sink.step(Out::Cut),
        End::Reset => sink.step(Out::Reset),
        End::Stall => sink.step(Out::Stall),
        End::Proper | End::Incomplete(_) | End::Failed(..) | End::Unended => {}
    }
    sink.flush();
    sink.out
}

struct Call {
    id: String,
    name: String,
    arguments: String,
}

/// The calls of a step. A freeform tool is a function with one string here.
fn calls(step: &Step, number: usize) -> Vec<Call> {
    let parts = step.parts.iter().enumerate().filter_map(|(at, part)| match part {
        Part::Call {
            id,
            name,
            arguments,
            custom,
        } => Some(Call {
            id: id.clone().unwrap_or_else(|| format!("call_{number}_{at}")),
            name: name.clone(),
            arguments: if *custom {
                json!({ "input": arguments }).to_string()
            } else {
                arguments.clone()
            },
        }),
        Part::Text(_) | Part::Reasoning(_) | Part::Gate(_) | Part::Raw(_) => None,
    });
    parts.collect()
}

/// Each element is the `tool_calls` of one chunk.
fn call_deltas(calls: &[Call], shape: Shape) -> Vec<Value> {
    let head = |at: usize, it: &Call| json!({ "index": at, "id": it.id, "type": "function", "function": { "name": it.name, "arguments": "" } });
    let more = |at: usize, text: &str| json!({ "index": at, "function": { "arguments": text } });
    let whole = |it: &Call| json!({ "type": "function", "function": { "name": it.name, "arguments": it.arguments } });
    let numbered = || calls.iter().enumerate();
    match shape {
        Shape::Usual | Shape::BareEnd | Shape::NoFinish => numbered()
            .flat_map(|(at, it)| {
                let text = pieces(&it.arguments, 8).into_iter().map(move |text| more(at, &text));
                std::iter::once(head(at, it)).chain(text)
            })
            .map(|it| json!([it]))
            .collect(),
        Shape::Tiny => {
            let mut deltas: Vec<Value> = numbered().map(|(at, it)| json!([head(at, it)])).collect();
            let letters: Vec<Vec<String>> = calls.iter().map(|it| pieces(&it.arguments, 1)).collect();
            let longest = letters.iter().map(Vec::len).max().unwrap_or(0);
            for turn in 0..longest {
                for (at, letters) in letters.iter().enumerate() {
                    deltas.extend(letters.get(turn).map(|letter| json!([more(at, letter)])));
                }
            }
            deltas
        }
        Shape::NoIndex => calls
            .iter()
            .flat_map(|it| {
                let id = it.id.clone();
                let first = json!([{ "id": it.id, "function": { "name": it.name, "arguments": "" } }]);
                let text = pieces(&it.arguments, 8)
                    .into_iter()
                    .map(move |text| json!([{ "id": id, "function": { "arguments": text } }]));
                std::iter::once(first).chain(text)
            })
            .collect(),
        Shape::NoId => numbered()
            .flat_map(|(at, it)| {
                let first = json!([{ "index": at, "function": { "name": it.name } }]);
                let text = pieces(&it.arguments, 8).into_iter().map(move |text| json!([more(at, &text)]));
                std::iter::once(first).chain(text)
            })
            .collect(),
        Shape::NoIndexNoId => calls
            .iter()
            .flat_map(|it| {
                let first = json!([{ "function": { "name": it.name, "arguments": "" } }]);
                let text = pieces(&it.arguments, 8)
                    .into_iter()
                    .map(|text| json!([{ "function": { "arguments": text } }]));
                std::iter::once(first).chain(text)
            })
            .collect(),
        Shape::SameIndex => calls
            .iter()
            .map(|it| {
                let mut call = whole(it);
                if let Some(object) = call.as_object_mut() {
                    object.insert("index".to_owned(), 0.into());
                    object.insert("id".to_owned(), it.id.clone().into());
                }
                json!([call])
            })
            .collect(),
        Shape::Repeated => numbered()
            .flat_map(|(at, it)| {
                pieces(&it.arguments, 8).into_iter().map(move |text| {
                    json!([{ "index": at, "id": it.id, "function": { "name": it.name, "arguments": text } }])
                })
            })
            .collect(),
        Shape::FreshIds => numbered()
            .flat_map(|(at, it)| {
                pieces(&it.arguments, 8).into_iter().enumerate().map(move |(piece, text)| {
                    let id = format!("{}_{piece}", it.id);
                    json!([{ "index": at, "id": id, "function": { "name": it.name, "arguments": text } }])
                })
            })
            .collect(),
        Shape::EmptyNames => numbered()
            .flat_map(|(at, it)| {
                let text = pieces(&it.arguments, 8).into_iter().map(move |text| {
                    json!([{ "index": at, "id": "", "function": { "name": "", "arguments": text } }])
                });
                std::iter::once(json!([head(at, it)])).chain(text)
            })
            .collect(),
        Shape::AtOnce => {
            let all: Vec<Value> = numbered()
                .map(|(at, it)| json!({ "index": at, "id": it.id, "function": { "name": it.name, "arguments": it.arguments } }))
                .collect();
            vec![Value::Array(all)]
        }
        Shape::ObjectArguments => numbered()
            .map(|(at, it)| {
                let object: Value = serde_json::from_str(&it.arguments).unwrap_or_default();
                json!([{ "index": at, "id": it.id, "function": { "name": it.name, "arguments": object } }])
            })
            .collect(),
        Shape::SameIds => numbered()
            .map(|(at, it)| {
                json!([{ "index": at, "id": "call_same", "function": { "name": it.name, "arguments": it.arguments } }])
            })
            .collect(),
    }
}
