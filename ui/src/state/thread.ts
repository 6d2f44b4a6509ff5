// One thread as the screen sees it: a pure fold over its events and its live pieces.
import type {
  Approval, ContextMeter, Event, Frame, Item, ItemId, Live, Page, QueuedInput, ThreadId, ThreadSummary, TurnId, TurnStatus,
  TurnSummary, Usage,
} from "../protocol";

export interface Turn {
  id: TurnId;
  firstSeq: number;
  startedMs: number;
  endedMs?: number;
  status: TurnStatus;
  /** The beginning of its prompt. */
  prompt: string;
  items: Item[];
  /** Its beginning is on this page. */
  whole: boolean;
  /** Absolute paths whose changes were taken back. */
  undone: string[];
}

export interface Retrying {
  turnId: TurnId;
  attempt: number;
  max: number;
  message: string;
}

export interface Thread {
  summary: ThreadSummary;
  turns: Turn[];
  approvals: Approval[];
  queue: QueuedInput[];
  context: ContextMeter;
  usage: Usage;
  retrying?: Retrying;
  /** The last event that was folded in. */
  lastSeq: number;
  /** Pass as `after`. */
  nextSeq: number;
  /** Pass as `before` for the page above; absent when all is here. */
  before?: number;
  /** Bytes of output seen of each running command, to notice what was skipped. */
  outputs: Record<ItemId, number>;
}

/** What a folded command card can show. */
const TAIL = 4096;

function turnOf(summary: TurnSummary, whole: boolean): Turn {
  return {
    id: summary.id,
    firstSeq: summary.firstSeq,
    startedMs: summary.startedMs,
    endedMs: summary.endedMs,
    status: summary.status,
    prompt: summary.prompt,
    items: [],
    whole,
    undone: [],
  };
}

/** A page without context: what a thread is before any of its events were seen. */
function blank(page: Page): Thread {
  const first = page.events[0]?.seq ?? 0;
  return {
    summary: page.thread,
    turns: page.turns.map((turn) => turnOf(turn, turn.firstSeq >= first)),
    approvals: [],
    queue: [],
    context: page.context,
    usage: page.usage,
    lastSeq: 0,
    nextSeq: page.nextSeq,
    before: page.before,
    outputs: {},
  };
}

/** The thread from its newest page. */
export function open(page: Page): Thread {
  const folded = page.events.reduce(apply, blank(page));
  // The page knows how things stand; events before it are not here to say so.
  return {
    ...folded,
    summary: page.thread,
    turns: folded.turns.map((turn) => settled(turn, page.turns)),
    approvals: page.approvals,
    queue: page.queue,
    context: page.context,
    usage: page.usage,
  };
}

function settled(turn: Turn, summaries: TurnSummary[]): Turn {
  const summary = summaries.find((it) => it.id === turn.id);
  return summary ? { ...turn, status: summary.status, endedMs: summary.endedMs, startedMs: summary.startedMs } : turn;
}

/** Puts an older page above. */
export function prepend(thread: Thread, page: Page): Thread {
  const older = page.events.reduce(apply, blank(page)).turns;
  const turns = [...older];
  for (const turn of thread.turns) {
    const at = turns.findIndex((it) => it.id === turn.id);
    const above = turns[at];
    if (above === undefined) {
      turns.push(turn);
    } else {
      // The beginning of an item may be above and its end below: place from above, content from below.
      const newer = new Map(turn.items.map((item) => [item.id, item]));
      const items = above.items.map((item) => newer.get(item.id) ?? item);
      const known = new Set(above.items.map((item) => item.id));
      items.push(...turn.items.filter((item) => !known.has(item.id)));
      turns[at] = { ...turn, items, whole: above.whole, undone: turn.undone.length > 0 ? turn.undone : above.undone };
    }
  }
  return { ...thread, turns, before: page.before };
}

/** Takes one frame in. */
export function applyFrame(thread: Thread, frame: Frame): Thread {
  let next = frame.events.reduce(apply, thread);
  next = frame.live.reduce(applyLive, next);
  return frame.nextSeq > next.nextSeq ? { ...next, nextSeq: frame.nextSeq } : next;
}

function changeTurn(thread: Thread, id: TurnId, change: (turn: Turn) => Turn): Thread {
  const at = thread.turns.findLastIndex((turn) => turn.id === id);
  const turn = thread.turns[at];
  if (turn === undefined) return thread;
  const changed = change(turn);
  if (changed === turn) return thread;
  return { ...thread, turns: thread.turns.with(at, changed) };
}

function putItem(turn: Turn, item: Item): Turn {
  const at = turn.items.findLastIndex((it) => it.id === item.id);
  const prompt = turn.prompt === "" && item.type === "userMessage" ? item.text.slice(0, 200) : turn.prompt;
  return { ...turn, prompt, items: at < 0 ? [...turn.items, item] : turn.items.with(at, item) };
}

/** Changes an item of which only the id is known; it is near the end. */
function changeItem(thread: Thread, id: ItemId, change: (item: Item) => Item): Thread {
  for (let t = thread.turns.length - 1; t >= 0; t -= 1) {
    const turn = thread.turns[t];
    const at = turn?.items.findLastIndex((item) => item.id === id) ?? -1;
    const item = turn?.items[at];
    if (turn !== undefined && item !== undefined) {
      const changed = change(item);
      return changed === item ? thread : { ...thread, turns: thread.turns.with(t, { ...turn, items: turn.items.with(at, changed) }) };
    }
  }
  return thread;
}

/** The text with a piece at its place. Pieces repeat (live, then durable) and may be missing. */
export function splice(text: string, at: number, piece: string): string {
  if (at > text.length) return text;
  if (text.startsWith(piece, at)) return text;
  return text.slice(0, at) + piece;
}

