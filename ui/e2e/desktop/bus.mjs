// Session buses of a scenario's own, and what a desktop puts on them: a key store, and who shows notifications.
import { execFile, spawn } from "node:child_process";
import { mkdir } from "node:fs/promises";
import path from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { binary, temporary, until } from "./app.mjs";

const run = promisify(execFile);
const config = fileURLToPath(new URL("bus.conf", import.meta.url));

/** Starts a program that ends with the test. */
function start(test, program, args, options) {
  const child = spawn(program, args, options);
  test.after(() => child.kill("SIGKILL"));
  return child;
}

/** A session bus with nothing on it; the answer is what the environment has to say of it. */
export async function startBus(test) {
  const bus = start(test, "dbus-daemon", [`--config-file=${config}`, "--nofork", "--print-address=1"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  for await (const line of createInterface({ input: bus.stdout })) return { DBUS_SESSION_BUS_ADDRESS: line.trim() };
  throw new Error("the bus did not start");
}

/** The system's key store, with everything it keeps in a folder of its own. */
export class KeyStore {
  #test;
  #env;
  #daemon;

  static async on(test, bus) {
    const store = new KeyStore();
    const home = await temporary(test, "keys");
    const runtime = path.join(home, "run");
    await mkdir(runtime, { mode: 0o700 });
    store.#test = test;
    store.#env = {
      ...process.env,
      ...bus,
      HOME: home,
      XDG_DATA_HOME: path.join(home, "data"),
      XDG_RUNTIME_DIR: runtime,
    };
    return store;
  }

  /** Starts it, unlocked by this password; locked without one. */
  async start(password) {
    const unlock = password === undefined ? [] : ["--unlock"];
    this.#daemon = start(this.#test, "gnome-keyring-daemon", ["--foreground", "--components=secrets", ...unlock], {
      stdio: ["pipe", "ignore", "ignore"],
      env: this.#env,
    });
    this.#daemon.stdin.end(password ?? "");
    await until("the key store to be on the bus", async () => {
      const { stdout } = await this.#ask("org.freedesktop.DBus", "/", "org.freedesktop.DBus.NameHasOwner", "string:org.freedesktop.secrets");
      return stdout.includes("true");
    });
  }

  async stop() {
    this.#daemon.kill("SIGKILL");
    await until("the key store to be gone", async () => {
      const { stdout } = await this.#ask("org.freedesktop.DBus", "/", "org.freedesktop.DBus.NameHasOwner", "string:org.freedesktop.secrets");
      return stdout.includes("false");
    });
  }

  /** What it keeps under these attributes; an empty text where there is nothing. */
  async lookup(...attributes) {
    const found = await run("secret-tool", ["lookup", ...attributes], { env: this.#env }).catch((error) => error);
    return found.stdout.trim();
  }

  async #ask(destination, object, method, ...args) {
    return run("dbus-send", ["--session", "--print-reply", `--dest=${destination}`, object, method, ...args], { env: this.#env });
  }
}

/** Who shows notifications: keeps them, and clicks on them. */
export class Notifications {
  #server;
  #shown = [];

  static async on(test, bus) {
    const notifications = new Notifications();
    notifications.#server = start(test, binary("examples/notification_server"), [], {
      stdio: ["pipe", "pipe", "inherit"],
      env: { ...process.env, ...bus },
    });
    const lines = createInterface({ input: notifications.#server.stdout });
    await new Promise((ready, broken) => {
      notifications.#server.once("exit", () => broken(new Error("the notification server ended")));
      lines.on("line", (line) => (line === "ready" ? ready() : notifications.#shown.push(JSON.parse(line))));
    });
    return notifications;
  }

  /** All that were shown until now, oldest first. */
  get shown() {
    return [...this.#shown];
  }

  /** The newest one with this text, once it is there. */
  async find(text) {
    return until(`a notification "${text}"`, async () => this.#shown.findLast((it) => it.body.includes(text)));
  }

  click({ id }) {
    this.#server.stdin.write(`${String(id)}\n`);
  }
}
