import { expect, test } from "vitest";

import type { Density, Item } from "../../protocol";
import { segments, shownSteps } from "./segments";

function item(type: "userMessage" | "agentMessage" | "reasoning" | "toolCall" | "error", id: string): Item {
  return { id, type, status: "completed", startedMs: 0 } as Item;
}

function check(density: Density, items: Item[], expected: (string | string[])[]): void {
  expect(segments(items, density).map((it) => (it.type === "item" ? it.item.id : it.items.map((each) => each.id)))).toEqual(expected);
}

const TURN = [item("userMessage", "u"), item("reasoning", "r"), item("toolCall", "t1"), item("agentMessage", "a1"), item("toolCall", "t2"), item("agentMessage", "a2"), item("error", "e")];

test("work between words is grouped", () => check("normal", TURN, ["u", ["r", "t1"], "a1", ["t2"], "a2", "e"]));
test("a report shows the last word only", () => check("report", TURN, ["u", ["r", "t1", "a1", "t2"], "a2", "e"]));
test("how many steps are open at first", () => {
  const table: [number, Density, boolean, number][] = [
    [3, "report", true, 1], [3, "report", false, 0], [3, "normal", false, 3], [30, "normal", false, 0], [30, "normal", true, 8], [30, "verbose", false, 30],
  ];
  for (const [count, density, running, expected] of table) expect(shownSteps(count, density, running)).toBe(expected);
});
