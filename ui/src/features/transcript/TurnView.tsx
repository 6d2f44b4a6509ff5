// One turn, read like a short report: the prompt, the work, the answer, how it ended.
import { ChevronRight, CircleDot, ListCollapse, ListTree, Redo2, Undo2 } from "lucide-react";
import { memo, useMemo, useState } from "react";

import { Button } from "../../components/Button";
import { useNow } from "../../hooks/useNow";
import { useTongue, useWords } from "../../i18n";
import { duration, elapsed, useClockTime } from "../../i18n/format";
import { host } from "../../host";
import type { Approval, Density, Item, ThreadId } from "../../protocol";
import { tell, tellFailure, useStore } from "../../state/store";
import type { Turn } from "../../state/thread";
import { redo, undo } from "../../state/undo";
import { ApprovalCard } from "../approvals/ApprovalCard";
import { ItemView, TurnFailure } from "../items/ItemView";
import { segments, shownSteps } from "./segments";
import { strings } from "./strings";
import css from "./TurnView.module.css";

export const TurnView = memo(function TurnView({ turn, number, threadId, approvals, openAll }: {
  turn: Turn;
  number: number;
  threadId: ThreadId;
  approvals: Approval[];
  /** Something in its work was jumped to. */
  openAll: boolean;
}) {
  const setting = useStore((it) => it.settings?.density.value ?? "normal");
  const [all, setAll] = useState<boolean>();
  const showAll = all ?? openAll;
  const density: Density = showAll && setting === "report" ? "normal" : setting;
  const parts = useMemo(() => segments(turn.items, density), [turn.items, density]);
  const running = turn.status.type === "running";
  const asked = new Set(approvals.map((it) => it.itemId));
  const t = useWords(strings);
  const heading = `turn-${turn.id}`;
  const prompt = turn.prompt === "" ? t("noPrompt") : turn.prompt;

  return (
    <article className={css.turn} aria-labelledby={heading}>
      <h2 id={heading} className="unseen">{t("turn", { number: String(number), prompt })}</h2>
      {!turn.whole && <p className={css.elsewhere}>{prompt}</p>}
      {parts.map((part, i) => part.type === "item" ? (
        <div key={part.item.id} id={part.item.id} className={css.said}>
          <ItemView item={part.item} threadId={threadId} turnId={turn.id} asked={false} verbose={false} />
        </div>
      ) : (
        <Work
          key={part.items[0]?.id} items={part.items} density={density} showAll={showAll} asked={asked} threadId={threadId} turnId={turn.id}
          running={running && i === parts.length - 1}
        />
      ))}
      {approvals.map((approval) => <ApprovalCard key={approval.id} approval={approval} threadId={threadId} />)}
      {turn.status.type === "failed" && <TurnFailure failure={turn.status.failure} threadId={threadId} turnId={turn.id} />}
      {running ? <Progress turn={turn} threadId={threadId} asks={approvals.length > 0} /> : <Ending turn={turn} threadId={threadId} showAll={showAll} onShowAll={setAll} foldable={parts.some((it) => it.type === "work")} />}
    </article>
  );
});

function Work({ items, density, showAll, asked, running, threadId, turnId }: {
  items: Item[]; density: Density; showAll: boolean; asked: Set<string>; running: boolean; threadId: ThreadId; turnId: string;
}) {
  const [opened, setOpened] = useState<boolean>();
  const tongue = useTongue();
  const t = useWords(strings);
  const shown = shownSteps(items.length, density, running);
  const open = opened ?? showAll;
  const hidden = items.length - shown;
  const visible = open ? items : items.slice(hidden);
  return (
    <div className={css.work}>
      {hidden > 0 && (
        <button type="button" className={css.fold} aria-expanded={open} onClick={() => setOpened(!open)}>
          <ChevronRight aria-hidden data-open={open} />
          {t(shown === 0 ? "steps" : "earlierSteps", { count: hidden })}
          {shown === 0 && took(items) >= 100 && <span>{duration(took(items), tongue)}</span>}
        </button>
      )}
      {visible.map((item) => (
        <div key={item.id} id={item.id}>
          <ItemView item={item} threadId={threadId} turnId={turnId} asked={asked.has(item.id)} verbose={density === "verbose"} />
        </div>
      ))}
    </div>
  );
}

