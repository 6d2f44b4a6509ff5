// One line of work: what was done to what, how it went, how long it took. It opens to show the rest.
import { Ban, Check, ChevronRight, CircleDot, Square, X } from "lucide-react";
import { useId, useState, type ReactNode } from "react";

import { useNow } from "../../hooks/useNow";
import { useTongue, useWords } from "../../i18n";
import { duration, elapsed } from "../../i18n/format";
import type { Item, ItemStatus } from "../../protocol";
import css from "./Step.module.css";
import { strings } from "./strings";

export interface StepProps {
  item: Pick<Item, "id" | "status" | "startedMs" | "endedMs">;
  verb: string;
  /** What it was done to. */
  object?: ReactNode;
  /** Its object in full, where the line cuts it. */
  title?: string;
  /** How it went, at the end of the line. */
  note?: ReactNode;
  /** Open at first. The person's own click wins afterwards. */
  open?: boolean;
  /** Shown below the line while folded. */
  peek?: ReactNode;
  testId?: string;
  /** It does not run yet: no clock. */
  waits?: boolean;
  children?: ReactNode;
}

export function Step({ item, verb, object, title, note, open = false, peek, testId = "tool-card", waits = false, children }: StepProps) {
  const [chosen, setChosen] = useState<boolean>();
  const shown = chosen ?? open;
  const id = useId();
  return (
    <div className={css.step} data-testid={testId} data-status={item.status}>
      <button type="button" className={css.line} aria-expanded={shown} aria-controls={id} title={title} disabled={children === undefined} onClick={() => setChosen(!shown)}>
        <Mark status={item.status} />
        <span className={css.verb}>{verb}</span>
        <span className={css.object}>{object}</span>
        {note !== undefined && <span className={css.note}>{note}</span>}
        {!waits && <Took item={item} />}
        {children !== undefined && <ChevronRight aria-hidden className={css.chevron} data-open={shown} />}
      </button>
      {shown ? <div id={id} className={css.body}>{children}</div> : peek}
    </div>
  );
}

function Mark({ status }: { status: ItemStatus }) {
  const t = useWords(strings);
  switch (status) {
    case "inProgress":
      return <CircleDot className={css.now} aria-label={t("stepNow")} />;
    case "completed":
      return <Check className={css.ok} aria-label={t("stepDone")} />;
    case "failed":
      return <X className={css.bad} aria-label={t("couldNot")} />;
    case "declined":
      return <Ban className={css.quiet} aria-label={t("declined")} />;
    case "interrupted":
      return <Square className={css.quiet} aria-label={t("stopped")} />;
  }
}

function Took({ item }: { item: StepProps["item"] }) {
  const running = item.status === "inProgress";
  const now = useNow(running);
  const tongue = useTongue();
  if (running) return <span className={css.took}>{elapsed(now - item.startedMs)}</span>;
  const ms = (item.endedMs ?? item.startedMs) - item.startedMs;
  // What took no time to speak of says nothing about it.
  return ms < 100 ? null : <span className={css.took}>{duration(ms, tongue)}</span>;
}
