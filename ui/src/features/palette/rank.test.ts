import { describe, expect, it } from "vitest";
import { rank } from "./rank";

function best(items: string[], query: string): string[] {
  return rank(items, query, (it) => it).map((it) => it.item);
}

describe("rank", () => {
  const cases: [string, string[], string, string[]][] = [
    ["keeps the order for an empty query", ["b", "a"], "", ["b", "a"]],
    ["prefers the beginning of the name", ["Open settings", "Settings"], "set", ["Settings", "Open settings"]],
    ["prefers the beginning of a word", ["reset all", "open settings"], "set", ["open settings", "reset all"]],
    ["finds first letters", ["New thread", "Another"], "nt", ["New thread"]],
    ["needs all words", ["New thread", "New folder"], "new thr", ["New thread"]],
    ["leaves out what does not fit", ["New thread"], "xyz", []],
    ["finds Chinese", ["新建会话", "设置"], "设置", ["设置"]],
    ["finds a capital inside a name", ["openFolder", "offer"], "of", ["offer", "openFolder"]],
  ];
  for (const [name, items, query, expected] of cases) {
    it(name, () => expect(best(items, query)).toEqual(expected));
  }

  it("looks into the further text, after the names", () => {
    const items = [
      { name: "Appearance", also: "theme dark light" },
      { name: "Dark mode", also: "" },
    ];
    const found = rank(items, "dark", (it) => it.name, (it) => it.also);
    expect(found.map((it) => it.item.name)).toEqual(["Dark mode", "Appearance"]);
  });

  it("tells which letters matched", () => {
    expect(rank(["New thread"], "nt", (it) => it)[0]?.at).toEqual([0, 4]);
    expect(rank(["New thread"], "thr", (it) => it)[0]?.at).toEqual([4, 5, 6]);
  });
});
