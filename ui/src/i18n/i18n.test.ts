import { expect, test } from "vitest";

import { say, tongueOf, words, type Phrase, type Table } from ".";

const modules = import.meta.glob<{ strings: Table }>("../**/strings.ts", { eager: true });

function placeholders(phrase: Phrase): string[] {
  const text = typeof phrase === "string" ? phrase : `${phrase.one} ${phrase.other}`;
  return [...new Set([...text.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? ""))].sort();
}

test("both languages have the same words with the same placeholders", () => {
  expect(Object.keys(modules).length).toBeGreaterThan(1);
  for (const [path, { strings }] of Object.entries(modules)) {
    expect(Object.keys(strings["zh-CN"]).sort(), path).toEqual(Object.keys(strings.en).sort());
    for (const [key, phrase] of Object.entries(strings.en)) {
      const other = strings["zh-CN"][key];
      expect(other, `${path} ${key}`).toBeTruthy();
      expect(JSON.stringify(other), `${path} ${key}: Chinese has its own punctuation`).not.toMatch(/[\u3400-\u9fff][,?;:!]/);
      expect(placeholders(other ?? ""), `${path} ${key}`).toEqual(placeholders(phrase));
    }
  }
});

test("a phrase takes its values and its number", () => {
  const table = words({ en: { files: { one: "{count} file", other: "{count} files" }, hello: "Hello {name}" }, "zh-CN": { files: "{count} 个文件", hello: "你好,{name}" } });
  expect(say(table, "en", "files", { count: 1 })).toBe("1 file");
  expect(say(table, "en", "files", { count: 12_345 })).toBe("12,345 files");
  expect(say(table, "zh-CN", "files", { count: 2 })).toBe("2 个文件");
  expect(say(table, "en", "hello", { name: "Lin" })).toBe("Hello Lin");
});

test("tags of Chinese mean our Chinese, everything else English", () => {
  expect([tongueOf("zh-TW"), tongueOf("zh"), tongueOf("de-DE")]).toEqual(["zh-CN", "zh-CN", "en"]);
});
