// Scripted threads: every kind of item, long outputs, long names, Chinese. `?scene=` puts one of them on top.
import type { Artifact, FileChange, ThreadSettings, ThreadSummary } from "../../protocol";
import { artifacts } from "./files";
import { HOME } from "./home";
import { MockThread, newId, TurnWriter } from "./thread";

export const settings: ThreadSettings = { provider: "acme", model: "spark-large", effort: "medium", sandbox: "workspace-write", approval: "on-request" };

export function summary(title: string, cwd: string, ageMs: number, id = newId("thread")): ThreadSummary {
  const atMs = Date.now() - ageMs;
  return { id, title, cwd, createdMs: atMs, updatedMs: atMs, pinned: false, archived: false, status: "idle", headSeq: 0, settings };
}

const HARBOUR = `${HOME}/code/harbour`;
const BUDGET = `${HOME}/Documents/2026 年度预算`;

const DIFF = `@@ -12,7 +12,9 @@ export function arrivals(day: Day): Arrival[] {
   const list = read(day);
-  return list.sort((a, b) => a.time - b.time);
+  // Ships without a time come last.
+  return [...list].sort((a, b) => (a.time ?? Infinity) - (b.time ?? Infinity));
 }
 
 export function berth(ship: Ship): Berth | undefined {
@@ -40,6 +42,10 @@ export function berth(ship: Ship): Berth | undefined {
   return free.find((it) => it.length >= ship.length);
 }
 
+export function isLate(arrival: Arrival, now: number): boolean {
+  return arrival.time !== undefined && arrival.time < now;
+}
+
 export const EMPTY: Arrival[] = [];
`;

export function change(path: string, diff = DIFF, kind: FileChange["kind"] = "update"): FileChange {
  const lines = diff.split("\n");
  const count = (mark: string) => lines.filter((line) => line.startsWith(mark)).length;
  return { path, kind, added: count("+"), removed: count("-"), diff, binary: false, truncated: false };
}

function artifact(cwd: string, name: string, mediaType: string, size: number, version = 1): Artifact {
  return { id: `artifact-${name}`, name, path: `${cwd}/${name}`, mediaType, size, hash: "0".repeat(64), version };
}

const ANSWER = `The tests fail because \`arrivals\` sorts ships without a time to the **front**. I changed the comparison and added a case for it.

| File | Change |
| --- | --- |
| \`src/arrivals.ts\` | ships without a time come last |
| \`src/arrivals.test.ts\` | one new case |

\`\`\`ts
export function isLate(arrival: Arrival, now: number): boolean {
  // A ship without a time is never late.
  return arrival.time !== undefined && arrival.time < now;
}
\`\`\`

1. All 42 tests pass.
2. \`berth\` is unchanged.

> The type of \`time\` allows \`undefined\`; see the [handbook](https://www.example.org/handbook).

- [x] sort
- [ ] release notes`;

function testLines(count: number): string[] {
  return Array.from({ length: count }, (_, i) =>
    i % 9 === 4 ? `\u001b[31m ✗ \u001b[0marrivals › case ${String(i)} \u001b[2m(12 ms)\u001b[0m` : `\u001b[32m ✓ \u001b[0marrivals › case ${String(i)} \u001b[2m(3 ms)\u001b[0m`,
  );
}

