// Files go in by being dropped, and come out as artifacts whose previews reach nothing.
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";

import { until } from "./app.mjs";
import { open, patch, turn } from "./world.mjs";

test("a file dragged from another program becomes an attachment that the model reads", async (t) => {
  const { app, folder, model } = await open(t, { steps: [{ text: "I have read it.", times: 0 }] });
  const file = path.join(folder, "dropped report.txt");
  await writeFile(file, "the secret word is heliotrope\n");
  await app.startThread();
  await app.dropFiles([file]);
  await app.sees("attachment-chip", "dropped report.txt");
  await app.picture("chip");
  await app.prompt("read this");
  await app.sees("message-agent", "I have read it.");
  const [first] = await model.requests();
  assert.match(JSON.stringify(first.body), /heliotrope/);
});

test("a page that the agent made is shown where it can reach nothing", async (t) => {
  // The page reports what it could do by its own text, because nobody outside can look into it.
  const script = `
    const tries = {
      engine: () => window.__TAURI_INTERNALS__.invoke("request", { request: { method: "thread/list", params: {} } }),
      parent: () => parent.document.title,
      storage: () => localStorage.setItem("a", "b"),
      network: () => fetch("https://example.org/"),
      ipc: () => fetch("ipc://localhost/request", { method: "POST", body: "{}" }),
    };
    const run = async () => {
      const reached = [];
      for (const [name, attempt] of Object.entries(tries)) {
        try { await attempt(); reached.push(name); } catch {}
      }
      document.body.style.background = reached.length === 0 ? "rgb(0, 170, 0)" : "rgb(170, 0, 0)";
    };
    run();`;
  const page = ["<!doctype html>", "<title>x</title>", "<body>", "<script>", ...script.split("\n"), "</script>"];
  const { app } = await open(t, {
    approval: "on-request",
    steps: turn("make a page", [patch("*** Add File: page.html", ...page.map((it) => `+${it}`))], "There it is."),
  });
  await app.startThread();
  await app.prompt("make a page");
  await app.sees("artifact-card", "page.html");
  await app.openArtifact("page.html");
  await app.find("artifact-pane");
  const frame = await app.find("preview-html");
  await until("the page's verdict", async () => {
    const colour = await app.colourInside(frame);
    assert.notEqual(colour, "#AA0000", "the previewed page reached something");
    return colour === "#00AA00";
  });
  await app.picture("preview");
});
