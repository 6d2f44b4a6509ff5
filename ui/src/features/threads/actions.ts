// What can be done to a thread from a list, a menu or the palette. Each says what happened and, where it can, how to take it back.
import { host } from "../../host";
import { say } from "../../i18n/words";
import type { ThreadSummary } from "../../protocol";
import { currentFolder, newThread, openThread, showWelcome, tell, tellFailure, useStore } from "../../state/store";
import { strings } from "./strings";

function word(key: keyof typeof strings.en, values?: Record<string, string>): string {
  return say(strings, useStore.getState().tongue, key, values);
}

/** What a thread is called on screen. */
export function titleOf(thread: ThreadSummary): string {
  return thread.title.trim() === "" ? word("untitled") : thread.title;
}

/** Begins a thread in the folder that is on screen, else in the one used last; with none, lets the person choose. */
export function startNew(): void {
  const state = useStore.getState();
  const cwd = currentFolder(state) ?? state.settings?.recentFolders[0];
  if (cwd === undefined || state.settings?.provider.value == null) showWelcome();
  else newThread(cwd);
}

/** Goes to the thread after (1) or before (-1) the open one, in the order of the list. */
export function step(ordered: readonly ThreadSummary[], by: 1 | -1): void {
  const { place } = useStore.getState();
  const at = place.view === "thread" ? ordered.findIndex((it) => it.id === place.threadId) : -1;
  const next = at < 0 ? ordered[0] : ordered[at + by];
  if (next !== undefined) openThread(next.id);
}

async function trying(work: () => Promise<unknown>): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (thrown) {
    tellFailure(thrown);
    return false;
  }
}

export function rename(thread: ThreadSummary, title: string): Promise<boolean> {
  return trying(() => host.ask("thread/rename", { threadId: thread.id, title }));
}

export function pin(thread: ThreadSummary): Promise<boolean> {
  return trying(() => host.ask("thread/pin", { threadId: thread.id, pinned: !thread.pinned }));
}

export async function fork(thread: ThreadSummary): Promise<void> {
  await trying(async () => openThread((await host.ask("thread/fork", { threadId: thread.id })).id));
}

export async function archive(thread: ThreadSummary, archived: boolean): Promise<boolean> {
  const done = await trying(() => host.ask("thread/archive", { threadId: thread.id, archived }));
  if (done && archived) {
    leave(thread);
    tell(word("archivedToast", { title: titleOf(thread) }), {
      action: { label: word("undo"), run: () => void archive(thread, false) },
    });
  }
  return done;
}

/** Moves a thread to the bin, from where the toast's button brings it back. */
export async function remove(thread: ThreadSummary): Promise<boolean> {
  const done = await trying(() => host.ask("thread/delete", { threadId: thread.id }));
  if (done) {
    const wasOpen = leave(thread);
    const restore = async () => {
      await trying(() => host.ask("thread/restore", { threadId: thread.id }));
      if (wasOpen) openThread(thread.id);
    };
    tell(word("deleted", { title: titleOf(thread) }), { action: { label: word("undo"), run: () => void restore() } });
  }
  return done;
}

export async function openItsFolder(thread: ThreadSummary): Promise<void> {
  await trying(() => host.shell("host/openFolder", { cwd: thread.cwd }));
}

/** Leaves the screen of a thread that is going away; tells whether it was there. */
function leave(thread: ThreadSummary): boolean {
  const { place } = useStore.getState();
  const wasOpen = place.view === "thread" && place.threadId === thread.id;
  if (wasOpen) newThread(thread.cwd);
  return wasOpen;
}
