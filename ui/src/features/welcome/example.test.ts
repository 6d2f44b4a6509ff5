import { expect, it } from "vitest";
import { examplePrompt } from "./example";

const git = { usable: true, writable: true, git: true };

it("offers the demo only what the demo can do", () => expect(examplePrompt(true, git)).toBe("exampleDemo"));
it("speaks of a repository only where there is one", () => {
  expect(examplePrompt(false, git)).toBe("exampleGit");
  expect(examplePrompt(false, { ...git, git: false })).toBe("exampleFiles");
  expect(examplePrompt(false, undefined)).toBe("exampleFiles");
});
