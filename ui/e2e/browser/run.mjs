// Runs the browser suite: the built page with the mock host, in the system's Chromium. Prints what passed and what did not.
// `CHROMIUM` names another browser; `npm run e2e -- NAME` runs the tests whose name contains NAME; pictures go to e2e/browser/pictures.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";

import { chromium } from "playwright-core";
import { preview } from "vite";

import { screens } from "./screens.mjs";
import { tests } from "./tests.mjs";

const here = path.dirname(fileURLToPath(import.meta.url));
const root = path.resolve(here, "../..");
const PORT = 4173;

function build() {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [path.join(root, "node_modules/vite/bin/vite.js"), "build", "--logLevel", "warn"], { cwd: root, stdio: "inherit" });
    child.on("exit", (code) => (code === 0 ? resolve() : reject(new Error(`the build ended with ${code}`))));
  });
}

function browser() {
  const known = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
  const found = known.find((it) => it && existsSync(it));
  if (!found) throw new Error("no Chromium was found: install it or name it in CHROMIUM");
  return found;
}

await build();
await mkdir(path.join(here, "pictures"), { recursive: true });
const server = await preview({ root, preview: { port: PORT, strictPort: false } });
const address = server.resolvedUrls.local[0];
const chrome = await chromium.launch({ executablePath: browser(), args: ["--no-sandbox", "--disable-gpu"] });

const wanted = process.argv[2] ?? "";
const failed = [];
let passed = 0;
for (const [name, test] of Object.entries({ ...tests, ...screens }).filter(([it]) => it.includes(wanted))) {
  const context = await chrome.newContext({ viewport: { width: 1280, height: 860 }, locale: "en-GB", permissions: ["clipboard-read", "clipboard-write"] });
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  const errors = [];
  page.on("pageerror", (error) => errors.push(error.message));
  page.on("console", (message) => {
    if (message.type() === "error" && !message.text().includes("favicon")) errors.push(message.text());
  });
  try {
    await test({ page, open: (query) => page.goto(`${address}?${query}`), picture: (file) => page.screenshot({ path: path.join(here, "pictures", `${file}.png`) }) });
    if (errors.length > 0) throw new Error(`the page reported: ${errors.join("; ")}`);
    passed += 1;
    console.log(`ok    ${name}`);
  } catch (error) {
    failed.push(name);
    console.log(`FAIL  ${name}\n      ${String(error.stack ?? error).split("\n").slice(0, 8).join("\n      ")}`);
    await page.screenshot({ path: path.join(here, "pictures", `failed-${failed.length}.png`) }).catch(() => undefined);
  }
  await context.close();
}
await chrome.close();
await server.close();
console.log(`${passed} passed, ${failed.length} failed`);
process.exitCode = failed.length > 0 || passed === 0 ? 1 : 0;
