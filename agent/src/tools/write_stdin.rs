//! `write_stdin`: types into a running command, or looks at what it wrote since.

use std::sync::Arc;
use std::time::Duration;

use protocol::{ItemKind, ItemStatus};
use schemars::JsonSchema;
use serde::Deserialize;

use super::exec_command::{answer, limit};
use crate::exec::Processes;
use crate::tool::{Access, Begin, Cx, End, Output, Step, Tool};

/// Types into a command that runs in the background, or only reads its new output.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
pub struct Input {
    /// The session ID that `exec_command` answered.
    pub session_id: u32,
    /// What to type, sent as it is: end a line with `\n`; `\u0003` is Ctrl-C. Empty to only wait for output.
    #[serde(default)]
    pub chars: Option<String>,
    /// Milliseconds to wait for output: 250 by default after typing (at most 30000), 5000 when only waiting (at most
    /// 300000).
    #[serde(default)]
    pub yield_time_ms: Option<u64>,
    /// Tokens of output to return; more is cut in the middle. 10000 by default.
    #[serde(default)]
    pub max_output_tokens: Option<u64>,
}

/// The tool.
pub struct WriteStdin {
    processes: Arc<Processes>,
}

impl WriteStdin {
    /// Reaches these processes.
    #[must_use]
    pub fn new(processes: Arc<Processes>) -> Self {
        Self { processes }
    }
}

impl Tool for WriteStdin {
    const NAME: &'static str = "write_stdin";
    type Input = Input;

    fn begin(&self, input: &Input, _: &Cx) -> Result<Begin, String> {
        let process = self.processes.get(input.session_id).map_err(|it| it.to_string())?;
        Ok(Begin {
            item: Some(ItemKind::CommandInput {
                command: process.item.clone(),
                chars: input.chars.clone().unwrap_or_default(),
            }),
            // The command itself was allowed, and what it can do does not grow by typing.
            access: Access::Nothing,
        })
    }

    async fn run(&self, input: Input, step: Step<'_>) -> End {
        let failed = |why: String| End {
            item: None,
            status: ItemStatus::Failed,
            output: Output::Failed(format!("write_stdin failed: {why}")),
        };
        let process = match self.processes.get(input.session_id) {
            Ok(it) => it,
            Err(error) => return failed(error.to_string()),
        };
        let chars = input.chars.unwrap_or_default();
        let patience = if chars.is_empty() {
            input.yield_time_ms.unwrap_or(5_000).clamp(250, 300_000)
        } else {
            if let Err(error) = process.write(chars.into_bytes()).await {
                return failed(error.to_string());
            }
            input.yield_time_ms.unwrap_or(250).clamp(50, 30_000)
        };
        let patience = Duration::from_millis(patience);
        let look = process
            .look(patience, limit(input.max_output_tokens), &step.cx.stop)
            .await;
        if look.ended.is_some() {
            self.processes.forget(process.id);
        }
        End {
            item: None,
            status: match look.ended {
                Some(ItemStatus::Interrupted) => ItemStatus::Interrupted,
                _ => ItemStatus::Completed,
            },
            output: answer(&process, &look),
        }
    }
}
