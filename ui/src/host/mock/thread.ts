// A thread of the mock engine: an event log in memory with followers, and a writer for scripted turns.
import type {
  Approval, Artifact, Decision, DecidedBy, Event, Failure, FileChange, Frame, Item, Live, Page, QueuedInput, ThreadSettings, ThreadSummary,
  TurnSummary, Usage,
} from "../../protocol";

type WithoutPlace<E> = E extends unknown ? Omit<E, "seq" | "atMs"> : never;
export type Fact = WithoutPlace<Event>;
type WithoutLife<I> = I extends unknown ? Omit<I, "id" | "status" | "startedMs" | "endedMs"> : never;
export type Kind = WithoutLife<Item>;

const PAGE = 200;
let lastId = 0;

export function newId(prefix: string): string {
  lastId += 1;
  return `${prefix}-${String(lastId)}`;
}

export class MockThread {
  readonly events: Event[] = [];
  readonly approvals: Approval[] = [];
  readonly queue: QueuedInput[] = [];
  readonly outputs = new Map<string, string[]>();
  usage: Usage = { inputTokens: 0, cachedInputTokens: 0, outputTokens: 0, reasoningOutputTokens: 0 };
  context = { used: 0, window: 128_000, estimated: false };
  /** Ends the running script. */
  stop: AbortController | undefined;
  private readonly followers = new Set<(frame: Frame) => void>();
  private readonly answers = new Map<string, (decision: Decision) => void>();

  constructor(
    public summary: ThreadSummary,
    /** Where its clock stands; advanced by the writer of scripted turns. */
    public now: () => number,
    private readonly onChange: (summary: ThreadSummary) => void,
  ) {
    this.append({ type: "threadStarted", threadId: summary.id, cwd: summary.cwd, settings: summary.settings, version: "0.1.0" });
  }

  append(...facts: Fact[]): void {
    const events = facts.map((fact, i) => ({ ...fact, seq: this.events.length + 1 + i, atMs: this.now() }));
    this.events.push(...events);
    for (const event of events) this.take(event);
    this.send({ events });
    this.onChange(this.summary);
  }

  live(...live: Live[]): void {
    this.send({ live });
  }

  private send(part: Partial<Frame>): void {
    for (const follower of this.followers) {
      follower({ events: [], live: [], threads: [], removed: [], nextSeq: this.events.length, ...part });
    }
  }

  follow(after: number, onFrame: (frame: Frame) => void): () => void {
    const missed = this.events.slice(after);
    if (missed.length > 0) onFrame({ events: missed, live: [], threads: [], removed: [], nextSeq: this.events.length });
    this.followers.add(onFrame);
    return () => this.followers.delete(onFrame);
  }

  private take(event: Event): void {
    const change = (part: Partial<ThreadSummary>) => {
      this.summary = { ...this.summary, headSeq: event.seq, updatedMs: event.atMs, ...part };
    };
    change({});
    if (event.type === "threadRenamed") change({ title: event.title });
    if (event.type === "threadPinned") change({ pinned: event.pinned });
    if (event.type === "threadArchived") change({ archived: event.archived });
    if (event.type === "settingsChanged") change({ settings: event.settings });
    if (event.type === "turnStarted") change({ status: "running" });
    if (event.type === "turnCompleted" || event.type === "turnFailed" || event.type === "turnInterrupted") {
      this.approvals.length = 0;
      change({ status: "idle" });
    }
    if (event.type === "itemCompleted" && event.item.type === "userMessage" && this.summary.title === "") change({ title: event.item.text.slice(0, 80) });
    if (event.type === "approvalRequested") {
      this.approvals.push(event.approval);
      change({ status: "waiting" });
    }
    if (event.type === "approvalResolved") {
      remove(this.approvals, (it) => it.id === event.approvalId);
      change({ status: "running" });
    }
    if (event.type === "inputQueued") this.queue.push(event.queued);
    if (event.type === "inputDequeued") remove(this.queue, (it) => it.id === event.id);
    if (event.type === "usageUpdated") {
      this.context = { window: 128_000, ...event.context };
      this.usage = {
        inputTokens: this.usage.inputTokens + event.last.inputTokens,
        cachedInputTokens: this.usage.cachedInputTokens + event.last.cachedInputTokens,
        outputTokens: this.usage.outputTokens + event.last.outputTokens,
        reasoningOutputTokens: this.usage.reasoningOutputTokens + event.last.reasoningOutputTokens,
      };
    }
  }

  /** All turns by their prompts. */
  outline(): TurnSummary[] {
    const turns: TurnSummary[] = [];
    for (const event of this.events) {
      const last = turns.at(-1);
      if (event.type === "turnStarted") turns.push({ id: event.turnId, firstSeq: event.seq, startedMs: event.atMs, status: { type: "running" }, prompt: "" });
      else if (last === undefined) continue;
      else if (event.type === "itemCompleted" && event.item.type === "userMessage" && last.prompt === "") last.prompt = event.item.text.slice(0, 200);
      else if (event.type === "turnCompleted") Object.assign(last, { status: { type: "completed" }, endedMs: event.atMs });
      else if (event.type === "turnFailed") Object.assign(last, { status: { type: "failed", failure: event.failure }, endedMs: event.atMs });
      else if (event.type === "turnInterrupted") Object.assign(last, { status: { type: "interrupted", reason: event.reason }, endedMs: event.atMs });
    }
    return turns;
  }

