import { expect, it } from "vitest";
import type { TurnChange } from "../../protocol";
import { startsOpen, totals, undoPlan } from "./scope";

function change(path: string, part: Partial<TurnChange> = {}, diff = "@@ -1 +1 @@\n-a\n+b\n"): TurnChange {
  return { change: { path, kind: "update", added: 3, removed: 1, diff, binary: false, truncated: false }, undone: false, modifiedSince: false, ...part };
}

it("parts the files that were edited since from the others, and leaves out what was taken back", () => {
  const plan = undoPlan([change("/a"), change("/b", { modifiedSince: true }), change("/c", { undone: true }), change("/d")]);
  expect(plan).toEqual({ clean: ["/a", "/d"], edited: ["/b"] });
});

it("counts only what still stands", () => {
  expect(totals([change("/a"), change("/b", { undone: true })])).toEqual({ added: 3, removed: 1 });
});

it("opens a few short diffs by itself, not many or long ones", () => {
  expect(startsOpen([change("/a")])).toBe(true);
  expect(startsOpen(["/a", "/b", "/c", "/d", "/e"].map((it) => change(it)))).toBe(false);
  expect(startsOpen([change("/a", {}, "x".repeat(30_000))])).toBe(false);
});
