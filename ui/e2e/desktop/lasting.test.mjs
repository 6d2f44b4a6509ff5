// What was done stays: found by search, after a reload, after a restart, after a power cut.
import assert from "node:assert/strict";
import { test } from "node:test";

import { differingPixels, until } from "./app.mjs";
import { pageProcess } from "./processes.mjs";
import { readThreads } from "./rollout.mjs";
import { command, open, turn } from "./world.mjs";

const steps = [
  ...turn("list the files", [command("ls")], "There is a file called notes."),
  { when: { user: "hold on" }, text: "Half of the answer", hold: "middle", then: " and its end." },
  { when: { user: "go on" }, text: "Going on." },
];

/** Pixels of a transcript with one line asked and one answered; below that a turn's seconds are counted. */
const MESSAGES = 75;

async function listTheFiles(app) {
  await app.startThread();
  await app.prompt("list the files");
  await app.sees("message-agent", "There is a file called notes.");
  await app.gone("stop-button");
}

async function seesAll(app) {
  await app.sees("message-user", "list the files");
  await app.sees("message-agent", "There is a file called notes.");
  await app.sees("tool-card", "ls");
}

test("search finds what the agent said", async (t) => {
  const { app } = await open(t, { steps });
  await listTheFiles(app);
  await app.click("new-thread");
  await app.search("called notes");
  await app.sees("search-hit", "notes");
  await app.picture("found");
  await app.click("search-hit");
  await seesAll(app);
});

test("a reload of the page loses nothing, not even in mid-stream", async (t) => {
  const { app, model } = await open(t, { steps });
  await listTheFiles(app);
  await app.prompt("hold on");
  await app.sees("message-agent", "Half of the answer");
  await app.reload();
  await app.openThread("list the files");
  await seesAll(app);
  await app.sees("message-agent", "Half of the answer");
  await model.release("middle");
  await app.sees("message-agent", "Half of the answer and its end.");
});

test("after a restart all is there", async (t) => {
  const { app } = await open(t, { steps });
  await listTheFiles(app);
  await app.quit();
  await app.launch();
  await app.openThread("list the files");
  await seesAll(app);
  await app.picture("restarted");
  await app.prompt("go on");
  await app.sees("message-agent", "Going on.");
});

test("after a power cut in mid-turn nothing durable is lost and the thread goes on", async (t) => {
  const { app } = await open(t, { steps });
  await listTheFiles(app);
  await app.prompt("hold on");
  await app.sees("message-agent", "Half of the answer");
  await app.kill();
  await app.launch();
  await app.openThread("list the files");
  await seesAll(app);
  await app.sees("message-user", "hold on");
  await until("the turn to be over", async () => {
    const [thread] = await app.ask("thread/list");
    return thread.status === "idle";
  });
  await app.picture("after-the-cut");
  await app.prompt("go on");
  await app.sees("message-agent", "Going on.");
  const [thread] = await app.ask("thread/list");
  const turns = await app.ask("thread/outline", { threadId: thread.id });
  assert.deepEqual(
    turns.map((it) => it.status.type),
    ["completed", "interrupted", "completed"],
  );
});

test("a page whose process dies in mid-turn comes back whole, and the turn ends once", async (t) => {
  const { app, home, model } = await open(t, { steps });
  // A driver loses a page that dies, so only the display is looked at until the end.
  await app.quit();
  await app.launchAlone();
  await until("the prompt to reach the model", async () => {
    // Keys come too early for a page that is not drawn yet; then they are lost, and the field is empty.
    await app.keys("", "ctrl+a", "BackSpace");
    await app.keys("hold on", "Return");
    return until("a request", async () => (await model.requests()).length > 0, 10_000).catch(() => false);
  });
  const pid = await app.pid();
  const page = await pageProcess(pid);
  const before = await settled(app, "before", MESSAGES);
  process.kill(page, "SIGKILL");
  await until("a new process for the page", async () => {
    const now = await pageProcess(pid);
    return now !== undefined && now !== page;
  });
  await until("the transcript to be drawn as before", async () => (await differingPixels(before, await app.transcript("again", MESSAGES))) === 0);

  await model.release("middle");
  const [rollout] = await until("the turn to end", async () => {
    const threads = await readThreads(home);
    return threads[0]?.some((it) => it.type === "turnCompleted") && threads;
  });
  const counted = (type) => rollout.filter((it) => it.type === type).length;
  assert.equal(counted("turnStarted"), 1);
  assert.equal(counted("turnCompleted"), 1);
  const completed = rollout.filter((it) => it.type === "itemCompleted").map((it) => it.item);
  assert.deepEqual(completed.map((it) => it.text), ["hold on", "Half of the answer and its end."]);
  assert.equal((await model.requests()).length, 1);

  const ended = await settled(app, "ended", MESSAGES);
  assert.notEqual(await differingPixels(before, ended), 0, "the end of the answer is not drawn");
  const after = await settled(app, "after");
  await app.kill();
  await app.launch();
  await app.openThread("hold on");
  await app.sees("message-agent", "Half of the answer and its end.");
  assert.deepEqual(await app.texts("message-user"), ["hold on"]);
  await until("the same transcript as in a fresh window", async () => (await differingPixels(after, await app.transcript("fresh"))) === 0);
});

/** The transcript once a few looks at it in a row saw the same. */
async function settled(app, name, height) {
  let last = await app.transcript(`${name}-0`, height);
  let [looks, same] = [0, 0];
  return until("the transcript to be at rest", async () => {
    looks = 1 - looks;
    const now = await app.transcript(`${name}-${looks}`, height);
    same = (await differingPixels(last, now)) === 0 ? same + 1 : 0;
    last = now;
    return same >= 5 && now;
  });
}
