//! What a tool is: it says what it is about to do, and then does it.
//!
//! A tool knows neither the approval chain nor the model's wire. The doc comment of its `Input` is what the model reads.

use std::path::PathBuf;
use std::sync::Arc;

use futures::future::BoxFuture;
use protocol::change::FileChange;
use protocol::context::Content;
use protocol::{ItemId, ItemKind, ItemStatus, ThreadId, TurnId};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::command::{self, Line};
use crate::home::Home;
use crate::sandbox::Policy;

/// A call as the model made it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Pairs the call with its output.
    pub call_id: String,
    /// The tool's name.
    pub name: String,
    /// JSON for a function tool, free text for a freeform one.
    pub arguments: String,
    /// Made as a freeform call.
    pub freeform: bool,
}

/// How the model passes arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Format {
    /// A JSON object after this schema.
    Function(serde_json::Value),
    /// Free text after this Lark grammar.
    Freeform(String),
}

/// A tool as the model is told of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spec {
    /// The name.
    pub name: String,
    /// What it does.
    pub description: String,
    /// How arguments are passed.
    pub format: Format,
}

/// What a call is about to touch. The approval chain decides on this, before anything happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Access {
    /// Nothing outside the engine.
    Nothing,
    /// Reads these files.
    Read(Vec<PathBuf>),
    /// Runs a command.
    Command(CommandAccess),
    /// Changes these files.
    Write(Vec<FileChange>),
}

/// A command that wants to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandAccess {
    /// Exactly what the shell gets; where the model chose another shell than the person's, the call of that shell.
    pub command: String,
    /// Name of the shell that reads it.
    pub shell: String,
    /// Absolute folder.
    pub cwd: PathBuf,
    /// The model asks to run it without the sandbox.
    pub escalated: bool,
    /// Why, in the model's words.
    pub justification: Option<String>,
    /// The rule the model proposes: words that such commands begin with.
    pub prefix_rule: Option<Vec<String>>,
}

impl CommandAccess {
    /// What the command is made of, as far as that is understood.
    #[must_use]
    pub fn line(&self) -> Line {
        command::parse_for(&self.shell, &self.command)
    }
}

/// How far the yes goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grant {
    /// Under the thread's policy.
    Sandboxed,
    /// Without the sandbox (a command), or outside the writable roots (a patch).
    Unsandboxed,
}

/// What a call looks like before it runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Begin {
    /// The item to show; none for calls without one of their own.
    pub item: Option<ItemKind>,
    /// What it would touch.
    pub access: Access,
}

/// What the model reads. A tool that fails is an answer, not an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// It worked.
    Ok(Vec<Content>),
    /// It did not, and this is why.
    Failed(String),
    /// It was not allowed, and this is why.
    Denied(String),
}

impl Output {
    /// Text that worked.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self::Ok(vec![Content::Text { text: text.into() }])
    }
}

/// How a call ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct End {
    /// The item as it stays; `None` keeps what `begin` gave.
    pub item: Option<ItemKind>,
    /// The item's end.
    pub status: ItemStatus,
    /// What the model reads.
    pub output: Output,
}

/// Where a running tool reports to. Implemented by the thread's log; by a list in tests.
pub trait Recorder: Send + Sync {
    /// The item changed while in progress; durable.
    fn update(&self, item: &ItemId, kind: ItemKind);
    /// Something that only matters now; lossy.
    fn live(&self, live: protocol::Live);
    /// Completes an item that outlived its call: a command left running in the background, once it ends.
    fn complete_later(&self, item: &ItemId, kind: ItemKind, status: ItemStatus);
}

/// What surrounds a call.
#[derive(Clone)]
pub struct Cx {
    /// The thread.
    pub thread_id: ThreadId,
    /// The turn.
    pub turn_id: TurnId,
    /// The thread's folder.
    pub cwd: PathBuf,
    /// What commands may touch.
    pub policy: Policy,
    /// Where things are kept.
    pub home: Home,
    /// The time.
    pub clock: Clock,
    /// Where the tool reports to.
    pub recorder: Arc<dyn Recorder>,
    /// Ends the call.
    pub stop: CancellationToken,
}

/// One approved call.
pub struct Step<'a> {
    /// Its item, where it has one.
    pub item_id: &'a ItemId,
    /// How far the yes goes.
    pub grant: Grant,
    /// What surrounds it.
    pub cx: &'a Cx,
}

/// A tool.
pub trait Tool: Send + Sync + 'static {
    /// As the model calls it.
    const NAME: &'static str;
    /// Its arguments; the doc comment is the tool's description. A freeform tool takes `String`.
    type Input: DeserializeOwned + JsonSchema + Send + Sync + 'static;

    /// The Lark grammar of a freeform tool; `None` for a function tool.
    fn grammar(&self) -> Option<String> {
        None
    }

    /// What the call is about to do. Touches nothing. `Err` is answered to the model.
    fn begin(&self, input: &Self::Input, cx: &Cx) -> Result<Begin, String>;

    /// Does it. Cancelling `cx.stop` ends it soon.
    fn run(&self, input: Self::Input, step: Step<'_>) -> impl Future<Output = End> + Send;
}

/// A tool whose input type is forgotten.
pub trait AnyTool: Send + Sync {
    /// As the model calls it.
    fn name(&self) -> &'static str;
    /// As the model is told of it.
    fn spec(&self) -> Spec;
    /// See [`Tool::begin`].
    ///
    /// # Errors
    /// What the model is told: bad arguments, a call that makes no sense.
    fn begin(&self, call: &Call, cx: &Cx) -> Result<Begin, String>;
    /// See [`Tool::run`].
    fn run<'a>(&'a self, call: &'a Call, step: Step<'a>) -> BoxFuture<'a, End>;
}

impl<T: Tool> AnyTool for T {
    fn name(&self) -> &'static str {
        T::NAME
    }

    fn spec(&self) -> Spec {
        let mut schema = serde_json::to_value(schemars::schema_for!(T::Input)).unwrap_or_default();
        let description = schema
            .get("description")
            .and_then(|it| it.as_str())
            .unwrap_or_default()
            .to_owned();
        if let Some(object) = schema.as_object_mut() {
            for key in ["$schema", "title", "description"] {
                object.remove(key);
            }
            object.insert("additionalProperties".into(), false.into());
        }
        let format = self.grammar().map_or(Format::Function(schema), Format::Freeform);
        Spec {
            name: T::NAME.to_owned(),
            description,
            format,
        }
    }

    fn begin(&self, call: &Call, cx: &Cx) -> Result<Begin, String> {
        Tool::begin(self, &parse::<T>(self, call)?, cx)
    }

    fn run<'a>(&'a self, call: &'a Call, step: Step<'a>) -> BoxFuture<'a, End> {
        Box::pin(async move {
            match parse::<T>(self, call) {
                Ok(input) => Tool::run(self, input, step).await,
                Err(why) => End {
                    item: None,
                    status: ItemStatus::Failed,
                    output: Output::Failed(why),
                },
            }
        })
    }
}

fn parse<T: Tool>(tool: &T, call: &Call) -> Result<T::Input, String> {
    let parsed = if tool.grammar().is_some() {
        serde_json::from_value(serde_json::Value::String(call.arguments.clone()))
    } else if call.arguments.trim().is_empty() {
        serde_json::from_str("{}")
    } else {
        serde_json::from_str(&call.arguments)
    };
    parsed.map_err(|error| format!("failed to parse function arguments: {error}"))
}
