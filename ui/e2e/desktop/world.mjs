// What a scenario begins with: a home, a folder with a file, a scripted model, and the window on it.
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";

import { App, temporary } from "./app.mjs";
import { startModel } from "./model.mjs";

/** Steps for one turn: what the model does when the person says `user`, and what it says when that is done. */
export function turn(user, calls, text) {
  return [
    { when: { user, tool_output: false }, calls },
    { when: { user, tool_output: true }, text },
  ];
}

/** A command as the model asks for it. */
export const command = (cmd, more = {}) => ({ name: "exec_command", arguments: { cmd, ...more } });

/** A patch as the model sends it. */
export const patch = (...lines) => ({
  name: "apply_patch",
  input: ["*** Begin Patch", ...lines, "*** End Patch", ""].join("\n"),
});

/**
 * Opens the window on a folder, with the scripted model configured in `config.toml`. `options`: `steps` of the script,
 * `wire`, `approval`, `configured: false` for a home without any provider, `furnish` to put more into home before, `env` for more of
 * its environment.
 */
export async function open(test, { steps, wire = "responses", approval = "untrusted", configured = true, furnish, env }) {
  const home = await temporary(test, "home");
  const folder = await temporary(test, "work");
  const model = await startModel(test, await temporary(test, "model"), { steps });
  await writeFile(path.join(folder, "notes.txt"), "one\ntwo\nthree\n");
  await mkdir(home, { recursive: true });
  if (configured) {
    const config = `model = "scripted"
model_provider = "scripted"
approval_policy = "${approval}"
sandbox_mode = "workspace-write"

[model_providers.scripted]
name = "Scripted"
base_url = "${model.baseUrl}"
wire_api = "${wire}"
env_key = "ZSPARK_E2E_KEY"
`;
    await writeFile(path.join(home, "config.toml"), config);
  }
  await furnish?.({ home, folder });
  const app = await App.start(test, { home, folder, env: { ZSPARK_E2E_KEY: "sk-scripted", ...env } });
  return { app, home, folder, model };
}