function took(items: Item[]): number {
  return (items.at(-1)?.endedMs ?? 0) - (items[0]?.startedMs ?? 0);
}

function Progress({ turn, threadId, asks }: { turn: Turn; threadId: ThreadId; asks: boolean }) {
  const retrying = useStore((it) => it.threads[threadId]?.retrying);
  const now = useNow(!asks);
  const t = useWords(strings);
  const last = turn.items.at(-1);
  // A step that runs has a clock of its own.
  if (!asks && retrying === undefined && last?.status === "inProgress" && last.type !== "agentMessage") return null;
  const words = retrying?.turnId === turn.id ? t("retrying", { message: retrying.message, attempt: retrying.attempt, max: retrying.max }) : asks ? t("waiting") : t("working");
  return (
    <p className={css.progress}>
      <CircleDot aria-hidden />
      <span>{words}</span>
      {!asks && <span className={css.clock}>{elapsed(now - turn.startedMs)}</span>}
    </p>
  );
}

const CHANGING: Item["type"][] = ["command", "fileChange", "toolCall", "artifact"];

function Ending({ turn, threadId, showAll, onShowAll, foldable }: { turn: Turn; threadId: ThreadId; showAll: boolean; onShowAll: (all: boolean) => void; foldable: boolean }) {
  const t = useWords(strings);
  const tongue = useTongue();
  const clock = useClockTime();
  const density = useStore((it) => it.settings?.density.value ?? "normal");
  const mayHaveChanged = turn.items.some((item) => CHANGING.includes(item.type));
  const said = endingWords(turn, t);
  const what = { threadId, turnId: turn.id };

  const undoAll = async () => {
    try {
      const changes = await host.ask("turn/changes", what);
      const count = changes.filter((it) => !it.undone).length;
      if (count === 0) tell(t("noChanges"));
      else if (await undo(what, { title: t("undoConflict"), confirm: t("undoAnyway") })) tell(t("undid", { count }), { action: { label: t("redo"), run: () => void redo(what) } });
    } catch (thrown) {
      tellFailure(thrown);
    }
  };

  return (
    <footer className={css.ending}>
      {said !== undefined && <p className={css.ended}>{said}</p>}
      <div className={css.foot}>
        {turn.endedMs !== undefined && <span className={css.when} title={clock(turn.endedMs)}>{duration(turn.endedMs - turn.startedMs, tongue)}</span>}
        {foldable && density !== "verbose" && (
          <Button small tone="quiet" icon={showAll ? <ListCollapse /> : <ListTree />} onClick={() => onShowAll(!showAll)}>{t(showAll ? "showLess" : "showAll")}</Button>
        )}
        {mayHaveChanged && (turn.undone.length > 0
          ? <Button small tone="quiet" icon={<Redo2 />} data-testid="redo-turn" onClick={() => void redo(what)}>{t("redo")}</Button>
          : <Button small tone="quiet" icon={<Undo2 />} data-testid="undo-turn" title={t("undoTurn")} onClick={() => void undoAll()}>{t("undo")}</Button>)}
      </div>
    </footer>
  );
}

function endingWords(turn: Turn, t: (key: "stoppedByYou" | "stoppedByCrash" | "stoppedByExit") => string): string | undefined {
  if (turn.status.type !== "interrupted") return undefined;
  switch (turn.status.reason) {
    case "person":
      return t("stoppedByYou");
    case "crash":
      return t("stoppedByCrash");
    case "shutdown":
      return t("stoppedByExit");
  }
}