/** One turn with everything in it. */
function everything(thread: MockThread): void {
  const turn = new TurnWriter(thread);
  turn.user("The arrivals list is in the wrong order since yesterday. Find out why, fix it, and write me a short report.", [
    { name: "arrivals-2026-11-20.csv", path: "/tmp/a.csv", mediaType: "text/csv", size: 48_213, delivery: "inline" },
    { name: "screenshot.png", path: "/tmp/s.png", mediaType: "image/png", size: 312_000, delivery: "image" },
  ]);
  turn.put({ type: "reasoning", text: "**Looking at the sort**\n\nThe list is sorted in place by `time`; a missing time becomes `NaN` and the order is then undefined. I should check who calls it." }, "completed", 4200);
  turn.put({
    type: "plan", explanation: "The cause is known now.",
    steps: [
      { step: "Find where arrivals are sorted", status: "completed" },
      { step: "Fix the comparison and add a test", status: "in_progress" },
      { step: "Write the report", status: "pending" },
    ],
  });
  turn.command("rg -n 'sort\\(' src", ["src/arrivals.ts:14:  return list.sort((a, b) => a.time - b.time);", "src/berths.ts:88:  names.sort();"], { tookMs: 140 });
  turn.command("npm test -- --run arrivals", testLines(60), { exitCode: 1, tookMs: 12_400 });
  turn.files([change(`${HARBOUR}/src/arrivals.ts`), change(`${HARBOUR}/src/arrivals.test.ts`, "@@ -1,2 +1,5 @@\n import { arrivals } from './arrivals';\n+\n+test('a ship without a time comes last', () => {});\n+\n export {};\n")]);
  turn.command("npm test", testLines(10_000), { tookMs: 31_000 });
  turn.command("curl -sS https://registry.example.org/ships", ["curl: (6) Could not resolve host: registry.example.org"], { exitCode: 6, denied: true });
  turn.put({ type: "imageView", path: `${HARBOUR}/docs/quay-plan.png` });
  turn.put({ type: "toolCall", tool: "lookup_berth", arguments: '{"ship":"Aurora","length":182}', output: '{"berth":"N4","free":true}' });
  turn.put({ type: "toolCall", tool: "lookup_berth", arguments: '{"ship":"', output: "arguments are not valid JSON" }, "failed");
  turn.artifact(artifact(HARBOUR, "arrivals-report.md", "text/markdown", 3_482));
  turn.artifact(artifact(HARBOUR, "arrivals-by-hour-of-the-day-with-and-without-ships-that-have-no-time-2026-11.csv", "text/csv", 48_900, 2));
  turn.say(ANSWER);
  turn.tokens(46_200);
  turn.complete();

  const second = new TurnWriter(thread);
  second.user("Publish it.");
  second.put({ type: "command", command: "git push origin main", cwd: HARBOUR, tail: "", escalated: true, sandboxDenied: false }, "declined");
  second.say("You declined the push, so nothing was published. The commit is ready in your local `main`.");
  second.complete();

  const third = new TurnWriter(thread);
  third.user("Ask the large model to double-check.");
  third.fail({
    code: "rateLimited", message: "Acme AI is limiting requests. Nothing was lost; the turn stopped before the model answered.",
    hint: "Wait a minute and send the prompt again, or choose another model.",
    details: '429 Too Many Requests\n{"error":{"message":"Rate limit reached for spark-large","type":"requests"}}',
  });
}

