// What a person does with the page, against the mock host. Each test is a sentence.
import assert from "node:assert/strict";

import { AxeBuilder } from "@axe-core/playwright";

const id = (name) => `[data-testid="${name}"]`;

async function send(page, text) {
  await page.locator(id("composer-input")).fill(text);
  await page.locator(id("composer-input")).press("Enter");
}

async function ended(page) {
  await page.locator(id("stop-button")).waitFor({ state: "detached" });
}

async function newThread({ page, open }, query = "") {
  await open(`scene=empty&theme=light&lang=en${query}`);
  await page.locator(id("composer-input")).waitFor();
}

async function clean(page) {
  const { violations } = await new AxeBuilder({ page }).withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]).analyze();
  assert.deepEqual(violations.map((it) => `${it.id}: ${it.nodes.map((node) => node.html.slice(0, 160)).join(" | ")}`), []);
}

/** Draws the scenes in both themes and languages, with the accessibility rules. */
function scene(name, ready) {
  return async ({ page, open, picture }) => {
    for (const [theme, lang] of [["light", "en"], ["dark", "zh-CN"]]) {
      await open(`scene=${name}&theme=${theme}&lang=${lang}`);
      await page.evaluate(() => sessionStorage.clear());
      await page.reload();
      await page.locator(ready).first().waitFor();
      await clean(page);
      await picture(`${name}-${theme}-${lang}`);
    }
  };
}

