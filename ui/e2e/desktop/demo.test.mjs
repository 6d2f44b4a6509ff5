// The first minute: nothing is configured, and the demo model does its task on the person's own folder.
import assert from "node:assert/strict";
import { readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";

import { App, temporary } from "./app.mjs";
import { open } from "./world.mjs";

test("the first start offers the demo, which asks, writes a file and shows it", async (t) => {
  const { app, folder } = await open(t, { steps: [], configured: false });
  await app.picture("welcome");
  await app.click("welcome-demo");
  await app.click("example-prompt");
  await app.click("send-button");
  await app.sees("approval-card", "date");
  await app.sees("plan-view", "Ask for an approval");
  await app.picture("asks");
  await app.click("approval-accept");
  await app.sees("artifact-card", "zspark-demo-report.md");
  await app.openArtifact("zspark-demo-report.md");
  await app.sees("artifact-pane", "txt");
  await app.picture("done");
  const report = await readFile(path.join(folder, "zspark-demo-report.md"), "utf8");
  assert.match(report, /txt/);
  const sheet = await readFile(path.join(folder, "zspark-demo-files.csv"), "utf8");
  assert.match(sheet, /notes\.txt/);
});

test("a home that cannot be used is said in the window, with another try", async (t) => {
  const home = path.join(await temporary(t, "home"), "not-a-folder");
  await writeFile(home, "");
  const app = await App.start(t, { home, env: {} });
  await app.sees("error-card", home);
  await app.picture("not-started");
  await rm(home);
  await app.reload();
  await app.find("welcome-demo");
});
