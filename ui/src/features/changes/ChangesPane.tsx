// The side pane's changes: what a turn, or the whole thread, did to files, and the way back.
import { FileDiff, Redo2, Undo2 } from "lucide-react";
import { useState } from "react";

import { Button } from "../../components/Button";
import { Dialog } from "../../components/Dialog";
import { FailureCard } from "../../components/FailureCard";
import { Empty } from "../../components/Field";
import { asFailure, host } from "../../host";
import { useWords } from "../../i18n";
import type { ThreadId, TurnChange, TurnId, TurnSummary } from "../../protocol";
import { currentThread, showPane, tell, tellFailure, useStore, type Store } from "../../state/store";
import { useAnswer } from "../artifacts/useAnswer";
import { Counts, Diff, relative } from "../items/Diff";
import css from "./ChangesPane.module.css";
import { startsOpen, totals, undoPlan } from "./scope";
import { strings } from "./strings";

/** Changes whenever a turn of the open thread may have changed files, or changes were taken back. */
function changesSeen(it: Store): string {
  let count = 0;
  let undone = "";
  const turns = currentThread(it)?.turns ?? [];
  for (const turn of turns) {
    count += turn.items.filter((item) => (item.type === "fileChange" || item.type === "command") && item.status === "completed").length;
    undone += `${String(turn.undone.length)},`;
  }
  return `${String(count)} ${undone} ${turns.at(-1)?.status.type ?? ""}`;
}

export function ChangesPane() {
  const threadId = useStore((it) => (it.place.view === "thread" ? it.place.threadId : undefined));
  const turnId = useStore((it) => it.pane.turnId);
  if (threadId === undefined) return <Nothing />;
  return <OfThread key={threadId} threadId={threadId} turnId={turnId} />;
}

function Nothing() {
  const t = useWords(strings);
  return (
    <Empty icon={<FileDiff aria-hidden />} title={t("empty")}>
      <p>{t("emptyHint")}</p>
    </Empty>
  );
}

function OfThread({ threadId, turnId }: { threadId: ThreadId; turnId: TurnId | undefined }) {
  const t = useWords(strings);
  const seen = useStore(changesSeen);
  const turns = useAnswer(() => host.ask("thread/outline", { threadId }), seen);
  const changes = useAnswer(() => host.ask("turn/changes", { threadId, turnId }), `${turnId ?? ""} ${seen}`);
  const [outline, setOutline] = useState<TurnSummary[]>([]);
  if (turns.state === "done" && turns.value !== outline) setOutline(turns.value);
  const [last, setLast] = useState<{ turnId: TurnId | undefined; changes: TurnChange[] }>();
  if (changes.state === "done" && (changes.value !== last?.changes || last.turnId !== turnId)) setLast({ turnId, changes: changes.value });
  const shown = changes.state === "done" ? changes.value : last?.turnId === turnId ? last?.changes : undefined;

  return (
    <div className={css.pane}>
      <Scope turns={outline} turnId={turnId} />
      {changes.state === "failed" ? (
        <div className={css.message}>
          <FailureCard failure={changes.failure} actions={<Button small onClick={changes.again}>{t("tryAgain")}</Button>} />
        </div>
      ) : shown === undefined ? (
        <div aria-busy="true" />
      ) : shown.length === 0 ? (
        <Nothing />
      ) : (
        <Files key={turnId ?? "whole"} threadId={threadId} turnId={turnId} changes={shown} onChanged={changes.again} />
      )}
    </div>
  );
}

function Scope({ turns, turnId }: { turns: TurnSummary[]; turnId: TurnId | undefined }) {
  const t = useWords(strings);
  return (
    <div className={css.scope}>
      <select className={css.select} aria-label={t("scope")} data-testid="changes-scope" value={turnId ?? ""} onChange={(event) => showPane({ turnId: event.target.value === "" ? undefined : event.target.value })}>
        <option value="">{t("whole")}</option>
        {turns.map((turn, n) => (
          <option key={turn.id} value={turn.id}>
            {t("turn", { number: n + 1 })} · {turn.prompt.slice(0, 80)}
          </option>
        ))}
      </select>
    </div>
  );
}

