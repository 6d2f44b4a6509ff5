// What is being typed at the caret: a file mention, a command, or plain text.

export type Typing = { type: "file"; query: string; start: number } | { type: "command"; query: string } | { type: "text" };

export function typing(text: string, caret: number): Typing {
  const before = text.slice(0, caret);
  const command = /^\/(\S*)$/.exec(before);
  if (command !== null && text.length === caret) return { type: "command", query: command[1] ?? "" };
  const file = /(?:^|[\s(（,，])@([^\s@]*)$/.exec(before);
  if (file !== null) return { type: "file", query: file[1] ?? "", start: caret - (file[1] ?? "").length - 1 };
  return { type: "text" };
}

/** The text with a mention completed, and where the caret goes. */
export function complete(text: string, start: number, caret: number, path: string): { text: string; caret: number } {
  const mention = `@${/\s/.test(path) ? `"${path}"` : path} `;
  return { text: text.slice(0, start) + mention + text.slice(caret).replace(/^ /, ""), caret: start + mention.length };
}

/** More than this is a document, not a sentence: it becomes an attachment. */
const LONG_CHARS = 8000;
const LONG_LINES = 120;

export function isLong(text: string): boolean {
  if (text.length > LONG_CHARS) return true;
  let lines = 1;
  for (const char of text) if (char === "\n") lines += 1;
  return lines > LONG_LINES;
}

/** What Enter means. */
export type Submit = "send" | "queue" | "steer" | "branch";

export function submitKind(state: { busy: boolean; editing: boolean; modified: boolean }): Submit {
  if (state.editing) return "branch";
  if (!state.busy) return "send";
  return state.modified ? "steer" : "queue";
}
