import { describe, expect, it } from "vitest";
import { fromDraft, join, NEW_RULE, split, toDraft, type RuleForm } from "./ruleForm";

describe("split", () => {
  const cases: [string, unknown][] = [
    ["npm test", ["npm", "test"]],
    ["  git   commit -m 'a b' ", ["git", "commit", "-m", "a b"]],
    ['echo "it\'s"', ["echo", "it's"]],
    ["echo ''", ["echo", ""]],
    ["", []],
    ["echo 'a", { problem: "quoteOpen" }],
    ["rm -rf *", { problem: "prefixSyntax" }],
    ["a && b", { problem: "prefixSyntax" }],
    ["a $(b)", { problem: "prefixSyntax" }],
  ];
  for (const [text, expected] of cases) {
    it(`reads ${JSON.stringify(text)}`, () => expect(split(text)).toEqual(expected));
  }

  it("reads what join writes", () => {
    const words = ["git", "commit", "-m", "a b", "it's", "*.md", ""];
    expect(split(join(words))).toEqual(words);
  });
});

describe("toDraft", () => {
  const cases: [string, Partial<RuleForm>, unknown][] = [
    ["a prefix", { prefix: "npm test" }, { subject: { type: "commandPrefix", prefix: ["npm", "test"], escalated: false }, effect: "allow" }],
    ["a folder and a day", { prefix: "ls", folder: "/w", lasting: "day" }, { subject: { type: "commandPrefix", prefix: ["ls"], escalated: false }, effect: "allow", folder: "/w", expiresMs: 1000 + 86_400_000 }],
    ["an end that stays", { prefix: "ls", lasting: "kept", expiresMs: 5 }, { subject: { type: "commandPrefix", prefix: ["ls"], escalated: false }, effect: "allow", expiresMs: 5 }],
    ["a write", { subject: "write", target: "/data", effect: "deny" }, { subject: { type: "write", folder: "/data" }, effect: "deny" }],
    ["a Windows folder", { subject: "write", target: "C:\\data" }, { subject: { type: "write", folder: "C:\\data" }, effect: "allow" }],
    ["no prefix", {}, { problem: "prefixMissing" }],
    ["a relative folder", { prefix: "ls", folder: "w" }, { problem: "folderRelative" }],
    ["no target", { subject: "write" }, { problem: "targetMissing" }],
  ];
  for (const [name, change, expected] of cases) {
    it(`makes of ${name}`, () => expect(toDraft({ ...NEW_RULE, ...change }, 1000)).toEqual(expected));
  }

  it("gives back a rule that was only looked at", () => {
    const rule = { subject: { type: "commandPrefix", prefix: ["git", "push"], escalated: true }, effect: "deny", folder: "/w", expiresMs: 9 } as const;
    expect(toDraft(fromDraft({ ...rule, subject: { ...rule.subject, prefix: [...rule.subject.prefix] } }), 1000)).toEqual(rule);
  });
});
