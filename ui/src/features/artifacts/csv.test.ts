import { describe, expect, it } from "vitest";
import { amount, detect, parse, sort } from "./csv";

describe("parse", () => {
  const cases: [string, string, string[][]][] = [
    ["plain rows", "a,b\n1,2\n", [["a", "b"], ["1", "2"]]],
    ["CRLF and no last line end", "a,b\r\n1,2", [["a", "b"], ["1", "2"]]],
    ["a byte order mark", "\ufeffa,b\n1,2", [["a", "b"], ["1", "2"]]],
    ["quotes, doubled quotes and line breaks", 'a,b\n"x ""y"", z","1\n2"\n', [["a", "b"], ['x "y", z', "1\n2"]]],
    ["empty cells and rows of other widths", "a,b,c\n,2\n1,,3,4\n", [["a", "b", "c"], ["", "2"], ["1", "", "3", "4"]]],
    ["empty lines", "a,b\n\n1,2\n\n", [["a", "b"], ["1", "2"]]],
    ["a quote that never closes", 'a,b\n"1,2', [["a", "b"], ["1,2"]]],
    ["text after a closing quote", 'a,b\n"1"x,2', [["a", "b"], ["1x", "2"]]],
    ["nothing", "", []],
    ["Chinese", "城市,人口\n北京,2188\n", [["城市", "人口"], ["北京", "2188"]]],
  ];
  for (const [name, text, expected] of cases) {
    it(`reads ${name}`, () => {
      const table = parse(text);
      expect([table.header, ...table.rows].filter((it) => it.length > 0)).toEqual(expected);
      expect(table.columns).toBe(Math.max(0, ...expected.map((it) => it.length)));
    });
  }

  it("reads 100,000 rows in less than a second", () => {
    const text = "a,b,c\n" + 'x,"y, z",12.5\n'.repeat(100_000);
    const start = performance.now();
    expect(parse(text).rows.length).toBe(100_000);
    expect(performance.now() - start).toBeLessThan(1000);
  });
});

describe("detect", () => {
  const cases: [string, string][] = [
    ["a,b\n1,2", ","],
    ["a;b\n1,5;2,5\n3,1;4,2", ";"],
    ["a\tb\n1\t2", "\t"],
    ["a|b\n1|2", "|"],
    ["one column\nonly", ","],
  ];
  for (const [text, delimiter] of cases) {
    it(`finds ${JSON.stringify(delimiter)} in ${JSON.stringify(text)}`, () => expect(detect(text)).toBe(delimiter));
  }
});

describe("sort", () => {
  const rows = [["b", "10"], ["a", "9"], ["c", ""], ["d", "1,200"], ["e", "n/a"]];
  it("orders numbers by value and leaves empty cells at the end", () => {
    expect(sort(rows, 1, false, "en").map((it) => it[0])).toEqual(["a", "b", "d", "e", "c"]);
    expect(sort(rows, 1, true, "en").map((it) => it[0])).toEqual(["e", "d", "b", "a", "c"]);
  });
  it("orders words as the language does", () => {
    expect(sort([["ä"], ["z"], ["a"]], 0, false, "de").map((it) => it[0])).toEqual(["a", "ä", "z"]);
  });
});

describe("amount", () => {
  const cases: [string, number | undefined][] = [
    ["12", 12],
    ["-3.5", -3.5],
    ["1,200.50", 1200.5],
    ["$1,200", 1200],
    ["-€5", -5],
    ["12 %", 12],
    ["1e3", 1000],
    ["12,5", undefined],
    ["v1.2.3", undefined],
    ["", undefined],
    [".", undefined],
  ];
  for (const [cell, expected] of cases) {
    it(`reads ${JSON.stringify(cell)}`, () => expect(amount(cell)).toBe(expected));
  }
});
