import { expect, it } from "vitest";
import { columnWidths, visibleColumns } from "./columns";
import { parse } from "./csv";

it("makes a column as wide as its longest cell, within bounds", () => {
  const widths = columnWidths(parse(`a,city,text\n1,${"x".repeat(20)},${"y".repeat(500)}\n`));
  expect(widths[0]).toBe(56);
  expect(widths[1]).toBeCloseTo(20 * 7.4 + 22, -1);
  expect(widths[2]).toBe(360);
});

it("gives Chinese letters their room", () => {
  const [latin = 0, chinese = 0] = columnWidths(parse("abcdefghij,一二三四五六七八九十\n"));
  expect(chinese).toBeGreaterThan(latin * 1.5);
});

const widths = [100, 100, 100, 100, 100, 100];
const cases: [number, number, { first: number; end: number; offset: number }][] = [
  [0, 250, { first: 0, end: 4, offset: 0 }],
  [-50, 100, { first: 0, end: 2, offset: 0 }],
  [210, 100, { first: 1, end: 5, offset: 100 }],
  [550, 200, { first: 4, end: 6, offset: 400 }],
];
for (const [left, width, expected] of cases) {
  it(`finds the columns from ${String(left)} on ${String(width)}`, () => expect(visibleColumns(widths, left, width)).toEqual(expected));
}
