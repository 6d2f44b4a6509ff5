// The side pane: a row of tabs and the feature that the chosen one shows.
import { X } from "lucide-react";
import { lazy, Suspense } from "react";

import { IconButton } from "../components/Button";
import { Empty } from "../components/Field";
import { PlanSteps } from "../features/items/Plan";
import { useWords } from "../i18n";
import type { Item } from "../protocol";
import { closePane, currentThread, showPane, useStore, type PaneTab, type Store } from "../state/store";
import css from "./SidePane.module.css";
import { strings } from "./strings";

const ArtifactPane = lazy(async () => ({ default: (await import("../features/artifacts/ArtifactPane")).ArtifactPane }));
const ChangesPane = lazy(async () => ({ default: (await import("../features/changes/ChangesPane")).ChangesPane }));

const TABS: PaneTab[] = ["artifacts", "changes", "plan"];

export function SidePane() {
  const tab = useStore((it) => it.pane.tab);
  const t = useWords(strings);
  return (
    <div className={css.pane}>
      <header className={css.header}>
        <div role="tablist" aria-label={t("pane")} className={css.tabs}>
          {TABS.map((it) => (
            <button
              key={it} type="button" role="tab" id={`tab-${it}`} aria-selected={it === tab} aria-controls="pane-body" tabIndex={it === tab ? 0 : -1} className={css.tab}
              onClick={() => showPane({ tab: it })}
              onKeyDown={(event) => {
                const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
                const next = TABS.at((TABS.indexOf(it) + step) % TABS.length);
                if (step === 0 || next === undefined) return;
                showPane({ tab: next });
                document.getElementById(`tab-${next}`)?.focus();
              }}
            >
              {t(it)}
            </button>
          ))}
        </div>
        <IconButton label={t("hidePane")} icon={<X />} onClick={closePane} />
      </header>
      <div role="tabpanel" id="pane-body" aria-labelledby={`tab-${tab}`} className={css.body}>
        <Suspense>
          {tab === "artifacts" && <ArtifactPane />}
          {tab === "changes" && <ChangesPane />}
          {tab === "plan" && <PlanTab />}
        </Suspense>
      </div>
    </div>
  );
}

type PlanItem = Extract<Item, { type: "plan" }>;

function lastPlan(it: Store): PlanItem | undefined {
  for (const turn of currentThread(it)?.turns.toReversed() ?? []) {
    const plan = turn.items.findLast((item): item is PlanItem => item.type === "plan");
    if (plan !== undefined) return plan;
  }
  return undefined;
}

function PlanTab() {
  const plan = useStore(lastPlan);
  const t = useWords(strings);
  if (plan === undefined) return <Empty title={t("noPlan")}><p>{t("noPlanNote")}</p></Empty>;
  return <div className={css.plan}><PlanSteps plan={plan} /></div>;
}
