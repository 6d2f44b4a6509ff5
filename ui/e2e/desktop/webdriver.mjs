// A W3C WebDriver client, as much of it as the scenarios need: https://www.w3.org/TR/webdriver2/

const ELEMENT = "element-6066-11e4-a52e-4f735466cecf";

/** An element as an argument of `run`. */
export const reference = (element) => ({ [ELEMENT]: element });

/** What the driver answered instead of a value. */
export class DriverError extends Error {
  constructor(code, message) {
    super(`${code}: ${message}`);
    this.code = code;
  }
}

/** One window under the driver's control. */
export class Driver {
  #base;
  #path = "";

  constructor(port) {
    this.#base = `http://127.0.0.1:${String(port)}`;
  }

  /** Whether the driver takes sessions yet. */
  async ready() {
    try {
      return (await this.#send("GET", "/status")).ready === true;
    } catch {
      return false;
    }
  }

  async open(application, args) {
    const capabilities = { alwaysMatch: { browserName: "wry", "tauri:options": { application, args } } };
    const { sessionId } = await this.#send("POST", "/session", { capabilities });
    this.#path = `/session/${sessionId}`;
  }

  /** Ends the program as the driver does: by closing its window. */
  async close() {
    const path = this.#path;
    this.#path = "";
    if (path) await this.#send("DELETE", path);
  }

  /** Runs a function in the page. It and its arguments travel as text, so it sees nothing of here. */
  async run(body, ...args) {
    return this.#send("POST", `${this.#path}/execute/sync`, { script: `return (${String(body)})(...arguments)`, args });
  }

  /** Like `run`, for a function that gives a promise. */
  async wait(body, ...args) {
    const script = `
      const done = arguments[arguments.length - 1];
      Promise.resolve((${String(body)})(...Array.prototype.slice.call(arguments, 0, -1)))
        .then((value) => done({ value }), (error) => done({ error: JSON.stringify(error) + String(error) }));`;
    const { value, error } = await this.#send("POST", `${this.#path}/execute/async`, { script, args });
    if (error !== undefined) throw new Error(error);
    return value;
  }

  async all(selector) {
    const found = await this.#send("POST", `${this.#path}/elements`, { using: "css selector", value: selector });
    return found.map((it) => it[ELEMENT]);
  }

  async click(element) {
    await this.#send("POST", `${this.#path}/element/${element}/click`, {});
  }

  async type(element, text) {
    await this.#send("POST", `${this.#path}/element/${element}/value`, { text });
  }

  /** Presses keys together wherever the focus is, such as `["\uE009", "k"]`. */
  async press(...keys) {
    const down = keys.map((value) => ({ type: "keyDown", value }));
    const up = keys.toReversed().map((value) => ({ type: "keyUp", value }));
    const actions = [{ type: "key", id: "keyboard", actions: [...down, ...up] }];
    await this.#send("POST", `${this.#path}/actions`, { actions });
  }

  async reload() {
    await this.#send("POST", `${this.#path}/refresh`, {});
  }

  async #send(method, path, body) {
    const response = await fetch(this.#base + path, {
      method,
      ...(body && { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
      signal: AbortSignal.timeout(60_000),
    });
    const { value } = await response.json();
    if (!response.ok) throw new DriverError(value?.error ?? response.status, value?.message ?? "");
    return value;
  }
}
