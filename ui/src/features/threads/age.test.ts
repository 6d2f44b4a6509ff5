import { expect, it } from "vitest";
import { age } from "./age";

const NOW = 1_000_000_000_000;
const cases: [number, string | undefined, string | undefined][] = [
  [0, undefined, undefined],
  [-5_000, undefined, undefined],
  [59_999, undefined, undefined],
  [60_000, "1m", "1分钟"],
  [3 * 3_600_000 + 1, "3h", "3小时"],
  [2 * 86_400_000, "2d", "2天"],
  [15 * 86_400_000, "2w", "2周"],
  [400 * 86_400_000, "1y", "1年"],
];
for (const [since, en, zh] of cases) {
  it(`calls ${String(since)} ms ${en ?? "now"}`, () => {
    expect(age(NOW - since, NOW, "en")).toBe(en);
    expect(age(NOW - since, NOW, "zh-CN")).toBe(zh);
  });
}
