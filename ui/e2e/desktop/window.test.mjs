// The window itself: that it opens, and what its page can and cannot reach.
import assert from "node:assert/strict";
import { test } from "node:test";

import { App, temporary } from "./app.mjs";

test("the window opens on its page and answers it", async (t) => {
  const home = await temporary(t, "home");
  const folder = await temporary(t, "work");
  const app = await App.start(t, { home, folder });
  const info = await app.ask("host/info");
  assert.equal(info.platform, "linux");
  assert.equal(info.home, home);
  assert.equal(info.folder, folder);
  await assert.rejects(app.ask("host/openUrl", { url: "file:///etc/passwd" }), /does not open addresses/);
  await assert.rejects(app.ask("thread/explode"), /makes no sense/);
  await app.picture("open");
});

test("the page reaches the network only through the engine", async (t) => {
  const home = await temporary(t, "home");
  const app = await App.start(t, { home });
  const reached = await app.page(() => typeof globalThis.__TAURI__);
  assert.equal(reached, "undefined");
  const blocked = await app.page(async () => {
    const seen = [];
    document.addEventListener("securitypolicyviolation", (event) => seen.push(event.effectiveDirective));
    await fetch("https://example.org/").catch(() => undefined);
    const script = document.createElement("script");
    script.src = "https://example.org/x.js";
    document.head.append(script);
    await new Promise((done) => setTimeout(done, 200));
    return seen;
  });
  assert.deepEqual(blocked.toSorted(), ["connect-src", "script-src-elem"]);
});

test("plugins cannot be called from the page", async (t) => {
  const home = await temporary(t, "home");
  const app = await App.start(t, { home });
  const refused = await app.page(() =>
    Promise.all(
      ["plugin:dialog|open", "plugin:notification|notify", "plugin:window-state|filename", "plugin:event|emit"].map(
        (command) =>
          globalThis.__TAURI_INTERNALS__.invoke(command, {}).then(
            () => `${command} was answered`,
            (error) => String(error),
          ),
      ),
    ),
  );
  for (const answer of refused) assert.match(answer, /not allowed/);
});
