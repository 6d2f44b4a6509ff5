import { expect, test } from "vitest";

import { hunks, pairs } from "./diff";

const DIFF = "@@ -3,3 +3,4 @@ fn main\n a\n-b\n+B\n+C\n d\n\\ No newline at end of file\n@@ -20 +21,0 @@\n-z\n";

test("lines carry their numbers before and after", () => {
  expect(hunks(DIFF)).toEqual([
    {
      header: "fn main",
      lines: [
        { kind: "same", text: "a", old: 3, new: 3 }, { kind: "del", text: "b", old: 4 }, { kind: "add", text: "B", new: 4 },
        { kind: "add", text: "C", new: 5 }, { kind: "same", text: "d", old: 5, new: 6 },
      ],
    },
    { header: "", lines: [{ kind: "del", text: "z", old: 20 }] },
  ]);
});
test("side by side, a replacement stands beside what it replaces", () => {
  const rows = pairs(hunks(DIFF)[0]?.lines ?? []).map(([left, right]) => [left?.text, right?.text]);
  expect(rows).toEqual([["a", "a"], ["b", "B"], [undefined, "C"], ["d", "d"]]);
});
test("an empty diff has no hunks", () => expect(hunks("")).toEqual([]));
