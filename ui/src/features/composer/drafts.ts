// What is being written, per thread. Kept through a restart and through a crash.
import { create } from "zustand";

import type { Attachment, Item, ThreadId, ThreadSettingsPatch, TurnId } from "../../protocol";

export interface Draft {
  text: string;
  attachments: Attachment[];
  /** Sending makes a branch that begins before this turn. */
  editing?: TurnId;
  /** What was being written when the editing began. */
  before?: Pick<Draft, "text" | "attachments">;
  /** What a thread that does not exist yet will run with. */
  settings?: ThreadSettingsPatch;
}

const PREFIX = "zspark.draft.";
const EMPTY: Draft = { text: "", attachments: [] };

interface Drafts {
  drafts: Record<string, Draft>;
  /** Counts up when the composer should take the focus. */
  wanted: number;
}

export const useDrafts = create<Drafts>(() => ({ drafts: kept(), wanted: 0 }));

/** Everything that was being written when the page went. */
function kept(): Record<string, Draft> {
  const drafts: Record<string, Draft> = {};
  for (const name of Object.keys(localStorage).filter((it) => it.startsWith(PREFIX))) {
    try {
      drafts[name.slice(PREFIX.length)] = { ...EMPTY, ...(JSON.parse(localStorage.getItem(name) ?? "") as Partial<Draft>) };
    } catch {
      localStorage.removeItem(name);
    }
  }
  return drafts;
}

/** The draft's name: a thread, or the folder of a thread that begins with it. */
export function draftKey(threadId: ThreadId | undefined, cwd: string | undefined): string {
  return threadId ?? `new:${cwd ?? ""}`;
}

export function draftOf(key: string): Draft {
  return useDrafts.getState().drafts[key] ?? EMPTY;
}

export function useDraft(key: string): Draft {
  return useDrafts((it) => it.drafts[key] ?? EMPTY);
}

export function changeDraft(key: string, change: Partial<Draft>): void {
  const draft = { ...draftOf(key), ...change };
  if (draft.text === "" && draft.attachments.length === 0 && draft.editing === undefined && draft.settings === undefined) localStorage.removeItem(PREFIX + key);
  else localStorage.setItem(PREFIX + key, JSON.stringify(draft));
  useDrafts.setState((it) => ({ drafts: { ...it.drafts, [key]: draft } }));
}

/** After sending, or when an edit is given up: what was written before the edit comes back. */
export function clearDraft(key: string): void {
  changeDraft(key, { text: "", attachments: [], ...draftOf(key).before, editing: undefined, before: undefined });
}

export function focusComposer(): void {
  useDrafts.setState((it) => ({ wanted: it.wanted + 1 }));
}

/** Adds text at the end of a draft, such as a quoted line of a diff. */
export function quote(key: string, text: string): void {
  const draft = draftOf(key);
  changeDraft(key, { text: draft.text === "" ? `${text}\n` : `${draft.text.replace(/\n*$/, "\n\n")}${text}\n` });
  focusComposer();
}

/** Puts an earlier prompt into the composer; sending it makes a branch that begins before its turn. */
export function editPrompt(threadId: ThreadId, turnId: TurnId, prompt: Extract<Item, { type: "userMessage" }>): void {
  const key = draftKey(threadId, undefined);
  const { editing, before, text, attachments } = draftOf(key);
  changeDraft(key, { text: prompt.text, attachments: prompt.attachments, editing: turnId, before: editing === undefined ? { text, attachments } : before });
  focusComposer();
}
