// Rollouts as the engine writes them (`agent/src/log/rollout.rs`), of threads as long as one likes.
import { randomBytes } from "node:crypto";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";

/** Four commands a turn, each thought about before, between what the person says and the answer. */
const ITEMS_OF_A_TURN = 10;
const SETTINGS = { provider: "scripted", model: "scripted", sandbox: "workspace-write", approval: "untrusted" };

/** Puts a finished thread with about so many items into a home. Its title is `title`; `last` is the last it says. */
export async function writeThread(home, { title, cwd, items, last }) {
  const born = Date.now() - 86_400_000;
  const id = uuid7(born);
  const turns = Math.max(1, Math.round(items / ITEMS_OF_A_TURN));
  const lines = new Lines(born);
  lines.add("threadStarted", { threadId: id, cwd, settings: SETTINGS, version: "0.1.0" });
  for (let turn = 1; turn <= turns; turn += 1) {
    addTurn(lines, { turnId: `turn-${turn}`, cwd, prompt: turn === 1 ? title : `And step ${turn}?`, answer: turn === turns ? last : answer(turn) });
  }
  const date = new Date(born);
  const folder = path.join(home, "threads", String(date.getUTCFullYear()), String(date.getUTCMonth() + 1).padStart(2, "0"));
  await mkdir(folder, { recursive: true });
  await writeFile(path.join(folder, `${id}.jsonl`), lines.text());
}

/** The events of every thread in a home, as far as they are written. */
export async function readThreads(home) {
  const files = await readdir(path.join(home, "threads"), { recursive: true });
  const threads = files.filter((it) => it.endsWith(".jsonl")).map(async (file) => {
    const text = await readFile(path.join(home, "threads", file), "utf8");
    // What follows the last end of a line is still being written.
    return text.split("\n").slice(0, -1).map((line) => JSON.parse(line));
  });
  return Promise.all(threads);
}

function addTurn(lines, { turnId, cwd, prompt, answer }) {
  lines.add("turnStarted", { turnId, settings: SETTINGS });
  lines.item(turnId, { type: "userMessage", text: prompt, attachments: [], steer: false });
  lines.context(turnId, { type: "message", role: "user", content: [{ type: "text", text: prompt }] });
  for (let call = 1; call <= (ITEMS_OF_A_TURN - 2) / 2; call += 1) {
    const tail = Array.from({ length: 20 }, (_, i) => `crates/part-${call}/src/file-${i}.rs: ok\n`).join("");
    lines.item(turnId, { type: "reasoning", text: "" }, { text: `**Looking at part ${call}**\n\nIt may have what is asked for.` });
    lines.item(
      turnId,
      { type: "command", command: `check part-${call}`, cwd, tail: "", escalated: false, sandboxDenied: false },
      { tail, output: { blob: "none", bytes: tail.length, lines: 20 }, exitCode: 0 },
    );
    const callId = `${turnId}-call-${call}`;
    lines.context(
      turnId,
      { type: "call", call_id: callId, name: "exec_command", arguments: JSON.stringify({ cmd: `check part-${call}` }), freeform: false },
      { type: "output", call_id: callId, content: [{ type: "text", text: tail }], freeform: false, ok: true },
    );
  }
  lines.item(turnId, { type: "agentMessage", text: "" }, { text: answer });
  lines.context(turnId, { type: "message", role: "assistant", content: [{ type: "text", text: answer }] });
  lines.add("usageUpdated", {
    turnId,
    last: { inputTokens: 1000, cachedInputTokens: 0, outputTokens: 100, reasoningOutputTokens: 0 },
    context: { used: 1100, window: 128_000, estimated: false },
  });
  lines.add("turnCompleted", { turnId });
}

/** Markdown as models write it. */
const answer = (turn) => `Step ${turn} is **done**.

- \`part-1\` to \`part-4\` are fine
- nothing was written

\`\`\`rust
fn step_${turn}() -> bool {
    true
}
\`\`\`
`;

/** Events in a row, one JSON object a line. */
class Lines {
  #lines = [];
  #atMs;
  #items = 0;

  constructor(atMs) {
    this.#atMs = atMs;
  }

  add(type, fields) {
    this.#atMs += 10;
    this.#lines.push(JSON.stringify({ seq: this.#lines.length + 1, atMs: this.#atMs, type, ...fields }));
  }

  /** An item that is there at once, or that begins one way and ends with `more`. */
  item(turnId, item, more) {
    this.#items += 1;
    const id = `item-${this.#items}`;
    const startedMs = this.#atMs;
    if (more) this.add("itemStarted", { turnId, item: { id, status: "inProgress", startedMs, ...item } });
    this.add("itemCompleted", { turnId, item: { id, status: "completed", startedMs, endedMs: this.#atMs, ...item, ...more } });
  }

  context(turnId, ...entries) {
    this.add("contextAppended", { turnId, entries });
  }

  text() {
    return `${this.#lines.join("\n")}\n`;
  }
}

/** A thread's id begins with when it was made. */
function uuid7(atMs) {
  const bytes = randomBytes(16);
  bytes.writeUIntBE(atMs, 0, 6);
  bytes[6] = 0x70 | (bytes[6] & 0x0f);
  bytes[8] = 0x80 | (bytes[8] & 0x3f);
  const hex = bytes.toString("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}
