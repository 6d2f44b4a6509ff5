// A plan: steps with how far each is.
import { Circle, CircleCheck, CircleDot } from "lucide-react";

import { useWords } from "../../i18n";
import type { Item, StepStatus } from "../../protocol";
import css from "./Plan.module.css";
import { Step } from "./Step";
import { strings } from "./strings";

type PlanItem = Extract<Item, { type: "plan" }>;

export function Plan({ item, open }: { item: PlanItem; open?: boolean }) {
  const t = useWords(strings);
  const done = item.steps.filter((step) => step.status === "completed").length;
  return (
    <Step item={item} verb={t("planned")} object={item.explanation ?? t("planUpdated")} note={t("planProgress", { done, count: item.steps.length })} open={open}>
      <PlanSteps plan={item} />
    </Step>
  );
}

export function PlanSteps({ plan }: { plan: PlanItem }) {
  return (
    <ol className={css.steps} data-testid="plan-view">
      {plan.steps.map((step, i) => (
        <li key={i} className={css.step} data-status={step.status}>
          <Mark status={step.status} />
          <span>{step.step}</span>
        </li>
      ))}
    </ol>
  );
}

function Mark({ status }: { status: StepStatus }) {
  const t = useWords(strings);
  switch (status) {
    case "completed":
      return <CircleCheck aria-label={t("stepDone")} className={css.done} />;
    case "in_progress":
      return <CircleDot aria-label={t("stepNow")} className={css.now} />;
    case "pending":
      return <Circle aria-label={t("stepLater")} className={css.later} />;
  }
}