function Files({ threadId, turnId, changes, onChanged }: { threadId: ThreadId; turnId: TurnId | undefined; changes: TurnChange[]; onChanged: () => void }) {
  const t = useWords(strings);
  const cwd = useStore((it) => currentThread(it)?.summary.cwd);
  const running = useStore((it) => currentThread(it)?.turns.some((turn) => turn.id === turnId && turn.status.type === "running") ?? false);
  const [open, setOpen] = useState<ReadonlySet<string>>(() => new Set(startsOpen(changes) ? changes.map((it) => it.change.path) : []));
  const [asking, setAsking] = useState<{ paths: readonly string[]; others: readonly string[]; hunk?: number }>();
  const plan = undoPlan(changes);
  const sum = totals(changes);
  const undone = changes.filter((it) => it.undone).map((it) => it.change.path);
  const able = turnId !== undefined && !running;

  const toggle = (path: string) =>
    setOpen((it) => {
      const next = new Set(it);
      if (!next.delete(path)) next.add(path);
      return next;
    });

  const undo = async (paths: readonly string[], force: boolean, hunk?: number) => {
    setAsking(undefined);
    if (turnId === undefined || paths.length === 0) return;
    try {
      await host.ask("turn/undo", { threadId, turnId, paths: [...paths], hunk, force });
      tell(t("undoDone", { count: paths.length }), hunk === undefined ? { action: { label: t("redo"), run: () => void redo(paths) } } : {});
    } catch (thrown) {
      // It was edited after the list was read: the question comes now.
      if (asFailure(thrown).code === "conflict" && !force) setAsking({ paths, others: [], hunk });
      else tellFailure(thrown);
    }
    onChanged();
  };
  const redo = async (paths: readonly string[]) => {
    if (turnId === undefined || paths.length === 0) return;
    try {
      await host.ask("turn/redo", { threadId, turnId, paths: [...paths] });
      tell(t("redoDone", { count: paths.length }));
    } catch (thrown) {
      tellFailure(thrown);
    }
    onChanged();
  };
  const undoFile = (it: TurnChange, hunk?: number) => {
    if (it.modifiedSince) setAsking({ paths: [it.change.path], others: [], hunk });
    else void undo([it.change.path], false, hunk);
  };
  const undoAll = () => {
    if (plan.edited.length > 0) setAsking({ paths: [...plan.clean, ...plan.edited], others: plan.clean });
    else void undo(plan.clean, false);
  };
  const editedNow = asking?.others.length === 0 ? asking.paths : plan.edited;

  return (
    <>
      <div className={css.bar}>
        <span className={css.sum}>{t("files", { count: changes.length })} <Counts change={sum} /></span>
        {able && undone.length > 0 && <Button small tone="quiet" icon={<Redo2 />} onClick={() => void redo(undone)}>{t("redoAll")}</Button>}
        {able && plan.clean.length + plan.edited.length > 0 && <Button small icon={<Undo2 />} data-testid="changes-undo-all" onClick={undoAll}>{t("undoAll")}</Button>}
      </div>
      {turnId === undefined && <p className={css.hint}>{t("wholeHint")}</p>}
      {running && <p className={css.hint}>{t("running")}</p>}
      <div className={css.files}>
        {changes.map((it) => {
          const { path } = it.change;
          const name = relative(path, cwd);
          return (
            <Diff
              key={path}
              change={it.change}
              cwd={cwd}
              undone={it.undone}
              note={it.modifiedSince ? t("modified") : undefined}
              fold={{ open: open.has(path), label: t(open.has(path) ? "close" : "open", { name }), onToggle: () => toggle(path) }}
              {...(able ? { onUndo: () => undoFile(it), onRedo: () => void redo([path]), onUndoHunk: (hunk: number) => undoFile(it, hunk) } : {})}
            />
          );
        })}
      </div>
      <Dialog
        open={asking !== undefined}
        onClose={() => setAsking(undefined)}
        title={t("modified")}
        size="small"
        actions={
          asking !== undefined && (
            <>
              <Button onClick={() => setAsking(undefined)}>{t("cancel")}</Button>
              {asking.others.length > 0 && <Button onClick={() => void undo(asking.others, false)}>{t("keepOthers")}</Button>}
              <Button tone="danger" data-testid="changes-force" onClick={() => void undo(asking.paths, true, asking.hunk)}>{t("force")}</Button>
            </>
          )
        }
      >
        <p>{editedNow.length === 1 ? t("modifiedText", { name: relative(editedNow[0] ?? "", cwd) }) : t("modifiedMany", { count: editedNow.length })}</p>
        {editedNow.length > 1 && (
          <ul className={css.names}>
            {editedNow.map((path) => <li key={path}><code>{relative(path, cwd)}</code></li>)}
          </ul>
        )}
      </Dialog>
    </>
  );
}
