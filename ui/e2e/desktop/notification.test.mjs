// Notifications: only while nobody looks, with no more than the title, and a click leads back.
import assert from "node:assert/strict";
import { test } from "node:test";

import { Notifications, startBus } from "./bus.mjs";
import { command, open, turn } from "./world.mjs";

const SECRET = "the answer that nobody else may read";

const steps = [
  ...turn("look at the tide", [command("touch risen # with --token=hunter2")], SECRET),
  { when: { user: "wait for the moon" }, text: "It is", hold: "moon", then: " up." },
  { when: { user: "something else" }, text: "Something else was done." },
];

async function openWithNotifications(t) {
  const bus = await startBus(t);
  const notifications = await Notifications.on(t, bus);
  return { ...(await open(t, { steps, env: bus })), notifications };
}

test("a turn that asks or ends behind the window is told, and a click leads to its thread", async (t) => {
  const { app, model, notifications } = await openWithNotifications(t);
  await app.startThread();
  await app.prompt("wait for the moon");
  await app.sees("message-agent", "It is");
  await app.click("new-thread");
  await app.prompt("something else");
  await app.sees("message-agent", "Something else was done.");
  await app.gone("stop-button");
  // The window was in front all the time.
  assert.deepEqual(notifications.shown, []);

  await app.minimise();
  await model.release("moon");
  const ended = await notifications.find("Has ended");
  assert.equal(ended.title, "wait for the moon");
  notifications.click(ended);
  await app.inFront();
  await app.sees("message-agent", "It is up.");
  await app.sees("message-user", "wait for the moon");
  assert.equal(notifications.shown.length, 1);
  await app.picture("clicked");
});

test("a notification holds neither the answer nor what a command may carry", async (t) => {
  const { app, notifications } = await openWithNotifications(t);
  await app.startThread();
  await app.type("composer-input", "look at the tide");
  await app.minimise();
  // Somebody who looks away cannot click, so the engine is asked as the button would.
  await app.page(() => document.querySelector('[data-testid="send-button"]').click());
  const asks = await notifications.find("Needs your answer");
  notifications.click(asks);
  await app.inFront();
  await app.find("approval-card");
  await app.minimise();
  await app.page(() => document.querySelector('[data-testid="approval-accept"]').click());
  await notifications.find("Has ended");
  for (const { all } of notifications.shown) {
    assert.doesNotMatch(all, /hunter2/);
    assert.ok(!all.includes(SECRET), all);
  }
});
