import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { say } from "../../i18n/words";
import { rank } from "../palette/rank";
import { ENTRIES, PAGES, pageOf } from "./catalog";
import { strings } from "./strings";

const SOURCES = ["AboutPage", "AppearancePage", "ProvidersPage", "Rules", "RulesPage"].map((name) => readFileSync(`src/features/settings/${name}.tsx`, "utf8")).join("\n");

it("leads only to settings that a page shows", () => {
  for (const entry of ENTRIES) {
    if (entry.setting !== undefined) expect(SOURCES, entry.setting).toContain(`id="${entry.setting}"`);
  }
});

it("lists every page", () => {
  expect(new Set(ENTRIES.map((it) => it.page))).toEqual(new Set(PAGES));
});

it("finds settings by their words in both languages", () => {
  const find = (query: string, tongue: "en" | "zh-CN") => {
    const text = (key: keyof typeof strings.en) => say(strings, tongue, key);
    return rank(ENTRIES, query, (it) => text(it.word), (it) => it.also.map(text).join(" "))[0]?.item.setting;
  };
  expect([find("theme", "en"), find("dark", "en"), find("沙箱", "zh-CN"), find("深色", "zh-CN")]).toEqual(["theme", "theme", "sandbox", "theme"]);
});

it("opens the first page for a name it does not know", () => {
  expect([pageOf("rules"), pageOf("nowhere"), pageOf(undefined)]).toEqual(["rules", "providers", "providers"]);
});
