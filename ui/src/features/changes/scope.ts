// What the changes pane looks at, and what an undo of it would touch. Pure.
import type { TurnChange } from "../../protocol";

/** How the files of a turn stand before all of them are taken back. */
export interface Plan {
  /** Can be taken back at once. */
  readonly clean: readonly string[];
  /** Were edited since by somebody else. */
  readonly edited: readonly string[];
}

/** Which files an undo of everything would touch. */
export function undoPlan(changes: readonly TurnChange[]): Plan {
  const open = changes.filter((it) => !it.undone);
  return {
    clean: open.filter((it) => !it.modifiedSince).map((it) => it.change.path),
    edited: open.filter((it) => it.modifiedSince).map((it) => it.change.path),
  };
}

/** Lines added and removed in all. */
export function totals(changes: readonly TurnChange[]): { added: number; removed: number } {
  return changes.reduce(
    (sum, { change, undone }) => (undone ? sum : { added: sum.added + change.added, removed: sum.removed + change.removed }),
    { added: 0, removed: 0 },
  );
}

/** Files are shown open when there are few of them and their diffs are short. */
export function startsOpen(changes: readonly TurnChange[]): boolean {
  return changes.length <= 4 && changes.every((it) => it.change.diff.length < 20_000);
}
