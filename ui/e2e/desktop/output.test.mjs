// A command that prints a million lines: its end is on the screen as it comes, all of it can be reached, and the page pays for none of it.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";

import { temporary, until } from "./app.mjs";
import { pageMebibytes } from "./processes.mjs";
import { command, open, turn } from "./world.mjs";

const run = promisify(execFile);

const FEW = 10_000;
const MANY = 1_000_000;
/** Of what the page holds at the most with few lines. */
const MOST_MEMORY = 1.5;
/** Until a key typed into a page that is busy with output is drawn. */
const SLOWEST_KEY_MS = 500;
const TYPED = "and then tell me which of them are prime";
const END = "\uE010";
const HOME = "\uE011";

test("a million lines are shown as they come and kept to the last, for the memory of ten thousand", async (t) => {
  const few = await memoryWith(t, FEW);
  const many = await memoryWith(t, MANY);
  t.diagnostic(`the page's most memory: ${few.toFixed(0)} MiB with ${FEW} lines, ${many.toFixed(0)} MiB with ${MANY}`);
  assert.ok(many <= few * MOST_MEMORY, `${many} MiB with ${MANY} lines, ${few} MiB with ${FEW}`);
});

/** Looks at a command while it prints so many lines and after, and gives the MiB that the page held at the most. */
async function memoryWith(t, lines) {
  const half = lines / 2;
  // The command waits twice for the other end of a pipe, so that its output can be looked at while it runs. Two pipes: who
  // opens one for writing may close it only after the command has come to the next reading.
  // They are outside of the folder: a pipe there could not be put back by an undo, and the card would say so.
  const folder = await temporary(t, "gate");
  const [middle, end] = [path.join(folder, "middle"), path.join(folder, "end")];
  await run("mkfifo", [middle, end]);
  const cmd = `seq ${half}; read -r _ < ${middle}; seq ${half + 1} ${lines}; read -r _ < ${end}`;
  const { app } = await open(t, {
    approval: "on-request",
    steps: turn("count", [command(cmd, { yield_time_ms: 30_000 })], "Counted."),
  });
  const letOn = (gate) => writeFile(gate, "\n");
  await app.startThread();
  await app.prompt("count");
  await app.sees("tool-output", String(half));

  await app.click("composer-input");
  await app.page(watchKeys);
  const [slowest] = await Promise.all([typeAndWatch(app), letOn(middle)]);
  assert.ok(slowest < SLOWEST_KEY_MS, `a key took ${slowest} ms while the output streamed`);
  await app.sees("tool-output", String(lines));
  await app.find("stop-button");
  await app.picture(`${lines}-live`);

  await letOn(end);
  await app.sees("message-agent", "Counted.");
  await app.gone("stop-button");
  assert.equal(await app.page(() => document.querySelector('[data-testid="composer-input"]').value), TYPED);
  assert.deepEqual(await app.texts("error-card"), []);
  await app.openDetails("tool-card", "tool-output");
  await app.click("output-open");
  await reaches(app, HOME, "1");
  await reaches(app, END, String(lines));
  await app.picture(`${lines}-end`);
  await reaches(app, HOME, "1");
  const most = await pageMebibytes(await app.pid());
  await app.quit();
  return most;
}

function watchKeys() {
  globalThis.keys = [];
  globalThis.addEventListener("keydown", () => {
    const handled = performance.now();
    requestAnimationFrame(() => setTimeout(() => globalThis.keys.push(performance.now() - handled)));
  });
}

/** Types through the display, as a person does, and gives the milliseconds of the slowest key. */
async function typeAndWatch(app) {
  await run("xdotool", ["type", "--delay", "23", TYPED]);
  const keys = await until("all keys to be drawn", async () => {
    const drawn = await app.page(() => globalThis.keys);
    return drawn.length >= TYPED.length && drawn;
  });
  return Math.max(...keys);
}

/** Goes by a key to where the whole output shows this line. */
async function reaches(app, key, line) {
  await until("the whole output to take the keyboard", () =>
    app.page(() => {
      const box = document.querySelector('[role="dialog"] [role="region"]');
      box?.focus();
      return box !== null && document.activeElement === box;
    }),
  );
  await app.press(key);
  await until(`line ${line} of the whole output`, () =>
    app.page((wanted) => {
      const box = document.querySelector('[role="dialog"] [role="region"]');
      const bottom = box.getBoundingClientRect().bottom;
      return Array.from(box.querySelectorAll("pre > div")).some(
        (it) => it.lastElementChild.textContent === wanted && it.getBoundingClientRect().top < bottom,
      );
    }, line),
  );
}
