import { describe, expect, it } from "vitest";
import type { ThreadSummary } from "../../protocol";
import { folderLabels, group, lines, PINNED } from "./grouping";

function thread(id: string, cwd: string, updatedMs: number, pinned = false): ThreadSummary {
  return {
    id,
    title: id,
    cwd,
    createdMs: 0,
    updatedMs,
    pinned,
    archived: false,
    status: "idle",
    headSeq: 1,
    settings: { provider: "demo", model: "demo", sandbox: "workspace-write", approval: "on-request" },
  };
}

describe("group", () => {
  it("puts pinned threads on top and the folder used last first", () => {
    const grouped = group([
      thread("a", "/w/one", 1),
      thread("b", "/w/two", 5),
      thread("c", "/w/one", 3),
      thread("p", "/w/one", 2, true),
    ]);
    expect(grouped.pinned.map((it) => it.id)).toEqual(["p"]);
    expect(grouped.folders.map((it) => [it.label, it.threads.map((t) => t.id)])).toEqual([
      ["two", ["b"]],
      ["one", ["c", "a"]],
    ]);
  });

  it("keeps a folder out whose threads are all pinned", () => {
    expect(group([thread("p", "/w/one", 2, true)]).folders).toEqual([]);
  });

  it("is stable for threads of the same moment", () => {
    const grouped = group([thread("b", "/w", 1), thread("a", "/w", 1)]);
    expect(grouped.folders[0]?.threads.map((it) => it.id)).toEqual(["a", "b"]);
  });
});

describe("folderLabels", () => {
  const cases: [string[], string[]][] = [
    [["/home/me/site"], ["site"]],
    [["/home/me/a/site", "/home/me/b/site", "/x/docs"], ["a/site", "b/site", "docs"]],
    [["/site", "/home/site"], ["site", "home/site"]],
    [["C:\\work\\site"], ["site"]],
    [["/"], ["/"]],
  ];
  for (const [folders, labels] of cases) {
    it(`tells ${folders.join(" and ")} apart`, () => {
      const found = folderLabels(folders);
      expect(folders.map((it) => found.get(it))).toEqual(labels);
    });
  }
});

describe("lines", () => {
  const grouped = group([thread("p", "/w/one", 2, true), thread("a", "/w/one", 1), thread("b", "/w/two", 3), thread("c", "/w/two", 4)]);
  const ids = (folded: string[]) => lines(grouped, new Set(folded)).map((it) => it.id);
  it("lists headings with their threads", () => {
    expect(ids([])).toEqual([PINNED, "p", "folder:/w/two", "c", "b", "folder:/w/one", "a"]);
  });
  it("leaves out the threads under folded headings", () => {
    expect(ids([PINNED, "/w/two"])).toEqual([PINNED, "folder:/w/two", "folder:/w/one", "a"]);
  });
  it("knows the place of a thread among its neighbours", () => {
    expect(lines(grouped, new Set())[4]).toMatchObject({ place: 2, of: 2 });
  });
});