export const tests = {
  "a prompt begins a thread and its answer is streamed": async (it) => {
    await newThread(it);
    const { page } = it;
    await send(page, "how do tides work");
    await page.locator(id("message-user")).getByText("how do tides work").waitFor();
    const answer = page.locator(id("message-agent"));
    await answer.waitFor();
    const early = (await answer.innerText()).length;
    await ended(page);
    assert.ok((await answer.innerText()).length > early, "the answer grew while it was watched");
    await answer.locator("pre code span").first().waitFor();
    assert.equal(await answer.locator("table td").count(), 4);
    assert.equal(await page.locator(id("composer-input")).inputValue(), "");
    assert.equal(await page.getByRole("status").filter({ hasText: "The agent finished." }).count(), 1);
  },

  "a command that needs approval waits for it; typing cannot approve": async (it) => {
    await newThread(it);
    const { page } = it;
    await send(page, "approve this");
    await page.locator(id("approval-card")).waitFor();
    await page.locator(id("composer-input")).pressSequentially("a tard");
    assert.equal(await page.locator(id("approval-card")).count(), 1);
    assert.match(await page.locator(id("approval-card")).innerText(), /npm install left-pad[\s\S]*harbour[\s\S]*The package is needed/);
    await page.locator(id("approval-accept")).click();
    await page.locator(id("approval-card")).waitFor({ state: "detached" });
    await ended(page);
    assert.match(await page.locator(id("tool-card")).innerText(), /Ran[\s\S]*npm install left-pad/);
  },

  "the keys of a question work when it has the focus": async (it) => {
    await newThread(it);
    const { page } = it;
    await send(page, "approve this");
    await page.locator(id("approval-card")).focus();
    await page.keyboard.press("d");
    await page.locator(id("approval-card")).waitFor({ state: "detached" });
    await ended(page);
    assert.equal(await page.locator(id("tool-card")).getAttribute("data-status"), "declined");
  },

  "always opens the rule before it is made": async (it) => {
    await newThread(it);
    const { page } = it;
    await send(page, "approve this");
    await page.locator(id("approval-always")).click();
    await page.getByLabel("Commands that begin with").fill("npm install left-pad");
    await page.getByLabel("Ends").selectOption("week");
    await page.locator(id("approval-always-confirm")).click();
    await page.locator(id("approval-card")).waitFor({ state: "detached" });
  },

  "while a turn runs Enter queues, Ctrl+Enter steers, Escape twice stops": async (it) => {
    await newThread(it);
    const { page } = it;
    await send(page, "a long story");
    await page.locator(id("message-agent")).waitFor();
    await send(page, "then this");
    await send(page, "and not this");
    await page.locator(id("queue-row")).nth(1).waitFor();
    await page.locator(id("queue-row")).nth(1).getByRole("button").click();
    await page.locator(id("queue-row")).nth(1).waitFor({ state: "detached" });
    await page.locator(id("composer-input")).fill("shorter please");
    await page.locator(id("composer-input")).press("Control+Enter");
    await page.locator(id("message-user")).getByText("shorter please").waitFor();
    await page.locator(id("composer-input")).press("Escape");
    await page.locator(id("composer-input")).press("Escape");
    await page.getByText("You stopped this turn").waitFor();
    await page.locator(id("message-user")).getByText("then this").waitFor();
    await ended(page);
  },

  "an Enter of an input method sends nothing": async (it) => {
    await newThread(it);
    const { page } = it;
    const field = page.locator(id("composer-input"));
    const client = await page.context().newCDPSession(page);
    await field.focus();
    await client.send("Input.imeSetComposition", { text: "ni hao", selectionStart: 6, selectionEnd: 6 });
    await field.dispatchEvent("keydown", { key: "Enter", keyCode: 229, isComposing: true, bubbles: true });
    await client.send("Input.insertText", { text: "你好" });
    assert.equal(await field.inputValue(), "你好");
    assert.equal(await page.locator(id("message-user")).count(), 0);
  },

  "dropped files and a long paste become chips, and a draft survives a reload": async (it) => {
    await newThread(it);
    const { page } = it;
    await page.evaluate(() => globalThis.mockEvent({ type: "drop", paths: ["/tmp/plan.png", "/tmp/数据.csv"], x: 1, y: 1 }));
    await page.locator(id("attachment-chip")).nth(1).waitFor();
    await page.locator(id("composer-input")).focus();
    await page.evaluate(() => navigator.clipboard.writeText("line\n".repeat(10_000)));
    await page.keyboard.press("Control+v");
    await page.locator(id("attachment-chip")).nth(2).waitFor();
    await page.locator(id("composer-input")).fill("keep me");
    await page.reload();
    await page.locator(id("composer-input")).waitFor();
    assert.equal(await page.locator(id("composer-input")).inputValue(), "keep me");
    assert.equal(await page.locator(id("attachment-chip")).count(), 3);
    await page.locator(id("attachment-chip")).first().getByRole("button").click();
    assert.equal(await page.locator(id("attachment-chip")).count(), 2);
  },

  "@ mentions a file, / runs a command": async (it) => {
    await newThread(it);
    const { page } = it;
    const field = page.locator(id("composer-input"));
    await field.pressSequentially("look at @arriv");
    await page.getByRole("option").first().waitFor();
    await field.press("ArrowDown");
    await field.press("Enter");
    assert.equal(await field.inputValue(), "look at @src/arrivals.test.ts ");
    await field.fill("");
    await field.pressSequentially("/sett");
    await field.press("Enter");
    await page.locator(id("language-select")).or(page.getByRole("dialog")).first().waitFor();
    assert.equal(await field.inputValue(), "");
  },

  "an earlier prompt is edited into a branch, and the draft comes back": async (it) => {
    await newThread(it);
    const { page } = it;
    await send(page, "first question");
    await ended(page);
    await page.locator(id("composer-input")).fill("unfinished");
    await page.locator(id("message-user")).first().hover();
    await page.getByRole("button", { name: "Edit and branch from here" }).first().click();
    assert.equal(await page.locator(id("composer-input")).inputValue(), "first question");
    await send(page, "better question");
    await page.locator(id("message-user")).getByText("better question").waitFor();
    assert.equal(await page.locator(id("message-user")).getByText("first question").count(), 0);
    assert.equal(await page.locator(id("thread-row")).count(), 2);
  },

  "a patch shows its lines, and a turn is undone and made again": async (it) => {
    await newThread(it);
    const { page } = it;
    await send(page, "patch it");
    await ended(page);
    await page.locator(id("diff-view")).getByText("Ships without a time come last.").waitFor();
    await page.locator(id("undo-turn")).click();
    await page.locator(id("redo-turn")).waitFor();
    assert.match(await page.locator(id("diff-view")).innerText(), /undone/);
    await page.locator(id("redo-turn")).click();
    await page.locator(id("undo-turn")).waitFor();
  },

  "ten thousand lines of output are a window, with search": async (it) => {
    const { page, open } = it;
    await open("scene=all&theme=light&lang=en&density=verbose");
    await page.getByRole("button", { name: "Open all 10,000 lines" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByText("case 0", { exact: false }).first().waitFor();
    assert.ok((await dialog.locator("pre > div").count()) < 100);
    await dialog.getByRole("textbox").fill("case 8765");
    await dialog.getByRole("textbox").press("Enter");
    await dialog.getByText("Line 8,766").waitFor();
    await dialog.locator("[data-marked]").getByText("case 8765").waitFor();
  },

  "a long thread opens at its end, reads upwards on demand and keeps its place": async (it) => {
    const { page, open } = it;
    await open("scene=long&theme=light&lang=en");
    await page.getByText("Step 400 shifts").waitFor();
    const view = page.getByRole("region", { name: "Transcript" });
    assert.equal(await page.getByText("Step 300 shifts").count(), 0);
    for (let i = 0; i < 4; i += 1) {
      const before = await view.evaluate((element) => element.scrollHeight);
      await view.evaluate((element) => {
        element.scrollTop = 300;
      });
      await page.waitForFunction((height) => document.querySelector('[aria-label="Transcript"]').scrollHeight > height, before);
      // What was read stays where it was: the new page is above it.
      assert.ok((await view.evaluate((element) => element.scrollTop)) > 300);
    }
    await page.getByRole("button", { name: "All prompts" }).click();
    await page.getByRole("menuitem").filter({ hasText: "Question 5:" }).click();
    await page.getByText("Question 5: what does", { exact: false }).first().waitFor();
  },

  "streaming draws only the end again and leaves the page responsive": async (it) => {
    await newThread(it);
    const { page } = it;
    await send(page, "a long story");
    await page.locator(id("message-agent")).locator("pre").nth(2).waitFor();
    const redrawn = await page.evaluate(async () => {
      const first = document.querySelector('[data-testid="message-agent"] > div').firstElementChild;
      let touched = 0;
      const observer = new MutationObserver((records) => (touched += records.length));
      observer.observe(first, { subtree: true, childList: true, characterData: true, attributes: true });
      const worst = await new Promise((resolve) => {
        let last = performance.now();
        let longest = 0;
        let frames = 0;
        const step = (now) => {
          longest = Math.max(longest, now - last);
          last = now;
          frames += 1;
          if (frames < 60) requestAnimationFrame(step);
          else resolve(longest);
        };
        requestAnimationFrame(step);
      });
      return { touched, worst };
    });
    assert.equal(redrawn.touched, 0);
    assert.ok(redrawn.worst < 500, `a frame took ${redrawn.worst} ms`);
    await page.locator(id("stop-button")).click();
    await ended(page);
  },

  "a failure says what to do next and sends again": async (it) => {
    await newThread(it);
    const { page } = it;
    await send(page, "fail now");
    const card = page.locator(id("error-card"));
    await card.getByText("Check the network and try again.").waitFor();
    assert.equal(await card.getByText("connection refused").isVisible(), false);
    await card.getByText("Details").click();
    await card.getByText("connection refused").waitFor();
    await card.getByRole("button", { name: "Send again" }).click();
    await card.nth(1).waitFor();
  },

  "what one should know about a turn that went well offers nothing to send again": async (it) => {
    await newThread(it);
    const { page } = it;
    await send(page, "read the pipe");
    const card = page.locator(id("error-card"));
    await card.getByText("Changes to some files cannot be undone: pipe.").waitFor();
    await ended(page);
    assert.equal(await card.count(), 1);
    assert.equal(await card.getByRole("button", { name: "Send again" }).count(), 0);
    await send(page, "fail now");
    await card.nth(1).getByRole("button", { name: "Send again" }).waitFor();
    assert.equal(await card.count(), 2);
  },

  "an open pane leaves room for what is said": async ({ page, open }) => {
    for (const width of [1001, 1180]) {
      await page.setViewportSize({ width, height: 700 });
      await open("scene=all&theme=light&lang=en");
      await page.locator(id("composer-input")).waitFor();
      if ((await page.locator("aside").count()) === 0) await page.keyboard.press("Control+j");
      await page.locator("aside").waitFor();
      const box = await page.locator("main").boundingBox();
      assert.ok(box.width >= 400, `${box.width} of ${width} px are left`);
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
    }
  },

  "a narrow window puts the sidebar over the page, out of the way": async ({ page, open }) => {
    await page.setViewportSize({ width: 560, height: 800 });
    await open("scene=approval&theme=light&lang=en");
    await page.locator(id("approval-card")).waitFor();
    assert.equal(await page.locator(id("thread-row")).count(), 0);
    await page.getByRole("button", { name: "Show sidebar" }).click();
    await page.locator(id("thread-row")).filter({ hasText: "Weekly notes" }).click();
    await page.getByRole("heading", { level: 1, name: "Weekly notes" }).waitFor();
    assert.equal(await page.locator(id("thread-row")).count(), 0);
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
  },

  "a window that grows gets its sidebar and the composer its height": async ({ page, open }) => {
    // So does one that is drawn before it is shown.
    await page.setViewportSize({ width: 220, height: 800 });
    await open("scene=approval&theme=light&lang=en");
    await page.locator(id("composer-input")).waitFor();
    await page.setViewportSize({ width: 1200, height: 800 });
    await page.locator(id("thread-row")).first().waitFor();
    await page.waitForFunction((it) => document.querySelector(it).clientHeight < 60, id("composer-input"));
  },

  "everything: its look and its accessibility": scene("all", id("message-agent")),
  "a question about a command: its look and its accessibility": scene("approval", id("approval-card")),
  "a question about a patch: its look and its accessibility": scene("patch", id("approval-card")),
  "Chinese: its look and its accessibility": scene("chinese", id("message-agent")),
};
