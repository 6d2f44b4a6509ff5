//! What the server was sent, for asserts, with the questions tests ask most.

use serde::Serialize;
use serde_json::Value;

/// One request.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Received {
    /// Its number, from 0, among all that ask a model.
    pub number: usize,
    /// The method.
    pub method: String,
    /// The path, with its query.
    pub path: String,
    /// Headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Value,
    /// The TCP connection it came over, from 1.
    pub connection: u64,
}

impl Received {
    /// A header's value.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(it, _)| it == name)
            .map(|(_, value)| value.as_str())
    }

    /// It came over the chat wire.
    #[must_use]
    pub fn is_chat(&self) -> bool {
        self.path.contains("/chat/completions")
    }

    /// The context: `input` of the Responses wire, `messages` of the chat wire.
    #[must_use]
    pub fn entries(&self) -> &[Value] {
        let key = if self.is_chat() { "messages" } else { "input" };
        self.body.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    /// The text of the last thing the person said.
    #[must_use]
    pub fn last_user(&self) -> String {
        let last = self
            .entries()
            .iter()
            .rev()
            .find(|it| it.get("role").is_some_and(|it| it == "user"));
        last.map(text).unwrap_or_default()
    }

    /// The outputs that follow the last thing the person said.
    #[must_use]
    pub fn tool_outputs(&self) -> Vec<String> {
        let is_user = |it: &Value| it.get("role").is_some_and(|it| it == "user");
        let since = self.entries().iter().rposition(is_user).map_or(0, |it| it + 1);
        let late = self.entries().get(since..).unwrap_or_default();
        late.iter()
            .filter(|it| {
                it.get("role").is_some_and(|it| it == "tool")
                    || it
                        .get("type")
                        .and_then(Value::as_str)
                        .is_some_and(|it| it.ends_with("_output"))
            })
            .map(text)
            .collect()
    }

    /// The last thing in it answers a call.
    #[must_use]
    pub fn has_tool_output(&self) -> bool {
        !self.tool_outputs().is_empty()
    }

    /// The names of the tools offered.
    #[must_use]
    pub fn tools(&self) -> Vec<String> {
        let tools = self
            .body
            .get("tools")
            .and_then(Value::as_array)
            .map_or(&[][..], Vec::as_slice);
        tools
            .iter()
            .filter_map(|it| {
                it.get("name")
                    .or_else(|| it.pointer("/function/name"))?
                    .as_str()
                    .map(str::to_owned)
            })
            .collect()
    }
}

/// All text of an entry, whatever its shape.
fn text(entry: &Value) -> String {
    let content = entry.get("content").or_else(|| entry.get("output"));
    match content {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(parts)) => {
            let parts: Vec<&str> = parts.iter().filter_map(|it| it.get("text")?.as_str()).collect();
            parts.join("\n")
        }
        _ => String::new(),
    }
}
