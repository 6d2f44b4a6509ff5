import { describe, expect, it } from "vitest";
import { windowOf } from "./useRows";

describe("windowOf", () => {
  it("draws a screenful and a little more", () => {
    expect(windowOf(0, 100, 1000, 20)).toEqual({ first: 0, end: 13, offset: 0, total: 20_000 });
    expect(windowOf(10_000, 100, 1000, 20)).toEqual({ first: 492, end: 513, offset: 9840, total: 20_000 });
  });
  it("draws all of a short list", () => {
    expect(windowOf(0, 600, 3, 20)).toEqual({ first: 0, end: 3, offset: 0, total: 60 });
    expect(windowOf(0, 600, 0, 20)).toEqual({ first: 0, end: 0, offset: 0, total: 0 });
  });
  it("reaches the last row of a list taller than a browser can place", () => {
    const { total } = windowOf(0, 500, 1_000_000, 20);
    expect(total).toBe(8_000_000);
    const last = windowOf(total - 500, 500, 1_000_000, 20);
    expect(last.end).toBe(1_000_000);
    // The last drawn row ends where the box ends.
    expect(last.offset + (last.end - last.first) * 20).toBe(total);
  });
});
