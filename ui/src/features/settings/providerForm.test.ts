import { describe, expect, it } from "vitest";
import { draft, fromProvider, fromServer, nameFrom, NEW_PROVIDER, problems, sameConnection, urlProblem, type FormProblem } from "./providerForm";

describe("urlProblem", () => {
  const cases: [string, FormProblem | undefined][] = [
    ["", "urlMissing"],
    ["   ", "urlMissing"],
    ["api.example.com/v1", "urlBroken"],
    ["ftp://example.com", "urlScheme"],
    ["https://user:secret@example.com/v1", "keyInUrl"],
    ["https://api.example.com/v1", undefined],
    [" http://127.0.0.1:11434/v1/ ", undefined],
  ];
  for (const [url, expected] of cases) {
    it(`says ${expected ?? "nothing"} about ${JSON.stringify(url)}`, () => expect(urlProblem(url)).toBe(expected));
  }
});

describe("problems", () => {
  it("needs a model to save but not to test", () => {
    const form = { ...NEW_PROVIDER, baseUrl: "https://example.com/v1" };
    expect(problems(form, "test")).toEqual({});
    expect(problems(form, "save")).toEqual({ model: "modelMissing" });
  });
  it("notices a key with a space in the middle, not one around it", () => {
    const form = { ...NEW_PROVIDER, baseUrl: "https://example.com/v1" };
    expect(problems({ ...form, apiKey: "sk-a b" }, "test")).toEqual({ apiKey: "keySpaces" });
    expect(problems({ ...form, apiKey: " sk-ab\n" }, "test")).toEqual({});
  });
});

describe("draft", () => {
  it("leaves out what was not typed, so that the stored key stays", () => {
    const provider = { id: "acme", name: "Acme", baseUrl: "https://acme.test/v1", wireApi: "chat", key: { type: "stored", store: "Keychain" }, builtIn: false } as const;
    expect(draft(fromProvider(provider, ""))).toEqual({ id: "acme", name: "Acme", baseUrl: "https://acme.test/v1", wireApi: "chat" });
  });
  it("trims, and names a provider after its host", () => {
    expect(draft({ ...NEW_PROVIDER, baseUrl: " https://api.acme.test/v1 ", apiKey: " sk-1\n", model: " m " })).toEqual({
      name: "acme.test",
      baseUrl: "https://api.acme.test/v1",
      wireApi: "responses",
      apiKey: "sk-1",
      model: "m",
    });
  });
  it("takes a found server over with its first model", () => {
    const server = { name: "Ollama", baseUrl: "http://127.0.0.1:11434/v1", wireApi: "chat", models: [{ id: "qwen3" }] } as const;
    expect(draft(fromServer({ ...server, models: [...server.models] }))).toEqual({ name: "Ollama", baseUrl: "http://127.0.0.1:11434/v1", wireApi: "chat", model: "qwen3" });
  });
});

it("names local servers with their port", () => {
  expect([nameFrom("http://localhost:8080/v1"), nameFrom("https://www.acme.test"), nameFrom("nonsense")]).toEqual(["localhost:8080", "acme.test", ""]);
});

it("knows when a test's answer is out of date", () => {
  const form = { ...NEW_PROVIDER, baseUrl: "https://a.test" };
  expect(sameConnection(form, { ...form, name: "other", baseUrl: "https://a.test " })).toBe(true);
  expect(sameConnection(form, { ...form, wireApi: "chat" })).toBe(false);
});
