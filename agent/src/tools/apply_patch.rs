//! `apply_patch`: changes files by a patch, whole or not at all.

use std::path::{Path, PathBuf};
use std::time::Instant;

use protocol::{ItemKind, ItemStatus};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::patch::{self, Plan};
use crate::tool::{Access, Begin, Cx, End, Grant, Output, Step, Tool};

/// Edits files with a patch. Send the patch itself, not JSON. Every changed place needs a few lines of context that
/// stand in the file exactly so; the whole patch is applied, or nothing of it.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Input(pub String);

/// The tool.
#[derive(Debug, Default, Clone, Copy)]
pub struct ApplyPatch;

impl Tool for ApplyPatch {
    const NAME: &'static str = "apply_patch";
    type Input = Input;

    fn grammar(&self) -> Option<String> {
        Some(patch::GRAMMAR.to_owned())
    }

    fn begin(&self, input: &Input, cx: &Cx) -> Result<Begin, String> {
        begin(&input.0, &cx.cwd)
    }

    async fn run(&self, input: Input, step: Step<'_>) -> End {
        let cwd = step.cx.cwd.clone();
        run(input.0, cwd, step).await
    }
}

/// What a patch would change. Also for one that comes as a shell command.
pub(super) fn begin(text: &str, cwd: &Path) -> Result<Begin, String> {
    let plan = plan(text, cwd)?;
    Ok(Begin {
        item: Some(ItemKind::FileChange {
            changes: plan.changes.clone(),
            error: None,
        }),
        access: Access::Write(plan.changes),
    })
}

/// Applies it.
pub(super) async fn run(text: String, cwd: PathBuf, step: Step<'_>) -> End {
    let began = Instant::now();
    let policy = step.cx.policy.clone();
    let sandboxed = step.grant == Grant::Sandboxed;
    // Diffs and writes are work for a thread that may block.
    let work = tokio::task::spawn_blocking(move || -> Result<Plan, (Vec<_>, String)> {
        let plan = plan(&text, &cwd).map_err(|why| (Vec::new(), why))?;
        // The files may have become links to elsewhere since the approval.
        let outside = plan.paths().find(|it| sandboxed && !policy.may_write(it));
        if let Some(why) = outside.map(|it| format!("writing {} is not allowed by the sandbox policy", it.display())) {
            return Err((plan.changes, why));
        }
        match plan.commit() {
            Ok(()) => Ok(plan),
            Err(error) => Err((plan.changes, error.to_string())),
        }
    });
    let result = work.await.unwrap_or_else(|error| Err((Vec::new(), error.to_string())));
    match result {
        Ok(plan) => End {
            output: Output::text(format!(
                "Exit code: 0\nWall time: {:.1} seconds\nOutput:\nSuccess. Updated the following files:\n{}\n",
                began.elapsed().as_secs_f64(),
                plan.summary.join("\n")
            )),
            item: Some(ItemKind::FileChange {
                changes: plan.changes,
                error: None,
            }),
            status: ItemStatus::Completed,
        },
        Err((changes, why)) => End {
            output: Output::Failed(why.clone()),
            item: Some(ItemKind::FileChange {
                changes,
                error: Some(why),
            }),
            status: ItemStatus::Failed,
        },
    }
}

fn plan(text: &str, cwd: &Path) -> Result<Plan, String> {
    patch::parse(text)
        .and_then(|it| patch::plan(&it, cwd))
        .map_err(|error| format!("apply_patch verification failed: {error}"))
}
