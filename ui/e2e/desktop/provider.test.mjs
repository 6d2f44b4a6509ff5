// A provider is connected in the settings, over either wire, and answers.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";

import { open } from "./world.mjs";

for (const wire of ["responses", "chat"]) {
  test(`a provider is connected over ${wire} and streams its answer`, async (t) => {
    const { app, home, model } = await open(t, {
      configured: false,
      steps: [
        { when: { user: "tell me" }, text: "The first half", hold: "middle", then: " and the second." },
        { text: "Hello.", times: 0 },
      ],
    });
    await app.openSettings("providers");
    await app.click("provider-add");
    await app.fill("provider-base-url", model.baseUrl);
    await app.fill("provider-api-key", "sk-very-secret");
    await app.select("provider-wire-api", wire);
    await app.fill("provider-model", "scripted");
    await app.fill("provider-name", "Scripted");
    await app.click("provider-test");
    await app.find("provider-ok");
    await app.picture("tested");
    await app.click("provider-save");
    await app.sees("provider-row", "Scripted");
    await app.click("settings-close");

    await app.startThread();
    await app.prompt("tell me");
    await app.sees("message-agent", "The first half");
    assert.doesNotMatch((await app.texts("message-agent")).join(), /second/);
    await app.picture("streaming");
    await model.release("middle");
    await app.sees("message-agent", "The first half and the second.");
    await app.gone("stop-button");

    const config = await readFile(path.join(home, "config.toml"), "utf8");
    assert.match(config, new RegExp(`wire_api = "${wire}"`));
    assert.doesNotMatch(config, /sk-very-secret/);
  });
}

test("a wrong address is explained before it is saved", async (t) => {
  const { app } = await open(t, { configured: false, steps: [] });
  await app.openSettings("providers");
  await app.click("provider-add");
  await app.fill("provider-base-url", "http://127.0.0.1:9/v1");
  await app.fill("provider-api-key", "sk-x");
  await app.fill("provider-model", "scripted");
  await app.click("provider-test");
  await app.find("error-card");
  await app.picture("unreachable");
});
