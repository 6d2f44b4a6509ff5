// A plan: steps with how far each is.
import type { Item } from "../../protocol";

export function PlanSteps({ plan }: { plan: Extract<Item, { type: "plan" }> }) {
  return <ol data-testid="plan-view">{plan.steps.map((it) => <li key={it.step}>{it.step}</li>)}</ol>;
}
