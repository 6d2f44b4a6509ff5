// What `/` offers.
import { asFailure, host } from "../../host";
import type { ThreadId } from "../../protocol";
import { newThread, openThread, showOverlay, showPane, tell, tellFailure, useStore } from "../../state/store";
import { undo } from "../../state/undo";
import type { Say } from "../../i18n/words";
import type { strings } from "./strings";

type Word = keyof (typeof strings)["en"];

export interface Command {
  name: string;
  label: Word;
  /** Needs a thread that exists. */
  threadOnly: boolean;
}

export const COMMANDS: Command[] = [
  { name: "new", label: "cmdNew", threadOnly: false },
  { name: "model", label: "cmdModel", threadOnly: false },
  { name: "rename", label: "cmdRename", threadOnly: true },
  { name: "fork", label: "cmdFork", threadOnly: true },
  { name: "undo", label: "cmdUndo", threadOnly: true },
  { name: "changes", label: "cmdChanges", threadOnly: true },
  { name: "archive", label: "cmdArchive", threadOnly: true },
  { name: "settings", label: "cmdSettings", threadOnly: false },
];

export function matching(query: string, hasThread: boolean): Command[] {
  return COMMANDS.filter((it) => (hasThread || !it.threadOnly) && it.name.startsWith(query.toLowerCase()));
}

/** Runs a command. `rename` and `model` need the composer's own controls: it handles them itself. */
export async function run(name: string, threadId: ThreadId | undefined, cwd: string | undefined, t: Say<Word>): Promise<void> {
  try {
    if (name === "new" && cwd !== undefined) newThread(cwd);
    if (name === "settings") showOverlay({ type: "settings" });
    if (threadId === undefined) return;
    if (name === "changes") showPane({ tab: "changes", turnId: undefined });
    if (name === "fork") openThread((await host.ask("thread/fork", { threadId })).id);
    if (name === "archive") await archive(threadId, cwd, t);
    if (name === "undo") {
      const turn = useStore.getState().threads[threadId]?.turns.at(-1);
      if (turn === undefined) tell(t("noTurn"));
      else if (await undo({ threadId, turnId: turn.id }, { title: t("undoConflict"), confirm: t("undoAnyway") })) tell(t("undid"));
    }
  } catch (thrown) {
    tellFailure(asFailure(thrown));
  }
}

async function archive(threadId: ThreadId, cwd: string | undefined, t: Say<Word>): Promise<void> {
  await host.ask("thread/archive", { threadId, archived: true });
  if (cwd !== undefined) newThread(cwd);
  const back = async () => {
    await host.ask("thread/archive", { threadId, archived: false }).then(() => openThread(threadId), tellFailure);
  };
  tell(t("archived"), { action: { label: t("unarchive"), run: () => void back() } });
}
