// The figures of the desktop program in a real window, as one line of JSON. `cargo xtask bench` starts it and judges nothing.
import { execFile } from "node:child_process";
import { promisify } from "node:util";

import { binary, until } from "./app.mjs";
import { cpuSeconds, peakMebibytes } from "./processes.mjs";
import { writeThread } from "./rollout.mjs";
import { open } from "./world.mjs";

const run = promisify(execFile);

/** After which the page has tidied up what opening a thread left. */
const SETTLE_MS = 15_000;
const IDLE_MS = 12_000;
const ROUNDS = 5;
const ITEMS = { small: 100, large: 10_000 };
const DELTAS_A_SECOND = 200;
/** Of a delta. */
const LETTERS = 4;
const STREAM_SECONDS = 25;
const KEYS = 150;
/** No multiple of a frame, so that keys fall anywhere between two. */
const KEY_EVERY_MS = 71;

const pause = (ms) => new Promise((done) => setTimeout(done, ms));
const lastWord = (name) => `These were the last words of the ${name} thread.`;

/** What the harness needs of a test: a name, and to end what was started. */
async function scene(name, play) {
  const ends = [];
  const test = { name: `bench ${name}`, after: (end) => ends.unshift(end) };
  try {
    return await play(test);
  } finally {
    // The program first, then the folders it writes to.
    for (const end of ends) await end();
  }
}

/** Per cent of one core that an open window with a finished thread takes while nobody does anything. */
async function idle() {
  return scene("idle", async (test) => {
    const { app } = await open(test, { steps: [], furnish: (world) => furnish(world, { small: ITEMS.small }) });
    await drawThread(app, "small");
    const pid = await app.pid();
    await pause(SETTLE_MS);
    const [before, start] = [await cpuSeconds(pid), performance.now()];
    await pause(IDLE_MS);
    return ((await cpuSeconds(pid)) - before) / ((performance.now() - start) / 1000) * 100;
  });
}

/** How long a thread takes from the click to its last message on the screen, and what program and page hold at the most. */
async function opening() {
  const taken = { small: [], large: [] };
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const name of Object.keys(taken)) {
      await scene(`open ${name}`, async (test) => {
        const { app } = await open(test, { steps: [], furnish: (world) => furnish(world, { first: 10, ...ITEMS }) });
        // What every thread needs, such as the code that draws it, is there when the one that counts is opened.
        await drawThread(app, "first");
        const pid = await app.pid();
        const ms = await drawThread(app, name);
        taken[name].push({ ms, mebibytes: await peakMebibytes(pid) });
      });
    }
  }
  const middle = (runs) => ({ ms: quantile(runs.map((it) => it.ms), 0.5), mebibytes: quantile(runs.map((it) => it.mebibytes), 0.5) });
  return { small: middle(taken.small), large: middle(taken.large) };
}

/** Writes threads with so many items, and lets the index take them in. */
async function furnish({ home, folder }, threads) {
  for (const [name, items] of Object.entries(threads)) {
    await writeThread(home, { title: `The ${name} thread`, cwd: folder, items, last: lastWord(name) });
  }
  await run(binary("zspark"), ["threads"], { env: { ...process.env, ZSPARK_HOME: home } });
}

/** Opens a thread and gives the milliseconds from the click until a frame with its last message was painted. */
async function drawThread(app, name) {
  await app.sees("thread-row", `The ${name} thread`);
  return app.pageWaits(
    (title, last) =>
      new Promise((done) => {
        const rows = Array.from(document.querySelectorAll('[data-testid="thread-row"]'));
        const start = performance.now();
        rows.find((it) => it.textContent.includes(title)).click();
        const look = () => {
          const message = Array.from(document.querySelectorAll('[data-testid="message-agent"]')).at(-1);
          const box = message?.textContent.includes(last) ? message.getBoundingClientRect() : undefined;
          const inView = box !== undefined && box.height > 0 && box.top >= 0 && box.bottom <= innerHeight;
          // Tasks posted from a frame's callback run after the frame.
          requestAnimationFrame(inView ? () => setTimeout(() => done(performance.now() - start)) : look);
        };
        look();
      }),
    `The ${name} thread`,
    lastWord(name),
  );
}

/** Milliseconds from a key to the next frame, while an answer streams in. */
async function typing() {
  return scene("typing", async (test) => {
    const text = Array.from({ length: 200 }, (_, i) => paragraph(i)).join("\n").slice(0, DELTAS_A_SECOND * STREAM_SECONDS * LETTERS);
    const { app } = await open(test, { steps: [{ when: { user: "a long story" }, text, pace: DELTAS_A_SECOND, delta_chars: LETTERS }] });
    const quiet = await type(app);
    await app.fill("composer-input", "");
    await app.prompt("a long story");
    await app.sees("message-agent", "There was");
    const [chapters, start] = [await chaptersSeen(app), performance.now()];
    const streaming = await type(app);
    const deltas = (((await chaptersSeen(app)) - chapters) * paragraph(10).length) / LETTERS / ((performance.now() - start) / 1000);
    // The display's clock and the page's begin apart: the key that waited the least did not wait.
    const least = Math.min(...[...quiet, ...streaming].map((it) => it.waited));
    const figures = (keys) => {
      const took = keys.map((it) => it.waited - least + it.drawn);
      return { median: quantile(took, 0.5), worstOfTwenty: quantile(took, 0.95) };
    };
    return { quiet: figures(quiet), streaming: figures(streaming), deltas };
  });
}

const paragraph = (i) => `
## Chapter ${i}

There was a **long** road with \`${i}\` stones, and whoever went along it counted them; *nobody* came to the same number.

- one who counted by heart
- one who counted aloud

\`\`\`rust
fn stones(road: &Road) -> usize {
    road.stones().count() + ${i}
}
\`\`\`
`;

const chaptersSeen = (app) =>
  app.page(() => Array.from(document.querySelectorAll('[data-testid="message-agent"]')).at(-1).textContent.split("There was").length);

/** Types as a person does, through the display, and tells of each key how long it waited and how long until it was drawn. */
async function type(app) {
  await app.click("composer-input");
  await app.page(() => {
    globalThis.keys = [];
    globalThis.onkeydown = (event) => {
      const handled = performance.now();
      const waited = handled - event.timeStamp;
      requestAnimationFrame(() => setTimeout(() => globalThis.keys.push({ waited, drawn: performance.now() - handled })));
    };
  });
  await run("xdotool", ["type", "--delay", String(KEY_EVERY_MS), "stone ".repeat(KEYS / 6)]);
  const keys = await until("all keys to be drawn", async () => {
    const drawn = await app.page(() => globalThis.keys);
    return drawn.length >= KEYS && drawn;
  });
  await app.page(() => {
    globalThis.onkeydown = null;
  });
  return keys;
}

function quantile(values, part) {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length * part)];
}

const scenes = { idle, opening, typing };
const chosen = process.argv.slice(2);
const figures = {};
for (const [name, measure] of Object.entries(scenes)) {
  if (chosen.length === 0 || chosen.includes(name)) figures[name] = await measure();
}
console.log(JSON.stringify(figures));
process.exit(0);
