//! `update_plan`: the agent shows what it intends and how far it is.

use protocol::item::PlanStep;
use protocol::{ItemKind, ItemStatus};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::tool::{Access, Begin, Cx, End, Output, Step, Tool};

/// Shows the person the plan for a task of several steps, and keeps it up to date.
/// Give all steps each time; at most one is in progress.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdatePlan {
    /// Why the plan changed.
    #[serde(default)]
    explanation: Option<String>,
    /// All steps, in order.
    plan: Vec<PlanStep>,
}

/// The tool.
#[derive(Debug)]
pub struct UpdatePlanTool;

impl Tool for UpdatePlanTool {
    const NAME: &'static str = "update_plan";
    type Input = UpdatePlan;

    fn begin(&self, input: &UpdatePlan, _: &Cx) -> Result<Begin, String> {
        let item = ItemKind::Plan {
            explanation: input.explanation.clone(),
            steps: input.plan.clone(),
        };
        Ok(Begin {
            item: Some(item),
            access: Access::Nothing,
        })
    }

    async fn run(&self, _: UpdatePlan, _: Step<'_>) -> End {
        End {
            item: None,
            status: ItemStatus::Completed,
            output: Output::text("Plan updated"),
        }
    }
}
