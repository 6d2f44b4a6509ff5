import { expect, it } from "vitest";
import { bytes } from "./size";

const cases: [number, string][] = [
  [0, "0 bytes"],
  [1, "1 byte"],
  [999, "999 bytes"],
  [1000, "1 kB"],
  [12_345, "12 kB"],
  [999_999, "1 MB"],
  [3_440_000, "3.4 MB"],
  [2_000_000_000, "2 GB"],
];
for (const [count, text] of cases) {
  it(`writes ${String(count)} as ${text}`, () => expect(bytes(count, "en")).toBe(text));
}
