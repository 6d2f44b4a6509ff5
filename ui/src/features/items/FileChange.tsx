// Files that a patch changed, each with its diff and its way back.
import { useWords } from "../../i18n";
import { host } from "../../host";
import type { FileChange as Change, Item, ThreadId, TurnId } from "../../protocol";
import { showPane, tell, tellFailure, useStore } from "../../state/store";
import { redo, undo } from "../../state/undo";
import { Counts, Diff, relative } from "./Diff";
import css from "./FileChange.module.css";
import { Step } from "./Step";
import { strings } from "./strings";

type ChangeItem = Extract<Item, { type: "fileChange" }>;
const NONE: string[] = [];
/** A change this small is shown with its lines at once. */
const SMALL = 40;

export function FileChange({ item, threadId, turnId, asked, open }: { item: ChangeItem; threadId: ThreadId; turnId: TurnId; asked: boolean; open: boolean }) {
  const cwd = useStore((it) => it.threads[threadId]?.summary.cwd);
  const undone = useStore((it) => it.threads[threadId]?.turns.find((turn) => turn.id === turnId)?.undone ?? NONE);
  const t = useWords(strings);
  const done = item.status === "completed";
  const verb = asked ? t("wantsToChange")
    : item.status === "inProgress" ? t("changing") : item.status === "declined" ? t("declined") : done ? t("changed") : t("notChanged");
  const first = item.changes[0];
  const object = item.changes.length === 1 && first !== undefined ? <code>{relative(first.path, cwd)}</code> : t("files", { count: item.changes.length });
  const counts = { added: sum(item.changes, "added"), removed: sum(item.changes, "removed") };
  return (
    <Step item={item} waits={asked} verb={verb} object={object} title={item.changes.map((it) => it.path).join("\n")} note={<Counts change={counts} />} open={open || (!asked && counts.added + counts.removed <= SMALL)}>
      {item.error !== undefined && <p className={css.error}>{item.error}</p>}
      {item.changes.map((change) => (
        <Diff
          key={change.path} change={change} cwd={cwd} undone={undone.includes(change.path)}
          {...(done ? {
            onUndo: () => void undo({ threadId, turnId, paths: [change.path] }, { title: t("undoConflict"), confirm: t("undoAnyway") }),
            onRedo: () => void redo({ threadId, turnId, paths: [change.path] }),
            onUndoHunk: (hunk: number) => void undoHunk(change, hunk),
          } : {})}
        />
      ))}
    </Step>
  );

  /** Parts are counted in the turn's whole change of a file: this patch may be only one of several. */
  async function undoHunk(change: Change, hunk: number): Promise<void> {
    try {
      const changes = await host.ask("turn/changes", { threadId, turnId });
      if (changes.find((it) => it.change.path === change.path)?.change.diff !== change.diff) {
        tell(t("movedOn"));
        showPane({ tab: "changes", turnId });
        return;
      }
      await undo({ threadId, turnId, paths: [change.path], hunk }, { title: t("undoConflict"), confirm: t("undoAnyway") });
    } catch (thrown) {
      tellFailure(thrown);
    }
  }
}

function sum(changes: Change[], key: "added" | "removed"): number {
  return changes.reduce((all, change) => all + change[key], 0);
}
