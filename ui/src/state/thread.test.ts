import { expect, test } from "vitest";

import type { Event, Item, Live, Page, ThreadSettings } from "../protocol";
import { apply, applyFrame, isBusy, open, prepend, splice, type Thread } from "./thread";

const settings: ThreadSettings = { provider: "p", model: "m", sandbox: "read-only", approval: "never" };

type Body<E> = E extends unknown ? Omit<E, "seq" | "atMs"> : never;
function log(...bodies: Body<Event>[]): Event[] {
  return bodies.map((body, i) => ({ ...body, seq: i + 1, atMs: (i + 1) * 10 }));
}

function agent(id: string, text: string, status: Item["status"] = "inProgress"): Item {
  return { id, type: "agentMessage", text, status, startedMs: 0 };
}

function command(id: string, tail = "", status: Item["status"] = "inProgress"): Item {
  return { id, type: "command", command: "ls", cwd: "/", tail, escalated: false, sandboxDenied: false, status, startedMs: 0 };
}

function page(events: Event[], part: Partial<Page> = {}): Page {
  return {
    thread: { id: "t", title: "", cwd: "/", createdMs: 0, updatedMs: 0, pinned: false, archived: false, status: "idle", headSeq: 0, settings },
    events, turns: [], nextSeq: events.at(-1)?.seq ?? 0, approvals: [], queue: [], context: { used: 0, estimated: false },
    usage: { inputTokens: 0, cachedInputTokens: 0, outputTokens: 0, reasoningOutputTokens: 0 }, ...part,
  };
}

const STARTED: Body<Event>[] = [
  { type: "threadStarted", threadId: "t", cwd: "/", settings, version: "0" },
  { type: "turnStarted", turnId: "a", settings },
];

function frame(thread: Thread, events: Event[], live: Live[] = []): Thread {
  return applyFrame(thread, { events, live, nextSeq: events.at(-1)?.seq ?? thread.nextSeq, threads: [], removed: [] });
}

function textOf(thread: Thread, id: string): string | undefined {
  const item = thread.turns.flatMap((turn) => turn.items).find((it) => it.id === id);
  return item?.type === "agentMessage" ? item.text : item?.type === "command" ? item.tail : undefined;
}

test("a whole recorded turn folds into its items and its end", () => {
  const events = log(
    ...STARTED,
    { type: "itemCompleted", turnId: "a", item: { id: "u", type: "userMessage", text: "hello", attachments: [], steer: false, status: "completed", startedMs: 0 } },
    { type: "itemStarted", turnId: "a", item: agent("m", "") },
    { type: "itemAppended", itemId: "m", at: 0, text: "Hel" },
    { type: "itemAppended", itemId: "m", at: 3, text: "lo" },
    { type: "itemCompleted", turnId: "a", item: agent("m", "Hello", "completed") },
    { type: "usageUpdated", turnId: "a", last: { inputTokens: 5, cachedInputTokens: 1, outputTokens: 2, reasoningOutputTokens: 0 }, context: { used: 7, estimated: false } },
    { type: "turnCompleted", turnId: "a" },
  );
  const thread = events.reduce(apply, open(page([])));
  expect(thread.turns).toHaveLength(1);
  expect(thread.turns[0]).toMatchObject({ id: "a", prompt: "hello", status: { type: "completed" }, startedMs: 20, endedMs: 90 });
  expect(thread.turns[0]?.items.map((it) => it.id)).toEqual(["u", "m"]);
  expect(textOf(thread, "m")).toBe("Hello");
  expect([thread.usage.inputTokens, thread.context.used, thread.lastSeq, isBusy(thread)]).toEqual([5, 7, 9, false]);
});

test("an event that was seen already changes nothing", () => {
  const events = log(...STARTED, { type: "itemStarted", turnId: "a", item: agent("m", "x") });
  const thread = events.reduce(apply, open(page([])));
  for (const event of events) expect(apply(thread, event)).toBe(thread);
});

test("pieces of text go to their place in UTF-16 units, however they repeat", () => {
  const table: [string, number, string, string][] = [
    ["", 0, "a", "a"], ["你好", 2, "!", "你好!"], ["😀", 2, "b", "😀b"], ["abc", 0, "abc", "abc"], ["abc", 1, "b", "abc"],
    ["abc", 2, "cd", "abcd"], ["abc", 9, "z", "abc"], ["first try", 0, "second", "second"],
  ];
  for (const [text, at, piece, expected] of table) expect(splice(text, at, piece)).toBe(expected);
});

