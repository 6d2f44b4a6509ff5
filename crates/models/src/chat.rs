//! The Chat Completions wire: a prompt as the body of `POST {base_url}/chat/completions`.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use protocol::context::{Content, Entry, Role};
use serde::Serialize;
use serde_json::{Value, json};

use crate::capability::Feature;
use crate::prompt::{Format, Prompt};
use crate::responses::effort_word;
use crate::wire::{Body, Images, function_description, function_parameters, no_image, text_of, wrap};

pub(crate) mod decode;

#[derive(Serialize)]
struct Request<'a> {
    model: &'a str,
    messages: Vec<Message<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tools: Vec<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parallel_tool_calls: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning_effort: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_format: Option<Value>,
    stream: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    stream_options: Option<StreamOptions>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prompt_cache_key: Option<&'a str>,
}

#[derive(Serialize)]
struct StreamOptions {
    include_usage: bool,
}

#[derive(Default, Serialize)]
struct Message<'a> {
    role: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning_content: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_calls: Vec<Call<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_call_id: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Text<'a> {
    Plain(Cow<'a, str>),
    Parts(Vec<Part<'a>>),
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Part<'a> {
    Text { text: Cow<'a, str> },
    ImageUrl { image_url: Url<'a> },
}

#[derive(Serialize)]
struct Url<'a> {
    url: &'a str,
}

#[derive(Serialize)]
struct Call<'a> {
    id: &'a str,
    r#type: &'static str,
    function: Function<'a>,
}

#[derive(Serialize)]
struct Function<'a> {
    name: &'a str,
    arguments: Cow<'a, str>,
}

/// Builds the body, leaving out what `refused` names; `kept` goes after the prompt's own input.
pub(crate) fn body(
    prompt: &Prompt,
    kept: &[Entry],
    refused: &HashSet<Feature>,
    images: &Images,
    base_url: &str,
) -> Body {
    let mut sent = HashSet::new();
    let mut ask = |feature: Feature, wanted: bool| {
        let asked = wanted && !refused.contains(&feature);
        if asked {
            sent.insert(feature);
        }
        asked
    };
    let tools = ask(Feature::Tools, !prompt.tools.is_empty());
    let mut how = How {
        late_system: ask(Feature::LateSystem, true),
        reasoning: ask(Feature::ReasoningBack, true),
        images: ask(Feature::Images, !images.is_empty()),
        files: images,
        messages: Vec::new(),
    };
    how.all(prompt, kept);
    let request = Request {
        model: &prompt.model,
        messages: how.messages,
        tools: prompt.tools.iter().filter(|_| tools).map(tool).collect(),
        // Several calls are what providers allow by themselves; many do not know the field.
        parallel_tool_calls: ask(Feature::ParallelToolCalls, tools && !prompt.parallel_tool_calls).then_some(false),
        reasoning_effort: prompt.effort.filter(|_| ask(Feature::Effort, true)).map(effort_word),
        response_format: prompt.output_schema.as_ref().filter(|_| ask(Feature::OutputSchema, true)).map(|schema| {
            json!({ "type": "json_schema", "json_schema": { "name": "answer", "strict": true, "schema": schema } })
        }),
        stream: true,
        stream_options: ask(Feature::StreamOptions, true).then_some(StreamOptions { include_usage: true }),
        // Elsewhere caches work by prefix alone, and the field is unknown.
        prompt_cache_key: Some(prompt.cache_key.as_str())
            .filter(|it| !it.is_empty() && base_url.contains("openai.com") && ask(Feature::PromptCacheKey, true)),
    };
    Body {
        bytes: serde_json::to_vec(&request).unwrap_or_default(),
        sent,
    }
}

fn tool(tool: &crate::Tool) -> Value {
    let (description, parameters) = match &tool.format {
        Format::Function(schema) => (Cow::from(&tool.description), schema.clone()),
        Format::Freeform(grammar) => (
            Cow::from(function_description(&tool.description, grammar)),
            function_parameters(),
        ),
    };
    json!({
        "type": "function",
        "function": { "name": tool.name, "description": description, "parameters": parameters },
    })
}

/// How entries are said to this provider, and what has been said so far.
struct How<'a> {
    late_system: bool,
    reasoning: bool,
    images: bool,
    files: &'a Images,
    messages: Vec<Message<'a>>,
}