  page(before?: number, reach?: number): Page {
    const end = before === undefined ? this.events.length : before - 1;
    const begin = Math.max(0, Math.min(end - PAGE, (reach ?? Infinity) - 1));
    const events = this.events.slice(begin, end);
    const outline = this.outline();
    const first = events[0]?.seq ?? 1;
    const turns = outline.filter((turn, i) => turn.firstSeq <= end && (outline[i + 1]?.firstSeq ?? Infinity) > first);
    return {
      thread: this.summary, events, turns, nextSeq: this.events.length, before: begin > 0 ? begin + 1 : undefined,
      approvals: [...this.approvals], queue: [...this.queue], context: this.context, usage: this.usage,
    };
  }

  /** Asks the person and waits for the answer. */
  async ask(approval: Omit<Approval, "id" | "atMs">, signal: AbortSignal): Promise<Decision> {
    const id = newId("approval");
    this.append({ type: "approvalRequested", approval: { ...approval, id, atMs: this.now() } });
    return new Promise((resolve, reject) => {
      this.answers.set(id, resolve);
      signal.addEventListener("abort", () => reject(new Error("stopped")));
    });
  }

  decide(id: string, decision: Decision, by: DecidedBy = { type: "person" }): void {
    this.append({ type: "approvalResolved", approvalId: id, decision, by });
    this.answers.get(id)?.(decision);
    this.answers.delete(id);
  }
}

function remove<T>(list: T[], which: (it: T) => boolean): void {
  const at = list.findIndex(which);
  if (at >= 0) list.splice(at, 1);
}

/** Writes the events of one turn. */
export class TurnWriter {
  readonly id = newId("turn");

  constructor(readonly thread: MockThread, settings: ThreadSettings = thread.summary.settings) {
    thread.append({ type: "turnStarted", turnId: this.id, settings });
  }

  start(kind: Kind, id = newId("item")): Item {
    const item = { id, status: "inProgress", startedMs: this.thread.now(), ...kind } as Item;
    this.thread.append({ type: "itemStarted", turnId: this.id, item });
    return item;
  }

  update(item: Item): void {
    this.thread.append({ type: "itemUpdated", turnId: this.id, item });
  }

  finish(item: Item, status: Item["status"] = "completed"): Item {
    const done = { ...item, status, endedMs: this.thread.now() };
    this.thread.append({ type: "itemCompleted", turnId: this.id, item: done });
    return done;
  }

  /** An item that is begun and ended at once. */
  put(kind: Kind, status: Item["status"] = "completed", tookMs = 0): Item {
    const item = { id: newId("item"), status, startedMs: this.thread.now() - tookMs, endedMs: this.thread.now(), ...kind } as Item;
    this.thread.append({ type: "itemCompleted", turnId: this.id, item });
    return item;
  }

  user(text: string, attachments: Extract<Kind, { type: "userMessage" }>["attachments"] = [], steer = false): void {
    this.put({ type: "userMessage", text, attachments, steer });
  }

  say(text: string): void {
    this.put({ type: "agentMessage", text });
  }

  command(command: string, lines: string[], options: { exitCode?: number; tookMs?: number; escalated?: boolean; denied?: boolean } = {}): Item {
    const exitCode = options.exitCode ?? 0;
    const blob = newId("blob");
    this.thread.outputs.set(blob, lines);
    const bytes = lines.reduce((all, line) => all + line.length + 1, 0);
    return this.put(
      {
        type: "command", command, cwd: this.thread.summary.cwd, tail: lines.slice(-12).join("\n") + "\n",
        output: { blob, bytes, lines: lines.length }, exitCode, escalated: options.escalated ?? false, sandboxDenied: options.denied ?? false,
      },
      exitCode === 0 ? "completed" : "failed",
      options.tookMs ?? 800,
    );
  }

  files(changes: FileChange[], error?: string): Item {
    return this.put({ type: "fileChange", changes, error }, error === undefined ? "completed" : "failed");
  }

  artifact(artifact: Artifact): Item {
    return this.put({ type: "artifact", artifact });
  }

  tokens(used: number, out = 420): void {
    this.thread.append({
      type: "usageUpdated", turnId: this.id,
      last: { inputTokens: used, cachedInputTokens: Math.round(used * 0.7), outputTokens: out, reasoningOutputTokens: Math.round(out / 3) },
      context: { used, window: 128_000, estimated: false },
    });
  }

  complete(): void {
    this.thread.append({ type: "turnCompleted", turnId: this.id });
  }

  fail(failure: Failure): void {
    this.thread.append({ type: "turnFailed", turnId: this.id, failure });
  }
}
