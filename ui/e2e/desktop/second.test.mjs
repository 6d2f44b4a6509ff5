// A second start of the program, while one runs.
import assert from "node:assert/strict";
import { test } from "node:test";

import { App, temporary, until } from "./app.mjs";
import { open } from "./world.mjs";

const steps = [{ text: "Here I am.", times: 0 }];

test("a second start brings the window forward with a new thread in its folder", async (t) => {
  const { app } = await open(t, { steps });
  const other = await temporary(t, "other");
  await app.startThread();
  await app.prompt("first");
  await app.sees("message-agent", "Here I am.");
  await app.gone("stop-button");
  await app.minimise();
  assert.equal(await app.startAgain(other), 0);
  await app.inFront();
  await until("the thread of before to make room", async () => (await app.all("message-user")).length === 0);
  await app.prompt("second");
  await app.sees("message-user", "second");
  await app.sees("message-agent", "Here I am.");
  const threads = await app.ask("thread/list");
  assert.equal(threads.length, 2);
  assert.ok(threads.some((it) => it.title === "second" && it.cwd === other), JSON.stringify(threads));
  await app.picture("second");
});

test("a home of its own is a window of its own", async (t) => {
  const { app, home } = await open(t, { steps });
  const elsewhere = await temporary(t, "elsewhere");
  const other = await App.start(t, { home: elsewhere });
  assert.notEqual(await other.pid(), await app.pid());
  assert.equal((await other.ask("host/info")).home, elsewhere);
  assert.equal((await app.ask("host/info")).home, home);
});
