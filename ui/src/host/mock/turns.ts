// What the mock does with a prompt: streams an answer, and more when the prompt asks for it ("run", "approve", "patch", "fail").
import type { Attachment, Input } from "../../protocol";
import { change } from "./scenes";
import { newId, TurnWriter, type MockThread } from "./thread";

const TICK_MS = 16;

function wait(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(new Error("stopped"));
    });
  });
}

const STREAM = `I looked at it step by step.

## What happens

The tide is a **sum of waves**; each has a period and a height:

\`\`\`ts
export function height(at: number, waves: Wave[]): number {
  return waves.reduce((sum, wave) => sum + wave.height * Math.cos(wave.speed * at + wave.phase), 0);
}
\`\`\`

- the largest follows the moon,
- the second follows the sun,
- the rest are corrections of a few centimetres.

| Wave | Period |
| --- | --- |
| M2 | 12.42 h |
| S2 | 12.00 h |

That is all the code does.
`;

async function stream(turn: TurnWriter, text: string, signal: AbortSignal): Promise<void> {
  const item = turn.start({ type: "agentMessage", text: "" });
  let at = 0;
  while (at < text.length) {
    await wait(TICK_MS, signal);
    const piece = text.slice(at, at + 12);
    turn.thread.live({ type: "text", itemId: item.id, at, text: piece });
    at += piece.length;
  }
  turn.finish({ ...item, type: "agentMessage", text });
}

async function run(turn: TurnWriter, command: string, seconds: number, signal: AbortSignal): Promise<void> {
  const item = turn.start({ type: "command", command, cwd: turn.thread.summary.cwd, tail: "", escalated: false, sandboxDenied: false });
  if (item.type !== "command") return;
  const lines: string[] = [];
  let at = 0;
  for (let i = 0; i < seconds * 10; i += 1) {
    await wait(100, signal);
    const line = `\u001b[32m✓\u001b[0m step ${String(i + 1)} of ${String(seconds * 10)}`;
    lines.push(line);
    turn.thread.live({ type: "output", itemId: item.id, at, text: `${line}\n` });
    at += line.length + 1;
  }
  const blob = newId("blob");
  turn.thread.outputs.set(blob, lines);
  turn.finish({ ...item, tail: `${lines.slice(-12).join("\n")}\n`, output: { blob, bytes: at, lines: lines.length }, exitCode: 0 });
}

export async function runTurn(thread: MockThread, input: Input, itemId: string, attachments: Attachment[]): Promise<void> {
  const stop = new AbortController();
  thread.stop = stop;
  const { signal } = stop;
  const turn = new TurnWriter(thread);
  const prompt = turn.start({ type: "userMessage", text: input.text, attachments, steer: false }, itemId);
  turn.finish(prompt);
  try {
    await wait(150, signal);
    if (input.text.includes("fail")) {
      turn.fail({ code: "unreachable", message: "Acme AI could not be reached.", hint: "Check the network and try again.", details: "connection refused" });
      return;
    }
    if (input.text.includes("think")) turn.put({ type: "reasoning", text: "Waves add up." }, "completed", 1200);
    if (input.text.includes("approve")) {
      const command = "npm install left-pad";
      const item = turn.start({ type: "command", command, cwd: thread.summary.cwd, tail: "", escalated: true, sandboxDenied: false });
      const decision = await thread.ask({
        turnId: turn.id, itemId: item.id, callId: item.id, ask: { type: "command", command, cwd: thread.summary.cwd, escalated: true },
        reason: "The package is needed.", risks: ["network", "unsandboxed"],
        proposedRule: { subject: { type: "commandPrefix", prefix: ["npm", "install"], escalated: true }, effect: "allow", folder: thread.summary.cwd },
      }, signal);
      if (decision.type === "decline") turn.finish(item, "declined");
      else if (item.type === "command") turn.finish({ ...item, tail: "added 1 package\n", exitCode: 0 });
    }
    if (input.text.includes("run")) await run(turn, "npm run build", 3, signal);
    if (input.text.includes("patch")) turn.files([change(`${thread.summary.cwd}/src/arrivals.ts`)]);
    await stream(turn, input.text.includes("long") ? STREAM.repeat(40) : STREAM, signal);
    turn.tokens(8_000 + thread.context.used);
    if (input.text.includes("pipe")) {
      turn.put({ type: "error", failure: { code: "tooLarge", message: "Changes to some files cannot be undone: pipe.", hint: "Keep such files under version control." } });
    }
    turn.complete();
  } catch {
    thread.append({ type: "turnInterrupted", turnId: turn.id, reason: "person" });
  }
}
