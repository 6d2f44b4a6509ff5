// The screens around the transcript: sidebar, first screen, settings, artifacts, changes, palette. Each test is a sentence.
import assert from "node:assert/strict";

import { AxeBuilder } from "@axe-core/playwright";

const id = (name) => `[data-testid="${name}"]`;

async function clean(page) {
  const { violations } = await new AxeBuilder({ page }).withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]).analyze();
  assert.deepEqual(violations.map((it) => `${it.id}: ${it.nodes.map((node) => node.html.slice(0, 160)).join(" | ")}`), []);
}

async function show({ page, open }, query) {
  await open(`theme=light&lang=en&${query}`);
  await page.evaluate(() => sessionStorage.clear());
  await page.reload();
}

async function artifact(it, name) {
  const { page } = it;
  await show(it, "scene=artifacts");
  await page.locator(id("thread-row"), { hasText: "One file of every kind" }).click();
  await page.locator(id("artifact-card"), { hasText: name }).last().getByRole("button").first().click();
  await page.locator(id("artifact-pane")).getByRole("heading", { name }).waitFor();
}

export const screens = {
  "the first screen leads from a model found on the computer to a folder": async (it) => {
    const { page } = it;
    await show(it, "scene=welcome");
    await page.locator(id("welcome-local")).waitFor();
    await clean(page);
    await it.picture("welcome");
    await page.locator(id("welcome-local")).click();
    await page.locator(id("welcome-chosen")).waitFor();
    await page.locator(id("pick-folder")).click();
    await page.locator(id("composer-input")).waitFor();
    await page.locator(id("example-prompt")).click();
    assert.match(await page.locator(id("composer-input")).inputValue(), /repository/);
  },

  "the demo says that it is a demo": async (it) => {
    const { page } = it;
    await show(it, "scene=welcome");
    await page.locator(id("welcome-demo")).click();
    await page.locator(id("pick-folder")).click();
    await page.getByText("This is the demo model").waitFor();
  },

  "a provider is tested, explained and saved": async (it) => {
    const { page } = it;
    await show(it, "scene=all");
    await page.locator(id("settings-open")).click();
    await page.locator(id("provider-add")).click();
    await page.locator(id("provider-test")).click();
    await page.getByText("Enter the provider’s address").waitFor();
    await page.locator(id("provider-base-url")).fill("https://models.example/v1");
    await page.locator(id("provider-api-key")).fill("wrong");
    await page.locator(id("provider-test")).click();
    await page.locator(id("error-card")).getByText("The provider refused the key.").waitFor();
    await page.locator(id("provider-api-key")).fill("right");
    await page.locator(id("provider-test")).click();
    await page.locator(id("provider-ok")).waitFor();
    await page.locator(id("provider-save")).click();
    await page.getByText("Choose a model", { exact: true }).waitFor();
    await page.getByRole("button", { name: "spark-small" }).click();
    await clean(page);
    await it.picture("provider");
    await page.locator(id("provider-save")).click();
    const row = page.locator(id("provider-row"), { hasText: "models.example" });
    await row.getByText("In use").waitFor();
  },

  "the settings are found by their words and change the screen": async (it) => {
    const { page } = it;
    await show(it, "scene=all&managed");
    await page.locator(id("thread-row")).first().waitFor();
    await page.keyboard.press("Control+,");
    await page.getByLabel("Search settings").fill("dark");
    await page.keyboard.press("Enter");
    await page.locator(id("theme-select")).selectOption("dark");
    await page.waitForFunction(() => document.documentElement.dataset.theme === "dark");
    await page.locator(id("language-select")).selectOption("zh-CN");
    await page.getByRole("heading", { name: "外观" }).waitFor();
    await clean(page);
    await page.getByRole("searchbox", { name: "搜索设置" }).fill("");
    await page.locator(id("settings-rules")).click();
    assert.equal(await page.getByRole("group", { name: "沙箱", exact: true }).getByRole("radio").first().isDisabled(), true);
    await page.getByText("由管理员在 /etc/zspark/managed.toml 中设定").waitFor();
    await it.picture("settings-rules-dark-zh-CN");
  },

  "a rule is made, tried and deleted, and comes back": async (it) => {
    const { page } = it;
    await show(it, "scene=all");
    await page.locator(id("settings-open")).click();
    await page.locator(id("settings-rules")).click();
    await page.locator(id("rule-add")).click();
    await page.locator(id("rule-prefix")).fill("cargo test | tee");
    await page.locator(id("rule-save")).click();
    await page.getByText("Only plain words").waitFor();
    await page.locator(id("rule-prefix")).fill("cargo test");
    await page.locator(id("rule-save")).click();
    const row = page.locator(id("rule-row"), { hasText: "cargo test" });
    await row.waitFor();
    await page.locator(id("rule-test-command")).fill("cargo test --all");
    await page.keyboard.press("Enter");
    await page.locator(id("rule-verdict")).getByText("a rule allows it").waitFor();
    await clean(page);
    await row.getByRole("button", { name: "Delete" }).click();
    await row.waitFor({ state: "detached" });
    await page.getByRole("button", { name: "Undo", exact: true }).click();
    await row.waitFor();
  },

  "a broken settings file is named with its line": async (it) => {
    const { page } = it;
    await show(it, "scene=all&broken");
    await page.locator(id("settings-open")).click();
    await page.locator(id("settings-broken")).getByText("config.toml, line 12").waitFor();
    await clean(page);
  },

  "a thousand threads: a screenful is drawn, the keys reach the others": async (it) => {
    const { page } = it;
    await show(it, "scene=many");
    const rows = page.locator(id("thread-row"));
    await rows.first().waitFor();
    assert.ok((await rows.count()) < 80, `${await rows.count()} rows are drawn`);
    const tree = page.getByRole("tree", { name: "Threads" });
    await tree.focus();
    await page.keyboard.press("End");
    const last = await tree.getAttribute("aria-activedescendant");
    await page.waitForFunction((row) => document.getElementById(row) !== null, last);
    await page.keyboard.press("Enter");
    await page.waitForFunction((row) => document.getElementById(row)?.getAttribute("aria-selected") === "true", last);
    await clean(page);
  },

  "a thread is renamed in its row, pinned by its menu, deleted and brought back": async (it) => {
    const { page } = it;
    await show(it, "scene=all");
    const row = (title) => page.locator(id("thread-row"), { hasText: title });
    await row("Weekly notes").dblclick();
    await page.locator(id("thread-rename")).fill("Notes of the week");
    await page.keyboard.press("Enter");
    await row("Notes of the week").click({ button: "right" });
    await page.getByRole("menuitem", { name: "Pin" }).click();
    await page.waitForFunction(() => document.querySelector('[data-testid="thread-row"]')?.textContent.includes("Notes of the week"));
    await row("Notes of the week").click({ button: "right" });
    await page.getByRole("menuitem", { name: "Delete" }).click();
    await row("Notes of the week").waitFor({ state: "detached" });
    await page.getByRole("button", { name: "Undo", exact: true }).click();
    await row("Notes of the week").waitFor();
  },

  "the search finds what was said, marks it and opens it by the keyboard": async (it) => {
    const { page } = it;
    await show(it, "scene=all");
    await page.locator(id("search-input")).fill("汇总");
    await page.locator(id("search-hit")).first().locator("mark").getByText("汇总").waitFor();
    await clean(page);
    await page.keyboard.press("Enter");
    await page.locator(id("message-user")).getByText("预算表").first().waitFor();
    await page.locator(id("search-input")).fill("nowhere to be found");
    await page.getByText("Nothing found for").waitFor();
    await page.keyboard.press("Escape");
    await page.locator(id("thread-row")).first().waitFor();
  },

  "an archived thread waits in the archive": async (it) => {
    const { page } = it;
    await show(it, "scene=all");
    await page.locator(id("thread-row"), { hasText: "Weekly notes" }).click({ button: "right" });
    await page.getByRole("menuitem", { name: "Archive" }).click();
    await page.locator(id("thread-row"), { hasText: "Weekly notes" }).waitFor({ state: "detached" });
    await page.getByRole("button", { name: "Archived threads" }).click();
    await page.locator(id("thread-row"), { hasText: "Weekly notes" }).waitFor();
  },

  "a table is drawn by its screenful and sorted by its numbers": async (it) => {
    const { page } = it;
    await artifact(it, "arrivals.csv");
    const grid = page.locator(id("preview-csv"));
    await grid.getByRole("gridcell").first().waitFor();
    assert.ok((await grid.getByRole("row").count()) < 80);
    await page.getByText("20,000 rows").waitFor();
    const header = grid.getByRole("columnheader", { name: "length m" });
    await header.getByRole("button").click();
    await header.getByRole("button").click();
    assert.equal(await header.getAttribute("aria-sort"), "descending");
    await grid.locator('[aria-rowindex="2"]').getByText("299").waitFor();
    await grid.evaluate((element) => element.scrollTo(0, element.scrollHeight));
    await grid.locator('[aria-rowindex="20001"]').waitFor();
    await clean(page);
    await it.picture("table");
  },

  "a PDF is drawn page by page, with its words": async (it) => {
    const { page } = it;
    await artifact(it, "harbour-report.pdf");
    const pdf = page.locator(id("preview-pdf"));
    await pdf.locator('[data-page="1"]').getByText("Page 1 of 12").waitFor();
    assert.ok((await pdf.locator("canvas").count()) < 12, "only what is near is drawn");
    await pdf.evaluate((element) => element.scrollTo(0, element.scrollHeight));
    await pdf.locator('[data-page="12"]').getByText("Page 12 of 12").waitFor();
    await it.picture("pdf");
    await artifact(it, "broken.pdf");
    await page.getByText("This PDF could not be read").waitFor();
  },

  "a page runs where it reaches nothing": async (it) => {
    const { page } = it;
    await artifact(it, "tides.html");
    const frame = page.locator(id("preview-html"));
    assert.equal(await frame.getAttribute("sandbox"), "allow-scripts");
    await page.frameLocator(id("preview-html")).getByText("reached nothing").waitFor();
  },

  "a file has its versions, its source and its actions": async (it) => {
    const { page } = it;
    await artifact(it, "arrivals-report.md");
    await page.locator(id("preview-markdown")).getByText("Version 3 of this report").waitFor();
    await page.getByRole("button", { name: "Older version" }).click();
    await page.locator(id("preview-markdown")).getByText("Version 2 of this report").waitFor();
    await page.getByRole("button", { name: "Source" }).click();
    await page.locator(id("preview-text")).getByText("# Arrivals, week 47").waitFor();
    await clean(page);
    await page.locator(id("artifact-pane")).getByRole("button", { name: "More for" }).click();
    await page.getByRole("menuitem", { name: "Copy content" }).click();
    await page.getByText("Copied", { exact: true }).waitFor();
    assert.match(await page.evaluate(() => navigator.clipboard.readText()), /Version 2 of this report/);
  },

  "a change is taken back, and edits by somebody else are not overwritten without a question": async (it) => {
    const { page } = it;
    await show(it, "scene=all&edited=arrivals.ts");
    await page.getByRole("button", { name: "Show side pane" }).click();
    await page.getByRole("tab", { name: "Changes" }).click();
    await page.locator(id("changes-scope")).selectOption({ index: 1 });
    const file = (name) => page.locator("#pane-body").locator(id("diff-view")).filter({ hasText: name });
    await file("arrivals.ts").first().getByText("Edited since").waitFor();
    await page.locator(id("changes-undo-all")).click();
    await page.getByText("was edited after the agent changed it").waitFor();
    await clean(page);
    await it.picture("changes-edited");
    await page.locator(id("changes-force")).click();
    await page.getByRole("button", { name: "Redo all" }).waitFor();
  },

  "the palette runs commands, opens threads and settings": async (it) => {
    const { page } = it;
    await show(it, "scene=all");
    await page.locator(id("thread-row")).first().waitFor();
    await page.keyboard.press("Control+k");
    await page.locator(id("palette-input")).fill("dark th");
    await clean(page);
    await it.picture("palette");
    await page.keyboard.press("Enter");
    await page.waitForFunction(() => document.documentElement.dataset.theme === "dark");
    await page.keyboard.press("Control+k");
    await page.locator(id("palette-input")).fill("weekly");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Weekly notes" }).waitFor();
    await page.keyboard.press("Control+b");
    await page.locator(id("search-input")).waitFor({ state: "detached" });
    await page.keyboard.press("Control+Shift+f");
    await page.waitForFunction(() => document.activeElement?.dataset.testid === "search-input");
  },
};
