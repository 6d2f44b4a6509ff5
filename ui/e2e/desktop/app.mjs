// The desktop program in a real window: started, looked at by `data-testid`, stopped, killed.
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, open as openFile, readdir, readFile, readlink, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";

import { Driver, DriverError, reference } from "./webdriver.mjs";

const run = promisify(execFile);

const binaries = process.env.ZSPARK_E2E_BINARIES ?? path.resolve("target/debug");
const pictures = process.env.ZSPARK_E2E_PICTURES ?? path.resolve("target/e2e");
const tauriDriver = process.env.ZSPARK_E2E_DRIVER ?? "tauri-driver";

/** How long anything on the screen may take. Nothing waits this long unless it is broken. */
const DEADLINE_MS = 30_000;
const LOOK_EVERY_MS = 40;

export const binary = (name) => path.join(binaries, name);

/** Looks again and again until `look` gives something, and then gives it. */
export async function until(what, look, deadline = DEADLINE_MS) {
  const end = Date.now() + deadline;
  let last;
  while (Date.now() < end) {
    try {
      const seen = await look();
      if (seen) return seen;
      last = undefined;
    } catch (error) {
      // An element that was redrawn between two looks is no news.
      if (!(error instanceof DriverError)) throw error;
      last = error;
    }
    await new Promise((done) => setTimeout(done, LOOK_EVERY_MS));
  }
  throw new Error(`waited ${String(deadline / 1000)} s in vain for: ${what}`, { cause: last });
}

/** How many pixels of two pictures differ by more than a rounding. */
export async function differingPixels(one, other) {
  // It ends with 1 where they differ, and says the number on stderr.
  const { stderr } = await run("compare", ["-metric", "AE", "-fuzz", "2%", one, other, "null:"]).catch((thrown) => thrown);
  const pixels = Number(stderr.trim());
  if (stderr === "" || Number.isNaN(pixels)) throw new Error(`the pictures cannot be compared: ${stderr}`);
  return pixels;
}

