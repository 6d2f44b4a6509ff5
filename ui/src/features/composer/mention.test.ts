import { expect, test } from "vitest";

import { complete, isLong, submitKind, typing } from "./mention";

test("what is typed at the caret", () => {
  expect(typing("look at @src/ar", 15)).toEqual({ type: "file", query: "src/ar", start: 8 });
  expect(typing("@", 1)).toEqual({ type: "file", query: "", start: 0 });
  expect(typing("看看（@文档", 6)).toEqual({ type: "file", query: "文档", start: 3 });
  expect(typing("a@b", 3)).toEqual({ type: "text" });
  expect(typing("/re", 3)).toEqual({ type: "command", query: "re" });
  expect(typing("/usr/bin is a path", 4)).toEqual({ type: "text" });
  expect(typing("x /re", 5)).toEqual({ type: "text" });
});
test("a completed mention is followed by one space", () => {
  expect(complete("see @sr now", 4, 7, "src/a.ts")).toEqual({ text: "see @src/a.ts now", caret: 14 });
  expect(complete("@", 0, 1, "my notes.md")).toEqual({ text: '@"my notes.md" ', caret: 15 });
});
test("ten thousand lines are an attachment, a paragraph is not", () => {
  expect(isLong("x\n".repeat(10_000))).toBe(true);
  expect(isLong("A paragraph.\n".repeat(20))).toBe(false);
});
test("Enter sends, queues, steers or branches", () => {
  expect(submitKind({ busy: false, editing: false, modified: false })).toBe("send");
  expect(submitKind({ busy: false, editing: false, modified: true })).toBe("send");
  expect(submitKind({ busy: true, editing: false, modified: false })).toBe("queue");
  expect(submitKind({ busy: true, editing: false, modified: true })).toBe("steer");
  expect(submitKind({ busy: true, editing: true, modified: false })).toBe("branch");
});
