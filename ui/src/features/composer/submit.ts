// Sends what was written: as a turn, into the queue, into the running turn, or as a branch.
import { host } from "../../host";
import type { Input, ThreadId } from "../../protocol";
import { openThread, tellFailure } from "../../state/store";
import { changeDraft, clearDraft, draftKey, draftOf } from "./drafts";
import type { Submit } from "./mention";

/** The draft leaves the composer at once and comes back when it could not be sent. */
export async function submit(kind: Submit, threadId: ThreadId | undefined, cwd: string | undefined): Promise<void> {
  const key = draftKey(threadId, cwd);
  const draft = draftOf(key);
  const input: Input = { text: draft.text.trim(), attachments: draft.attachments.map((it) => it.path) };
  if (input.text === "" && input.attachments.length === 0) return;
  clearDraft(key);
  try {
    if (threadId === undefined) {
      const thread = await host.ask("thread/start", { cwd: cwd ?? "", settings: draft.settings ?? {} });
      await host.ask("turn/start", { threadId: thread.id, input });
      changeDraft(key, { settings: undefined });
      openThread(thread.id);
    } else if (kind === "branch") {
      const thread = await host.ask("thread/fork", { threadId, beforeTurn: draft.editing });
      await host.ask("turn/start", { threadId: thread.id, input });
      openThread(thread.id);
    } else if (kind === "steer") {
      await host.ask("turn/steer", { threadId, input });
    } else {
      await host.ask("turn/start", { threadId, input });
    }
  } catch (thrown) {
    // What was written meanwhile stays too.
    const { text } = draftOf(key);
    changeDraft(key, { ...draft, text: text === "" ? draft.text : `${draft.text}\n\n${text}` });
    tellFailure(thrown);
  }
}
