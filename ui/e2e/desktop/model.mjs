// The scripted model server of `crates/testkit`, as a process of its own.
import { spawn } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { createInterface } from "node:readline";

import { binary } from "./app.mjs";

/** Starts it on a free port; it ends after the test. */
export async function startModel(test, folder, script) {
  await mkdir(folder, { recursive: true });
  const file = path.join(folder, "script.json");
  await writeFile(file, JSON.stringify({ models: ["scripted"], ...script }));
  const server = spawn(binary("scripted-model"), ["--until-stdin-ends", "--script", file], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  test.after(() => server.stdin.end());
  for await (const line of createInterface({ input: server.stdout })) return new Model(line.trim());
  throw new Error("the scripted model server did not start");
}

export class Model {
  /** @param {string} baseUrl as a provider's base URL */
  constructor(baseUrl) {
    this.baseUrl = baseUrl;
  }

  /** Lets an answer that holds at a gate go on. */
  async release(gate) {
    await fetch(new URL(`/__release/${gate}`, this.baseUrl), { method: "POST" });
  }

  /** Everything that asked for an answer, in order. */
  async requests() {
    const response = await fetch(new URL("/__requests", this.baseUrl));
    return (await response.json()).requests;
  }
}
