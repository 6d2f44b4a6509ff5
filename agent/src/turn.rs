//! One turn: the model speaks, its calls are decided and run, until it has nothing more to do.
//!
//! The loop is [`run`]. What the model says is taken in by [`speech`], what it wants done by [`act`].

mod act;
mod speech;

use std::sync::Arc;

use models::{Prompt, Provider};
use protocol::context::Entry;
use protocol::thread::{ContextMeter, ThreadSettings};
use protocol::{EventKind, Failure, TurnId};
use tokio_util::sync::CancellationToken;

use crate::checkpoint::Checkpoints;
use crate::clock::Clock;
use crate::context;
use crate::log::{self, Log};
use crate::tool::{AnyTool, Cx};

use act::act;
pub(crate) use act::{Asker, Claim, Pending};

/// What a turn works with.
pub(crate) struct Seams {
    /// Where everything that happens is written.
    pub(crate) log: Log,
    /// The model.
    pub(crate) provider: Arc<dyn Provider>,
    /// What it may call.
    pub(crate) tools: Tools,
    /// Decides on calls.
    pub(crate) asker: Asker,
    /// What surrounds every call.
    pub(crate) cx: Cx,
    /// What the turn runs with.
    pub(crate) settings: ThreadSettings,
    /// The answer must have this shape.
    pub(crate) output_schema: Option<serde_json::Value>,
    /// Input given while the turn runs.
    pub(crate) steer: Arc<Steer>,
    /// What could not be written down.
    pub(crate) unsaid: Arc<Unsaid>,
    /// What turns did to files.
    pub(crate) checkpoints: Checkpoints,
    /// The time.
    pub(crate) clock: Clock,
}

/// What the model may call, and how it is told of it: the same all through a turn.
pub(crate) struct Tools {
    all: Vec<Arc<dyn AnyTool>>,
    told: Vec<models::Tool>,
}

impl Tools {
    pub(crate) fn new(all: Vec<Arc<dyn AnyTool>>) -> Self {
        let told = all.iter().map(|it| model_tool(it.spec())).collect();
        Self { all, told }
    }

    fn get(&self, name: &str) -> Option<&dyn AnyTool> {
        self.all.iter().find(|it| it.name() == name).map(AsRef::as_ref)
    }
}

/// Why a turn did not end by itself.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// It was stopped.
    #[error("the turn was stopped")]
    Interrupted,
    /// The model could not go on.
    #[error(transparent)]
    Failed(#[from] Failure),
    /// What happened could not be written down, so nothing more may happen.
    #[error(transparent)]
    Log(#[from] log::Error),
}

/// Counts input that arrives while the turn runs, and closes when it ends: nothing slips in between.
#[derive(Debug)]
pub(crate) struct Steer(std::sync::Mutex<Option<u64>>);

impl Steer {
    pub(crate) fn new() -> Self {
        Self(std::sync::Mutex::new(Some(0)))
    }

    /// Runs `append` while the turn is sure to read what it appends; `false` when the turn is over.
    pub(crate) fn add(&self, append: impl FnOnce() -> Result<(), log::Error>) -> Result<bool, log::Error> {
        let mut open = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let Some(count) = open.as_mut() else { return Ok(false) };
        append()?;
        *count += 1;
        Ok(true)
    }

    fn count(&self) -> u64 {
        self.0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .unwrap_or_default()
    }

    /// Closes if nothing came since `seen`.
    fn close_at(&self, seen: u64) -> bool {
        let mut open = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if open.is_none_or(|it| it == seen) {
            *open = None;
            return true;
        }
        false
    }

    pub(crate) fn close(&self) {
        *self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = None;
    }
}

/// Facts that could not be written down, the disk being full: they are written with the turn's end.
#[derive(Debug, Default)]
pub(crate) struct Unsaid(std::sync::Mutex<Vec<EventKind>>);

impl Unsaid {
    fn keep(&self, kinds: Vec<EventKind>) {
        self.0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .extend(kinds);
    }

    pub(crate) fn take(&self) -> Vec<EventKind> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }
}

/// Runs one turn to its end. Cancelling `stop` ends it at the next await.
pub(crate) async fn run(seams: &Seams, turn_id: &TurnId, stop: &CancellationToken) -> Result<(), Error> {
    // A turn that was parked by a restart goes on with the calls it had open.
    let parked = parked_calls(seams)?;
    if !parked.is_empty() {
        act(seams, turn_id, parked, stop).await?;
    }
    loop {
        let seen = seams.steer.count();
        let prompt = prompt(seams)?;
        let spoken = stop.run_until_cancelled(speech::listen(seams, turn_id, prompt)).await;
        let calls = spoken.ok_or(Error::Interrupted)??;
        if calls.is_empty() {
            if seams.steer.close_at(seen) {
                return Ok(());
            }
            continue;
        }
        act(seams, turn_id, calls, stop).await?;
    }
}

fn prompt(seams: &Seams) -> Result<Prompt, Error> {
    Ok(Prompt {
        model: seams.settings.model.clone(),
        instructions: context::instructions().to_owned(),
        input: context::ordered(seams.log.context()?),
        tools: seams.tools.told.clone(),
        effort: seams.settings.effort,
        parallel_tool_calls: true,
        cache_key: seams.cx.thread_id.to_string(),
        output_schema: seams.output_schema.clone(),
    })
}

fn model_tool(spec: crate::tool::Spec) -> models::Tool {
    let format = match spec.format {
        crate::tool::Format::Function(schema) => models::Format::Function(schema),
        crate::tool::Format::Freeform(grammar) => models::Format::Freeform(grammar),
    };
    models::Tool {
        name: spec.name,
        description: spec.description,
        format,
    }
}

/// Calls that were open when the program ended and whose questions still wait.
fn parked_calls(seams: &Seams) -> Result<Vec<crate::tool::Call>, Error> {
    let pending = &seams.asker.pending;
    if !pending.any_parked() {
        return Ok(Vec::new());
    }
    let entries = seams.log.context()?;
    let mut open = context::unanswered(&entries);
    open.retain(|(call_id, _)| pending.parked(call_id).is_some());
    Ok(entries
        .into_iter()
        .filter_map(|entry| match entry {
            Entry::Call {
                call_id,
                name,
                arguments,
                freeform,
                ..
            } if open.iter().any(|(id, _)| *id == call_id) => Some(crate::tool::Call {
                call_id,
                name,
                arguments,
                freeform,
            }),
            Entry::Message { .. } | Entry::Reasoning { .. } | Entry::Call { .. } | Entry::Output { .. } => None,
        })
        .collect())
}

/// How full the context is after a request that used `usage`.
fn meter(seams: &Seams, usage: Option<protocol::thread::Usage>) -> Result<ContextMeter, Error> {
    let window = seams.provider.context_window(&seams.settings.model);
    Ok(match usage {
        Some(it) => ContextMeter {
            used: it.input_tokens + it.output_tokens,
            window,
            estimated: false,
        },
        None => {
            let used = context::estimate_tokens(&seams.log.context()?);
            ContextMeter {
                used,
                window,
                estimated: true,
            }
        }
    })
}

/// Appends; what the disk will not have is kept for the turn's end, which this error brings about.
fn append(seams: &Seams, kind: EventKind) -> Result<(), Error> {
    append_all(seams, vec![kind])
}

fn append_all(seams: &Seams, kinds: Vec<EventKind>) -> Result<(), Error> {
    let written = seams.log.append_all(kinds.clone());
    if written.is_err() {
        seams.unsaid.keep(kinds);
    }
    written?;
    Ok(())
}