/** A folder that is gone after the test. */
export async function temporary(test, name) {
  const folder = await mkdtemp(path.join(tmpdir(), `zspark-${name}-`));
  test.after(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  return folder;
}

/** Two ports that nobody uses at the moment. */
async function freePorts() {
  const servers = [createServer(), createServer()];
  for (const server of servers) await once(server.listen(0, "127.0.0.1"), "listening");
  const ports = servers.map((it) => it.address().port);
  for (const server of servers) await once(server.close(), "close");
  return ports;
}

let windowManager;

/** Without a window manager no window gets the keyboard. One for the whole display. */
async function startWindowManager() {
  if (windowManager) return;
  windowManager = spawn("openbox", [], { stdio: "ignore" });
  windowManager.unref();
  process.once("exit", () => windowManager.kill());
}

export class App {
  #test;
  #driverProcess;
  #driver;
  #options;
  #pictures = 0;

  /**
   * Starts the program. `options`: `home`, `folder` (opened on the command line) and `env`.
   * It is stopped, and on failure photographed, after the test.
   */
  static async start(test, options) {
    await startWindowManager();
    const app = new App();
    app.#test = test;
    app.#options = options;
    test.after(() => app.#cleanUp());
    await app.launch();
    return app;
  }

  /** Starts it, also again after `quit` or `kill`. */
  async launch() {
    const { home, folder, env } = this.#options;
    const [port, nativePort] = await freePorts();
    await mkdir(pictures, { recursive: true });
    const log = await openFile(path.join(pictures, `${this.#name()}.log`), "a");
    this.#driverProcess = spawn(tauriDriver, ["--port", String(port), "--native-port", String(nativePort)], {
      // GTK says much on a display without a desktop.
      stdio: ["ignore", log.fd, log.fd],
      env: { ...process.env, ZSPARK_HOME: home, LC_ALL: "C.UTF-8", ...env },
      // Its own group, so that everything below it can be ended together.
      detached: true,
    });
    await log.close();
    this.#driver = new Driver(port);
    await until("the driver to be ready", () => this.#driver.ready());
    await this.#driver.open(binary("zspark-desktop"), folder ? [folder] : []);
    await this.#drawn();
  }

  /** Starts it without a driver, which loses a page that dies: for what only the display can tell. */
  async launchAlone() {
    const { home, folder, env } = this.#options;
    const log = await openFile(path.join(pictures, `${this.#name()}.log`), "a");
    // In the place of the driver, so that it is ended as that would be.
    this.#driverProcess = spawn(binary("zspark-desktop"), folder ? [folder] : [], {
      stdio: ["ignore", log.fd, log.fd],
      env: { ...process.env, ZSPARK_HOME: home, LC_ALL: "C.UTF-8", ...env },
      detached: true,
    });
    await log.close();
    await this.inFront();
  }

  /** Closes it in order: the process ends by itself. */
  async quit() {
    const process = await this.pid();
    globalThis.process.kill(process, "SIGTERM");
    await this.#ended(process);
    this.#endDriver();
  }

  /** Ends it as a power cut would. */
  async kill() {
    const process = await this.pid();
    globalThis.process.kill(process, "SIGKILL");
    await this.#ended(process);
    this.#endDriver();
  }

  /** Loads the page anew, as after the web process was evicted. */
  async reload() {
    await this.#driver.reload();
    await this.#drawn();
  }

  /** Starts the program once more with the same home, and gives the status with which that one ends. */
  async startAgain(folder) {
    const { home, env } = this.#options;
    const second = spawn(binary("zspark-desktop"), [folder], {
      stdio: "ignore",
      env: { ...process.env, ZSPARK_HOME: home, LC_ALL: "C.UTF-8", ...env },
      timeout: DEADLINE_MS,
    });
    const [status, signal] = await once(second, "exit");
    return signal ?? status;
  }

  /** Puts the window away, so that nobody sees it. */
  async minimise() {
    await run("xdotool", ["windowminimize", await this.#window()]);
    await until("the window to be away", async () => !(await this.#isInFront()));
  }

  /** Waits until the window is the one that has the keyboard. */
  async inFront() {
    await until("the window to be in front", () => this.#isInFront());
  }

  /** The elements with this test id that can be seen, newest last. */
  async all(id) {
    const found = await this.#driver.all(`[data-testid="${id}"]`);
    const seen = await Promise.all(found.map((it) => this.#isSeen(it)));
    return found.filter((_, index) => seen[index]);
  }

  /** The last visible element with this test id, once there is one. */
  async find(id) {
    return until(`${id} on the screen`, async () => (await this.all(id)).at(-1));
  }

  async gone(id) {
    await until(`${id} to be gone`, async () => (await this.all(id)).length === 0);
  }

  async click(id) {
    // Between finding and clicking, the page may have drawn it anew.
    await until(`${id} to be clicked`, async () => {
      await this.#driver.click(await this.find(id));
      return true;
    });
  }

  async clickElement(element) {
    await this.#driver.click(element);
  }

  async type(id, text) {
    await this.#driver.type(await this.find(id), text);
  }

  /** Replaces what a field holds. */
  async fill(id, text) {
    const element = await this.find(id);
    await this.#driver.click(element);
    await this.#driver.press("\uE009", "a");
    await this.#driver.type(element, text || "\uE003");
  }

  async press(...keys) {
    await this.#driver.press(...keys);
  }

  /** Chooses a value of a `<select>`. */
  async select(id, value) {
    const element = await this.find(id);
    await this.#driver.run(
      (selector, wanted) => {
        const select = Array.from(document.querySelectorAll(selector)).at(-1);
        const set = Object.getOwnPropertyDescriptor(HTMLSelectElement.prototype, "value").set;
        set.call(select, wanted);
        select.dispatchEvent(new Event("change", { bubbles: true }));
      },
      `[data-testid="${id}"]`,
      value,
    );
    return element;
  }

  /** The text of the last element with this id. */
  async text(id) {
    return this.#textOf(await this.find(id));
  }

  /** All texts of this id, in order. */
  async texts(id) {
    return Promise.all((await this.all(id)).map((it) => this.#textOf(it)));
  }

  /** Waits until some element with this id contains `part`. */
  async sees(id, part) {
    await until(`${id} with "${part}"`, async () => (await this.texts(id)).some((it) => it.includes(part)));
  }

  /** Runs a function in the page. */
  async page(body, ...args) {
    return this.#driver.run(body, ...args);
  }

  /** Like `page`, for a function that gives a promise. */
  async pageWaits(body, ...args) {
    return this.#driver.wait(body, ...args);
  }

  /** Asks the engine (or the window, `host/…`) through the page's own bridge. */
  async ask(method, params = {}) {
    return this.#driver.wait(
      (request) => globalThis.__TAURI_INTERNALS__.invoke("request", { request }),
      { method, params },
    );
  }

  /** Opens a page of the settings. */
  async openSettings(page) {
    await this.click("settings-open");
    await this.click(`settings-${page}`);
  }

  /** Comes to where a prompt begins a new thread, in the folder of the command line. */
  async startThread() {
    await this.find("composer-input");
  }

  /** Opens the thread in the list whose title contains `title`. */
  async openThread(title) {
    await this.#clickOne("thread-row", title);
    await this.sees("message-user", title);
  }

  /** Opens the artifact with this name in the side pane. */
  async openArtifact(name) {
    await this.#clickOne("artifact-card", name);
  }

  /** Unfolds the last `outer` until it shows an `inner`. */
  async openDetails(outer, inner) {
    if ((await this.all(inner)).length > 0) return;
    await this.page((selector) => {
      Array.from(document.querySelectorAll(selector)).at(-1).querySelector("button, summary").click();
    }, `[data-testid="${outer}"]`);
    await this.find(inner);
  }

  async search(words) {
    await this.fill("search-input", words);
  }

  /** Drags files from another program's window onto the composer and drops them there. */
  async dropFiles(files) {
    const source = spawn(binary("examples/drag_source"), files, { stdio: ["ignore", "pipe", "inherit"] });
    const words = [];
    createInterface(source.stdout).on("line", (word) => words.push(word));
    const says = (wanted) => until(`the drag's source to say "${wanted}" after ${words.join(", ")}`, () => words.at(-1) === wanted);
    try {
      await says("ready");
      const [x, y] = await this.#onScreen(await this.find("composer-input"));
      const pointer = (...args) => run("xdotool", args.map(String));
      await pointer("mousemove", 30, 30);
      await pointer("mousedown", 1);
      // A drag begins after a few pixels; and each window on the way has to be told of it.
      for (let step = 1; step <= 20; step += 1) {
        await pointer("mousemove", "--sync", Math.round(30 + ((x - 30) * step) / 20), Math.round(30 + ((y - 30) * step) / 20));
      }
      await pointer("mousemove", "--sync", x + 4, y);
      // Let go before the window has answered, and nothing is dropped; killed before it has read, and nothing comes.
      await says("taken");
      await pointer("mouseup", 1);
      await says("ended");
    } finally {
      source.kill();
    }
  }

  /** The colour of one pixel in the middle of an element, as it is on the screen. */
  async colourInside(element) {
    const [x, y] = await this.#onScreen(element);
    const { stdout } = await run("import", ["-window", "root", "-crop", `1x1+${x}+${y}`, "-depth", "8", "txt:-"]);
    return /#[0-9A-F]{6}/.exec(stdout)?.[0];
  }

  /** Sends a prompt. */
  async prompt(text) {
    await this.type("composer-input", text);
    await this.click("send-button");
  }

  /** A picture of the whole display, because the driver's own hangs on a virtual one. */
  async picture(name) {
    await mkdir(pictures, { recursive: true });
    const file = path.join(pictures, `${this.#name()}-${name}.png`);
    await run("import", ["-window", "root", file]);
    return file;
  }

  /** Keys for whatever has the keyboard, through the display. */
  async keys(text, ...named) {
    await run("xdotool", ["type", "--delay", "23", text]);
    for (const key of named) await run("xdotool", ["key", key]);
  }

  /** A picture of the transcript alone, without the pointer on it: beside the list, under the title, over the composer, or so many pixels of it. */
  async transcript(name, height) {
    await run("xdotool", ["mousemove", "0", "0"]);
    const { stdout } = await run("xdotool", ["getwindowgeometry", "--shell", await this.#window()]);
    const [x, y, width, tall] = ["X", "Y", "WIDTH", "HEIGHT"].map((it) => Number(new RegExp(`^${it}=(-?\\d+)$`, "m").exec(stdout)[1]));
    const file = path.join(pictures, `${this.#name()}-${name}.png`);
    await run("import", ["-window", "root", "-crop", `${width - 300}x${height ?? tall - 260}+${x + 280}+${y + 60}`, "+repage", file]);
    return file;
  }

  /** The program's process. */
  async pid() {
    return until("the program's process", async () => {
      for (const entry of await readdir("/proc")) {
        if (!/^\d+$/.test(entry)) continue;
        const exe = await readlink(`/proc/${entry}/exe`).catch(() => "");
        if (exe !== binary("zspark-desktop")) continue;
        const env = await readFile(`/proc/${entry}/environ`, "utf8").catch(() => "");
        const command = await readFile(`/proc/${entry}/cmdline`, "utf8").catch(() => "");
        const isStage = command.split("\0").some((it) => it.startsWith("--zspark-"));
        if (env.split("\0").includes(`ZSPARK_HOME=${this.#options.home}`) && !isStage) return Number(entry);
      }
      return undefined;
    });
  }

  /** The window as the display knows it. */
  async #window() {
    const search = ["search", "--all", "--pid", String(await this.pid()), "--name", "^zspark$"];
    return until("the window on the display", async () => {
      const { stdout } = await run("xdotool", search).catch(({ stdout }) => ({ stdout }));
      return stdout.trim().split("\n").at(-1);
    });
  }

  async #isInFront() {
    // Where nothing has the keyboard, it is an error to ask what has.
    const { stdout } = await run("xdotool", ["getactivewindow"]).catch(() => ({ stdout: "" }));
    return stdout.trim() === (await this.#window());
  }

  #name() {
    return this.#test.name.replaceAll(/[^\p{L}\p{N}]+/gu, "-");
  }

  async #drawn() {
    await until("the page to be drawn and shown", () =>
      this.#driver.run(() => document.querySelector("#root > *") !== null && document.visibilityState === "visible"),
    );
  }

  async #clickOne(id, text) {
    await until(`${id} with "${text}" to be clicked`, async () => {
      for (const element of await this.all(id)) {
        if ((await this.#textOf(element)).includes(text)) {
          await this.#driver.click(element);
          return true;
        }
      }
      return false;
    });
  }

  /** As it is written, whatever is cut off for want of room. */
  async #textOf(element) {
    return this.#driver.run((it) => it.textContent, reference(element));
  }

  /** The middle of an element in pixels of the display. */
  async #onScreen(element) {
    const [x, y] = await this.#driver.run((it) => {
      const { left, top, width, height } = it.getBoundingClientRect();
      return [left + width / 2, top + height / 2];
    }, reference(element));
    const { stdout } = await run("xdotool", ["search", "--onlyvisible", "--name", "^zspark$", "getwindowgeometry", "--shell"]);
    const [left, top] = ["X", "Y"].map((name) => Number(new RegExp(`^${name}=(-?\\d+)$`, "m").exec(stdout)[1]));
    return [Math.round(left + x), Math.round(top + y)];
  }

  async #isSeen(element) {
    return this.#driver.run(
      (it) => {
        const { width, height } = it.getBoundingClientRect();
        return width > 0 && height > 0 && getComputedStyle(it).visibility === "visible";
      },
      reference(element),
    );
  }

  async #ended(pid) {
    await until("the program to end", async () => {
      const status = await readFile(`/proc/${String(pid)}/stat`, "utf8").catch(() => "");
      return status === "" || status.includes(") Z ");
    });
  }

  #endDriver() {
    const { pid } = this.#driverProcess;
    try {
      process.kill(-pid, "SIGKILL");
    } catch {
      // It has ended already.
    }
  }

  async #cleanUp() {
    try {
      await this.picture("end");
    } finally {
      this.#endDriver();
    }
  }
}
