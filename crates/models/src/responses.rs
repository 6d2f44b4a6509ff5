//! The Responses wire: a prompt as the body of `POST {base_url}/responses`.

use std::collections::HashSet;

use protocol::context::{Content, Entry, Role};
use protocol::setting::Effort;
use serde::Serialize;
use serde_json::Value;

use crate::capability::Feature;
use crate::prompt::{Format, Prompt};
use crate::wire::{Body, Images, function_description, function_parameters, no_image, wrap};

pub(crate) mod decode;

#[derive(Serialize)]
struct Request<'a> {
    model: &'a str,
    instructions: &'a str,
    input: Vec<Item<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tools: Vec<Tool<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parallel_tool_calls: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning: Option<Reasoning>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    store: Option<bool>,
    stream: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    include: Option<[&'static str; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prompt_cache_key: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Item<'a> {
    Message {
        role: &'static str,
        content: Vec<Part<'a>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<&'a str>,
    },
    Reasoning {
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<&'a str>,
        summary: Vec<Part<'a>>,
        encrypted_content: &'a str,
    },
    FunctionCall {
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<&'a str>,
        call_id: &'a str,
        name: &'a str,
        arguments: std::borrow::Cow<'a, str>,
    },
    CustomToolCall {
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<&'a str>,
        call_id: &'a str,
        name: &'a str,
        input: &'a str,
    },
    FunctionCallOutput {
        call_id: &'a str,
        output: Output<'a>,
    },
    CustomToolCallOutput {
        call_id: &'a str,
        output: Output<'a>,
    },
}

#[derive(Serialize)]
#[serde(untagged)]
enum Output<'a> {
    Text(&'a str),
    Parts(Vec<Part<'a>>),
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Part<'a> {
    InputText { text: std::borrow::Cow<'a, str> },
    OutputText { text: &'a str },
    SummaryText { text: &'a str },
    InputImage { image_url: &'a str },
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Tool<'a> {
    Function {
        name: &'a str,
        description: std::borrow::Cow<'a, str>,
        parameters: std::borrow::Cow<'a, Value>,
        #[serde(skip_serializing_if = "Option::is_none")]
        strict: Option<bool>,
    },
    Custom {
        name: &'a str,
        description: &'a str,
        format: Grammar<'a>,
    },
}

#[derive(Serialize)]
struct Grammar<'a> {
    r#type: &'static str,
    syntax: &'static str,
    definition: &'a str,
}

#[derive(Serialize)]
struct Reasoning {
    #[serde(skip_serializing_if = "Option::is_none")]
    effort: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    summary: Option<&'static str>,
}

#[derive(Serialize)]
struct Text<'a> {
    format: Schema<'a>,
}

#[derive(Serialize)]
struct Schema<'a> {
    r#type: &'static str,
    name: &'static str,
    strict: bool,
    schema: &'a Value,
}

/// Builds the body, leaving out what `refused` names; `kept` goes after the prompt's own input.
pub(crate) fn body(prompt: &Prompt, kept: &[Entry], refused: &HashSet<Feature>, images: &Images) -> Body {
    let mut sent = HashSet::new();
    let mut ask = |feature: Feature, wanted: bool| {
        let asked = wanted && !refused.contains(&feature);
        if asked {
            sent.insert(feature);
        }
        asked
    };
    let tools = ask(Feature::Tools, !prompt.tools.is_empty());
    let custom = ask(
        Feature::CustomTools,
        tools && prompt.tools.iter().any(|it| matches!(it.format, Format::Freeform(_))),
    );
    let strict = ask(Feature::Strict, tools);
    let effort = ask(Feature::Effort, prompt.effort.is_some());
    let summary = ask(Feature::ReasoningSummary, true);
    let how = How {
        developer: ask(Feature::DeveloperRole, true),
        reasoning: ask(Feature::ReasoningBack, true),
        ids: ask(Feature::ItemIds, true),
        images: ask(Feature::Images, !images.is_empty()),
        custom,
        files: images,
    };
    let request = Request {
        model: &prompt.model,
        instructions: &prompt.instructions,
        input: how.items(prompt, kept),
        tools: prompt
            .tools
            .iter()
            .filter(|_| tools)
            .map(|it| tool(it, custom, strict))
            .collect(),
        parallel_tool_calls: ask(Feature::ParallelToolCalls, tools).then_some(prompt.parallel_tool_calls),
        reasoning: (effort || summary).then(|| Reasoning {
            effort: prompt.effort.filter(|_| effort).map(effort_word),
            summary: summary.then_some("auto"),
        }),
        text: prompt
            .output_schema
            .as_ref()
            .filter(|_| ask(Feature::OutputSchema, true))
            .map(|schema| Text {
                format: Schema {
                    r#type: "json_schema",
                    name: "answer",
                    strict: true,
                    schema,
                },
            }),
        store: ask(Feature::Store, true).then_some(false),
        stream: true,
        include: ask(Feature::Include, true).then_some(["reasoning.encrypted_content"]),
        prompt_cache_key: Some(prompt.cache_key.as_str()).filter(|it| ask(Feature::PromptCacheKey, !it.is_empty())),
    };
    Body {
        bytes: serde_json::to_vec(&request).unwrap_or_default(),
        sent,
    }
}

/// The word that both wires use.
pub(crate) fn effort_word(effort: Effort) -> &'static str {
    match effort {
        Effort::Minimal => "minimal",
        Effort::Low => "low",
        Effort::Medium => "medium",
        Effort::High => "high",
        Effort::Xhigh => "xhigh",
    }
}

fn tool(tool: &crate::Tool, custom: bool, strict: bool) -> Tool<'_> {
    let strict = strict.then_some(false);
    match &tool.format {
        Format::Function(schema) => Tool::Function {
            name: &tool.name,
            description: tool.description.as_str().into(),
            parameters: std::borrow::Cow::Borrowed(schema),
            strict,
        },
        Format::Freeform(grammar) if custom => Tool::Custom {
            name: &tool.name,
            description: &tool.description,
            format: Grammar {
                r#type: "grammar",
                syntax: "lark",
                definition: grammar,
            },
        },
        Format::Freeform(grammar) => Tool::Function {
            name: &tool.name,
            description: function_description(&tool.description, grammar).into(),
            parameters: std::borrow::Cow::Owned(function_parameters()),
            strict,
        },
    }
}

/// How entries are said to this provider.
struct How<'i> {
    developer: bool,
    reasoning: bool,
    ids: bool,
    images: bool,
    custom: bool,
    files: &'i Images,
}