function withText(item: Item, at: number, piece: string): Item {
  if ((item.type !== "agentMessage" && item.type !== "reasoning") || item.status !== "inProgress") return item;
  const text = splice(item.text, at, piece);
  return text === item.text ? item : { ...item, text };
}

function endTurn(thread: Thread, id: TurnId, atMs: number, status: TurnStatus): Thread {
  const ended = changeTurn(thread, id, (turn) => ({ ...turn, status, endedMs: atMs }));
  return { ...ended, retrying: undefined, outputs: {}, approvals: ended.approvals.filter((it) => it.turnId !== id) };
}

/** Folds one event in. Events that were seen already change nothing. */
export function apply(thread: Thread, event: Event): Thread {
  if (event.seq <= thread.lastSeq) return thread;
  return step({ ...thread, lastSeq: event.seq }, event);
}

function step(thread: Thread, event: Event): Thread {
  const { summary } = thread;
  switch (event.type) {
    case "threadStarted":
      return { ...thread, summary: { ...summary, cwd: event.cwd, settings: event.settings, forkedFrom: event.forkedFrom } };
    case "threadRenamed":
      return { ...thread, summary: { ...summary, title: event.title } };
    case "threadPinned":
      return { ...thread, summary: { ...summary, pinned: event.pinned } };
    case "threadArchived":
      return { ...thread, summary: { ...summary, archived: event.archived } };
    case "settingsChanged":
      return { ...thread, summary: { ...summary, settings: event.settings } };
    case "turnStarted": {
      if (thread.turns.some((turn) => turn.id === event.turnId)) return thread;
      const turn: Turn = {
        id: event.turnId, firstSeq: event.seq, startedMs: event.atMs, status: { type: "running" }, prompt: "", items: [], whole: true, undone: [],
      };
      return { ...thread, turns: [...thread.turns, turn] };
    }
    case "turnCompleted":
      return endTurn(thread, event.turnId, event.atMs, { type: "completed" });
    case "turnInterrupted":
      return endTurn(thread, event.turnId, event.atMs, { type: "interrupted", reason: event.reason });
    case "turnFailed":
      return endTurn(thread, event.turnId, event.atMs, { type: "failed", failure: event.failure });
    case "itemStarted":
    case "itemUpdated":
    case "itemCompleted": {
      const { item } = event;
      const put = changeTurn(thread, event.turnId, (turn) => putItem(turn, item));
      return thread.retrying === undefined ? put : { ...put, retrying: undefined };
    }
    case "itemAppended":
      return changeItem(thread, event.itemId, (item) => withText(item, event.at, event.text));
    case "approvalRequested": {
      const others = thread.approvals.filter((it) => it.id !== event.approval.id);
      return { ...thread, approvals: [...others, event.approval] };
    }
    case "approvalResolved":
      return { ...thread, approvals: thread.approvals.filter((it) => it.id !== event.approvalId) };
    case "inputQueued": {
      const others = thread.queue.filter((it) => it.id !== event.queued.id);
      return { ...thread, queue: [...others, event.queued] };
    }
    case "inputDequeued":
      return { ...thread, queue: thread.queue.filter((it) => it.id !== event.id) };
    case "usageUpdated":
      return { ...thread, context: event.context, usage: sum(thread.usage, event.last) };
    case "changesReverted":
      return changeTurn(thread, event.turnId, (turn) => {
        const others = turn.undone.filter((path) => !event.paths.includes(path));
        return { ...turn, undone: event.redo ? others : [...others, ...event.paths] };
      });
    case "contextAppended":
      return thread;
  }
}

function sum(a: Usage, b: Usage): Usage {
  return {
    inputTokens: a.inputTokens + b.inputTokens,
    cachedInputTokens: a.cachedInputTokens + b.cachedInputTokens,
    outputTokens: a.outputTokens + b.outputTokens,
    reasoningOutputTokens: a.reasoningOutputTokens + b.reasoningOutputTokens,
  };
}

const utf8 = new TextEncoder();

/** Folds one live piece in. */
export function applyLive(thread: Thread, live: Live): Thread {
  switch (live.type) {
    case "text":
      return forgetRetry(changeItem(thread, live.itemId, (item) => withText(item, live.at, live.text)));
    case "output": {
      const seen = thread.outputs[live.itemId];
      const end = live.at + utf8.encode(live.text).length;
      // A piece from before what was seen is a repetition of the same stretch.
      if (seen !== undefined && end <= seen) return thread;
      const next = changeItem(thread, live.itemId, (item) => {
        if (item.type !== "command" || item.status !== "inProgress") return item;
        const skipped = seen !== undefined && live.at > seen;
        const tail = skipped ? live.text : item.tail + live.text;
        return { ...item, tail: tail.length > TAIL ? tail.slice(-TAIL) : tail };
      });
      return { ...next, outputs: { ...next.outputs, [live.itemId]: end } };
    }
    case "retrying":
      return { ...thread, retrying: { turnId: live.turnId, attempt: live.attempt, max: live.max, message: live.failure.message } };
  }
}

function forgetRetry(thread: Thread): Thread {
  return thread.retrying === undefined ? thread : { ...thread, retrying: undefined };
}

export function runningTurn(thread: Thread): Turn | undefined {
  const last = thread.turns.at(-1);
  return last?.status.type === "running" ? last : undefined;
}

export function isBusy(thread: Thread | undefined): boolean {
  return thread !== undefined && runningTurn(thread) !== undefined;
}

export function findTurn(thread: Thread, id: ThreadId): Turn | undefined {
  return thread.turns.find((turn) => turn.id === id);
}
