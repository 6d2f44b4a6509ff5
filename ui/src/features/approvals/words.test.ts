import { expect, test } from "vitest";

import { joinWords, splitWords } from "./words";

test("words come back as they were", () => {
  for (const list of [["npm", "install"], ["a b", "c"], ['say "hi"', "x\\y z"], [""], []]) expect(splitWords(joinWords(list))).toEqual(list);
});
test("what a person types", () => {
  expect(splitWords('  git  push "origin main" ')).toEqual(["git", "push", "origin main"]);
  expect(splitWords('open "quote')).toEqual(["open", "quote"]);
});
