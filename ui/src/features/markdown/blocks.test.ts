import { expect, test } from "vitest";

import { blocks } from "./blocks";

function check(text: string, expected: string[]): void {
  expect(blocks(text)).toEqual(expected);
}

test("paragraphs are blocks", () => check("a\nb\n\n\nc\n", ["a\nb", "c"]));
test("a fence is one block with its blank lines, closed or not", () => {
  check("```ts\na\n\nb\n```\n\nc", ["```ts\na\n\nb\n```", "c"]);
  check("x\n\n~~~\na\n\nb", ["x", "~~~\na\n\nb"]);
});
test("a shorter fence inside a longer one does not close it", () => check("````\n```\n\n```\n````\n\nz", ["````\n```\n\n```\n````", "z"]));
test("a loose list stays whole, so that its numbers go on", () => check("1. a\n\n2. b\n\n   more\n\nc", ["1. a\n\n2. b\n\n   more", "c"]));
test("a list after a paragraph is its own block", () => check("a\n\n- b\n- c", ["a", "- b\n- c"]));
test("every prefix of a stream keeps its finished blocks", () => {
  const text = "# One\n\nTwo **bold**\n\n```js\n1\n\n2\n```\n\n- a\n\n- b\n\nend";
  let before: string[] = [];
  for (let i = 1; i <= text.length; i += 1) {
    const now = blocks(text.slice(0, i));
    // Only the last block may still change, and the list above it, which a "-" may turn out to continue.
    const firm = Math.max(0, before.length - 2);
    expect(now.slice(0, firm)).toEqual(before.slice(0, firm));
    before = now;
  }
});
