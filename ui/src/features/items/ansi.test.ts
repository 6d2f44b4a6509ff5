import { expect, test } from "vitest";

import { plain, runs } from "./ansi";

test("colours become tokens and end where they end", () => {
  expect(runs("\u001b[31mred\u001b[0m no \u001b[1;92mgo\u001b[22m x")).toEqual([
    [
      { text: "red", fg: "var(--ansi-red)" }, { text: " no " }, { text: "go", bold: true, fg: "var(--ansi-green)" },
      { text: " x", bold: undefined, dim: undefined, fg: "var(--ansi-green)" },
    ],
  ]);
});
test("a style goes on over a line break", () => {
  expect(runs("\u001b[34ma\nb")).toEqual([[{ text: "a", fg: "var(--ansi-blue)" }], [{ text: "b", fg: "var(--ansi-blue)" }]]);
});
test("the 256 and the true colours", () => {
  expect(runs("\u001b[38;5;196ma\u001b[48;2;1;2;3mb\u001b[38;5;240mc")[0]?.map((run) => [run.fg, run.bg])).toEqual([
    ["rgb(255 0 0)", undefined], ["rgb(255 0 0)", "rgb(1 2 3)"], ["rgb(88 88 88)", "rgb(1 2 3)"],
  ]);
});
test("titles, links, cursor moves and other controls vanish", () => {
  expect(plain("\u001b]0;title\u0007a\u001b]8;;https://x\u001b\\link\u001b]8;;\u001b\\\u001b[2K\u001b[1Ab\u0007\u0000c\td")).toBe("alinkbc\td");
});
test("a line written over shows its last state", () => {
  expect(plain("10%\r50%\r100%\r\nnext\r")).toBe("100%\nnext");
});
