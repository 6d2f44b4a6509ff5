// Taking changes back. Newer edits by somebody else are never overwritten without a question.
import { asFailure, host } from "../host";
import type { ThreadId, TurnId } from "../protocol";
import { askFirst, tellFailure } from "./store";

export interface Undo {
  threadId: ThreadId;
  turnId: TurnId;
  /** All files of the turn when absent. */
  paths?: string[];
  hunk?: number;
}

export async function undo(what: Undo, words: { title: string; confirm: string }, force = false): Promise<boolean> {
  try {
    await host.ask("turn/undo", { ...what, force });
    return true;
  } catch (thrown) {
    const failure = asFailure(thrown);
    if (failure.code === "conflict" && !force) {
      askFirst({ title: words.title, text: failure.message, confirm: words.confirm, danger: true, run: () => void undo(what, words, true) });
    } else {
      tellFailure(failure);
    }
    return false;
  }
}

export async function redo(what: Omit<Undo, "hunk">): Promise<void> {
  await host.ask("turn/redo", what).catch(tellFailure);
}