impl<'i> How<'i> {
    fn items<'a>(&self, prompt: &'a Prompt, kept: &'a [Entry]) -> Vec<Item<'a>>
    where
        'i: 'a,
    {
        let entries: Vec<&Entry> = prompt.input.iter().chain(kept).collect();
        let next = entries.iter().skip(1).map(|it| Some(*it)).chain([None]);
        entries
            .iter()
            .zip(next)
            .filter_map(|(entry, next)| self.item(entry, next))
            .collect()
    }

    fn item<'a>(&self, entry: &'a Entry, next: Option<&Entry>) -> Option<Item<'a>>
    where
        'i: 'a,
    {
        let known = |id: &'a Option<String>| id.as_deref().filter(|_| self.ids);
        Some(match entry {
            Entry::Message { role, content, id } => Item::Message {
                role: match role {
                    Role::Developer if self.developer => "developer",
                    Role::Developer => "system",
                    Role::User => "user",
                    Role::Assistant => "assistant",
                },
                content: content
                    .iter()
                    .map(|it| self.part(it, *role == Role::Assistant))
                    .collect(),
                id: known(id),
            },
            Entry::Reasoning {
                id, summary, encrypted, ..
            } => {
                // Only the encrypted form can be given back to a provider that keeps nothing, and only together with
                // what it led to.
                let led_on = match next {
                    Some(Entry::Message { role, .. }) => *role == Role::Assistant,
                    Some(Entry::Reasoning { .. } | Entry::Call { .. }) => true,
                    Some(Entry::Output { .. }) | None => false,
                };
                Item::Reasoning {
                    encrypted_content: encrypted.as_deref().filter(|_| led_on && self.reasoning)?,
                    id: known(id),
                    summary: summary.iter().map(|text| Part::SummaryText { text }).collect(),
                }
            }
            Entry::Call {
                call_id,
                name,
                arguments,
                freeform,
                id,
            } => match (freeform, self.custom) {
                (true, true) => Item::CustomToolCall {
                    id: known(id),
                    call_id,
                    name,
                    input: arguments,
                },
                (true, false) => Item::FunctionCall {
                    id: None,
                    call_id,
                    name,
                    arguments: wrap(arguments).into(),
                },
                (false, _) => Item::FunctionCall {
                    id: known(id),
                    call_id,
                    name,
                    arguments: arguments.as_str().into(),
                },
            },
            Entry::Output {
                call_id,
                content,
                freeform,
                ..
            } => {
                let output = match content.as_slice() {
                    [Content::Text { text }] => Output::Text(text),
                    [] => Output::Text(""),
                    parts => Output::Parts(parts.iter().map(|it| self.part(it, false)).collect()),
                };
                if *freeform && self.custom {
                    Item::CustomToolCallOutput { call_id, output }
                } else {
                    Item::FunctionCallOutput { call_id, output }
                }
            }
        })
    }

    fn part<'a>(&self, content: &'a Content, written: bool) -> Part<'a>
    where
        'i: 'a,
    {
        match content {
            Content::Text { text } if written => Part::OutputText { text },
            Content::Text { text } => Part::InputText {
                text: text.as_str().into(),
            },
            Content::Image { path, .. } => match self.files.get(path).filter(|_| self.images) {
                Some(image_url) => Part::InputImage { image_url },
                None => Part::InputText {
                    text: no_image(path).into(),
                },
            },
        }
    }
}
