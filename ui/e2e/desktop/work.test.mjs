// The agent works: commands are asked for, files change, changes are taken back.
import assert from "node:assert/strict";
import { access, readFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";

import { until } from "./app.mjs";
import { command, open, patch, turn } from "./world.mjs";

const exists = (file) =>
  access(file).then(
    () => true,
    () => false,
  );

test("a command runs only after a yes", async (t) => {
  const { app, folder } = await open(t, { steps: turn("make it", [command("touch made.txt && echo it is made")], "Made.") });
  await app.startThread();
  await app.prompt("make it");
  await app.sees("approval-card", "touch made.txt");
  await app.sees("approval-card", folder);
  assert.equal(await exists(path.join(folder, "made.txt")), false);
  await app.picture("asks");
  await app.click("approval-accept");
  await app.sees("message-agent", "Made.");
  await app.gone("approval-card");
  assert.equal(await exists(path.join(folder, "made.txt")), true);
  await app.sees("tool-card", "touch made.txt");
  await app.picture("done");
});

test("a declined command does not run, and the model is told", async (t) => {
  const { app, folder, model } = await open(t, { steps: turn("make it", [command("touch made.txt")], "Then not.") });
  await app.startThread();
  await app.prompt("make it");
  await app.click("approval-decline");
  await app.sees("message-agent", "Then not.");
  assert.equal(await exists(path.join(folder, "made.txt")), false);
  const outputs = (await model.requests()).flatMap((it) => it.body.input).filter((it) => it.type?.endsWith("_output"));
  assert.equal(outputs.length, 1);
});

test("an always is asked once and kept as a rule", async (t) => {
  const { app, folder } = await open(t, {
    steps: [
      ...turn("first", [command("mkdir -p made")], "First done."),
      ...turn("second", [command("mkdir -p made")], "Second done."),
    ],
  });
  await app.startThread();
  await app.prompt("first");
  await app.click("approval-always");
  await app.picture("rule");
  await app.click("approval-always-confirm");
  await app.sees("message-agent", "First done.");
  assert.equal(await exists(path.join(folder, "made")), true);
  await app.prompt("second");
  await app.sees("message-agent", "Second done.");
  assert.equal((await app.all("approval-card")).length, 0);
  const rules = await app.ask("rule/list");
  assert.equal(rules.length, 1);
});

test("a patch shows its diff, and undoing the turn takes it back", async (t) => {
  const { app, folder } = await open(t, {
    approval: "on-request",
    steps: turn(
      "change it",
      [patch("*** Update File: notes.txt", "@@", " one", "-two", "+TWO", " three", "*** Add File: new.txt", "+fresh")],
      "Changed.",
    ),
  });
  const notes = path.join(folder, "notes.txt");
  await app.startThread();
  await app.prompt("change it");
  await app.sees("message-agent", "Changed.");
  assert.equal(await readFile(notes, "utf8"), "one\nTWO\nthree\n");
  await app.openDetails("tool-card", "diff-view");
  await app.sees("diff-view", "TWO");
  await app.picture("diff");
  await app.click("undo-turn");
  await until("the file to be as before", async () => (await readFile(notes, "utf8")) === "one\ntwo\nthree\n");
  await until("the new file to be gone", async () => !(await exists(path.join(folder, "new.txt"))));
  await app.picture("undone");
});

test("stop ends an answer in mid-stream, and the thread goes on", async (t) => {
  const { app } = await open(t, {
    steps: [
      { when: { user: "long story" }, text: "Once upon a time", hold: "never", then: " the end" },
      { when: { user: "go on" }, text: "As you wish." },
    ],
  });
  await app.startThread();
  await app.prompt("long story");
  await app.sees("message-agent", "Once upon a time");
  await app.click("stop-button");
  await app.gone("stop-button");
  await app.sees("message-agent", "Once upon a time");
  await app.picture("stopped");
  await app.prompt("go on");
  await app.sees("message-agent", "As you wish.");
});