impl<'a> How<'a> {
    fn all(&mut self, prompt: &'a Prompt, kept: &'a [Entry]) {
        let entries: Vec<&Entry> = prompt.input.iter().chain(kept).collect();
        let outputs: HashMap<&str, &Entry> = entries
            .iter()
            .filter_map(|entry| match entry {
                Entry::Output { call_id, .. } => Some((call_id.as_str(), *entry)),
                Entry::Message { .. } | Entry::Reasoning { .. } | Entry::Call { .. } => None,
            })
            .collect();
        // Providers ask for reasoning only within the tool loop that the last prompt began.
        let last_prompt = entries
            .iter()
            .rposition(|it| matches!(it, Entry::Message { role: Role::User, .. }))
            .unwrap_or(0);

        let mut system = prompt.instructions.clone();
        let mut leading = true;
        let mut thought: Option<&'a str> = None;
        let mut at = 0;
        while let Some(entry) = entries.get(at) {
            at += 1;
            match *entry {
                Entry::Message {
                    role: Role::Developer,
                    content,
                    ..
                } if leading => {
                    if !system.is_empty() {
                        system.push_str("\n\n");
                    }
                    system.push_str(&text_of(content));
                }
                Entry::Message {
                    role: Role::Assistant,
                    content,
                    ..
                } => {
                    self.begin(&mut leading, &mut system);
                    self.messages.push(Message {
                        role: "assistant",
                        content: Some(Text::Plain(plain(content))),
                        reasoning_content: thought.take().map(Cow::from),
                        ..Message::default()
                    });
                }
                Entry::Message { role, content, .. } => {
                    self.begin(&mut leading, &mut system);
                    let content = Some(self.content(content));
                    self.messages.push(Message {
                        role: if *role == Role::Developer && self.late_system {
                            "system"
                        } else {
                            "user"
                        },
                        content,
                        ..Message::default()
                    });
                }
                Entry::Reasoning { raw, .. } => {
                    if self.reasoning && at > last_prompt {
                        thought = raw.as_deref();
                    }
                }
                Entry::Call { .. } => {
                    self.begin(&mut leading, &mut system);
                    let mut calls = vec![*entry];
                    while let Some(next @ Entry::Call { .. }) = entries.get(at).copied() {
                        calls.push(next);
                        at += 1;
                    }
                    self.calls(&calls, &outputs, thought.take());
                }
                // Said right after its call.
                Entry::Output { .. } => {}
            }
        }
        self.begin(&mut leading, &mut system);
    }

    /// Says the system message, before the first other one.
    fn begin(&mut self, leading: &mut bool, system: &mut String) {
        if std::mem::take(leading) && !system.is_empty() {
            self.messages.push(Message {
                role: "system",
                content: Some(Text::Plain(std::mem::take(system).into())),
                ..Message::default()
            });
        }
    }

    /// Calls that were made together, and right after them their outputs, as every provider wants it.
    fn calls(&mut self, calls: &[&'a Entry], outputs: &HashMap<&str, &'a Entry>, thought: Option<&'a str>) {
        let mut said = Vec::new();
        let mut answers = Vec::new();
        let mut pictures = Vec::new();
        for call in calls {
            let Entry::Call {
                call_id,
                name,
                arguments,
                freeform,
                ..
            } = call
            else {
                continue;
            };
            said.push(Call {
                id: call_id,
                r#type: "function",
                function: Function {
                    name,
                    arguments: if *freeform {
                        wrap(arguments).into()
                    } else {
                        valid(arguments)
                    },
                },
            });
            let content = match outputs.get(call_id.as_str()) {
                Some(Entry::Output { content, .. }) => content.as_slice(),
                _ => &[],
            };
            let text = if content.is_empty() && !outputs.contains_key(call_id.as_str()) {
                "The call was interrupted.".into()
            } else {
                plain(content)
            };
            answers.push(Message {
                role: "tool",
                content: Some(Text::Plain(text)),
                tool_call_id: Some(call_id),
                ..Message::default()
            });
            pictures.extend(content.iter().filter(|it| matches!(it, Content::Image { .. })));
        }
        match self.messages.last_mut() {
            // What was said before the calls belongs to the same message.
            Some(last) if last.role == "assistant" && last.tool_calls.is_empty() => {
                last.tool_calls = said;
                if last.reasoning_content.is_none() {
                    last.reasoning_content = thought.map(Cow::from);
                }
            }
            _ => self.messages.push(Message {
                role: "assistant",
                content: Some(Text::Plain("".into())),
                reasoning_content: thought.map(Cow::from),
                tool_calls: said,
                tool_call_id: None,
            }),
        }
        self.messages.append(&mut answers);
        if !pictures.is_empty() {
            // A tool message takes only text.
            let parts = pictures.into_iter().map(|it| self.part(it)).collect();
            self.messages.push(Message {
                role: "user",
                content: Some(Text::Parts(parts)),
                ..Message::default()
            });
        }
    }

    fn content(&self, content: &'a [Content]) -> Text<'a> {
        if content.iter().any(|it| matches!(it, Content::Image { .. })) {
            Text::Parts(content.iter().map(|it| self.part(it)).collect())
        } else {
            Text::Plain(plain(content))
        }
    }

    fn part(&self, content: &'a Content) -> Part<'a> {
        match content {
            Content::Text { text } => Part::Text { text: text.into() },
            Content::Image { path, .. } => match self.files.get(path).filter(|_| self.images) {
                Some(url) => Part::ImageUrl { image_url: Url { url } },
                None => Part::Text {
                    text: no_image(path).into(),
                },
            },
        }
    }
}

fn plain(content: &[Content]) -> Cow<'_, str> {
    match content {
        [Content::Text { text }] => text.into(),
        parts => text_of(parts).into(),
    }
}

/// Arguments that are no JSON were answered as such, but a provider that parses its own history must get JSON.
fn valid(arguments: &str) -> Cow<'_, str> {
    if arguments.trim().is_empty() {
        "{}".into()
    } else if serde_json::from_str::<serde::de::IgnoredAny>(arguments).is_ok() {
        arguments.into()
    } else {
        json!({ "arguments": arguments }).to_string().into()
    }
}
