// Where a provider's key is kept: opened by the system's key store where one is unlocked, else by a file beside it.
import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";

import { KeyStore, startBus } from "./bus.mjs";
import { open } from "./world.mjs";

const KEY = "sk-very-secret";
const steps = [{ text: "Hello.", times: 0 }];

async function connect({ app, model }) {
  await app.openSettings("providers");
  await app.click("provider-add");
  await app.fill("provider-base-url", model.baseUrl);
  await app.fill("provider-api-key", KEY);
  await app.fill("provider-model", "scripted");
  await app.fill("provider-name", "Scripted");
  await app.click("provider-save");
  await app.sees("provider-row", "Scripted");
}

async function answers({ app, model }) {
  const before = (await model.requests()).length;
  await app.startThread();
  await app.prompt("hello");
  await app.sees("message-agent", "Hello.");
  const asked = (await model.requests()).slice(before);
  assert.ok(JSON.stringify(asked).includes(`Bearer ${KEY}`), JSON.stringify(asked));
}

/** The files below a folder that contain this text, by any name. */
async function holding(folder, text) {
  const found = [];
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const file = path.join(entry.parentPath ?? entry.path, entry.name);
    if (entry.isFile() && (await readFile(file)).includes(text)) found.push(path.relative(folder, file));
  }
  return found;
}

test("a key is opened by the system's key store and is in no file, also after a restart", async (t) => {
  const bus = await startBus(t);
  const store = await KeyStore.on(t, bus);
  await store.start("a password for a test");
  const world = await open(t, { configured: false, steps, env: bus });
  const { app, home } = world;
  await connect(world);
  await app.sees("provider-row", "keyring");
  await app.picture("kept");
  await app.click("settings-close");

  const opens = await store.lookup("service", "zspark", "username", home);
  assert.equal(Buffer.from(opens, "base64").length, 32);
  assert.deepEqual(await holding(home, opens), []);
  assert.deepEqual(await holding(home, KEY), []);
  await answers(world);

  await app.quit();
  await app.launch();
  await answers(world);
});

for (const [state, begin] of [
  ["locked", async (store) => {
    await store.start("a password for a test");
    await store.stop();
    await store.start();
  }],
  ["absent", async () => undefined],
]) {
  test(`with the key store ${state} a key is kept in the encrypted file, and the screen says so`, async (t) => {
    const bus = await startBus(t);
    const store = await KeyStore.on(t, bus);
    await begin(store);
    const world = await open(t, { configured: false, steps, env: bus });
    await connect(world);
    await world.app.sees("provider-row", "encrypted file");
    await world.app.picture("kept");
    assert.deepEqual(await holding(world.home, KEY), []);
    await world.app.click("settings-close");
    await answers(world);
    await world.app.quit();
    await world.app.launch();
    await answers(world);
  });
}