function chinese(thread: MockThread): void {
  const turn = new TurnWriter(thread);
  turn.user("把这三个部门的预算表合并成一份，按季度汇总，另外写一页说明。", [
    { name: "市场部_2026年度预算(最终版)_已审核_请勿修改.xlsx", path: "/tmp/a.xlsx", mediaType: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", size: 88_213, delivery: "path" },
  ]);
  turn.put({ type: "reasoning", text: "三份表格的列名不同：一份用“第一季度”，另外两份用“Q1”。先统一列名，再合并。" }, "completed", 2100);
  turn.command("python3 合并预算.py --按季度", ["读取 市场部 … 128 行", "读取 研发部 … 342 行", "读取 行政部 … 77 行", "写入 汇总.csv"], { tookMs: 2300 });
  turn.artifact(artifact(BUDGET, "汇总.csv", "text/csv", 18_204));
  turn.say("合并完成，共 **547** 行。\n\n- 研发部第三季度的“设备”一项没有金额，我按 0 处理并在说明里标出；\n- 汇总表在 `汇总.csv`,说明在 `说明.md`。\n\n需要我再做一张图吗？");
  turn.tokens(12_400);
  turn.complete();
}

function waiting(thread: MockThread): void {
  const turn = new TurnWriter(thread);
  turn.user("Install the missing package and clean the build folder.");
  const item = turn.start({
    type: "command", command: "npm install --save-exact @harbour/tides@4.2.1 && rm -rf build/cache", cwd: HARBOUR, tail: "", escalated: true, sandboxDenied: false,
  });
  thread.append({
    type: "approvalRequested",
    approval: {
      id: newId("approval"), turnId: turn.id, itemId: item.id, callId: item.id, atMs: thread.now(),
      ask: { type: "command", command: "npm install --save-exact @harbour/tides@4.2.1 && rm -rf build/cache", cwd: HARBOUR, escalated: true },
      reason: "The build needs @harbour/tides, which is not installed, and downloading it needs the network.",
      risks: ["network", "unsandboxed", "deletes"],
      proposedRule: { subject: { type: "commandPrefix", prefix: ["npm", "install"], escalated: true }, effect: "allow", folder: HARBOUR },
    },
  });
}

function waitingPatch(thread: MockThread): void {
  const turn = new TurnWriter(thread);
  turn.user("Add the new host to my shell profile.");
  const changes = [change(`${HOME}/.profile`, "@@ -3,2 +3,3 @@\n export LANG=en_GB.UTF-8\n+export HARBOUR_HOST=quay.example.org\n export EDITOR=vi\n")];
  const item = turn.start({ type: "fileChange", changes });
  thread.append({
    type: "approvalRequested",
    approval: { id: newId("approval"), turnId: turn.id, itemId: item.id, callId: item.id, atMs: thread.now(), ask: { type: "patch", changes }, risks: ["writesOutside"] },
  });
}

function long(thread: MockThread): void {
  for (let i = 0; i < 400; i += 1) {
    const turn = new TurnWriter(thread);
    turn.user(`Question ${String(i + 1)}: what does step ${String(i + 1)} of the tide calculation do?`);
    for (let n = 0; n < 8; n += 1) turn.command(`sed -n ${String(n * 20)},${String(n * 20 + 20)}p src/tide.ts`, testLines(20), { tookMs: 30 });
    turn.say(`Step ${String(i + 1)} shifts the curve by the harbour's constant.\n\n\`\`\`ts\nconst shifted = curve.map((it) => it + ${String(i)});\n\`\`\`\n\nIt runs once per day.`);
    turn.complete();
  }
}

export interface Scene {
  threads: MockThread[];
}

export function scene(name: string, onChange: (summary: ThreadSummary) => void): MockThread[] {
  const make = (title: string, cwd: string, ageMs: number, write: (thread: MockThread) => void, part: Partial<ThreadSummary> = {}) => {
    let at = Date.now() - ageMs;
    const thread = new MockThread({ ...summary(title, cwd, ageMs), ...part }, () => (at += 37), onChange);
    write(thread);
    thread.summary = { ...thread.summary, ...part };
    thread.now = () => Date.now();
    return thread;
  };
  const first = (which: string, ageMs: number) => (name === which ? 0 : ageMs);
  const minute = 60_000;
  const empty = () => undefined;
  if (name === "welcome" || name === "empty") return [];
  const threads = [
    make("Fix the order of arrivals", HARBOUR, first("all", 3 * minute), everything),
    make("", HARBOUR, first("approval", 9 * minute), waiting),
    make("", HARBOUR, first("patch", 14 * minute), waitingPatch),
    make("合并三个部门的年度预算并写说明", BUDGET, first("chinese", 60 * minute), chinese),
    make("A title that somebody made very long indeed because the first prompt was a whole paragraph of instructions about ships", HARBOUR, 26 * 60 * minute, empty),
    make("Plan the summer timetable", HARBOUR, 50 * 60 * minute, empty, { pinned: true }),
    make("Weekly notes", `${HOME}/notes`, 80 * 60 * minute, empty),
  ];
  if (name === "artifacts") threads.push(make("One file of every kind", HARBOUR, 0, artifacts));
  if (name === "many") {
    for (let i = 0; i < 1000; i += 1) threads.push(make(`Question ${String(i + 1)} about berths`, `${HOME}/code/project-${String(i % 40)}`, minute * i, empty, { archived: i % 50 === 0 }));
  }
  if (name === "long") threads.push(make("Four hundred questions about tides", HARBOUR, 0, long));
  return threads;
}
