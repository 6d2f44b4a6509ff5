import { expect, it } from "vitest";
import { pieces } from "./snippet";

const cases: [string, [string, boolean][]][] = [
  ["plain", [["plain", false]]],
  ["a \u0002b\u0003 c", [["a ", false], ["b", true], [" c", false]]],
  ["\u0002报告\u0003已完成", [["报告", true], ["已完成", false]]],
  ["cut \u0002here", [["cut ", false], ["here", true]]],
  ["two\n\n lines", [["two lines", false]]],
  ["", []],
];

for (const [snippet, expected] of cases) {
  it(`splits ${JSON.stringify(snippet)}`, () => {
    expect(pieces(snippet).map((it) => [it.text, it.match])).toEqual(expected);
  });
}
