// What was done stays: found by search, after a reload, after a restart, after a power cut.
import assert from "node:assert/strict";
import { test } from "node:test";

import { until } from "./app.mjs";
import { command, open, turn } from "./world.mjs";

const steps = [
  ...turn("list the files", [command("ls")], "There is a file called notes."),
  { when: { user: "hold on" }, text: "Half of the answer", hold: "middle", then: " and its end." },
  { when: { user: "go on" }, text: "Going on." },
];

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