test("a live piece that was lost is mended by the log", () => {
  let thread = frame(open(page([])), log(...STARTED, { type: "itemStarted", turnId: "a", item: agent("m", "") }));
  thread = frame(thread, [], [{ type: "text", itemId: "m", at: 0, text: "one " }]);
  thread = frame(thread, [], [{ type: "text", itemId: "m", at: 8, text: "three" }]);
  expect(textOf(thread, "m")).toBe("one ");
  thread = frame(thread, [{ seq: 4, atMs: 0, type: "itemAppended", itemId: "m", at: 0, text: "one two three" }]);
  expect(textOf(thread, "m")).toBe("one two three");
});

test("a delta makes new only what it touches", () => {
  const done = log(...STARTED, { type: "itemCompleted", turnId: "a", item: agent("old", "x", "completed") }, { type: "itemStarted", turnId: "a", item: agent("m", "") });
  const before = frame(open(page([])), [...done]);
  const after = frame(before, [], [{ type: "text", itemId: "m", at: 0, text: "y" }]);
  expect(after.turns[0]?.items[0]).toBe(before.turns[0]?.items[0]);
  expect(after.turns[0]?.items[1]).not.toBe(before.turns[0]?.items[1]);
});

test("output is appended, kept short, not repeated, and begins again after a gap", () => {
  let thread = frame(open(page([])), log(...STARTED, { type: "itemStarted", turnId: "a", item: command("c") }));
  const out = (at: number, text: string) => {
    thread = frame(thread, [], [{ type: "output", itemId: "c", at, text }]);
    return textOf(thread, "c");
  };
  expect(out(0, "a\n")).toBe("a\n");
  expect(out(0, "a\n")).toBe("a\n");
  expect(out(2, "b\n")).toBe("a\nb\n");
  expect(out(500, "z\n")).toBe("z\n");
  expect(out(502, "x".repeat(9000))?.length).toBe(4096);
});

test("questions and the queue come and go, and the end of a turn takes its questions along", () => {
  const approval = { id: "q", turnId: "a", itemId: "c", callId: "c", ask: { type: "command" as const, command: "ls", cwd: "/", escalated: false }, risks: [], atMs: 0 };
  const queued = { id: "w", input: { text: "next", attachments: [] } };
  const events = log(...STARTED, { type: "approvalRequested", approval }, { type: "inputQueued", queued }, { type: "turnInterrupted", turnId: "a", reason: "person" }, { type: "inputDequeued", id: "w" });
  const asked = events.slice(0, 4).reduce(apply, open(page([])));
  expect([asked.approvals.length, asked.queue.length, isBusy(asked)]).toEqual([1, 1, true]);
  const ended = events.slice(4).reduce(apply, asked);
  expect([ended.approvals.length, ended.queue.length, isBusy(ended)]).toEqual([0, 0, false]);
});

test("a page above joins the turn it cuts: place from above, content from below", () => {
  const all = log(
    ...STARTED,
    { type: "itemStarted", turnId: "a", item: command("c1") },
    { type: "itemCompleted", turnId: "a", item: agent("m1", "one", "completed") },
    { type: "itemCompleted", turnId: "a", item: command("c1", "done", "completed") },
    { type: "itemCompleted", turnId: "a", item: agent("m2", "two", "completed") },
    { type: "turnCompleted", turnId: "a" },
  );
  const turns: Page["turns"] = [{ id: "a", firstSeq: 2, startedMs: 20, endedMs: 70, status: { type: "completed" }, prompt: "p" }];
  const tail = open(page(all.slice(4), { turns, before: 5 }));
  expect(tail.turns[0]?.whole).toBe(false);
  const whole = prepend(tail, page(all.slice(0, 4), { turns }));
  expect(whole.turns).toHaveLength(1);
  expect(whole.turns[0]?.items.map((it) => [it.id, it.status])).toEqual([["c1", "completed"], ["m1", "completed"], ["m2", "completed"]]);
  expect([whole.turns[0]?.whole, whole.turns[0]?.status.type, whole.before]).toEqual([true, "completed", undefined]);
});

test("what was undone is remembered until it is made again", () => {
  const events = log(...STARTED, { type: "changesReverted", turnId: "a", paths: ["/x", "/y"], redo: false }, { type: "changesReverted", turnId: "a", paths: ["/x"], redo: true });
  expect(events.reduce(apply, open(page([]))).turns[0]?.undone).toEqual(["/y"]);
});

test("the provider's silence is said until something comes", () => {
  const start = frame(open(page([])), log(...STARTED, { type: "itemStarted", turnId: "a", item: agent("m", "") }), [
    { type: "retrying", turnId: "a", attempt: 1, max: 4, failure: { code: "unreachable", message: "No answer." }, waitMs: 100 },
  ]);
  expect(start.retrying).toMatchObject({ attempt: 1, max: 4, message: "No answer." });
  expect(frame(start, [], [{ type: "text", itemId: "m", at: 0, text: "a" }]).retrying).toBeUndefined();
});
